"""The op graph: values, nodes, ops.

A :class:`Value` is one array that will exist when the graph runs: it has a shape and a dtype, and it is either a
*leaf* (something fed in, a :class:`~pynn.graph.variable.Variable`'s state, a constant) or one output of a
:class:`Node`.  A node is one application of an :class:`Op`.  An op is a frozen dataclass: its fields are its
attributes, so printing, equality and hashing come free and serve common-subexpression elimination and caching.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pynn.errors import DtypeError, GraphError, NoNumbersError, ShapeError
from pynn.graph.arithmetic import Arithmetic
from pynn.graph.dtypes import DTYPES as DTYPES

if TYPE_CHECKING:
    from pynn.graph.variable import Variable

#: Every op by name.  Filled as op classes are defined; tests iterate it.
REGISTRY: dict[str, type[Op]] = {}

#: What the user's numbers become on their way into a program, by NumPy's kind of dtype: whole numbers (class indices)
#: stay whole, all else is computed in float32.
FEED_DTYPE = {"f": "float32", "i": "int32", "u": "int32", "b": "float32"}


#: Beyond what 64-bit addresses reach.
_MOST_ELEMENTS = 2**44


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape and dtype of a value."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * np.dtype(self.dtype).itemsize

    @property
    def is_float(self) -> bool:
        return self.dtype in ("float32", "float64")

    def with_shape(self, shape: Sequence[int]) -> Spec:
        return Spec(tuple(int(d) for d in shape), self.dtype)

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


class Value(Arithmetic):
    """One array of the graph: produced once, read any number of times.

    ``source`` says where a leaf comes from: the string ``"input"``, a ``Variable``, or a NumPy array (a constant).
    ``array`` are its numbers, if the ops run one by one as they are recorded (see ``EagerTrace``), else None.
    """

    #: ``_keras_mask`` is set where layers propagate masks (``layers/masks.py``).
    __slots__ = ("_keras_mask", "array", "index", "name", "node", "source", "spec")

    _keras_mask: Any

    def __init__(
        self,
        spec: Spec,
        node: Node | None = None,
        index: int = 0,
        source: str | Variable | np.ndarray | None = None,
        name: str = "",
    ):
        self.spec, self.node, self.index, self.source, self.name = spec, node, index, source, name
        self.array: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> str:
        return self.spec.dtype

    @property
    def ndim(self) -> int:
        return len(self.spec.shape)

    @property
    def size(self) -> int:
        return self.spec.size

    @property
    def op(self) -> Op | None:
        """The op that produces this value; None for a leaf."""
        return self.node.op if self.node is not None else None

    def __repr__(self) -> str:
        made_by = f" = {self.node.op}" if self.node is not None else ""
        numbers = "" if self.array is None else f" {np.array2string(self.array, threshold=20, separator=', ')}"
        return f"<{self.name or 'value'}: {self.spec}{made_by}{numbers}>"

    def __len__(self) -> int:
        if not self.shape:
            raise NoNumbersError("a scalar value has no length")
        return self.shape[0]

    # With numbers: what prints, Python's ``if`` and NumPy need.

    def numpy(self) -> np.ndarray:
        """The numbers, where ops run one by one: inside a ``GradientTape`` and with ``run_eagerly=True``."""
        if self.array is None:
            raise NoNumbersError(
                f"the traced value {self!r} has no numbers yet, they exist only when the program runs: "
                "use functions of pynn.ops instead of NumPy's and Python's; "
                "to look at numbers, compile the model with run_eagerly=True"
            )
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.array is None:
            raise NoNumbersError(
                f"cannot turn the traced value {self!r} into a NumPy array: "
                "use functions of pynn.ops inside layers, losses and metrics instead of NumPy's"
            )
        return np.array(self.array, dtype=dtype, copy=True) if copy else np.asarray(self.array, dtype=dtype)

    def __bool__(self) -> bool:
        if self.array is None:
            raise NoNumbersError(
                "a traced value has no truth: its numbers exist only when the program runs; "
                "use ops (maximum, where, ...) instead of Python's if/and/or"
            )
        return bool(self.array)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __format__(self, spec: str) -> str:
        if self.array is None:
            return format(repr(self), spec)
        return format(self.array.item() if self.size == 1 and spec else self.array, spec)

    def item(self) -> Any:
        """The only number, as Python's own."""
        return self.numpy().item()


