"""The networks in the API that Keras and pynn share; ``api`` is the module of either."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from networks import ADAM_RATE, BATCH, NETWORKS, SGD_RATE, STEPS_PER_EPOCH
from protocol import Case, Steps


def build(api: Any, name: str, **compile_options: Any) -> Any:
    """The compiled model with the common first weights."""
    layers = api.layers
    if name == "mlp":
        model = api.Sequential(
            [
                api.Input((784,)),
                layers.Dense(64, activation="sigmoid"),
                layers.Dense(10, activation="softmax"),
            ]
        )
        optimizer: Any = api.optimizers.SGD(learning_rate=SGD_RATE)
        loss = "mean_squared_error"
    else:
        model = api.Sequential(
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
        optimizer = api.optimizers.Adam(learning_rate=ADAM_RATE)
        loss = "sparse_categorical_crossentropy"
    model.compile(optimizer=optimizer, loss=loss, **compile_options)
    model.set_weights(NETWORKS[name].weights())
    return model


class Fit:
    """Epochs of ``model.fit``, timed from the inside: what a call costs once does not count."""

    def __init__(self, api: Any, model: Any, name: str) -> None:
        class Clock(api.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                self.start = time.perf_counter()

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                times.append((time.perf_counter() - self.start) / STEPS_PER_EPOCH)

        times: list[float] = []
        self.times = times
        self.clock = Clock()
        self.model = model
        self.x, self.y = NETWORKS[name].data()

    def _fit(self, epochs: int) -> Any:
        return self.model.fit(self.x, self.y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[self.clock])

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
        x, y = (to_batch(array) for array in NETWORKS[name].data(BATCH))
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
