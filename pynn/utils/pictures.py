"""Pictures of what a network sees and answers, as figures of Matplotlib (``pip install 'pynn-engine[plot]'``).

No function shows anything: ``figure.savefig("file.png")`` writes a figure, and a notebook draws the one that a cell
ends in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import settings
from pynn.errors import ArgumentError, ShapeError
from pynn.utils.class_activation import grad_cam, maps_of, one_image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NORMALIZED = {"true": 1, "pred": 0, "all": None}


def _figure(where: str, width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{where} needs matplotlib: pip install 'pynn-engine[plot]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def _grid(where: str, count: int, columns: int, size: float) -> tuple[Figure, list[Any]]:
    """A figure of ``count`` panels without axes."""
    if not isinstance(columns, int) or columns < 1:
        raise ArgumentError(f"{where}: columns must be a positive integer, received {columns!r}")
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    figure = _figure(where, max(size * columns, 3), size * rows + 0.4)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel in panels:
        panel.set_axis_off()
    return figure, panels[:count]


def _limit(where: str, most: int | None, there: int) -> int:
    if there == 0 or (most is not None and (not isinstance(most, int) or most < 1)):
        raise ArgumentError(f"{where}: nothing to draw: {there} there, most={most!r}")
    return there if most is None else min(most, there)


def _channels_last(image: np.ndarray) -> np.ndarray:
    return np.moveaxis(image, 0, -1) if settings.image_data_format() == "channels_first" else image


def _visible(image: np.ndarray) -> np.ndarray:
    """Pixels from 0 to 1: bytes and 0 ... 255 are divided by 255, what is already in the range stays, all else is
    stretched."""
    x = np.asarray(image, "float64")
    x = x[..., 0] if x.ndim == 3 and x.shape[-1] == 1 else x
    low, high = x.min(), x.max()
    if low >= 0 and high <= 255:
        return x / 255 if high > 1 or np.asarray(image).dtype == np.uint8 else x
    return (x - low) / ((high - low) or 1.0)


def plot_feature_maps(model: Any, image: Any, layer: Any = None, most: int | None = 64, columns: int = 8) -> Figure:
    """What a layer makes of an image: a grey picture of each channel, black the smallest number, white the largest.

    Args:
        model: functional or sequential.
        image: one, as the model takes it: ``(height, width, channels)`` or with a leading axis of 1.
        layer: a layer of the model or its name; the last with maps of more than one place if it is None.
        most: how many channels to draw; None for all.
        columns: of the grid.

    Raises:
        ArgumentError: a model or layer that gives no feature maps.
        ShapeError: not one image.
        ImportError: Matplotlib is not installed.
    """
    from pynn.models import Model

    x, symbolic = one_image("plot_feature_maps", image), maps_of("plot_feature_maps", model, layer)
    maps = _channels_last(Model(model.inputs, symbolic).predict(x, verbose=0)[0])
    count = _limit("plot_feature_maps", most, maps.shape[-1])
    figure, panels = _grid("plot_feature_maps", count, columns, 1.2)
    for i, panel in enumerate(panels):
        panel.imshow(maps[..., i], cmap="gray")
    figure.suptitle(f"{symbolic.call.operation.name}: {count} of {maps.shape[-1]} maps of {len(maps)} x {len(maps[0])}")
    return figure


def plot_filters(layer: Any, most: int | None = 64, columns: int = 8, channel: int | None = None) -> Figure:
    """The windows of weights of a convolution, one picture for each filter.

    Filters that read three channels are drawn in colour, those that read one in grey; of others one channel is drawn.
    Grey is 0 in all pictures, black and white the largest weight of the layer (or what it is below 0).

    Args:
        layer: a built 2D convolution, also a depthwise one.
        most: how many filters to draw; None for all.
        columns: of the grid.
        channel: which input channel to draw; 0 if it is None and there are others than one or three.

    Raises:
        ArgumentError: no such layer or channel.
        ImportError: Matplotlib is not installed.
    """
    kernel = getattr(layer, "kernel", None)
    if kernel is None or len(kernel.shape) != 4:
        raise ArgumentError(
            f"plot_filters: needs a built layer with a kernel of (rows, columns, channels, filters), received "
            f"{type(layer).__name__} {getattr(layer, 'name', '')!r}"
        )
    weights = np.asarray(kernel)
    if "Depthwise" in type(layer).__name__:  # each filter reads one channel
        weights = weights.reshape((*weights.shape[:2], 1, -1))
    read = weights.shape[2]
    if channel is not None and not 0 <= channel < read:
        raise ArgumentError(f"plot_filters: channel must be 0 ... {read - 1}, received {channel!r}")
    if channel is None and read not in (1, 3):
        channel = 0
    if channel is not None:
        weights = weights[:, :, channel : channel + 1]
    largest = np.abs(weights).max() or 1.0
    pictures = 0.5 + weights / (2 * largest)
    count = _limit("plot_filters", most, weights.shape[3])
    figure, panels = _grid("plot_filters", count, columns, 1.0)
    for i, panel in enumerate(panels):
        panel.imshow(pictures[..., i].squeeze(2) if weights.shape[2] == 1 else pictures[..., i], "gray", vmin=0, vmax=1)
    part = "" if channel is None or read == 1 else f", input channel {channel}"
    figure.suptitle(f"{layer.name}: {count} of {weights.shape[3]} filters of {len(weights)} x {len(weights[0])}{part}")
    return figure


def plot_grad_cam(
    model: Any, image: Any, class_index: int | None = None, layer: Any = None, photo: Any = None, alpha: float = 0.5
) -> Figure:
    """A photograph, and the same with the places that speak for a class in red (:func:`grad_cam`).

    Args:
        model, image, class_index, layer: as of :func:`grad_cam`.
        photo: what to draw below the colours, of any size; ``image`` itself, its numbers stretched, if it is None.
        alpha: how much the colours cover.

    Raises:
        ArgumentError, ShapeError: as :func:`grad_cam`.
        ImportError: Matplotlib is not installed.
    """
    figure = _figure("plot_grad_cam", 8, 4.2)
    heat = grad_cam(model, image, class_index, layer)
    below = _visible(_channels_last(one_image("plot_grad_cam", image)[0]) if photo is None else np.asarray(photo))
    rows, columns = below.shape[:2]
    panels = figure.subplots(1, 2)
    for panel in panels:
        panel.imshow(below, cmap="gray")
        panel.set_axis_off()
    panels[1].imshow(
        heat, cmap="jet", alpha=alpha, vmin=0, vmax=1, extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
        interpolation="bilinear",
    )  # fmt: skip
    panels[1].set_title("the most probable class" if class_index is None else f"class {class_index}")
    return figure


def _classes(where: str, name: str, y: Any) -> np.ndarray:
    """Class numbers; from rows of probabilities (or one-hot ones), the largest of each."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        return y.argmax(axis=1)
    if y.ndim != 1:
        raise ShapeError(f"{where}: {name} must be class numbers (n,) or rows (n, classes), received {y.shape}")
    if np.issubdtype(y.dtype, np.floating) and (y != np.floor(y)).any():
        y = y > 0.5  # a sigmoid's answers
    numbers = y.astype("int64")
    if (numbers < 0).any():
        raise ArgumentError(f"{where}: {name} has a class number below 0: {numbers.min()}")
    return numbers


