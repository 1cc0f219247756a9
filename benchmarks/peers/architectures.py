"""Well-known networks in the API that Keras and pynn share; ``api`` is the module of either.

Layers, their names' order and their numbers of parameters are those of ``keras.applications`` where it has the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def mlp(api: Any) -> Any:
    """784-512-512-10 with dropout."""
    layers = api.layers
    return api.Sequential(
        [
            api.Input((784,)),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )


def cifar_cnn(api: Any) -> Any:
    """Two blocks of two convolutions with batch normalization, then dense layers."""
    layers = api.layers
    stack: list[Any] = [api.Input((32, 32, 3))]
    for filters in (32, 64):
        for _ in range(2):
            stack += [
                layers.Conv2D(filters, 3, padding="same", use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
            ]
        stack.append(layers.MaxPooling2D(2))
    stack += [layers.Flatten(), layers.Dense(512, activation="relu"), layers.Dense(10, activation="softmax")]
    return api.Sequential(stack)


def resnet20(api: Any) -> Any:
    """The CIFAR network of He et al. (2016) with 1 x 1 convolutions where a block changes the size."""
    layers = api.layers

    def convolution(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    inputs = api.Input((32, 32, 3))
    x = layers.ReLU()(convolution(inputs, 16))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            y = layers.ReLU()(convolution(x, filters, strides=strides))
            y = convolution(y, filters)
            shortcut = convolution(x, filters, 1, strides) if strides == 2 else x
            x = layers.ReLU()(layers.Add()([shortcut, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return api.Model(inputs, layers.Dense(10, activation="softmax")(x))


def resnet50(api: Any, size: int = 224) -> Any:
    """ResNet-50: 25,636,712 parameters."""
    layers = api.layers

    def convolution(x: Any, filters: int, window: int = 1, strides: int = 1, padding: str = "valid") -> Any:
        x = layers.Conv2D(filters, window, strides, padding=padding)(x)
        return layers.BatchNormalization(epsilon=1.001e-5)(x)

    def block(x: Any, filters: int, strides: int, widen: bool) -> Any:
        shortcut = convolution(x, 4 * filters, strides=strides) if widen else x
        y = layers.Activation("relu")(convolution(x, filters, strides=strides))
        y = layers.Activation("relu")(convolution(y, filters, 3, padding="same"))
        y = convolution(y, 4 * filters)
        return layers.Activation("relu")(layers.Add()([shortcut, y]))

    inputs = api.Input((size, size, 3))
    x = layers.ZeroPadding2D(3)(inputs)
    x = layers.Activation("relu")(convolution(x, 64, 7, 2))
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for filters, blocks, strides in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(blocks):
            x = block(x, filters, strides if i == 0 else 1, widen=i == 0)
    x = layers.GlobalAveragePooling2D()(x)
    return api.Model(inputs, layers.Dense(1000, activation="softmax")(x))


def mobilenet_v2(api: Any, size: int = 224) -> Any:
    """MobileNetV2 of width 1: 3,538,984 parameters."""
    layers = api.layers

    def normalized(x: Any, relu: bool = True) -> Any:
        x = layers.BatchNormalization(epsilon=1e-3, momentum=0.999)(x)
        return layers.ReLU(6.0)(x) if relu else x

    def block(x: Any, filters: int, strides: int, expansion: int) -> Any:
        channels = x.shape[-1]
        y = x
        if expansion > 1:
            y = normalized(layers.Conv2D(expansion * channels, 1, padding="same", use_bias=False)(y))
        if strides == 2:
            rows = y.shape[1]
            y = layers.ZeroPadding2D(((0, 1), (0, 1)) if rows % 2 == 0 else ((1, 1), (1, 1)))(y)
        padding = "same" if strides == 1 else "valid"
        y = normalized(layers.DepthwiseConv2D(3, strides, padding=padding, use_bias=False)(y))
        y = normalized(layers.Conv2D(filters, 1, padding="same", use_bias=False)(y), relu=False)
        return layers.Add()([x, y]) if strides == 1 and channels == filters else y

    inputs = api.Input((size, size, 3))
    x = normalized(layers.Conv2D(32, 3, 2, padding="same", use_bias=False)(inputs))
    for filters, strides, expansion, blocks in (
        (16, 1, 1, 1), (24, 2, 6, 2), (32, 2, 6, 3), (64, 2, 6, 4), (96, 1, 6, 3), (160, 2, 6, 3), (320, 1, 6, 1),
    ):  # fmt: skip
        for i in range(blocks):
            x = block(x, filters, strides if i == 0 else 1, expansion)
    x = normalized(layers.Conv2D(1280, 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return api.Model(inputs, layers.Dense(1000, activation="softmax")(x))


def vgg16(api: Any, size: int = 224) -> Any:
    """VGG16: 138,357,544 parameters."""
    layers = api.layers
    stack: list[Any] = [api.Input((size, size, 3))]
    for filters, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(convolutions)]
        stack.append(layers.MaxPooling2D(2))
    stack += [layers.Flatten(), layers.Dense(4096, activation="relu"), layers.Dense(4096, activation="relu")]
    return api.Sequential([*stack, layers.Dense(1000, activation="softmax")])


def lstm_classifier(api: Any, words: int = 80, vocabulary: int = 20_000, units: int = 128) -> Any:
    """Words to vectors, an LSTM over them, and one probability from its last state."""
    layers = api.layers
    return api.Sequential(
        [
            api.Input((words,), dtype="int32"),
            layers.Embedding(vocabulary, units),
            layers.LSTM(units),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def transformer_encoder(
    api: Any,
    words: int = 128,
    vocabulary: int = 20_000,
    width: int = 128,
    heads: int = 4,
    feed_forward: int = 512,
    blocks: int = 2,
) -> Any:
    """A classifier of texts: the encoder of Vaswani et al. (2017) with trained positions, its mean, and ten classes."""
    layers = api.layers

    class Positions(layers.Layer):  # type: ignore[name-defined, misc]
        """Adds a trained vector to each position."""

        def build(self, input_shape: Any) -> None:
            self.table = self.add_weight(shape=(words, width), initializer="uniform", name="table")

        def call(self, x: Any) -> Any:
            return x + self.table

    def normalized(x: Any, y: Any) -> Any:
        return layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, y]))

    inputs = api.Input((words,), dtype="int32")
    x = Positions()(layers.Embedding(vocabulary, width)(inputs))
    for _ in range(blocks):
        x = normalized(x, layers.MultiHeadAttention(heads, width // heads)(x, x))
        y = layers.Dense(feed_forward, activation="relu")(x)
        x = normalized(x, layers.Dense(width)(y))
    return api.Model(inputs, layers.Dense(10, activation="softmax")(api.ops.mean(x, axis=1)))


ARCHITECTURES: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (mlp, cifar_cnn, resnet20, resnet50, mobilenet_v2, vgg16, lstm_classifier, transformer_encoder)
}
#: Of the networks that take other sizes of images than 224.
PARAMETERS = {"resnet50": 25_636_712, "mobilenet_v2": 3_538_984, "vgg16": 138_357_544}
