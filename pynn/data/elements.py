"""Elements of a :class:`~pynn.data.Dataset`: arrays in tuples and dictionaries, nested as one likes.

Lists are not part of the structure: as in TensorFlow a list is an array to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.foreign import as_numpy
from pynn.graph.tensor import Tensor


@dataclass(frozen=True)
class TensorSpec:
    """Shape and dtype of an array in the elements of a data set; None for a length that varies.

    Example:
        >>> TensorSpec((None, 3), "float32")
        TensorSpec(shape=(None, 3), dtype='float32', name=None)
    """

    shape: tuple[int | None, ...] | None = None
    dtype: Any = "float32"
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", None if self.shape is None else tuple(self.shape))
        object.__setattr__(self, "dtype", dtype_name(self.dtype))

    def fits(self, array: np.ndarray) -> bool:
        """Whether an array has this shape."""
        return self.shape is None or (
            len(self.shape) == array.ndim and all(s in (None, n) for s, n in zip(self.shape, array.shape, strict=True))
        )


def dtype_name(dtype: Any) -> str:
    """The name of a dtype; ``"string"`` for all kinds of strings."""
    if isinstance(dtype, np.dtype) and dtype.kind in "USO":
        return "string"
    name = getattr(dtype, "name", dtype)  # TensorFlow's dtypes have a name
    if name in ("string", str, bytes, object):
        return "string"
    kind = np.dtype(name)
    return "string" if kind.kind in "USO" else kind.name


def map_leaves(function: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """The same structure with ``function`` of each leaf, and of the leaves at its place in ``others``.

    Example:
        >>> map_leaves(lambda a, b: a + b, (1, {"k": 2}), (10, {"k": 20}))
        (11, {'k': 22})
    """
    if isinstance(structure, dict):
        return {key: map_leaves(function, item, *(o[key] for o in others)) for key, item in structure.items()}
    if isinstance(structure, tuple):
        items = [map_leaves(function, item, *(o[i] for o in others)) for i, item in enumerate(structure)]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    return function(structure, *others)


def leaves(structure: Any) -> list[Any]:
    """The leaves, in order."""
    if isinstance(structure, dict):
        return [leaf for item in structure.values() for leaf in leaves(item)]
    if isinstance(structure, tuple):
        return [leaf for item in structure for leaf in leaves(item)]
    return [structure]


def is_dataset(leaf: Any) -> bool:
    """Whether it is a data set inside of another one, as ``window()`` makes them."""
    return hasattr(leaf, "as_numpy_iterator")


def as_array(leaf: Any) -> Any:
    """A leaf as an array.  Python's own numbers become float32 and int32, as everywhere in Keras; arrays stay."""
    if isinstance(leaf, np.ndarray) or is_dataset(leaf):
        return leaf
    if hasattr(leaf, "to_numpy"):
        return np.asarray(leaf.to_numpy())
    if any(hasattr(leaf, name) for name in ("dtype", "__array__", "__dlpack__")):
        return as_numpy(leaf, "Dataset")
    if isinstance(leaf, list | tuple) and leaf and isinstance(leaf[0], str):
        return np.array(leaf, object)  # an array of str gives each text the room of the longest
    try:
        array = np.asarray(leaf)
    except ValueError:
        raise ShapeError(
            "Dataset: a list of rows of different lengths is no array; pad them (pynn.utils.pad_sequences), or give "
            "them one by one with Dataset.from_generator"
        ) from None
    if array.dtype == np.object_ and not all(isinstance(item, str | bytes) for item in array.flat):
        raise DtypeError(f"Dataset: expected arrays, numbers or strings, received {_described(leaf)}")
    if _holds_arrays(leaf):
        return array
    return array.astype({"f": "float32", "i": "int32"}.get(array.dtype.kind, array.dtype), copy=False)


def _described(leaf: Any) -> str:
    text = repr(leaf)
    return f"{type(leaf).__name__} {text if len(text) < 60 else text[:57] + '...'}"


def _holds_arrays(leaf: Any) -> bool:
    while isinstance(leaf, list | tuple) and leaf:
        leaf = leaf[0]
    return isinstance(leaf, np.ndarray | np.generic)


def element(value: Any) -> Any:
    """What a user's function or generator gave, as an element."""
    return map_leaves(as_array, value)


