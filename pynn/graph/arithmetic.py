"""Python's operators for values that are computed later: each is the op of its name."""

from __future__ import annotations

from typing import Any


def _ops() -> Any:
    from pynn import ops  # ops imports the graph

    return ops


#: What NumPy calls the operators of ``array + value`` and the like, and what the ops are called.
_NUMPY_OPERATORS = {
    **{
        name: name
        for name in (
            "add", "subtract", "multiply", "divide", "matmul", "power", "floor_divide", "greater", "greater_equal",
            "less", "less_equal", "logical_and", "logical_or",
        )
    },
    "remainder": "mod", "bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
}  # fmt: skip


class Arithmetic:
    """Base of traced values and of symbolic tensors: formulas in layers and losses read as they do in NumPy."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _ops().add(self, other)

    def __radd__(self, other: Any) -> Any:
        return _ops().add(other, self)

    def __sub__(self, other: Any) -> Any:
        return _ops().subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return _ops().subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return _ops().multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _ops().multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return _ops().divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _ops().divide(other, self)

    def __matmul__(self, other: Any) -> Any:
        return _ops().matmul(self, other)

    def __neg__(self) -> Any:
        return _ops().negative(self)

    def __pow__(self, other: Any) -> Any:
        return _ops().power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return _ops().power(other, self)

    def __abs__(self) -> Any:
        return _ops().absolute(self)

    def __floordiv__(self, other: Any) -> Any:
        return _ops().floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _ops().floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return _ops().mod(self, other)

    def __rmod__(self, other: Any) -> Any:
        return _ops().mod(other, self)

    def __rmatmul__(self, other: Any) -> Any:
        return _ops().matmul(other, self)

    def __and__(self, other: Any) -> Any:
        return _ops().logical_and(self, other)

    def __rand__(self, other: Any) -> Any:
        return _ops().logical_and(other, self)

    def __or__(self, other: Any) -> Any:
        return _ops().logical_or(self, other)

    def __ror__(self, other: Any) -> Any:
        return _ops().logical_or(other, self)

    def __xor__(self, other: Any) -> Any:
        return _ops().logical_xor(self, other)

    def __rxor__(self, other: Any) -> Any:
        return _ops().logical_xor(other, self)

    def __invert__(self) -> Any:
        return _ops().logical_not(self)

    # Comparisons give bool.  ``==`` stays identity: graphs keep values in sets and dictionaries.
    def __gt__(self, other: Any) -> Any:
        return _ops().greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return _ops().greater_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return _ops().less(self, other)

    def __le__(self, other: Any) -> Any:
        return _ops().less_equal(self, other)

    def __getitem__(self, key: Any) -> Any:
        return _ops().get_item(self, key)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))  # type: ignore[arg-type]

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        """``array + value`` is an op, too; other functions of NumPy have no numbers to work on."""
        if ufunc.__name__ in _NUMPY_OPERATORS and method == "__call__" and not options:
            return getattr(_ops(), _NUMPY_OPERATORS[ufunc.__name__])(*operands)
        raise TypeError(
            f"np.{ufunc.__name__} cannot work on {self!r}, which holds no numbers before the program runs: "
            "use layers and functions of pynn.ops instead of NumPy's"
        )
