"""AlexNet: Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012."""

from __future__ import annotations

from typing import Any

from pynn import layers, ops
from pynn.applications.frame import CLASSES, Frame, Options, channel_axis, only_own_weights
from pynn.errors import ArgumentError
from pynn.models import Model

__all__ = ["AlexNet", "LocalResponseNormalization"]

#: (filters, size of the window, strides, padding, pooling behind it) of the five convolutions.
_CONVOLUTIONS = (
    (96, 11, 4, "valid", True),
    (256, 5, 1, "same", True),
    (384, 3, 1, "same", False),
    (384, 3, 1, "same", False),
    (256, 3, 1, "same", True),
)


class LocalResponseNormalization(layers.Layer):
    """Channels at one place hold each other down: ``x / (k + alpha * sum of x**2 over near channels) ** beta``.

    Args:
        depth: how many channels are near, the channel itself in their middle; odd.
        k, alpha, beta: as in the paper's section 3.3.
        axis: of the channels.

    Input and output: any shape.

    Raises:
        ArgumentError: ``depth`` is not a positive odd number.

    Example:
        >>> import numpy as np
        >>> layer = LocalResponseNormalization(3, k=1, alpha=1, beta=1)
        >>> layer(np.array([[1.0, 0.0, 1.0]])).tolist()
        [[0.5, 0.0, 0.5]]
    """

    def __init__(
        self, depth: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, axis: int = -1, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if not isinstance(depth, int) or depth < 1 or depth % 2 == 0:
            raise ArgumentError(f"LocalResponseNormalization: depth must be odd and positive, received {depth!r}")
        self.depth, self.k, self.alpha, self.beta, self.axis = depth, k, alpha, beta, axis

    def call(self, inputs: Any) -> Any:
        axis = self.axis % len(inputs.shape)
        half, channels = self.depth // 2, inputs.shape[axis]
        around = [(half, half) if i == axis else (0, 0) for i in range(len(inputs.shape))]
        squares = ops.pad(ops.square(inputs), around)
        near: Any = 0
        for i in range(self.depth):
            near = near + squares[(slice(None),) * axis + (slice(i, i + channels),)]
        return inputs / (self.k + self.alpha * near) ** self.beta


def AlexNet(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = "alexnet",
    *,
    normalization: str | None = "local",
) -> Model:
    """AlexNet of Krizhevsky et al. (2012) in one tower: 62,378,344 parameters.

    The paper divides some of its layers between two graphics cards; here each layer reads all of the one before.

    Args:
        include_top: with the three dense layers (and dropout of one half before the first two).
        weights: None (random) or the path of a file.
        input_tensor, pooling, classes, classifier_activation, name: as those of :func:`pynn.applications.VGG16`.
        input_shape: of one image, at least 67 x 67 pixels; ``(227, 227, 3)`` by default.
        normalization: behind the first two convolutions: ``"local"`` as in the paper
            (:class:`LocalResponseNormalization`, no parameters), ``"batch"`` as in many of today's versions, or None.

    Raises:
        ArgumentError: arguments that do not go together.
        ShapeError: an input shape that the network cannot take.

    Example:
        >>> AlexNet(include_top=False).count_params()
        3747200
    """
    only_own_weights("AlexNet", weights)
    if normalization not in ("local", "batch", None):
        raise ArgumentError(f"AlexNet: normalization must be 'local', 'batch' or None, received {normalization!r}")
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    frame = Frame("AlexNet", options, size=227, least=67)
    x = frame.image
    for i, (filters, size, strides, padding, pooled) in enumerate(_CONVOLUTIONS, 1):
        x = layers.Conv2D(filters, size, strides=strides, padding=padding, activation="relu", name=f"conv{i}")(x)
        if i <= 2 and normalization is not None:
            kind = LocalResponseNormalization if normalization == "local" else layers.BatchNormalization
            x = kind(axis=channel_axis(), name=f"norm{i}")(x)
        if pooled:
            x = layers.MaxPooling2D(3, strides=2, name=f"pool{i}")(x)
    if not include_top:
        return frame.model(frame.pooled(x), name)
    x = layers.Flatten(name="flatten")(x)
    for i in (1, 2):
        x = layers.Dropout(0.5, name=f"dropout{i}")(x)
        x = layers.Dense(4096, activation="relu", name=f"fc{i}")(x)
    return frame.model(frame.classifier(x), name)
