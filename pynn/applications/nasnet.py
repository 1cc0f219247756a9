"""NASNet: Zoph et al., 2017 (arXiv:1707.07012): two cells that a search found, stacked.

A cell reads the output of the cell before it (``x``) and of the one before that (``p``).  The normal cell keeps the
size of images, the reduction cell halves it; names of layers end in the cell's number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import layers, settings
from pynn.applications.frame import CLASSES, Files, Frame, Options
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.mobilenet_v2 import halving_padding
from pynn.applications.weight_files import at_site
from pynn.errors import ArgumentError, ShapeError
from pynn.models import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


def _normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(momentum=0.9997, epsilon=1e-3, name=name)(x)


def _relu(x: Any, name: str | None = None) -> Any:
    return layers.Activation("relu", name=name)(x)


def _pointwise(x: Any, filters: int, name: str) -> Any:
    return layers.Conv2D(filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)


def _squeezed(x: Any, filters: int, kind: str, cell: str) -> Any:
    """What a cell makes of ``x`` first: ReLU, a 1x1 convolution, batch normalization."""
    x = _pointwise(_relu(x), filters, f"{kind}_conv_1_{cell}")
    return _normalized(x, f"{kind}_bn_1_{cell}")


def _separable(x: Any, filters: int, size: int, name: str, strides: int = 1) -> Any:
    """Twice: ReLU, a separable convolution, batch normalization."""
    for i in (1, 2):
        x, padding = _relu(x), "same"
        if strides == 2 and i == 1:
            x, padding = layers.ZeroPadding2D(halving_padding(x, size), name=f"separable_conv_1_pad_{name}")(x), "valid"
        x = layers.SeparableConv2D(
            filters, size, strides=strides if i == 1 else 1, padding=padding, use_bias=False,
            name=f"separable_conv_{i}_{name}",
        )(x)  # fmt: skip
        x = _normalized(x, f"separable_conv_{i}_bn_{name}")
    return x


def _halved(p: Any, filters: int, cell: str) -> Any:
    """An image of the former size: every second place, and the places between, by a 1x1 convolution each."""
    p = _relu(p, f"adjust_relu_1_{cell}")
    shifted = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(p))
    parts = []
    for i, part in enumerate((p, shifted), 1):
        part = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{i}_{cell}")(part)
        parts.append(_pointwise(part, filters // 2, f"adjust_conv_{i}_{cell}"))
    return _normalized(layers.Concatenate()(parts), f"adjust_bn_{cell}")


def _projected(p: Any, filters: int, cell: str) -> Any:
    """An image of the same size, with as many channels as the cell works on."""
    return _normalized(_pointwise(_relu(p), filters, f"adjust_conv_projection_{cell}"), f"adjust_bn_{cell}")


def _normal(x: Any, p: Any, filters: int, cell: str) -> Any:
    """The cell that keeps the size; gives 6 ``filters`` channels."""

    def branch(source: Any, size: int, place: str) -> Any:
        return _separable(source, filters, size, f"normal_{place}_{cell}")

    def average(source: Any, place: str) -> Any:
        return layers.AveragePooling2D(3, strides=1, padding="same", name=f"normal_{place}_{cell}")(source)

    h = _squeezed(x, filters, "normal", cell)
    pairs = [
        (branch(h, 5, "left1"), branch(p, 3, "right1")),
        (branch(p, 5, "left2"), branch(p, 3, "right2")),
        (average(h, "left3"), p),
        (average(p, "left4"), average(p, "right4")),
        (branch(h, 3, "left5"), h),
    ]
    sums = [layers.Add(name=f"normal_add_{i}_{cell}")(list(pair)) for i, pair in enumerate(pairs, 1)]
    return layers.Concatenate(name=f"normal_concat_{cell}")([p, *sums])


def _reduction(x: Any, p: Any, filters: int, cell: str) -> Any:
    """The cell that halves height and width; gives 4 ``filters`` channels."""

    def branch(source: Any, size: int, place: str) -> Any:
        return _separable(source, filters, size, f"reduction_{place}_{cell}", strides=2)

    def pool(kind: Any, place: str) -> Any:
        return kind(3, strides=2, name=f"reduction_{place}_{cell}")(padded)

    def add(a: Any, b: Any, name: str | None) -> Any:
        return layers.Add(name=name and f"reduction_{name}_{cell}")([a, b])

    h = _squeezed(x, filters, "reduction", cell)
    padded = layers.ZeroPadding2D(halving_padding(h), name=f"reduction_pad_1_{cell}")(h)
    first = add(branch(h, 5, "left1"), branch(p, 7, "right1"), "add_1")
    second = add(pool(layers.MaxPooling2D, "left2"), branch(p, 7, "right2"), "add_2")
    third = add(pool(layers.AveragePooling2D, "left3"), branch(p, 5, "right3"), "add3")
    smoothed = layers.AveragePooling2D(3, strides=1, padding="same", name=f"reduction_left4_{cell}")(first)
    fourth = add(second, smoothed, None)
    fifth = add(
        _separable(first, filters, 3, f"reduction_left4_{cell}"), pool(layers.MaxPooling2D, "right5"), "add4"
    )  # fmt: skip
    return layers.Concatenate(name=f"reduction_concat_{cell}")([second, third, fourth, fifth])


def _cells(image: Any, stem: int, filters: int, repeats: int, skip: bool) -> Any:
    """All of the network below its top.

    Args:
        stem: filters of the first convolution.
        filters: of the first normal cells; each reduction doubles them.
        repeats: normal cells between two reductions.
        skip: what a reduction leaves behind as ``p`` is its own ``p``, not its ``x``.
    """
    x = layers.Conv2D(stem, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1")(image)
    start = _normalized(x, "stem_bn1")
    p = _reduction(start, start, filters // 4, "stem_1")
    x = _reduction(p, _halved(start, filters // 2, "stem_2"), filters // 2, "stem_2")
    for stage in range(3):
        if stage:
            cell = f"reduce_{stage * repeats}"
            smaller = _reduction(x, _projected(p, filters, cell), filters, cell)
            x, p = smaller, p if skip else x
        for i in range(repeats):
            cell = f"{stage * repeats + i + (stage > 0)}"
            adjusted = (_projected if i else _halved)(p, filters, cell)
            x, p = _normal(x, adjusted, filters, cell), x
        filters *= 2
    return _relu(x)


def _network(name: str, size: int, cells: tuple[int, int, int, bool], digests: tuple[str, str], about: str) -> Callable:
    short = name.removeprefix("NASNet").lower()
    site = f"nasnet/NASNet-{short}"
    files: Files = (
        at_site(f"{site}.h5", digests[0], f"nasnet_{short}.h5"),
        at_site(f"{site}-no-top.h5", digests[1], f"nasnet_{short}_no_top.h5"),
    )

    def application(
        input_shape: Any = None,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = f"nasnet_{short}",
    ) -> Model:
        network = application.__name__
        if settings.image_data_format() == "channels_first":
            raise ArgumentError(f"{network} needs images with channels last; pynn.config.set_image_data_format sets it")
        if input_shape is None and input_tensor is None:
            input_shape = (size, size, 3)
        shape = input_shape if input_tensor is None else getattr(input_tensor, "shape", ())[1:]
        if None in tuple(shape):
            raise ShapeError(
                f"{network}: its cells put images of two sizes together, so it needs to know the size, received "
                f"{tuple(shape)}; pass input_shape=({size}, {size}, 3) or another size"
            )
        options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(network, options, size)
        return frame.model(frame.top(_cells(frame.image, *cells), average=None), name, files)

    application.__name__ = application.__qualname__ = name
    application.__doc__ = f"""{about}

    Args:
        input_shape: of one image, {size} x {size} by default; at least 32 x 32 pixels, never unknown.
        include_top, weights, input_tensor, pooling, classes, classifier_activation, name: as those of
            :func:`pynn.applications.VGG16`.

    Raises:
        ArgumentError: arguments that do not go together, or images with channels first.
        ShapeError: an input shape that the network cannot take.
        DataNotFoundError: the weights are not here and could not be downloaded.
    """
    return application


NASNetMobile = _network(
    "NASNetMobile",
    224,
    (32, 44, 4, False),
    ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    "NASNetMobile of Zoph et al. (2017): 5,326,716 parameters.",
)
NASNetLarge = _network(
    "NASNetLarge",
    331,
    (96, 168, 6, True),
    ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
    "NASNetLarge of Zoph et al. (2017): 88,949,818 parameters.",
)
preprocess_input = preprocessing("tf")
