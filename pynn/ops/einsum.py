"""Sums of products in Einstein's notation."""

from __future__ import annotations

import math
import string
from typing import Any

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.ops.batched_matmul import BatchedMatmul
from pynn.ops.matmul import Matmul
from pynn.ops.operands import common_dtype
from pynn.ops.shape import cast


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Value:
    """``einsum("abc,cde->abde", x, kernel)``: products summed over the letters that the result does not name.

    Args:
        subscripts: letters of each operand's axes, and of the result's after ``->`` (by default those that occur once,
            in alphabetical order); ``...`` stands for axes not named, which broadcast as in NumPy.
        operands: arrays.
        kwargs: ``optimize`` may be given, as for NumPy; operands are multiplied from left to right.

    Two operands become one (batched) matrix product: letters of both and of the result are its batch, letters of both
    only its inner axis.  Where the letters already lie in that order, or transposed, nothing is moved in memory.
    A letter twice in one operand takes its diagonal.

    Raises:
        ArgumentError: the notation is malformed.
        ShapeError: a letter has two different lengths.

    Example:
        >>> from pynn import ops
        >>> ops.einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
        array([3., 7.], dtype=float32)
    """
    if kwargs.keys() - {"optimize"}:
        raise ArgumentError(f"einsum: unknown arguments {', '.join(kwargs)}")
    dtype = common_dtype(*operands)
    values = [cast(x, dtype) for x in operands]
    terms, result = _parse(subscripts, values)
    for i in range(len(terms)):
        while repeated := next((c for c in terms[i] if terms[i].count(c) > 1), ""):
            terms[i], values[i] = _diagonal(terms[i], values[i], repeated, subscripts)
    sizes: dict[str, int] = {}
    for term, v in zip(terms, values, strict=True):
        for letter, n in zip(term, v.shape, strict=True):
            if sizes.setdefault(letter, n) != n and 1 not in (n, sizes[letter]):
                raise ShapeError(
                    f"einsum '{subscripts}': '{letter}' is {sizes[letter]} in one operand and {n} in another, "
                    f"received {', '.join(str(v.spec) for v in values)}"
                )
            sizes[letter] = max(sizes[letter], n)
    reduced = []
    for i, (term, v) in enumerate(zip(terms, values, strict=True)):
        others = result + "".join(terms[:i] + terms[i + 1 :])
        reduced.append(_sum_away(term, _stretched(term, v, sizes, others), others))
    (term, v), *rest = reduced
    for i, (other, w) in enumerate(rest):
        later = result + "".join(t for t, _ in rest[i + 1 :])
        kept = result if i + 1 == len(rest) else "".join(c for c in dict.fromkeys(term + other) if c in later)
        v, term = _product(term, v, other, w, kept, sizes), kept
    return _arranged(v, term, result)


def _diagonal(term: str, v: Value, letter: str, subscripts: str) -> tuple[str, Value]:
    """The first two axes named ``letter`` as one, at the end."""
    from pynn.ops.arrange import diagonal

    first = term.index(letter)
    second = term.index(letter, first + 1)
    if v.shape[first] != v.shape[second]:
        raise ShapeError(f"einsum '{subscripts}': '{letter}' has two lengths in {v.spec}")
    return term[:first] + term[first + 1 : second] + term[second + 1 :] + letter, diagonal(v, 0, first, second)


def _parse(subscripts: str, values: list[Value]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, ``...`` replaced by letters of its own."""
    if not isinstance(subscripts, str):
        raise ArgumentError(f"einsum: subscripts must be a string such as 'ij,jk->ik', received {subscripts!r}")
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(values):
        raise ArgumentError(
            f"einsum '{subscripts}': expected one operand for each term, received {len(values)} operands for "
            f"{len(terms)} terms"
        )
    spare = [c for c in string.ascii_letters if c not in subscripts]
    hidden = max([v.ndim - len(t.replace("...", "")) for t, v in zip(terms, values, strict=True) if "..." in t] or [0])
    if not 0 <= hidden <= len(spare):
        raise ShapeError(f"einsum '{subscripts}': received {', '.join(str(v.spec) for v in values)}")
    dots = "".join(spare[:hidden])
    named = sorted({c for c in left if c.isalpha() and left.count(c) == 1})
    if not arrow:
        right = ("..." if "..." in left else "") + "".join(named)
    for i, (term, v) in enumerate(zip(terms, values, strict=True)):
        own = v.ndim - len(term.replace("...", ""))
        terms[i] = term.replace("...", dots[len(dots) - own :] if own > 0 else "")
        if len(terms[i]) != v.ndim:
            raise ShapeError(f"einsum '{subscripts}': the term '{term}' does not fit {v.spec}")
    right = right.replace("...", dots)
    for term in (*terms, right):
        if not all(c in string.ascii_letters for c in term):
            raise ArgumentError(f"einsum '{subscripts}': expected letters, ',', '...' and '->'")
    if len(set(right)) != len(right):
        raise ArgumentError(f"einsum '{subscripts}': the result names a letter twice")
    if not set(right) <= set("".join(terms)):
        raise ArgumentError(f"einsum '{subscripts}': the result names a letter that no operand has")
    return terms, right


def _stretched(term: str, v: Value, sizes: dict[str, int], others: str) -> Value:
    """``v`` with axes of length 1 repeated to the letter's length where another operand or the result has it."""
    from pynn.ops.shape import broadcast_to

    return broadcast_to(v, tuple(sizes[c] if c in others else n for c, n in zip(term, v.shape, strict=True)))


def _sum_away(term: str, v: Value, others: str) -> tuple[str, Value]:
    """Sum over letters that nothing else names."""
    from pynn.ops.reduce import sum as reduce_sum

    axes = tuple(i for i, c in enumerate(term) if c not in others)
    return "".join(c for c in term if c in others), reduce_sum(v, axis=axes) if axes else v


def _arranged(v: Value, term: str, order: str) -> Value:
    from pynn.ops.shape import transpose

    return v if term == order else transpose(v, [term.index(c) for c in order])


def _product(a_term: str, a: Value, b_term: str, b: Value, result: str, sizes: dict[str, int]) -> Value:
    from pynn.ops.shape import reshape

    batch = "".join(c for c in a_term if c in b_term and c in result)
    inner = "".join(c for c in a_term if c in b_term and c not in result)
    rows = "".join(c for c in result if c in a_term and c not in b_term)
    columns = "".join(c for c in result if c in b_term and c not in a_term)

    def length(letters: str) -> int:
        return math.prod(sizes[c] for c in letters)

    def matrices(term: str, v: Value, first: str, second: str) -> tuple[Value, bool]:
        """``v`` as ``[batch, first, second]``, or transposed if it lies that way."""
        swapped = term == batch + second + first and term != batch + first + second
        x = v if swapped else _arranged(v, term, batch + first + second)
        shape = (length(second), length(first)) if swapped else (length(first), length(second))
        return reshape(x, (length(batch), *shape) if batch else shape), swapped

    (x, ta), (y, tb) = matrices(a_term, a, rows, inner), matrices(b_term, b, inner, columns)
    product = BatchedMatmul(ta, tb)(x, y) if batch else Matmul(ta, tb)(x, y)
    order = batch + rows + columns
    return _arranged(reshape(product, tuple(sizes[c] for c in order)), order, result)
