"""The native executor: graph -> passes -> one Program of the C++ runtime."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pynn import _core, config
from pynn.errors import GraphError
from pynn.executor.locks import compile_lock
from pynn.executor.reference import ReferenceProgram, evaluate_node
from pynn.graph.ir import Graph, Node, Value
from pynn.graph.passes import passes
from pynn.graph.passes.collective_order import in_collective_order
from pynn.graph.passes.plan_memory import MemoryPlan, plan_memory, root, separate_results
from pynn.graph.passes.prepare import preparations
from pynn.graph.show import LEGEND, format_choices, format_graph, short_scopes
from pynn.graph.variable import Variable
from pynn.graph.verify import verify
from pynn.utils.memory import readable, require

#: How many values the message about too little memory lists.
_BIGGEST_SHOWN = 5
#: One arena for all programs of the process: they run one at a time and keep nothing in it between runs.
_ARENA = _core.Arena()


def optimize(graph: Graph, show: bool = False, check: bool = False, isa: str = "") -> Graph:
    """Run all passes; ``show`` prints the graph after each, ``check`` verifies it."""
    listing = ""

    def report(title: str) -> None:
        nonlocal listing
        if show:
            new = format_graph(graph, leaves=not listing)
            # Without its first lines, which the first listing has and the others leave out.
            body = format_graph(graph, leaves=False)
            print(f"\n=== {title} ===\n{new if body != listing else '(reads as before)'}", file=sys.stderr)
            listing = body
        if check:
            verify(graph, title)

    report("as traced")
    for name, run in passes(isa):
        graph = run(graph)
        report(name)
    return in_collective_order(separate_results(graph))


@cache
def _print_legend() -> None:
    """Once per process, before the first listing."""
    print(f"\n{LEGEND}", file=sys.stderr)


@dataclass(frozen=True)
class Instruction:
    """What one instruction of a program does, for people who look at its time.

    ``flops`` are those of the op's formula; ``nbytes`` counts each operand once.
    """

    op: str
    kernel: str
    scope: str
    shapes: str
    flops: int
    nbytes: int


class NativeProgram:
    """A compiled graph.

    Calling it with one array per input of the graph gives one array per output; variables take their new states.
    Arrays must be C-contiguous and of the input's exact dtype and shape.
    """

    def __init__(self, graph: Graph, isa: str | None = None, threads: int | None = None, title: str = "graph"):
        show = config.shows("passes")
        if show:
            _print_legend()
            print(f"\n##### compiling {title} #####", file=sys.stderr)
        self.title = title
        self.isa = isa or _core.isa()
        self._before_run = graph.before_run
        self.graph = optimize(graph, show, config.check(), self.isa)
        if config.shows("kernels"):
            print(f"\n{format_choices(self.graph)}", file=sys.stderr)
        self.plan = plan_memory(self.graph)
        if show:
            print(f"\n=== plan memory ===\n{_format_plan(self.graph, self.plan)}", file=sys.stderr)
        self._threads = threads
        self._preparations = preparations(self.graph)
        self._written = [variable for variable, _ in self.graph.updates]
        require(self._needed_bytes(), self._memory_message)
        slots = [(v.size, np.dtype(v.dtype)) for v in (*self.graph.inputs, *self.graph.outputs)]
        self._core = _core.Program(self.isa, self._instructions(), slots, _ARENA, self.plan.arena_bytes)
        self._recorder = None
        if config.profiles():
            from pynn.utils.profiler import record

            self._recorder = record(self)

    def __call__(self, arrays: Sequence[np.ndarray], background: Any = None) -> list[np.ndarray]:
        try:
            outputs = [np.empty(v.shape, v.dtype) for v in self.graph.outputs]
            self._prepare()
            if self._recorder is None:
                self._core.run([*arrays, *outputs], self.threads, background)
            else:
                rows = self._core.profile([*arrays, *outputs], self.threads, background)
                self._recorder.add([seconds for _, seconds in rows])
        except MemoryError:
            raise MemoryError(f"{self._memory_message()} The system refuses what is needed now.") from None
        finally:  # an interrupt is raised right after the run, whose changes are there
            self._mark_changes()
        return outputs

    def profile(self, arrays: Sequence[np.ndarray], runs: int = 20) -> list[tuple[str, float]]:
        """``(instruction, seconds)``, the median over some runs; variables change as in any other run."""
        outputs = [np.empty(v.shape, v.dtype) for v in self.graph.outputs]
        self._prepare()
        rows = [self._core.profile([*arrays, *outputs], self.threads) for _ in range(runs)]
        self._mark_changes()
        medians = np.median([[seconds for _, seconds in row] for row in rows], axis=0)
        return [(label, float(t)) for (label, _), t in zip(rows[0], medians, strict=True)]

    def _prepare(self) -> None:
        for hook in self._before_run:
            hook()
        for preparation in self._preparations:
            preparation.refresh()
        if Variable.guards:
            for variable in self._written:
                variable.announce_change()

    def _mark_changes(self) -> None:
        for variable in self._written:
            variable.version += 1  # not mark_changed(): that would cost a microsecond in small steps
        if self._written:
            Variable.changes = Variable.next_change()

    @property
    def threads(self) -> int:
        """How many threads a run uses, at most."""
        return self._threads or config.num_threads()

    @property
    def instructions(self) -> list[Instruction]:
        """What each instruction does, in the order of ``profile``."""
        rows = []
        scopes = short_scopes(self.graph)
        for node in self.graph.nodes:
            if node.op.is_view:
                continue
            candidate = node.choice.candidate
            operands = {id(v): v for v in (*node.inputs, *node.outputs)}.values()
            rows.append(
                Instruction(
                    op=node.op.name,
                    kernel=candidate.kernel if candidate else "NumPy reference",
                    scope=scopes[id(node)],
                    shapes=f"{_format_shapes(node.inputs)} -> {_format_shapes(node.outputs)}",
                    flops=node.op.flops(node),
                    nbytes=sum(v.spec.nbytes for v in operands),
                )
            )
        for v, variable in self.plan.final_copies:
            rows.append(Instruction("copy", "copy", variable.path, f"{v.shape} -> {v.shape}", 0, 2 * v.spec.nbytes))
        return rows

    @property
    def nbytes(self) -> int:
        """Bytes of the arena that the program's values use, without scratch."""
        return self.plan.arena_bytes

    def _needed_bytes(self) -> int:
        """What a run takes beside variables and what is there already, without scratch."""
        return max(0, self.plan.arena_bytes - _ARENA.nbytes) + sum(v.spec.nbytes for v in self.graph.outputs)

    def _memory_message(self) -> str:
        """What of this program takes how much memory, and what could be done about it."""
        values = {id(root(v)): root(v) for node in self.graph.nodes for v in node.outputs}.values()
        big = sorted((v for v in values if self.plan.place(v).kind != "fixed"), key=lambda v: -v.spec.nbytes)
        scopes = short_scopes(self.graph)
        lines = [
            f"  {readable(v.spec.nbytes):>10}  {v.spec}  {v.node.op.name}{_in_layer(scopes[id(v.node)])}"
            for v in big[:_BIGGEST_SHOWN]
            if v.node is not None
        ]
        results = sum(v.spec.nbytes for v in self.graph.outputs)
        return (
            f"{self.title}: its values are planned to take {readable(self.plan.arena_bytes)}, its results "
            f"{readable(results)}. The biggest, some of which share memory:\n" + "\n".join(lines) + "\n"
            "A smaller batch_size takes less in proportion; so do smaller layers and inputs."
        )

    def _operand(self, v: Value) -> tuple[str, Any, int, int]:
        place = self.plan.place(v)
        return place.kind, place.where, v.size, np.dtype(v.dtype).itemsize

    def _instructions(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for node in self.graph.nodes:
            if node.op.is_view:
                continue
            operands = [self._operand(v) for v in node.inputs], [self._operand(v) for v in node.outputs]
            label = f"{node.op.name} ({node.scope})" if node.scope else node.op.name
            candidate = node.choice.candidate
            if candidate is None:
                specs = [(list(v.shape), np.dtype(v.dtype)) for v in (*node.inputs, *node.outputs)]
                rows.append((label, node.op.callback() or _reference_callback(node), specs, *operands))
            else:
                rows.append(
                    (label, candidate.kernel, kernel_params(candidate.kernel, candidate.params(node)), *operands)
                )
        for v, variable in self.plan.final_copies:
            record = kernel_params("copy", {"nbytes": v.spec.nbytes})
            target = ("fixed", variable.array, variable.size, np.dtype(variable.dtype).itemsize)
            rows.append((f"copy into {variable.path}", "copy", record, [self._operand(v)], [target]))
        return rows


_PARAMS = _core.params_dtypes()


def kernel_params(kernel: str, values: dict[str, Any]) -> np.ndarray:
    """The kernel's record with the given fields; every field must be given and none else."""
    dtype = _PARAMS.get(kernel)
    if dtype is None:
        raise GraphError(f"no native kernel is called '{kernel}'")
    names = dtype.names or ()
    if set(values) != set(names):
        raise GraphError(f"kernel '{kernel}' takes {', '.join(names)}; the op gave {', '.join(values) or 'nothing'}")
    record = np.zeros((), dtype)
    for name, value in values.items():
        if dtype[name].shape and np.ndim(value):
            record[name][: len(value)] = value  # a fixed array, filled from the front
        else:
            record[name] = value
    return record


def _in_layer(scope: str) -> str:
    return f" ({scope})" if scope else ""


def _reference_callback(node: Node) -> Callable[[list[np.ndarray], list[np.ndarray]], None]:
    def run(inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
        with np.errstate(all="ignore"):
            for target, result in zip(outputs, evaluate_node(node, inputs), strict=True):
                target[...] = result

    return run


def _format_shapes(values: Sequence[Value], most: int = 4) -> str:
    """``(128, 784) (784, 64)``, without what the first few do not say."""
    shown = [str(v.shape).replace(",)", ")") for v in values[:most]]
    return " ".join([*shown, f"... {len(values) - most} more"] if len(values) > most else shown)


def _format_plan(graph: Graph, plan: MemoryPlan) -> str:
    values = [v for node in graph.nodes if not node.op.is_view for v in node.outputs]
    booked = sum(v.spec.nbytes for v in values if plan.place(v).kind == "arena")
    direct = len(graph.updates) - len(plan.final_copies)
    return (
        f"arena {plan.arena_bytes / 1024:,.1f} KB for {booked / 1024:,.1f} KB of values "
        f"(at most {plan.peak_bytes / 1024:,.1f} KB are alive at once)\n"
        f"{direct} of {len(graph.updates)} new states are computed right into their variables"
    )


def compile_graph(
    graph: Graph, isa: str | None = None, threads: int | None = None, title: str = "graph"
) -> NativeProgram | ReferenceProgram:
    """A program for ``graph`` on the executor that ``PYNN_EXECUTOR`` names (native by default)."""
    if config.executor() == "reference":
        return ReferenceProgram(graph)
    with compile_lock():
        return NativeProgram(graph, isa, threads, title)
