"""What the values of a traced graph are in the ONNX graph.

An :class:`Array` may lie in several *forms*: the same numbers under different orders of axes, each a name in the ONNX
graph.  ``pynn`` computes images channels last, ONNX channels first; so a convolution asks for its input in one form and
gives its result in that form alone, everything that works by element or by axis takes whichever form is there, and a
Transpose is written only where somebody needs a form that is not.

More kinds of array are written late or never: constants, arrays repeated by broadcasting (ONNX's ops broadcast by
themselves), and reshapes that only add or remove axes of length 1, or only flatten the leading axes for a matrix
product (ONNX's MatMul takes all axes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph.ir import Node, Value
from pynn.graph.variable import Variable
from pynn.onnx.graph_writer import GraphWriter
from pynn.onnx.traced import Dim, Traced, same_constant

Perm = tuple[int, ...]

ONE: Dim = (1, 1)


def identity(rank: int) -> Perm:
    return tuple(range(rank))


def channels_first(rank: int) -> Perm:
    """(n, ..., channels) as (n, channels, ...)."""
    return (0, rank - 1, *range(1, rank - 1))


class Array:
    """One value: its shape, and what is known of it so far.

    Attributes:
        forms: order of axes -> name; axis ``i`` of the named tensor is axis ``order[i]`` of this array.
        constant: its numbers, where they are known; ``label`` names them, ``other`` are those of the other graph, if
            they differ.  ``shapes`` are initializers that hold them with their axes in other places.
        spread: what this is, repeated to ``shape``.
        units: an array with the same axes but for some of length 1.
        rows: an array ``(*lead, k)`` of which this is the matrix ``(prod(lead), k)``.
        truth: the same as bool, for numbers that are 0 or 1.
        padded: the array that this is with zeros around it, and how many.
    """

    def __init__(self, shape: Sequence[Dim], dtype: str):
        self.shape, self.dtype = tuple(shape), dtype
        self.forms: dict[Perm, str] = {}
        self.shapes: dict[tuple[int, ...], str] = {}
        self.constant: np.ndarray | None = None
        self.other: np.ndarray | None = None
        self.label = ""
        self.spread: Array | None = None
        self.units: Array | None = None
        self.rows: Array | None = None
        self.truth: Array | None = None
        #: The node of a convolution, which may yet take a bias.
        self.product: Any = None
        self.padded: tuple[Array, tuple[int, ...], tuple[int, ...]] | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_static(self) -> bool:
        return all(a == b for a, b in self.shape)

    @property
    def source(self) -> Array:
        """Itself, or what it repeats."""
        return self.spread if self.spread is not None else self

    def known_forms(self) -> list[Perm]:
        """Orders of axes in which it can be had without moving anything."""
        if self.forms or self.units is None:
            return list(self.forms)
        return [_inserted(self, _long_order(self.units, p)) for p in self.units.known_forms()]


def _long_axes(array: Array) -> list[int]:
    return [i for i, dim in enumerate(array.shape) if dim != ONE]


def _long_order(array: Array, perm: Perm) -> list[int]:
    """The order in which a form has the axes that are longer than 1, counting these only."""
    long = _long_axes(array)
    return [long.index(axis) for axis in perm if axis in long]


def _inserted(array: Array, order: Sequence[int]) -> Perm:
    """A form with the long axes in this order; each axis of length 1 stays before the one that it is before."""
    long = _long_axes(array)
    perm: list[int] = []
    for number in order:
        axis = long[number]
        first = axis
        while first > 0 and array.shape[first - 1] == ONE:
            first -= 1
        perm += range(first, axis + 1)
    perm += [i for i in range(array.rank) if i not in perm]
    return tuple(perm)


class Arrays:
    """All arrays of one export, and how to get at them."""

    def __init__(self, traced: Traced, writer: GraphWriter):
        self.traced, self.writer = traced, writer
        self._of: dict[int, Array] = {}
        #: Where a length that is not known can be read from.
        self._lengths: dict[Dim, tuple[str, int]] = {}

    # Arrays of values

    def of(self, value: Value) -> Array:
        """The array of a value that a node has given, or of a leaf."""
        found = self._of.get(id(value))
        if found is None:
            found = self._of[id(value)] = self._leaf(value)
        return found

    def _leaf(self, value: Value) -> Array:
        array = Array(self.traced.dims(value), value.dtype)
        twin = self.traced.twin(value)
        if isinstance(value.source, Variable):
            array.constant, array.label = np.asarray(value.source.numpy()), value.source.path
        elif isinstance(value.source, np.ndarray):
            array.constant = value.source
            if not same_constant(value, twin):
                array.other = np.asarray(twin.source)
        else:
            raise ArgumentError(f"export: {value!r} is no input of the model, no variable and no constant")
        return array

    def __contains__(self, key: int) -> bool:
        """Whether there is an array of the value with this id."""
        return key in self._of

    def put(self, value: Value, array: Array) -> None:
        self._of[id(value)] = array

    def new(self, value: Value, name: str = "", perm: Perm | None = None) -> Array:
        """The array of a node's output; ``name`` is its tensor in the form ``perm``."""
        array = Array(self.traced.dims(value), value.dtype)
        self.put(value, array)
        if name:
            self.name(array, name, perm)
        return array

    def name(self, array: Array, name: str, perm: Perm | None = None) -> str:
        """Note that a tensor is the array in a form."""
        perm = identity(array.rank) if perm is None else perm
        array.forms[perm] = name
        for i, axis in enumerate(perm):
            dim = array.shape[axis]
            if dim[0] != dim[1]:
                self._lengths.setdefault(dim, (name, i))
        return name

    def constant(self, numbers: Any, label: str = "") -> Array:
        numbers = np.asarray(numbers)
        array = Array([(n, n) for n in numbers.shape], str(numbers.dtype))
        array.constant, array.label = numbers, label
        return array

    # Forms

    def get(self, array: Array, perm: Perm | None = None) -> str:
        """The name of a tensor with the array's axes in this order (their own by default), written now if need be."""
        perm = identity(array.rank) if perm is None else perm
        if perm in array.forms:
            return array.forms[perm]
        if array.constant is not None:
            return self.name(array, self._initializer(array, perm), perm)
        if array.spread is not None:
            name = self.fitted(array.spread, perm, array.rank)
            # Lengths that the source has already may be given as 1.
            added = array.rank - array.spread.rank
            target = [
                ONE if i >= added and array.spread.shape[i - added] == array.shape[i] else array.shape[i] for i in perm
            ]
            return self.name(array, self.writer.node("Expand", [name, self.lengths(target)]), perm)
        if array.units is not None and not array.forms:
            return self._with_units(array, perm)
        if array.rows is not None and not array.forms:
            flat = self.writer.node("Reshape", [self.get(array.rows), self.writer.numbers([-1, array.shape[1][0]])])
            self.name(array, flat)
            return self.get(array, perm)
        if not array.forms:
            raise ArgumentError(f"export: an array of shape {array.shape} was never written")
        have, name = next(iter(array.forms.items()))
        if [i for i in have if array.shape[i] != ONE] == [i for i in perm if array.shape[i] != ONE]:
            return self.name(
                array, self.reshaped(name, [array.shape[i] for i in have], [array.shape[i] for i in perm]), perm
            )
        order = [have.index(i) for i in perm]
        return self.name(array, self.writer.node("Transpose", [name], perm=order), perm)

    def _with_units(self, array: Array, perm: Perm) -> str:
        base = array.units
        assert base is not None
        order = _long_order(array, perm)
        for have in base.known_forms():
            if _long_order(base, have) == order:
                break
        else:
            long = _long_axes(base)
            have = (*(long[i] for i in order), *(i for i in range(base.rank) if i not in long))
        source = self.get(base, have)
        shape = [array.shape[i] for i in perm]
        return self.name(array, self.reshaped(source, [base.shape[i] for i in have], shape), perm)

    def _initializer(self, array: Array, perm: Perm) -> str:
        assert array.constant is not None
        if array.other is not None:
            return self._varying(array)
        return self.writer.initializer(array.constant.transpose(perm), array.label)

    def _varying(self, array: Array) -> str:
        """Numbers that depend on an open length: evenly spaced ones can be made when the model runs."""
        a, b = array.constant, array.other
        assert a is not None
        assert b is not None
        if a.ndim == b.ndim == 1 and min(a.size, b.size) > 1 and a.dtype.kind in "iu":
            start, step = int(a[0]), int(a[1]) - int(a[0])
            if all(np.array_equal(x, start + step * np.arange(x.size)) for x in (a, b)):
                count = self.writer.node("Squeeze", [self.lengths([(a.size, b.size)]), self.writer.numbers([0])])
                numbers = self.writer.node("Range", [self._int(0), count, self._int(1)])  # int64
                scaled = self.writer.node("Mul", [numbers, self._int(step)])
                shifted = self.writer.node("Add", [scaled, self._int(start)])
                return str(self.writer.node("Cast", [shifted], to=self.writer.type_of(array.dtype)))
        raise ArgumentError(
            f"export: layer '{self.writer.scope}' computes with fixed numbers that depend on a length the model leaves "
            f"open ({', '.join(self.traced.symbols.values())}): an array of shape {a.shape} for one length, {b.shape} "
            "for another. Fix that length: Input((length, ...)) or "
            "input_signature=[InputSpec(shape=(None, length, ...))]"
        )

    def _int(self, number: int) -> str:
        return self.writer.initializer(np.array(number, "int64"))

    # Shapes

    def lengths(self, dims: Sequence[Dim]) -> str:
        """An int64 vector of lengths; those that are not known are read from a tensor when the model runs."""
        if all(a == b for a, b in dims):
            return self.writer.numbers([a for a, _ in dims])
        parts = [self.writer.numbers([d[0]]) if d[0] == d[1] else self._length(d) for d in dims]
        return parts[0] if len(parts) == 1 else str(self.writer.node("Concat", parts, axis=0))

    def _length(self, dim: Dim) -> str:
        found = self._lengths.get(dim)
        if found is not None:
            name, axis = found
            return str(self.writer.node("Shape", [name], start=axis, end=axis + 1))
        for (a, b), (name, axis) in self._lengths.items():
            if dim[0] % a == 0 and dim[0] // a * b == dim[1]:
                one = self.writer.node("Shape", [name], start=axis, end=axis + 1)
                return str(self.writer.node("Mul", [one, self.writer.numbers([dim[0] // a])]))
            if a % dim[0] == 0 and a // dim[0] * dim[1] == b:
                one = self.writer.node("Shape", [name], start=axis, end=axis + 1)
                return str(self.writer.node("Div", [one, self.writer.numbers([a // dim[0]])]))
        for known in list(self._lengths):
            rest = divmod(dim[0], known[0]), divmod(dim[1], known[1])
            if rest[0][1] == rest[1][1] == 0 and (rest[0][0], rest[1][0]) in self._lengths:
                two = [self._length(known), self._length((rest[0][0], rest[1][0]))]
                return str(self.writer.node("Mul", two))
        raise ArgumentError(
            f"export: layer '{self.writer.scope}' needs a length that follows from the open axes "
            f"({', '.join(self.traced.symbols.values())}) in a way that cannot be written down; fix these lengths: "
            "Input((length, ...)) or input_signature=[InputSpec(shape=(None, length, ...))]"
        )

    def reshaped(self, name: str, before: Sequence[Dim], after: Sequence[Dim]) -> str:
        """A Reshape of a tensor; lengths that are not known are copied (0), worked out (-1) or computed."""
        target: list[Dim | int] = []
        for i, dim in enumerate(after):
            same = i < len(before) and before[i] == dim
            target.append(dim[0] if dim[0] == dim[1] else 0 if same else dim)
        unknown = [i for i, n in enumerate(target) if isinstance(n, tuple)]
        if len(unknown) == 1 or (not unknown and target.count(0) == 1):
            # One that is not known follows from the others; -1 reads better than 0, and importers like it.
            target[unknown[0] if unknown else target.index(0)] = -1
        if all(isinstance(n, int) for n in target):
            return str(self.writer.node("Reshape", [name, self.writer.numbers([int(n) for n in target])]))  # type: ignore[arg-type]
        return str(self.writer.node("Reshape", [name, self.lengths(list(after))]))

    # Constants

    def fold(self, node: Node, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """What a node gives for numbers, without its check of shapes: some were not repeated."""
        from pynn.reference import known_meaning

        with np.errstate(all="ignore"):
            result = known_meaning(node.op.name)(*inputs, **node.op.attributes())
        results = result if isinstance(result, tuple) else (result,)
        return tuple(np.asarray(r, v.dtype) for r, v in zip(results, node.outputs, strict=True))

    # By element

    def fitted(self, array: Array, perm: Perm, rank: int) -> str:
        """A tensor that broadcasts against one of ``rank`` axes in the order ``perm`` as the array does in its own."""
        if array.constant is not None and array.other is None:
            if array.constant.size == 1:
                return self.get(self._scalar(array))
            if perm == identity(rank) or array.rank < 1:
                return self.get(array)
            full = array.constant.reshape((1,) * (rank - array.rank) + array.constant.shape).transpose(perm)
            while full.ndim and full.shape[0] == 1:
                full = full[0]
            if full.shape not in array.shapes:
                array.shapes[full.shape] = self.writer.initializer(full, array.label)
            return array.shapes[full.shape]
        if array.rank == rank:
            return self.get(array, perm)
        if perm == identity(rank):
            return self.get(array)
        longer = Array((ONE,) * (rank - array.rank) + array.shape, array.dtype)
        longer.units = array
        return self.get(longer, perm)

    def _scalar(self, array: Array) -> Array:
        if array.rank == 0 or array.label:
            return array if array.rank == 0 else self.constant(array.constant.reshape(()), array.label)  # type: ignore[union-attr]
        return self.constant(array.constant.reshape(()))  # type: ignore[union-attr]

    def common_form(self, shape: Sequence[Dim], arrays: Sequence[Array]) -> Perm:
        """The order of axes in which most of the arrays of this shape are there."""
        votes: dict[Perm, int] = {}
        for array in arrays:
            if array.constant is None and array.shape == tuple(shape):
                for perm in array.known_forms():
                    votes[perm] = votes.get(perm, 0) + 1
        return max(votes, key=lambda perm: votes[perm]) if votes else identity(len(shape))

    def by_element(
        self, arrays: Sequence[Array], shape: Sequence[Dim], dtype: str, write: Callable[[list[str]], str]
    ) -> Array:
        """The result of an op that works by element; ``write(names)`` adds its node."""
        out = Array(shape, dtype)
        if out.rank == 2 and any(a.rows is not None and not a.forms for a in arrays):
            rows = self._by_rows(arrays, out, write)
            if rows is not None:
                return rows
        used = [a.source for a in arrays]
        for i in sorted(range(len(arrays)), key=lambda i: -arrays[i].rank):
            if _broadcast([a.shape for a in used]) == out.shape:
                break
            used[i] = arrays[i]
        perm = self.common_form(out.shape, used)
        names = [self.fitted(a, perm, out.rank) for a in used]
        self.name(out, write(names), perm)
        return out

    def _by_rows(self, arrays: Sequence[Array], out: Array, write: Callable[[list[str]], str]) -> Array | None:
        """The same on arrays that are flattened to matrices: on them as they were before."""
        lead = next(a.rows.shape[:-1] for a in arrays if a.rows is not None)
        used: list[Array] = []
        for array in arrays:
            source = array.source
            if array.rows is not None and array.rows.shape[:-1] == lead:
                used.append(array.rows)
            elif source.rank < 2 or (source.shape[0] == ONE and source.constant is not None):
                flat = source
                if source.rank == 2:
                    assert source.constant is not None
                    flat = self.constant(source.constant[0], source.label)
                used.append(flat)
            else:
                return None
        out.rows = self.by_element(used, (*lead, out.shape[1]), out.dtype, write)
        return out


def _broadcast(shapes: Sequence[Sequence[Dim]]) -> tuple[Dim, ...] | None:
    """What the shapes broadcast to; None where open lengths do not fit."""
    rank = max(len(s) for s in shapes)
    out: list[Dim] = []
    for i in range(rank):
        dims = {s[i - rank + len(s)] for s in shapes if i - rank + len(s) >= 0} - {ONE}
        if len(dims) > 1:
            return None
        out.append(dims.pop() if dims else ONE)
    return tuple(out)


def count(dims: Sequence[Dim]) -> Dim:
    """The number of elements, in both graphs."""
    return math.prod(a for a, _ in dims), math.prod(b for _, b in dims)
