"""What ``fit``, ``evaluate`` and ``predict`` accept, checked and turned into arrays a program takes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.foreign import as_numpy
from pynn.graph.ir import FEED_DTYPE


def as_array(data: Any, argument: str) -> np.ndarray:
    """``data`` as a numeric NumPy array with at least one row.

    Raises:
        DtypeError: not numbers.
        ShapeError: no rows, or ragged nested lists.
    """
    if hasattr(data, "to_numpy"):  # pandas and polars frames and series
        data = data.to_numpy()
    if data is None or isinstance(data, (dict, str)) or hasattr(data, "__next__"):
        received = "None" if data is None else f"a {type(data).__name__}"
        raise DtypeError(f"{argument}: expected an array or a list of numbers, one row per sample, received {received}")
    # Where nobody has loaded numpy.ma (which takes longer than some steps), nothing is a masked array.
    if "numpy.ma" in sys.modules and isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise DtypeError(
            f"{argument}: the array has {int(np.ma.count_masked(data))} masked numbers, which a model cannot leave "
            f"out; fill them first, e.g. {argument}.filled(0)"
        )
    try:
        array = as_numpy(data, argument)
    except ValueError:  # NumPy speaks of inhomogeneous shapes
        raise ShapeError(
            f"{argument}: the rows have different lengths, expected one rectangular array; "
            "cut or pad the rows to one length"
        ) from None
    if array.dtype.kind not in "fiub":
        raise DtypeError(
            f"{argument}: expected an array of numbers, received dtype {array.dtype}{_not_numbers(array, argument)}"
        )
    if array.ndim == 0:
        raise ShapeError(
            f"{argument}: expected an array with one row per sample, received the single number {array}; "
            "for one sample write a list with one row"
        )
    if array.shape[0] == 0:
        raise ShapeError(
            f"{argument}: received an empty array of shape {array.shape}, expected at least one sample; "
            "look at how the data was loaded or filtered"
        )
    return array


def _not_numbers(array: np.ndarray, argument: str) -> str:
    """What the array holds instead of numbers, and the way out."""
    if array.dtype.kind == "c":
        return f"; pass the real and the imaginary part as two features, or their size, np.abs({argument})"
    if array.dtype.kind in "mM":
        return "; turn dates into numbers first, e.g. days since the first one"
    if array.dtype.kind not in "OUS" or not array.size:
        return f"; convert it first, e.g. {argument}.astype('float32')"
    items = array.reshape(-1)[:1000].tolist()
    try:
        [float(item) for item in items]
    except (TypeError, ValueError):
        text = f" (it holds {next(_shortly(i) for i in items if not _is_number(i))})"
        if any(i is None for i in items):
            return f"{text}; drop or fill the missing entries first"
        return f"{text}; number the words or categories first, e.g. np.unique({argument}, return_inverse=True)[1]"
    return f" (the first element is {_shortly(items[0])}); convert it first, e.g. {argument}.astype('float32')"


def _is_number(item: Any) -> bool:
    try:
        float(item)
    except (TypeError, ValueError):
        return False
    return True


def _shortly(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= 40 else f"{text[:36]} ..."


def same_length(columns: Sequence[tuple[str, np.ndarray]]) -> None:
    """Raise a ShapeError that lists every column's length if they differ."""
    if len({len(a) for _, a in columns}) > 1:
        lengths = ", ".join(f"{name} has {len(a)}" for name, a in columns)
        raise ShapeError(
            f"all arrays need the same number of samples (rows), received: {lengths}; "
            "look at where one was cut, filtered or split and the other was not"
        )


def check_weights(weights: np.ndarray, rows: int, argument: str, inner: Sequence[int | None] = ()) -> None:
    """Raise unless there is one finite number per sample, or one for each position of the sample's output.

    ``inner`` are the lengths between the output's first axis and its last: the time steps of a sequence.
    """
    shape = weights.shape[1:-1] if weights.ndim > len(inner) + 1 and weights.shape[-1] == 1 else weights.shape[1:]
    if len(shape) > len(inner) or any(n not in (1, m) and m is not None for n, m in zip(shape, inner, strict=False)):
        steps = f", or one per sample and step, shape {(rows, *inner)}" if inner else ""
        raise ShapeError(
            f"{argument}: expected one number per sample, an array of shape ({rows},){steps}, "
            f"received an array of shape {weights.shape}"
        )
    if weights.dtype.kind == "f" and not np.isfinite(weights).all():
        at = int(np.argmin(np.isfinite(weights)))
        raise ArgumentError(
            f"{argument}: contains {weights.flat[at]} (first at index {at}), expected finite numbers; "
            "give samples that shall not count the weight 0"
        )


def check_input_shape(
    x: np.ndarray, expected: Sequence[int | None] | None, model_name: str, argument: str = "x"
) -> None:
    """Raise a ShapeError when ``x``'s rows are not of the shape the model was built for."""
    if expected is None:
        return
    wanted = tuple(expected)[1:]
    rows = x.shape[1:]
    if len(rows) == len(wanted) and all(w in (None, r) for w, r in zip(wanted, rows, strict=True)):
        return
    raise ShapeError(
        f"{argument}: model '{model_name}' was built for inputs of shape {_show((None, *wanted))}, "
        f"received an array of shape {x.shape}; {_way_out(x.shape, wanted, argument)}"
    )


def _way_out(shape: tuple[int, ...], wanted: tuple[int | None, ...], argument: str) -> str:
    """How an array of ``shape`` could become rows of shape ``wanted``: the likeliest mistake first."""
    rows = shape[1:]
    if shape == wanted:
        return f"this looks like one sample: add the batch axis with {argument}[None]"
    if wanted and wanted[-1] == 1 and rows == wanted[:-1]:
        return f"add the channel axis with {argument}[..., None]"
    if wanted and wanted[-1] == 1 and shape == wanted[:-1]:
        return (
            "this looks like one sample without a channel axis: add the batch and the channel axis with "
            f"{argument}[None, ..., None]"
        )
    if len(rows) == len(wanted) == 3 and rows == (wanted[2], *wanted[:2]):
        return f"the channels come first: move them to the end with np.moveaxis({argument}, 1, -1)"
    if None not in wanted and int(np.prod(rows)) == int(np.prod([w or 1 for w in wanted])):
        return f"reshape it with {argument}.reshape(len({argument}), {', '.join(map(str, wanted))})"
    return (
        f"give every sample the shape {_show(wanted)}, or make the model for samples of shape {_show(rows)} "
        f"with Input({_show(rows)})"
    )


def _show(shape: Sequence[int | None]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def feed_dtype(array: np.ndarray, keep_integers: bool) -> str:
    """The dtype under which a column reaches the program."""
    if not keep_integers:
        return "float32"
    if array.dtype.kind in "iu" and not np.can_cast(array.dtype, "int32") and array.size:
        limits = np.iinfo("int32")
        if array.min() < limits.min or array.max() > limits.max:
            return "float32"  # no class indices: losses that take them have refused such numbers before
    return FEED_DTYPE[array.dtype.kind]


def split_at(rows: int, fraction: float) -> int:
    """The row where the last ``fraction`` of them, for validation, begins, as Keras splits."""
    if not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
        raise ArgumentError(f"validation_split: expected a number between 0 and 1, received {fraction!r}")
    at = int(np.floor(rows * (1.0 - fraction)))
    if at == 0 or at == rows:
        raise ArgumentError(f"validation_split={fraction}: {rows} samples cannot be split into two non-empty parts")
    return at