def plot_confusion_matrix(
    y_true: Any, y_pred: Any, class_names: Sequence[str] | None = None, normalize: str | None = None
) -> Figure:
    """How often each class (rows) was taken for each other (columns).

    Args:
        y_true: class numbers, or rows of which the largest number says the class.
        y_pred: the same, or numbers between 0 and 1 as a single sigmoid gives them.
        class_names: of all classes.
        normalize: None for counts, ``"true"`` for shares of the true class (rows sum to 1), ``"pred"`` of the predicted
            one (columns), ``"all"`` of everything.

    Raises:
        ArgumentError: an unknown ``normalize``, or fewer names than classes.
        ShapeError: not as many answers as truths.
        ImportError: Matplotlib is not installed.

    Example:
        >>> figure = plot_confusion_matrix([0, 0, 1], [0, 1, 1], ["cat", "dog"])
        >>> figure.axes[0].images[0].get_array().tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """
    where = "plot_confusion_matrix"
    if normalize is not None and normalize not in _NORMALIZED:
        raise ArgumentError(f"{where}: normalize must be None, 'true', 'pred' or 'all', received {normalize!r}")
    true, pred = _classes(where, "y_true", y_true), _classes(where, "y_pred", y_pred)
    if len(true) != len(pred) or not len(true):
        raise ShapeError(
            f"{where}: {len(true)} true classes and {len(pred)} predicted ones; needs as many, at least one"
        )
    rows = max(
        [y.shape[1] for y in map(np.asarray, (y_true, y_pred)) if y.ndim == 2] + [true.max() + 1, pred.max() + 1]
    )
    count = rows if class_names is None else len(class_names)
    if count < max(true.max(), pred.max()) + 1:
        raise ArgumentError(f"{where}: there is a class {max(true.max(), pred.max())}, but {count} class_names")
    matrix = np.zeros((count, count))
    np.add.at(matrix, (true, pred), 1)
    if normalize is not None:
        total = matrix.sum(axis=_NORMALIZED[normalize], keepdims=True)
        matrix = np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
    names = [str(i) for i in range(count)] if class_names is None else [str(name) for name in class_names]
    side = max(4.0, 0.55 * count + 1.5)
    figure = _figure(where, side + 0.8, side)
    axes = figure.subplots()
    shown = axes.imshow(matrix, cmap="Blues", vmin=0)
    figure.colorbar(shown, ax=axes, shrink=0.8)
    axes.set_xticks(range(count), names, rotation=0 if max(map(len, names)) < 4 else 45, ha="center")
    axes.set_yticks(range(count), names)
    axes.set(xlabel="predicted", ylabel="true")
    if count <= 30:
        dark = matrix.max() / 2
        for (i, j), n in np.ndenumerate(matrix):
            text = f"{n:.0f}" if normalize is None else f"{n:.2f}"
            axes.text(j, i, text, ha="center", va="center", fontsize=9, color="white" if n > dark else "black")
    return figure


