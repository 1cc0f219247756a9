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
        input_tensor: an existing symbolic tensor to start at; shape and dtype follow from it.
        sparse, ragged, optional: not supported.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.InputLayer((4,)).output.shape
        (None, 4)
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
        if batch_shape is None and "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        super().__init__(name=name, **kwargs)
        where = f"Input '{self.name}'"
        refuse_unsupported(where, sparse=sparse or None, ragged=ragged or None, optional=optional or None)
        if input_tensor is not None:
            dims, dtype = _of_tensor(where, input_tensor, shape, batch_size, dtype, batch_shape)
        elif (shape is None) == (batch_shape is None):
            raise ArgumentError(f"{where}: give shape, for example Input((784,)), and not batch_shape with it")
        elif batch_shape is not None:
            if batch_size is not None:
                raise ArgumentError(f"{where}: give batch_size with shape, not with batch_shape")
            dims = _checked(where, "batch_shape", batch_shape)
        else:
            dims = (batch_size, *_checked(where, "shape", shape))
        self.batch_shape = dims
        self.sparse = self.ragged = False
        self.optional = False
        self._input_dtype = number_name(dtype or "float32")
        if self._input_dtype not in DTYPES:
            raise DtypeError(f"{where}: dtype must be one of {', '.join(DTYPES)}, received {dtype!r}")
        self.output_shape = self.batch_shape
        call = Call(self, (), {})
        call.outputs = (
            KerasTensor(dims, self.dtype, name=self.name, call=call) if input_tensor is None else input_tensor
        )

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
            "optional": self.optional,
        }


def _of_tensor(
    where: str, tensor: Any, shape: Any, batch_size: int | None, dtype: Any, batch_shape: Any
) -> tuple[tuple[int | None, ...], str]:
    """Shape and dtype of the symbolic tensor that a model shall start at; what else is given must agree with it."""
    if not isinstance(tensor, KerasTensor):
        raise ArgumentError(f"{where}: tensor must be a symbolic tensor, received {tensor!r}")
    given = {
        "shape": (shape, tensor.shape[1:]),
        "batch_shape": (batch_shape, tensor.shape),
        "batch_size": (batch_size, tensor.shape[0] if tensor.shape else None),
        "dtype": (dtype and number_name(dtype), tensor.dtype),
    }
    for argument, (value, own) in given.items():
        if value is not None and (tuple(value) if isinstance(value, list) else value) != own:
            raise ArgumentError(f"{where}: {argument}={value!r} does not fit the tensor, whose {argument} is {own!r}")
    return tensor.shape, tensor.dtype


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
        tensor: an existing symbolic tensor to start at; shape and dtype follow from it.
        sparse, ragged, optional: not supported.
        name: of the input layer, and the key of this input in dictionaries of arrays.

    Example:
        >>> x = Input((784,), name="pixels")
        >>> x
        <KerasTensor shape=(None, 784), dtype=float32, name=pixels>
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name).output
