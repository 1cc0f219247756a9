"""The networks in the API that Keras and pynn share; ``api`` is the module of either."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from architectures import lstm_classifier, mlp, transformer_encoder
from networks import ADAM_RATE, NETWORKS, SGD_RATE, resnet20_blocks
from protocol import Case, Steps


def build(api: Any, name: str, **compile_options: Any) -> Any:
    """The compiled model with the common first weights."""
    model = _MODELS[name](api)
    loss = "mean_squared_error" if NETWORKS[name].one_hot else "sparse_categorical_crossentropy"
    if NETWORKS[name].binary:
        loss = "binary_crossentropy"
    if name == "mlp":
        optimizer = api.optimizers.SGD(learning_rate=SGD_RATE)
    else:
        optimizer = api.optimizers.Adam(learning_rate=ADAM_RATE)
    model.compile(optimizer=optimizer, loss=loss, **compile_options)
    model.set_weights(NETWORKS[name].weights())
    return model


def _mlp(api: Any) -> Any:
    dense = api.layers.Dense
    return api.Sequential([api.Input((784,)), dense(64, activation="sigmoid"), dense(10, activation="softmax")])


def _lenet5(api: Any) -> Any:
    layers = api.layers
    return api.Sequential(
        [
            api.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _cifar(api: Any) -> Any:
    layers = api.layers
    model = api.Sequential([api.Input((32, 32, 3))])
    for filters in (32, 64, 128):
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
            model.add(layers.BatchNormalization())
            model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    return model


def _resnet20(api: Any) -> Any:
    layers = api.layers

    class Block(layers.Layer):
        """Two convolutions, and what they add to."""

        def __init__(self, filters: int, stride: int) -> None:
            super().__init__()
            self.parts = _conv_norm(layers, filters, 3, stride) + _conv_norm(layers, filters, 3, 1)
            self.shortcut = _conv_norm(layers, filters, 1, stride) if stride > 1 else []

        def call(self, x: Any) -> Any:
            conv_1, norm_1, conv_2, norm_2 = self.parts
            y = norm_2(conv_2(api.activations.relu(norm_1(conv_1(x)))))
            for layer in self.shortcut:
                x = layer(x)
            return api.activations.relu(y + x)

    return api.Sequential(
        [
            api.Input((32, 32, 3)),
            *_conv_norm(layers, 16, 3, 1),
            layers.Activation("relu"),
            *(Block(filters, stride) for _, filters, stride in resnet20_blocks()),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _conv_norm(layers: Any, filters: int, window: int, stride: int) -> list[Any]:
    conv = layers.Conv2D(filters, window, strides=stride, padding="same", use_bias=False)
    return [conv, layers.BatchNormalization()]


_MODELS: dict[str, Callable[[Any], Any]] = {
    "mlp": _mlp,
    "mlp_dropout": mlp,
    "lenet5": _lenet5,
    "cifar": _cifar,
    "resnet20": _resnet20,
    "lstm": lstm_classifier,
    "transformer": transformer_encoder,
}


class Fit:
    """Epochs of ``model.fit``, timed from the inside: what a call costs once does not count."""

    def __init__(self, api: Any, model: Any, name: str) -> None:
        class Clock(api.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                self.start = time.perf_counter()

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                times.append((time.perf_counter() - self.start) / steps)

        times: list[float] = []
        steps = NETWORKS[name].steps_per_epoch
        self.times = times
        self.clock = Clock()
        self.model = model
        self.batch = NETWORKS[name].batch
        self.x, self.y = NETWORKS[name].data()

    def _fit(self, epochs: int) -> Any:
        return self.model.fit(self.x, self.y, batch_size=self.batch, epochs=epochs, verbose=0, callbacks=[self.clock])

    def run(self, n: int) -> list[float]:
        self.times.clear()
        self._fit(n + 1)  # the first warms up
        return self.times[1:]

    def losses(self, n: int) -> list[float]:
        return [float(loss) for loss in self._fit(n).history["loss"]]


def cases(
    api: Any, to_batch: Callable[[Any], Any], variants: dict[str, dict[str, Any]]
) -> dict[str, Callable[[], Case]]:
    """Builders of all cases.

    Args:
        to_batch: turns a NumPy array into what ``train_on_batch`` takes without a conversion.
        variants: name -> options for ``compile``; the unnamed one is the framework's default.
    """

    def step(name: str, options: dict[str, Any]) -> Case:
        model = build(api, name, **options)
        x, y = (to_batch(array) for array in NETWORKS[name].data(NETWORKS[name].batch))
        return Steps(lambda: float(model.train_on_batch(x, y)))

    def fit(name: str, options: dict[str, Any]) -> Case:
        return Fit(api, build(api, name, **options), name)

    result: dict[str, Callable[[], Case]] = {}
    for name in NETWORKS:
        for variant, options in variants.items():
            for mode, make in (("step", step), ("fit", fit)):
                key = f"{name}.{mode}.{variant}".rstrip(".")
                result[key] = lambda make=make, name=name, options=options: make(name, options)
    return result
