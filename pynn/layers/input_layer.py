"""The model's entrance: what shape its samples have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.dtype_policies import number_name
from pynn.errors import ArgumentError, DtypeError
from pynn.graph.ir import DTYPES, Value
from pynn.graph.symbolic import Call, KerasTensor
from pynn.layers.layer import Layer, refuse_unsupported


class InputLayer(Layer):
    """Says what shape a model's samples have.

    Args:
        shape: of one sample; None for a length that may vary.
        batch_size: number of samples, if it is always the same.
        dtype: ``"float32"`` by default.
        batch_shape: ``(batch_size, *shape)`` in one.
    """

    _stateless = True

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        if shape is None and "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        super().__init__(name=name, **kwargs)
        where = f"Input '{self.name}'"
        refuse_unsupported(
            where,
            sparse=sparse or None,
            ragged=ragged or None,
            input_tensor=input_tensor,
            optional=optional or None,
        )
        if (shape is None) == (batch_shape is None):
            raise ArgumentError(f"{where}: give shape, for example Input((784,)), and not batch_shape with it")
        if batch_shape is not None:
            if batch_size is not None:
                raise ArgumentError(f"{where}: give batch_size with shape, not with batch_shape")
            dims = _checked(where, "batch_shape", batch_shape)
        else:
            dims = (batch_size, *_checked(where, "shape", shape))
        self.batch_shape = dims
        self._input_dtype = number_name(dtype or "float32")
        if self._input_dtype not in DTYPES:
            raise DtypeError(f"{where}: dtype must be one of {', '.join(DTYPES)}, received {dtype!r}")
        self.output_shape = self.batch_shape
        call = Call(self, (), {})
        call.outputs = KerasTensor(dims, self.dtype, self.name, call)

    @property
    def dtype(self) -> str:
        """Of the arrays that come in."""
        return self._input_dtype

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of a batch."""
        return self.batch_shape

    @property
    def batch_size(self) -> int | None:
        return self.batch_shape[0]

    def call(self, x: Value) -> Value:
        return x

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def _checked(where: str, argument: str, shape: Any) -> tuple[int | None, ...]:
    if not isinstance(shape, list | tuple):
        hint = f"; write ({shape},)" if isinstance(shape, int | np.integer) else ""
        raise ArgumentError(f"{where}: {argument} must be a tuple of integers, received {shape!r}{hint}")
    for d in shape:
        if d is not None and (isinstance(d, bool) or not isinstance(d, int | np.integer) or d < 0):
            raise ArgumentError(
                f"{where}: {argument} must hold lengths (integers, or None for any), received {tuple(shape)}"
            )
    return tuple(None if d is None else int(d) for d in shape)


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor: where a model starts.  Call layers on it, or put it first in a ``Sequential``.

    Args:
        shape: of one sample; None for a length that may vary.
        batch_size: number of samples, if it is always the same.
        dtype: ``"float32"`` by default; ``"int32"`` for indices.
        batch_shape: ``(batch_size, *shape)`` in one.
        name: of the input layer, and the key of this input in dictionaries of arrays.

    Example:
        >>> x = Input((784,), name="pixels")
        >>> x
        <KerasTensor shape=(None, 784), dtype=float32, name=pixels>
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name).output
