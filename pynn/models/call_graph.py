"""The calls between a model's symbolic inputs and outputs: found once, repeated whenever a step is traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pynn.errors import ArgumentError, GraphError
from pynn.graph.operation import Operation
from pynn.graph.symbolic import Call, KerasTensor
from pynn.layers.input_layer import InputLayer
from pynn.layers.layer import Layer
from pynn.utils.structure import flatten, map_structure


class CallGraph:
    """What leads from ``inputs`` to ``outputs``, both structures of symbolic tensors.

    Attributes:
        calls: every call, each after those it needs.
        operations: layers and functions, in the order in which Keras lists a model's layers: by their distance from
            the outputs, the farthest first.  Weights come in this order, too.

    Raises:
        ArgumentError: something that is not a symbolic tensor, or a name that is used twice.
        GraphError: an output that needs an input which is not among ``inputs``.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str, what: str = "model"):
        where = f"{what} '{name}'"
        self.inputs = map_structure(lambda x: _checked(x, "inputs", where), inputs)
        self.outputs = map_structure(lambda x: _checked(x, "outputs", where), outputs)
        starts = flatten(self.inputs)
        if not starts or not flatten(self.outputs):
            raise ArgumentError(f"{where}: needs at least one input and one output")
        if len({id(t) for t in starts}) < len(starts):
            raise ArgumentError(f"{where}: an input is listed twice; each Input may come once only")
        self._starts = {id(t) for t in starts}
        self.calls, seen = self._sorted(where)
        self.depth_of: dict[int, int] = {}
        self.operations = self._by_depth(seen)
        names = [operation.name for operation in self.operations]
        for name in names:
            if names.count(name) > 1:
                raise ArgumentError(
                    f"{where}: all layers need different names; {names.count(name)} are called '{name}': "
                    "give them a name= of their own"
                )

    @property
    def layers(self) -> list[Layer]:
        """The operations that are layers."""
        return [operation for operation in self.operations if isinstance(operation, Layer)]

    def run(self, inputs: Any) -> Any:
        """The outputs for traced ``inputs``, of the structure of the symbolic ones."""
        values = {id(t): v for t, v in zip(flatten(self.inputs), flatten(inputs), strict=True)}

        def value(leaf: Any) -> Any:
            return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        for call in self.calls:
            if isinstance(call.operation, InputLayer):
                continue
            args, kwargs = map_structure(value, (call.args, call.kwargs))
            results = call.operation(*args, **kwargs)
            values.update((id(t), v) for t, v in zip(flatten(call.outputs), flatten(results), strict=True))
        return map_structure(value, self.outputs)

    def number_checks(self) -> list[tuple[int, Callable[[Any], None]]]:
        """``(number of an input, check of its array)`` of the layers directly behind inputs that know which numbers are
        wrong (``Embedding.check_numbers``), inside models that are directly behind inputs, too."""
        found: list[tuple[int, Callable[[Any], None]]] = []
        for i, start in enumerate(flatten(self.inputs)):
            for call in self.calls:
                operation = call.operation
                at = next((k for k, tensor in enumerate(call.inputs) if tensor is start), None)
                if at is None:
                    continue
                if hasattr(operation, "check_numbers"):
                    found.append((i, operation.check_numbers))
                inner = getattr(operation, "_graph", None)
                if inner is not None:
                    found += [(i, check) for j, check in inner.number_checks() if j == at]
        return found

    def connections(self, operation: Any) -> str:
        """What the operation reads: names with the numbers of the call and of its output, as Keras writes them."""
        read = [t for call in self.calls if call.operation is operation for t in call.inputs]
        return ", ".join(f"{t.call.operation.name}[{t.call.index}][{t.index}]" for t in read) or "-"

    @property
    def is_chain(self) -> bool:
        """Whether each operation is used once and reads what the one before gave."""
        one_each = len(self.calls) == len(self.operations) and all(len(call.inputs) <= 1 for call in self.calls)
        return one_each and len(set(self.depth_of.values())) == len(self.operations)

    def _sorted(self, where: str) -> tuple[list[Call], dict[int, int]]:
        """The calls in order of need, and at which point of the walk each operation was met first."""
        calls: list[Call] = []
        done: set[int] = set()
        met: dict[int, int] = {}

        def enter(tensor: KerasTensor) -> None:
            call = tensor.call
            is_input = call is None or isinstance(call.operation, InputLayer)
            is_start = id(tensor) in self._starts
            if is_start and (call is None or not is_input):
                return  # the calls behind an input belong to another model
            if call is not None and id(call) in done:
                return
            if is_input and not is_start:
                known = ", ".join(t.name for t in flatten(self.inputs))
                raise GraphError(
                    f"{where}: the graph is not connected: its outputs need the input '{tensor.name}' "
                    f"{tensor.shape}, which is not among the inputs ({known}); add it to inputs="
                )
            done.add(id(call))
            met.setdefault(id(call.operation), len(met))
            stack.append((call, iter(call.inputs)))

        stack: list[tuple[Call, Iterator[KerasTensor]]] = []  # networks are deeper than Python's recursion limit
        for output in flatten(self.outputs):
            enter(output)
            while stack:
                call, rest = stack[-1]
                following = next(rest, None)
                if following is None:
                    calls.append(call)
                    stack.pop()
                else:
                    enter(following)
        return calls, met

    def _by_depth(self, met: dict[int, int]) -> list[Any]:
        depth_of_call: dict[int, int] = {}
        operations: dict[int, Any] = {}
        own = {id(call) for call in self.calls}
        for call in reversed(self.calls):
            key = id(call.operation)
            depth = max(depth_of_call.get(id(call), 0), self.depth_of.get(key, 0))
            self.depth_of[key] = depth_of_call[id(call)] = depth
            operations[key] = call.operation
            for tensor in call.inputs:
                if id(tensor.call) in own:
                    depth_of_call[id(tensor.call)] = max(depth + 1, depth_of_call.get(id(tensor.call), 0))
        for tensor in flatten(self.inputs):  # inputs that nothing reads are layers, too
            operation = None if tensor.call is None else tensor.call.operation
            if isinstance(operation, InputLayer) and id(operation) not in operations:
                operations[id(operation)] = operation
                self.depth_of[id(operation)], met[id(operation)] = 0, -1
        return sorted(operations.values(), key=lambda o: (-self.depth_of[id(o)], met[id(o)]))


def _checked(tensor: Any, argument: str, where: str) -> KerasTensor:
    if isinstance(tensor, KerasTensor):
        return tensor
    hint = ""
    if isinstance(tensor, Operation):
        hint = f"; use what the layer gave: {tensor.name}.output, or the result of calling it"
    raise ArgumentError(
        f"{where}: {argument} must be symbolic tensors (Input(...), or results of layers called on one), "
        f"received {tensor!r}{hint}"
    )
