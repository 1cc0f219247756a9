"""Python's operators for values that are computed later: each is the op of its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import NoNumbersError

#: The operators of ``array + value`` and the like: what NumPy calls them, and what ``keras.ops`` does.
_OF_UFUNC = {
    **{name: name for name in (
        "add", "subtract", "multiply", "divide", "floor_divide", "matmul", "power", "not_equal", "greater",
        "greater_equal", "less", "less_equal", "logical_and", "logical_or", "logical_xor",
    )},
    "remainder": "mod", "bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
}  # fmt: skip


class Arithmetic:
    """Base of traced values, variables and symbolic tensors: formulas in layers and losses read as they do in NumPy.

    ``&``, ``|``, ``^`` and ``~`` are the logical functions, as in Keras.  ``==`` stays identity, because graphs keep
    values in sets and dictionaries; write ``ops.equal(a, b)``.  ``!=`` is the op, as in Keras.  Comparisons give bool.
    """

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return apply("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return apply("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return apply("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return apply("divide", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return apply("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return apply("floor_divide", other, self)

    def __mod__(self, other: Any) -> Any:
        return apply("mod", self, other)

    def __rmod__(self, other: Any) -> Any:
        return apply("mod", other, self)

    def __matmul__(self, other: Any) -> Any:
        return apply("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return apply("matmul", other, self)

    def __pow__(self, other: Any) -> Any:
        return apply("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return apply("power", other, self)

    def __pos__(self) -> Any:
        return self

    def __neg__(self) -> Any:
        return apply("negative", self)

    def __abs__(self) -> Any:
        return apply("absolute", self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return apply("round", self, ndigits or 0)

    def __and__(self, other: Any) -> Any:
        return apply("logical_and", self, other)

    def __rand__(self, other: Any) -> Any:
        return apply("logical_and", other, self)

    def __or__(self, other: Any) -> Any:
        return apply("logical_or", self, other)

    def __ror__(self, other: Any) -> Any:
        return apply("logical_or", other, self)

    def __xor__(self, other: Any) -> Any:
        return apply("logical_xor", self, other)

    def __rxor__(self, other: Any) -> Any:
        return apply("logical_xor", other, self)

    def __invert__(self) -> Any:
        return apply("logical_not", self)

    __hash__ = object.__hash__

    def __ne__(self, other: Any) -> Any:
        return apply("not_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return apply("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return apply("greater_equal", self, other)

    def __lt__(self, other: Any) -> Any:
        return apply("less", self, other)

    def __le__(self, other: Any) -> Any:
        return apply("less_equal", self, other)

    def __getitem__(self, key: Any) -> Any:
        return apply("get_item", self, key)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))  # type: ignore[arg-type]

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        """``array + value`` is an op, too; other functions of NumPy work on numbers, if there are any."""
        if ufunc.__name__ in _OF_UFUNC and method == "__call__" and not options:
            return apply(_OF_UFUNC[ufunc.__name__], *operands)
        if has_numbers(*operands):
            return getattr(ufunc, method)(*map(numbers, operands), **options)
        raise NoNumbersError(
            f"np.{ufunc.__name__} cannot work on {self!r}, which holds no numbers before the program runs: "
            "use layers and functions of pynn.ops instead of NumPy's"
        )


def has_numbers(*operands: Any) -> bool:
    """Whether no operand is still without numbers."""
    return all(getattr(x, "array", None) is not None for x in operands if isinstance(x, Arithmetic))


def numbers(x: Any) -> Any:
    """The numbers of a traced value or a variable; all else as it is."""
    return x.array if isinstance(x, Arithmetic) else x  # type: ignore[attr-defined]


def apply(name: str, *operands: Any) -> Any:
    """The op of this name; outside of traces, NumPy's function on variables and on what a trace left."""
    from pynn import ops  # ops imports the graph
    from pynn.graph.trace import is_tracing

    if is_tracing() or not has_numbers(*operands):
        return getattr(ops, name)(*operands)
    from pynn.graph.tensor import Tensor

    left, *rest = map(numbers, operands)
    result = left[rest[0]].copy() if name == "get_item" else getattr(np, name)(left, *rest)
    return np.asarray(result).view(Tensor)
