"""LeNet-5: LeCun et al., "Gradient-based learning applied to document recognition", 1998."""

from __future__ import annotations

from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, Options, only_own_weights
from pynn.errors import ArgumentError
from pynn.models import Model

__all__ = ["LeNet5"]

_SUBSAMPLING = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def LeNet5(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str | None = "lenet5",
    *,
    activation: Any = "tanh",
    subsampling: str = "average",
) -> Model:
    """LeNet-5 of LeCun et al. (1998) as it is built today: 61,706 parameters.

    6 filters of 5x5, 2x2 averages, 16 filters of 5x5 that read all 6 channels, 2x2 averages, dense layers of 120 and
    84, and the classes.  The first convolution keeps 28x28 images at their size, where the paper has them within 32x32.

    Args:
        include_top: with the three dense layers.
        weights: None (random) or the path of a file.
        input_tensor, pooling, classes, classifier_activation, name: as those of :func:`pynn.applications.VGG16`.
        input_shape: of one image, at least 12 x 12 pixels; ``(28, 28, 1)`` by default.
        activation: of all layers but the last; ``"relu"`` in most of today's versions.
        subsampling: ``"average"``, or ``"max"`` as in most of today's versions.

    Raises:
        ArgumentError: arguments that do not go together.
        ShapeError: an input shape that the network cannot take.

    Example:
        >>> LeNet5().count_params()
        61706
    """
    only_own_weights("LeNet5", weights)
    if subsampling not in _SUBSAMPLING:
        raise ArgumentError(f"LeNet5: subsampling must be 'average' or 'max', received {subsampling!r}")
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    frame = Frame("LeNet5", options, size=28, least=12, channels=1)
    pool = _SUBSAMPLING[subsampling]
    x = layers.Conv2D(6, 5, padding="same", activation=activation, name="conv1")(frame.image)
    x = pool(2, name="pool1")(x)
    x = layers.Conv2D(16, 5, activation=activation, name="conv2")(x)
    x = pool(2, name="pool2")(x)
    if not include_top:
        return frame.model(frame.pooled(x), name)
    x = layers.Flatten(name="flatten")(x)
    for i, units in enumerate((120, 84), 1):
        x = layers.Dense(units, activation=activation, name=f"fc{i}")(x)
    return frame.model(frame.classifier(x), name)