class Node:
    """One application of an op.  ``scope`` is the path of the layer that made it, ``choice`` its kernel once chosen.

    ``holders`` counts those who need the links of a node that has run already (see ``EagerTrace``).
    """

    __slots__ = ("choice", "holders", "inputs", "op", "outputs", "scope")

    def __init__(self, op: Op, inputs: Sequence[Value], specs: Sequence[Spec], scope: str = ""):
        self.op = op
        self.inputs = tuple(inputs)
        self.outputs = tuple(Value(spec, self, i) for i, spec in enumerate(specs))
        self.scope = scope
        self.choice: Any = None
        self.holders = 0

    @property
    def input_specs(self) -> tuple[Spec, ...]:
        return tuple(v.spec for v in self.inputs)

    @property
    def output_specs(self) -> tuple[Spec, ...]:
        return tuple(v.spec for v in self.outputs)

    def __repr__(self) -> str:
        ins = ", ".join(str(v.spec) for v in self.inputs)
        return f"<{self.op}({ins})>"


@dataclass(frozen=True)
class Candidate:
    """One native kernel that could compute an op.

    ``declines(node)`` gives the reason why it does not want this node, or None; ``params(node)`` gives the fields of
    the kernel's struct in ``params.h``.  ``inplace(node)`` maps an output's index to the index of an input whose
    memory it may overwrite, or to several to choose from.  ``epilogue`` names what the kernel can do to its result
    before storing it.  ``prepack(node)`` gives, where that is faster, two ops: one that packs the node's second input
    (the weights) on its own, and one that computes the node with the packed weights in that input's place; None where
    it is not.  It pays for weights that stay the same over many runs.
    """

    kernel: str
    params: Callable[[Node], dict[str, Any]]
    declines: Callable[[Node], str | None] = lambda node: None
    inplace: Callable[[Node], Mapping[int, int | tuple[int, ...]]] = lambda node: {}
    epilogue: frozenset[str] = frozenset()
    prepack: Callable[[Node], tuple[Op, Op] | None] = lambda node: None


def snake_case(name: str) -> str:
    """``LeakyReluGrad`` -> ``leaky_relu_grad``, ``Conv2dGradInput`` -> ``conv2d_grad_input``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


#: Set by pynn.graph.trace: the layer that new nodes belong to, and what is called with each of them.
_scope_of_new_nodes: Callable[[], str] = lambda: ""  # noqa: E731
_record: Callable[[Node], None] = lambda node: None  # noqa: E731


@dataclass(frozen=True)
class Op:
    """Base of all ops.  Order inside a subclass is always: docstring with the formula, attributes, ``infer``, ``vjp``,
    ``params``, ``candidates``.

    A subclass with attributes is decorated with ``@dataclass(frozen=True)``; one without inherits what the decorator
    made of its base (making those methods anew takes half a millisecond a class, and there are many).
    """

    name: ClassVar[str]
    #: The result is the first input's memory under another shape: no kernel runs, no buffer is booked.
    is_view: ClassVar[bool] = False
    #: Several processes compute it together: it takes place at each run of a program, and in the same order everywhere.
    collective: ClassVar[bool] = False
    #: Its kernels compute in float32 alone: inputs of another dtype are NumPy's.
    float32_kernels: ClassVar[bool] = False

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if abstract:
            return
        cls.name = snake_case(cls.__name__)
        # @dataclass(slots=True) would define a class twice; the same module may redefine its own op.
        known = REGISTRY.get(cls.name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"op '{cls.name}' is registered twice: by {known.__module__} and by {cls.__module__}")
        REGISTRY[cls.name] = cls

    def __call__(self, *inputs: Value) -> Any:
        """Record the op on symbolic values.  Returns one Value, or a tuple where the op has several outputs."""
        specs = self.infer(*(v.spec for v in inputs))
        for spec in specs if isinstance(specs, tuple) else (specs,):
            self.require(spec.size < _MOST_ELEMENTS, "a result that a memory can hold", spec)
        node = Node(self, inputs, specs if isinstance(specs, tuple) else (specs,), _scope_of_new_nodes())
        _record(node)
        return node.outputs if isinstance(specs, tuple) else node.outputs[0]

    def infer(self, *specs: Spec) -> Spec | tuple[Spec, ...]:
        """Shape rule: the inputs' specs to the outputs' spec (a tuple where there are several)."""
        raise GraphError(f"op '{self.name}' has no shape rule: define infer()")

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        """Gradient rule: the incoming gradient ``g`` of ``y`` to one gradient per input (None where there is none).

        For an op with several outputs ``g`` and ``y`` are tuples; an unused output's gradient is None.
        """
        raise GraphError(f"op '{self.name}' has no gradient rule: define vjp(), or use stop_gradient before it")

    def params(self, node: Node) -> dict[str, Any]:
        """Fields of the kernel's struct in ``params.h`` for this node: by default the op's own attributes."""
        return self.attributes()

    def flops(self, node: Node) -> int:
        """Additions, multiplications and the like of this node, by its plain formula; 0 where nothing is computed.

        It is what a profile counts as work, whatever the kernel does: Winograd's algorithm does less than this.
        """
        return 0

    def candidates(self) -> Sequence[Candidate]:
        """Native kernels, best first.  None means: run the NumPy reference inside the program."""
        return ()

    def callback(self) -> Callable[[list[np.ndarray], list[np.ndarray]], None] | None:
        """For ops without a kernel that need the program's own memory: what takes the inputs' and the outputs' arrays,
        in place of the NumPy meaning."""
        return None

    def channel_shape(self, kernel: Spec) -> tuple[int, ...] | None:
        """For products ``op(x, kernel)``: the shape in which one number per channel of the result, multiplied into the
        kernel, multiplies the result.  None for ops that are no such product."""
        return None

    def attributes(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __str__(self) -> str:
        attributes = ", ".join(f"{k}={v!r}" for k, v in self.attributes().items())
        return f"{type(self).__name__}({attributes})" if attributes else type(self).__name__

    # Checks that shape rules share, so that all complain in the same words.
    def require(self, ok: bool, expected: str, *specs: Spec) -> None:
        """Raise a ShapeError that names the op, what came and what was expected."""
        if not ok:
            raise ShapeError(f"{self.name}: expected {expected}, received {', '.join(map(str, specs))}")

    def require_float(self, *specs: Spec) -> None:
        for spec in specs:
            if not spec.is_float:
                raise DtypeError(
                    f"{self.name}: expected floating-point numbers, received {spec}; use ops.cast(x, 'float32') first"
                )


class Graph:
    """What a program computes: feeds in, outputs and new values of variables out.

    ``nodes`` is derived: everything the outputs and updates need, each node after the nodes it reads.
    """

    def __init__(
        self,
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        updates: Sequence[tuple[Variable, Value]] = (),
        before_run: Sequence[Callable[[], None]] = (),
    ):
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.updates = tuple(updates)
        #: What programs call on the host before each run.
        self.before_run = tuple(before_run)
        self.nodes = toposort([*self.outputs, *(v for _, v in self.updates)])

    @property
    def results(self) -> tuple[Value, ...]:
        """Outputs, then the variables' new values."""
        return (*self.outputs, *(v for _, v in self.updates))

    def leaves(self) -> Iterator[Value]:
        """Feeds, variable states and constants that are read, each once, feeds first."""
        seen: set[int] = set()
        for v in (*self.inputs, *(i for n in self.nodes for i in n.inputs), *self.results):
            if v.node is None and id(v) not in seen:
                seen.add(id(v))
                yield v

    def users(self) -> dict[int, list[Node]]:
        """``id(value)`` to the nodes that read it."""
        users: dict[int, list[Node]] = {}
        for node in self.nodes:
            for v in node.inputs:
                users.setdefault(id(v), []).append(node)
        return users

    def __str__(self) -> str:
        from pynn.graph.show import format_graph

        return format_graph(self)