def plot_predictions(
    images: Any, y_pred: Any, y_true: Any = None, class_names: Sequence[str] | None = None, most: int | None = 32,
    columns: int = 8,
) -> Figure:  # fmt: skip
    """Images with the class that was predicted above each; in red, with the true one, where it is wrong.

    Args:
        images: ``(n, height, width)`` or ``(n, height, width, channels)``, of bytes or of any floats.
        y_pred: class numbers ``(n,)``, or probabilities ``(n, classes)``: then the largest is written, too.
        y_true: class numbers, or one-hot rows.
        class_names: of all classes; their numbers if it is None.
        most: how many images to draw; None for all.
        columns: of the grid.

    Raises:
        ArgumentError: fewer names than classes, or nothing to draw.
        ShapeError: arrays of different lengths or of other shapes.
        ImportError: Matplotlib is not installed.
    """
    where = "plot_predictions"
    images = np.asarray(images)
    if images.ndim not in (3, 4):
        raise ShapeError(f"{where}: images must be (n, height, width[, channels]), received {images.shape}")
    pred = _classes(where, "y_pred", y_pred)
    true = None if y_true is None else _classes(where, "y_true", y_true)
    if len(pred) != len(images) or (true is not None and len(true) != len(images)):
        raise ShapeError(
            f"{where}: {len(images)} images, {len(pred)} predictions"
            + ("" if true is None else f" and {len(true)} true classes")
        )
    largest = max([0, *pred] + ([] if true is None else [*true]))
    if class_names is not None and largest >= len(class_names):
        raise ArgumentError(f"{where}: there is a class {largest}, but {len(class_names)} class_names")
    rows = np.asarray(y_pred)
    figure, panels = _grid(where, _limit(where, most, len(images)), columns, 1.5)
    for i, panel in enumerate(panels):
        image = images[i] if images.ndim == 3 else _channels_last(images[i])
        panel.imshow(_visible(image), cmap="gray", vmin=0, vmax=1)
        title = _name(pred[i], class_names)
        if rows.ndim == 2 and rows.shape[1] > 1:
            title += f" {rows[i].max():.0%}"
        wrong = true is not None and pred[i] != true[i]
        panel.set_title(
            f"{title}\n({_name(true[i], class_names)})" if wrong else title,  # type: ignore[index]
            fontsize=8, pad=3, color="red" if wrong else "black",
        )  # fmt: skip
    return figure


def _name(number: int, names: Sequence[str] | None) -> str:
    return str(number) if names is None else str(names[number])
