"""Variables: the arrays that outlive a step (weights, optimizer slots, statistics, metric totals, seeds)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph import dtypes
from pynn.graph.arithmetic import Arithmetic, apply
from pynn.graph.foreign import as_numpy
from pynn.graph.ir import Spec
from pynn.graph.name_scope import scoped
from pynn.utils.memory import require_numbers
from pynn.utils.naming import auto_name

_ALIGNMENT = 64  # a cache line, and the widest vector


def aligned_empty(shape: Sequence[int], dtype: str) -> np.ndarray:
    """A C-contiguous array whose first element lies on a 64-byte boundary, with 64 spare bytes after the last."""
    size = math.prod(map(int, shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 2 * _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(tuple(shape))


class Variable(Arithmetic):
    """An array with a fixed shape and a fixed place in memory; compiled programs read and write it directly.

    Operators and comparisons work on its numbers; while a graph is traced they are ops on its state.  As in Keras
    ``==`` compares the numbers, too: to look for a variable in a list, compare with ``is``.

    Args:
        initializer: the initial numbers, anything NumPy takes; or, with ``shape``, an initializer, its name, or a
            function of ``(shape, dtype)``.
        shape: of what the initializer makes; not needed for given numbers.
        dtype: by default that of the given numbers, ``"float32"`` for all floats.
        trainable: whether an optimizer may change it.  Setting it has programs compiled anew where that matters.
        autocast, aggregation, synchronization, layout: accepted for compatibility; there is one device and one dtype
            of computation, so they change nothing.
        name: the last part of its path; ``variable``, ``variable_1`` ... by default.
        spec: shape and dtype of a variable that a program makes for itself and fills later; ``initializer`` is then
            None.

    Raises:
        ArgumentError: an initializer without a shape, or a ``/`` in the name.
        ShapeError: numbers of another shape than ``shape``.

    Example:
        >>> v = Variable([1.0, 2.0], name="w")
        >>> _ = v.assign([3.0, 4.0])
        >>> v.numpy()
        array([3., 4.], dtype=float32)
        >>> v * 2
        array([6., 8.], dtype=float32)
        >>> Variable("ones", shape=(2,), name="gamma")
        <Variable path=gamma, shape=(2,), dtype=float32, value=[1. 1.]>
    """

    #: Another number after every change of any variable: "nothing has changed" is then one comparison.
    changes: ClassVar[int] = 0
    #: Gives a number that no other thread gets; adding 1 to :attr:`changes` could be lost between two threads.
    next_change: ClassVar[Callable[[], int]] = itertools.count(1).__next__
    #: Grows whenever ``trainable`` of any variable or layer is set to something else.
    freezes: ClassVar[int] = 0
    #: Called with a variable that is about to get new numbers or, in a trace, another state: open ``StatelessScope``s.
    guards: ClassVar[tuple[Callable[[Variable], None], ...]] = ()

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        *,
        spec: Spec | None = None,
    ):
        self.name = name or auto_name("variable")
        value = None
        if spec is not None:
            require_numbers(f"Variable '{self.name}'", spec.shape, spec.dtype)
        else:
            if not isinstance(self.name, str) or "/" in self.name:
                raise ArgumentError(f"Variable: name must be a string without '/', received {name!r}")
            value = self._initial(initializer, shape, dtype)
            spec = Spec(value.shape, value.dtype.name)
        self.path = scoped(self.name)
        self._trainable = bool(trainable)
        self.autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization or "none"
        #: A function of the variable whose result is added to the loss, and one that gives what it may be after a step.
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False
        self.spec = spec
        self._array = aligned_empty(spec.shape, spec.dtype)
        #: Grows with every change.
        self.version = 0
        if value is not None:
            self._array[...] = value

    def _initial(self, initializer: Any, shape: Sequence[int] | None, dtype: Any) -> np.ndarray:
        where = f"Variable '{self.name}'"
        given = None if dtype is None else dtypes.checked_dtype(where, dtype)
        if isinstance(initializer, str) or (callable(initializer) and not hasattr(initializer, "__array__")):
            from pynn import initializers

            if shape is None or any(n is None for n in shape):
                raise ArgumentError(
                    f"{where}: an initializer needs the full shape, received initializer={initializer!r} and "
                    f"shape={shape!r}; write Variable(initializer, shape=(...))"
                )
            require_numbers(where, shape, given or dtypes.FLOAT)
            make: Callable[..., Any] = initializers.get(initializer)
            value = np.asarray(make(tuple(shape), given or dtypes.FLOAT))
            given = given or dtypes.FLOAT
        else:
            value = np.asarray(initializer)
            if value.dtype.kind not in "fiubc":
                raise DtypeError(f"{where}: expected numbers, received {type(initializer).__name__}: {initializer!r}")
            if given is None:
                python = not isinstance(initializer, np.ndarray | np.generic)
                given = "int32" if python and value.dtype.kind == "i" else dtypes.of_array(value)
        if shape is not None and value.shape != tuple(shape):
            raise ShapeError(f"{where}: the numbers have shape {value.shape}, expected {tuple(shape)}")
        return value.astype(given, copy=False)

    def announce_change(self) -> None:
        """To be called by whoever is about to write into :attr:`array`."""
        for guard in Variable.guards:
            guard(self)

    def mark_changed(self) -> None:
        """To be called by whoever has written into :attr:`array`."""
        self.version += 1
        Variable.changes = Variable.next_change()

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if bool(value) != self._trainable:
            self._trainable = bool(value)
            Variable.freezes += 1

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

        Who writes into it calls :meth:`announce_change` before, and :meth:`mark_changed` afterwards."""
        return self._array

    @property
    def value(self) -> Any:
        """The numbers as a read-only tensor that follows later changes (:meth:`numpy` gives a copy); while a graph is
        traced the state at this point of the traced code."""
        from pynn.graph import trace
        from pynn.graph.tensor import Tensor

        if trace.is_tracing():
            return trace.current().read(self)
        view = self._array.view(Tensor)
        view.flags.writeable = False
        return view

    def numpy(self) -> np.ndarray:
        """A copy of the numbers."""
        return self._array.copy()

    def assign(self, value: Any) -> Any:
        """Overwrite the numbers in place.  While a graph is traced, records the change for when it runs.

        Returns:
            What was assigned.

        Raises:
            ShapeError: the shapes differ; nothing is changed.
        """
        from pynn.graph import trace
        from pynn.graph.tensor import Tensor

        if trace.is_tracing():
            from pynn import ops

            state = ops.cast(trace.as_value(value), self.dtype)
            self._check_shape(state.shape)
            trace.current().write(self, state)
            return state
        new = as_numpy(value, f"Variable '{self.path}'")
        self._check_shape(new.shape)
        if new.dtype.kind not in "fiub":
            raise DtypeError(f"Variable '{self.path}': cannot assign values of dtype {new.dtype}")
        self.announce_change()
        self._array[...] = new
        self.mark_changed()
        return new.astype(self.dtype, copy=False).view(Tensor)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if shape != self.shape:
            raise ShapeError(f"Variable '{self.path}': cannot assign an array of shape {shape}, expected {self.shape}")

    def assign_add(self, value: Any) -> Any:
        """Add ``value`` in place (or record it, while a graph is traced)."""
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Any:
        """Subtract ``value`` in place (or record it, while a graph is traced)."""
        return self.assign(self - value)

    # Operators and all other comparisons come from Arithmetic.

    def __eq__(self, other: Any) -> Any:
        return apply("equal", self, other)

    __hash__ = object.__hash__

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"Variable '{self.path}' has no axes, so it has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        raise TypeError(f"Variable '{self.path}' has no truth; compare its numbers, e.g. float(variable) > 0")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            if dtype is not None and np.dtype(dtype) != self._array.dtype:
                raise ArgumentError(f"Variable '{self.path}': converting to {dtype} needs a copy")
            view = self._array.view()
            view.flags.writeable = False
            return view
        return np.array(self._array, dtype=dtype, copy=True)

    def __dlpack__(self, *, copy: bool | None = None, **options: Any) -> Any:
        """The numbers for other libraries, as from :meth:`__array__`: a copy; with ``copy=False`` a read-only view."""
        return self.__array__(copy=copy).__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    def __buffer__(self, flags: int) -> memoryview:  # Python 3.12
        return memoryview(self.__array__(copy=False))  # type: ignore[arg-type]

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __index__(self) -> int:
        return self._array.__index__()

    def __format__(self, spec: str) -> str:
        return format(self._array.item() if spec and self.size == 1 else str(self), spec)

    def __reduce__(self) -> Any:
        """Copying and pickling: a new array, on a boundary of its own."""
        state = {key: value for key, value in vars(self).items() if key != "_array"}
        return _restored, (self._array.copy(), state)

    def __repr__(self) -> str:
        numbers = np.array2string(self._array, threshold=20)
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={numbers}>"


def _restored(array: np.ndarray, state: dict[str, Any]) -> Variable:
    variable = Variable.__new__(Variable)
    vars(variable).update(state)
    variable._array = aligned_empty(array.shape, array.dtype.name)
    variable._array[...] = array
    return variable