def tensors(value: Any) -> Any:
    """An element as users see it: arrays that answer to ``.numpy()``."""
    return map_leaves(lambda leaf: leaf if is_dataset(leaf) else np.asarray(leaf).view(Tensor), value)


def arrays(value: Any) -> Any:
    """An element as plain arrays; scalars as NumPy's scalars."""
    return map_leaves(lambda leaf: leaf if is_dataset(leaf) else np.asarray(leaf)[()], value)


def rows(structure: Any, index: int) -> Any:
    """One row of each array; a single number is an array, too."""
    return map_leaves(lambda array: array[index, ...], structure)


def pack(structure: Any, items: Iterable[Any]) -> Any:
    """``items``, in the order of :func:`leaves`, in the shape of ``structure``."""
    rest = iter(items)
    return map_leaves(lambda _: next(rest), structure)


def common_length(structure: Any) -> int:
    """How many rows the arrays of a structure have.

    Raises:
        ArgumentError, ShapeError: there is no array, one without rows, or they differ.
    """
    found = leaves(structure)
    if not found:
        raise ArgumentError("Dataset.from_tensor_slices: received no array")
    for array in found:
        if not array.ndim:
            raise ShapeError("Dataset.from_tensor_slices: a single number has no rows; use Dataset.from_tensors")
    lengths = {len(array) for array in found}
    if len(lengths) > 1:
        raise ShapeError(
            "Dataset.from_tensor_slices: all arrays must have the same number of rows, received shapes "
            f"{', '.join(str(array.shape) for array in found)}"
        )
    return lengths.pop()


def stack(elements: Sequence[Any]) -> Any:
    """Elements as one batch.

    Raises:
        ShapeError: their shapes differ.
    """

    def one(*parts: np.ndarray) -> np.ndarray:
        shapes = {part.shape for part in parts}
        if len(shapes) > 1:
            raise ShapeError(
                f"Dataset.batch: elements of different shapes cannot be one batch: {sorted(shapes)}; make them equal "
                "with map(), or use padded_batch()"
            )
        return np.stack(parts)

    return map_leaves(one, *elements)


def pad_and_stack(elements: Sequence[Any], shapes: Any = None, values: Any = None) -> Any:
    """Elements as one batch, each array filled up at the end of its axes.

    Args:
        elements: of equal structure.
        shapes: for each array the shape to fill up to, None for lengths as long as the longest; None for all of them.
        values: what to fill up with, for each array or one for all; None for zeros and empty strings.
    """
    first = elements[0]
    if isinstance(first, dict):
        return {key: pad_and_stack([e[key] for e in elements], _part(shapes, key), _part(values, key)) for key in first}
    if isinstance(first, tuple):
        # A tuple of lengths is a shape; a tuple of shapes belongs to a tuple of arrays.
        return tuple(
            pad_and_stack([e[i] for e in elements], _part(shapes, i), _part(values, i)) for i in range(len(first))
        )
    return _pad(elements, shapes, values)


def _part(given: Any, key: Any) -> Any:
    return given[key] if isinstance(given, dict | tuple | list) else given


def _pad(parts: Sequence[np.ndarray], shape: Any, value: Any) -> np.ndarray:
    ranks = {part.ndim for part in parts}
    if len(ranks) > 1 or (shape is not None and len(shape) not in ranks):
        raise ShapeError(
            f"Dataset.padded_batch: elements of shapes {sorted({p.shape for p in parts})} and padded_shapes {shape} "
            "must have the same number of axes"
        )
    final = [max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True)]
    for axis, size in enumerate(shape or ()):
        if size is None or size == -1:
            continue
        if size < final[axis]:
            raise ShapeError(
                f"Dataset.padded_batch: an element has length {final[axis]} along axis {axis}, more than the {size} "
                "of padded_shapes"
            )
        final[axis] = size
    dtype = np.result_type(*parts)
    if value is None:
        value = b"" if dtype.kind == "S" else "" if dtype.kind in "UO" else 0
    batch = np.full((len(parts), *final), value, dtype)
    for i, part in enumerate(parts):
        places: tuple[Any, ...] = (i, *(slice(n) for n in part.shape))
        batch[places] = part
    return batch


def spec_of(value: Any) -> Any:
    """The TensorSpecs of an element."""
    return map_leaves(lambda leaf: leaf.element_spec if is_dataset(leaf) else TensorSpec(leaf.shape, leaf.dtype), value)
