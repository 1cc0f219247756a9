"""What a generator is said to give, and what it gave: signatures of :meth:`~pynn.data.Dataset.from_generator`."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.data import elements as el
from pynn.errors import ArgumentError, ShapeError


def structure(types: Any) -> Any:
    """Lists in a signature stand for tuples."""
    return tuple(map(structure, types)) if isinstance(types, list) else types


def beside(types: Any, shapes: Any) -> Any:
    """The TensorSpecs of dtypes and shapes in the same structure, where a tuple of lengths is a shape."""
    if isinstance(types, dict):
        return {key: beside(t, shapes[key]) for key, t in types.items()}
    if isinstance(types, tuple):
        return tuple(beside(t, s) for t, s in zip(types, shapes, strict=True))
    return el.TensorSpec(shapes, types)


def structure_like(value: Any, signature: Any) -> Any:
    """A generator may give lists where the signature has tuples."""
    return tuple(value) if isinstance(signature, tuple) and isinstance(value, list) else value


def conform(value: Any, signature: Any) -> Any:
    def one(spec: Any, leaf: Any) -> np.ndarray:
        dtype, shape = el.dtype_name(spec.dtype), getattr(spec, "shape", None)
        array = el.as_array(leaf)
        if dtype == "string":
            array = array if array.dtype.kind in "USO" else array.astype(str)
        else:
            array = array.astype(dtype, copy=False)
        wanted = el.TensorSpec(None if shape is None else tuple(shape), dtype)
        if not wanted.fits(array):
            raise ShapeError(
                f"Dataset.from_generator: the generator gave an array of shape {array.shape}, the signature says "
                f"{wanted.shape}"
            )
        return array

    try:
        if isinstance(signature, tuple) and len(value) != len(signature):
            raise TypeError
        return el.map_leaves(one, signature, value)
    except (KeyError, IndexError, TypeError):
        raise ArgumentError(
            f"Dataset.from_generator: the generator gave {type(value).__name__}, which has not the structure of the "
            f"signature {signature!r}"
        ) from None
