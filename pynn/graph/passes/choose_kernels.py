"""Pass: give every node the first native kernel that does not decline it, and keep the reasons of those that did."""

from __future__ import annotations

from dataclasses import dataclass

from pynn.graph.ir import Candidate, Graph, Node


@dataclass(frozen=True)
class Choice:
    """The kernel chosen for a node; ``candidate`` None means its NumPy reference runs inside the program."""

    candidate: Candidate | None
    declined: tuple[tuple[str, str], ...] = ()

    @property
    def kernel(self) -> str:
        """Its name, for printing."""
        return self.candidate.kernel if self.candidate else "NumPy reference (no native kernel)"


def choose(node: Node) -> Choice:
    """The choice for one node."""
    declined: list[tuple[str, str]] = []
    if any(spec.size == 0 for spec in (*node.input_specs, *node.output_specs)):
        return Choice(None, (("native kernels", "they expect arrays that are not empty"),))
    if any(spec.dtype == "float64" for spec in (*node.input_specs, *node.output_specs)):
        return Choice(None, (("native kernels", "they compute in float32"),))
    if node.op.float32_kernels and any(spec.dtype != "float32" for spec in node.input_specs):
        return Choice(None, (("native kernels", "they compute in float32"),))
    for candidate in node.op.candidates():
        reason = candidate.declines(node)
        if reason is None:
            return Choice(candidate, tuple(declined))
        declined.append((candidate.kernel, reason))
    return Choice(None, tuple(declined))


def choose_kernels(graph: Graph) -> Graph:
    """Set ``node.choice`` on every node that computes something."""
    for node in graph.nodes:
        if not node.op.is_view and node.choice is None:
            node.choice = choose(node)
    return graph
