"""Variables: the arrays that outlive a step (weights, optimizer slots, statistics, metric totals, seeds)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.ir import DTYPES, Spec

_ALIGNMENT = 64  # a cache line, and the widest vector


def aligned_empty(shape: Sequence[int], dtype: str) -> np.ndarray:
    """A C-contiguous array whose first element lies on a 64-byte boundary, with 64 spare bytes after the last."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 2 * _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(tuple(shape))


class Variable:
    """An array with a fixed shape and a fixed place in memory; compiled programs read and write it directly.

    Args:
        value: initial numbers, anything NumPy takes.
        trainable: whether an optimizer may change it.
        name: the last part of its path.
        dtype: ``"float32"`` by default for floating-point input.
        spec: shape and dtype of a variable whose numbers are written later; ``value`` is then None.

    Example:
        >>> v = Variable([1.0, 2.0], name="w")
        >>> v.assign([3.0, 4.0])
        >>> v.numpy()
        array([3., 4.], dtype=float32)
    """

    #: Grows with every change of any variable: "nothing has changed" is then one comparison.
    changes: ClassVar[int] = 0

    def __init__(
        self,
        value: Any,
        *,
        trainable: bool = True,
        name: str = "variable",
        dtype: str | None = None,
        spec: Spec | None = None,
    ):
        if spec is None:
            value = np.asarray(value)
            if dtype is None:
                dtype = "float32" if value.dtype.kind == "f" else str(value.dtype)
            if dtype not in DTYPES:
                raise DtypeError(f"Variable '{name}': dtype must be one of {', '.join(DTYPES)}, received {dtype!r}")
            spec = Spec(value.shape, dtype)
        self.name = name
        self.path = name
        self.trainable = trainable
        #: A function of the variable whose result is added to the loss, and one that gives what it may be after a step.
        self.regularizer: Any = None
        self.constraint: Any = None
        self.spec = spec
        self._array = aligned_empty(spec.shape, spec.dtype)
        #: Grows with every change.
        self.version = 0
        if value is not None:
            self._array[...] = value

    def mark_changed(self) -> None:
        """To be called by whoever has written into :attr:`array`."""
        self.version += 1
        Variable.changes += 1

    @property
    def shape(self) -> tuple[int, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> str:
        return self.spec.dtype

    @property
    def size(self) -> int:
        return self.spec.size

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def array(self) -> np.ndarray:
        """The storage itself, for compiled programs and optimized code; never replace it.

        Who writes into it calls :meth:`mark_changed`."""
        return self._array

    @property
    def value(self) -> np.ndarray:
        """The numbers as a read-only view: it follows later changes.  Use :meth:`numpy` for a copy."""
        view = self._array.view()
        view.flags.writeable = False
        return view

    def numpy(self) -> np.ndarray:
        """A copy of the numbers."""
        return self._array.copy()

    def assign(self, value: Any) -> Any:
        """Overwrite the numbers in place.  While a graph is traced, records the change for when it runs.

        Raises:
            ShapeError: the shapes differ; nothing is changed.
        """
        from pynn.graph import trace
        from pynn.graph.ir import Value

        if isinstance(value, Value):
            trace.current().write(self, value)
            return value
        new = np.asarray(value)
        if new.shape != self.shape:
            raise ShapeError(
                f"Variable '{self.path}': cannot assign an array of shape {new.shape}, expected {self.shape}"
            )
        if new.dtype.kind not in "fiub":
            raise DtypeError(f"Variable '{self.path}': cannot assign values of dtype {new.dtype}")
        self._array[...] = new
        self.mark_changed()
        return None

    def assign_add(self, delta: Any) -> Any:
        """Add ``delta`` in place (or record it, while a graph is traced)."""
        from pynn import ops
        from pynn.graph import trace
        from pynn.graph.ir import Value

        if isinstance(delta, Value):
            return self.assign(ops.add(trace.current().read(self), delta))
        return self.assign(self._array + np.asarray(delta))

    def __add__(self, other: Any) -> Any:
        return _current(self) + other

    def __radd__(self, other: Any) -> Any:
        return other + _current(self)

    def __sub__(self, other: Any) -> Any:
        return _current(self) - other

    def __rsub__(self, other: Any) -> Any:
        return other - _current(self)

    def __mul__(self, other: Any) -> Any:
        return _current(self) * other

    def __rmul__(self, other: Any) -> Any:
        return other * _current(self)

    def __truediv__(self, other: Any) -> Any:
        return _current(self) / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / _current(self)

    def __pow__(self, other: Any) -> Any:
        return _current(self) ** other

    def __neg__(self) -> Any:
        return -_current(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            if dtype is not None and np.dtype(dtype) != self._array.dtype:
                raise ArgumentError(f"Variable '{self.path}': converting to {dtype} needs a copy")
            return self.value
        return np.array(self._array, dtype=dtype, copy=True)

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, trainable={self.trainable}>"


def _current(variable: Variable) -> Any:
    """What arithmetic on a variable works with: its traced state inside a trace, else its numbers."""
    from pynn.graph import trace

    return trace.current().read(variable) if trace.is_tracing() else variable.value
