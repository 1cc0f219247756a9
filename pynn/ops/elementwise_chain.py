"""Several element-wise ops as one: what the fuse pass makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pynn import _core
from pynn.errors import GraphError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.ops.elementwise import Elementwise

_CODES = {name: code for code, name in enumerate(_core.elementwise_codes())}
MAX_STEPS, MAX_INPUTS, MAX_OUTPUTS = _core.MAX_CHAIN_STEPS, _core.MAX_CHAIN_INPUTS, _core.MAX_CHAIN_OUTPUTS


class Step(NamedTuple):
    """One element-wise op of a chain and the registers it reads."""

    op: Elementwise
    registers: tuple[int, ...]


class Access(NamedTuple):
    """Position i of the chain reads element ``(i // repeat) % period`` of an input."""

    repeat: int
    period: int


@dataclass(frozen=True)
class ElementwiseChain(Op):
    """Element-wise ops one after the other over the same positions.

    Registers 0..n-1 are the inputs (each read through its ``access``), step s defines register n + s.  ``outputs``
    are registers, ``shapes`` the outputs' shapes, all with the same number of elements.
    """

    steps: tuple[Step, ...]
    accesses: tuple[Access, ...]
    outputs: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        self.require(len(specs) == len(self.accesses), f"{len(self.accesses)} inputs", *specs)
        self.require_float(*specs)
        for spec, access in zip(specs, self.accesses, strict=True):
            self.require(access.period <= spec.size, f"at least {access.period} elements", spec)
        return tuple(Spec(shape, specs[0].dtype) for shape in self.shapes)

    @property
    def size(self) -> int:
        """Number of positions."""
        return Spec(self.shapes[0]).size

    def params(self, node: Node) -> dict[str, Any]:
        def column(i: int) -> list[int]:
            return [step.registers[i] if i < len(step.registers) else 0 for step in self.steps]

        return {
            "size": self.size,
            "n_steps": len(self.steps),
            "code": [_CODES[step.op.name] for step in self.steps],
            "a": column(0),
            "b": column(1),
            "c": column(2),
            "immediate": [step.op.immediate for step in self.steps],
            "output": list(self.outputs),
            "repeat": [a.repeat for a in self.accesses],
            "period": [a.period for a in self.accesses],
        }

    def flops(self, node: Node) -> int:
        return self.size * len(self.steps)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("elementwise_chain", self.params, inplace=lambda node: self._inplace()),)

    def _inplace(self) -> dict[int, tuple[int, ...]]:
        """Outputs that may lie on an input: it is read at its own position only, and not after they are written."""
        n = len(self.accesses)
        last_read = {r: s for s, step in enumerate(self.steps) for r in step.registers}
        full = [i for i, access in enumerate(self.accesses) if access == Access(1, self.size) and i in last_read]
        return {o: tuple(i for i in full if last_read[i] <= register - n) for o, register in enumerate(self.outputs)}

    def describe(self, operands: Sequence[str]) -> tuple[list[str], list[str]]:
        """For printing: the steps as formulas, ``t0 = multiply(x, y*)``, and the names of those that are stored."""
        n = len(self.accesses)
        names = list(operands)
        for i, access in enumerate(self.accesses):
            if access.period != self.size:
                names[i] += "*"  # broadcast
        steps = []
        for s, step in enumerate(self.steps):
            names.append(f"t{s}")
            constants = [f"{v:g}" for v in step.op.attributes().values() if isinstance(v, float)]
            arguments = ", ".join([*(names[r] for r in step.registers), *constants])
            steps.append(f"t{s} = {step.op.name}({arguments})")
        return steps, [f"t{r - n}" for r in self.outputs]

    def __str__(self) -> str:
        return f"ElementwiseChain({'+'.join(step.op.name for step in self.steps)})"


def single_step_params(node: Node) -> dict[str, Any]:
    """Kernel parameters of one element-wise op alone: a chain of one step."""
    assert isinstance(node.op, Elementwise)
    size = node.outputs[0].size
    n = len(node.inputs)
    step = Step(node.op, tuple(range(n)))
    return ElementwiseChain((step,), (Access(1, size),) * n, (n,), (node.outputs[0].shape,)).params(node)


def make_chain(
    nodes: Sequence[Node], reads: dict[int, tuple[Value, Access]], same_as: dict[int, Value], outputs: Sequence[Value]
) -> Node:
    """One node for element-wise ``nodes`` (in order).

    Args:
        nodes: the ops to run, each after those it reads.
        reads: ``id(value)`` -> (the array to read, how) for every value that comes from outside.
        same_as: ``id(value)`` -> the result of one of ``nodes`` that it is, maybe under another shape.
        outputs: values of ``nodes`` that are needed outside.
    """
    inputs: list[Value] = []
    accesses: list[Access] = []
    register: dict[int, int] = {}
    seen: dict[tuple[int, Access], int] = {}
    for key, (source, access) in reads.items():
        place = seen.get((id(source), access))
        if place is None:
            place = seen[id(source), access] = len(inputs)
            inputs.append(source)
            accesses.append(access)
        register[key] = place
    steps = []
    for s, node in enumerate(nodes):
        assert isinstance(node.op, Elementwise)
        steps.append(Step(node.op, tuple(register[id(same_as.get(id(v), v))] for v in node.inputs)))
        register[id(node.outputs[0])] = len(inputs) + s
    if len(steps) > MAX_STEPS or len(inputs) > MAX_INPUTS or len(outputs) > MAX_OUTPUTS:
        raise GraphError(f"a chain of {len(steps)} steps, {len(inputs)} inputs, {len(outputs)} outputs is too long")
    op = ElementwiseChain(
        tuple(steps), tuple(accesses), tuple(register[id(v)] for v in outputs), tuple(v.shape for v in outputs)
    )
    return Node(op, inputs, op.infer(*(v.spec for v in inputs)), nodes[-1].scope)
