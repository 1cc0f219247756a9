"""The base of layers for texts and other values that are no numbers: they compute in Python, before a model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn.errors import CallError, DtypeError
from pynn.graph import symbolic, trace
from pynn.graph.tensor import Tensor
from pynn.layers.layer import Layer


class HostLayer(Layer):
    """Base of layers that work on arrays of strings: on lists and arrays, and in ``Dataset.map``.

    A compiled step computes with numbers only, so a model cannot hold such a layer.  A subclass defines ``call``,
    in NumPy.
    """

    _stateless = True

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("training", None)
        if args or kwargs:
            raise CallError(f"layer '{self.name}': {type(self).__name__} takes one input, got more arguments")
        if symbolic.is_symbolic(x) or trace.is_tracing():
            raise CallError(
                f"layer '{self.name}': {type(self).__name__} cannot be a part of a model, in which numbers flow only; "
                "apply it to the data before: dataset.map(lambda x, y: (layer(x), y)), or model.fit(layer(x), y)"
            )
        self.built = True
        return np.asarray(self.call(x)).view(Tensor)


def encode_indices(indices: np.ndarray, mode: str, depth: int) -> np.ndarray:
    """Numbers as rows of 0 and 1, or of counts; numbers outside of ``depth`` count nowhere.

    Args:
        mode: ``"one_hot"``: a row for each number (a last axis of length 1 disappears); ``"multi_hot"`` and
            ``"count"``: a row for each sample, the last axis.
    """
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = indices[..., 0]
        return (indices[..., None] == np.arange(depth)).astype("float32")
    flat = indices.reshape(math.prod(indices.shape[:-1]), indices.shape[-1]) if indices.ndim else indices.reshape(1, 1)
    inside = (flat >= 0) & (flat < depth)
    rows = np.nonzero(inside)[0]
    counts = np.bincount(rows * depth + flat[inside], minlength=len(flat) * depth).reshape(len(flat), depth)
    shape = indices.shape[:-1] if indices.ndim else ()
    shown = counts > 0 if mode == "multi_hot" else counts
    return shown.astype("float32").reshape(*shape, depth)


def string_array(where: str, x: Any, encoding: str = "utf-8") -> np.ndarray:
    """An array of ``str`` of strings in arrays or lists."""
    try:
        array = np.asarray(x.to_numpy() if hasattr(x, "to_numpy") else x)
    except ValueError:
        raise DtypeError(f"{where}: expected an array of strings, received rows of different lengths") from None
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind == "S":
        return np.char.decode(array, encoding)
    if array.dtype.kind == "O" and all(isinstance(item, str | bytes) for item in array.flat):
        texts = [item.decode(encoding) if isinstance(item, bytes) else item for item in array.flat]
        return np.array(texts, str).reshape(array.shape)
    raise DtypeError(f"{where}: expected strings, received {type(x).__name__} of dtype {array.dtype}")