def toposort(results: Sequence[Value]) -> tuple[Node, ...]:
    """All nodes that ``results`` need, in the order they were recorded as far as dependencies allow."""
    seen: set[int] = set()
    order: list[Node] = []
    for root in results:
        stack: list[tuple[Node, int]] = []
        if root.node is not None and id(root.node) not in seen:
            seen.add(id(root.node))
            stack.append((root.node, 0))
        while stack:  # an explicit stack: networks are deeper than Python's recursion limit
            node, i = stack.pop()
            if i == len(node.inputs):
                order.append(node)
                continue
            stack.append((node, i + 1))
            child = node.inputs[i].node
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                stack.append((child, 0))
    return tuple(order)


def rewrite(graph: Graph, rule: Callable[[Node, tuple[Value, ...]], Sequence[Value] | None]) -> Graph:
    """Copy ``graph`` node by node; ``rule(node, new_inputs)`` may give other values for a node's outputs.

    Leaves are shared between the old and the new graph; None from the rule copies the node as it is.
    """
    new_of: dict[int, Value] = {}

    def new(v: Value) -> Value:
        return new_of.get(id(v), v)

    for node in graph.nodes:
        inputs = tuple(new(v) for v in node.inputs)
        outputs = rule(node, inputs)
        if outputs is None:
            if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
                continue  # nothing below changed: keep the node itself
            copy = Node(node.op, inputs, node.output_specs, node.scope)
            copy.choice = node.choice
            outputs = copy.outputs
        for old, replacement in zip(node.outputs, outputs, strict=True):
            if replacement.spec != old.spec:
                raise GraphError(f"a pass replaced {old!r} by {replacement!r} of another shape or dtype")
            if not replacement.name and old.name:
                replacement.name = old.name
            if replacement.node is not None and not replacement.node.scope:
                replacement.node.scope = node.scope
            new_of[id(old)] = replacement
    updates = [(variable, new(v)) for variable, v in graph.updates]
    return Graph(graph.inputs, [new(v) for v in graph.outputs], updates, graph.before_run)
