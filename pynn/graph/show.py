"""Graphs as text, one line per node, for people (``PYNN_SHOW=passes,kernels``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields

import numpy as np

from pynn.graph.ir import Graph, Node, Value
from pynn.graph.variable import Variable

#: What a reader needs to know once, before the first listing.
LEGEND = """\
How to read this: '%3: float32[128, 64]  =  Relu(%2)' is one op and the name of its result; numbers begin anew in
each listing.  'in' is fed at each run, 'var' is an array that lives on between runs (a weight, a metric's total), and
'set' its new content.  A name with a ' is prepared when that variable changes: packed, or with a scale folded in.
'# dense' says which layer an op belongs to, '# grad(dense)' whose gradient it computes.
'Chain{...}' is several ops in one kernel, tile by tile; 'b*' in it is a smaller array that is read again and again (a
broadcast)."""

#: Columns that a listing may take.  Long names and shapes are not cut, so a line may exceed it.
WIDTH = 140
_LEFT_WIDTH = 42
_MOST_OPERANDS = 6


def format_graph(graph: Graph, title: str = "graph", leaves: bool = True) -> str:
    """The graph as a listing: what goes in, what each step computes and for which layer, what comes out.

    ``leaves=False`` leaves out the inputs and variables, which do not change from pass to pass.

    Example:
        >>> from pynn import ops
        >>> from pynn.graph.ir import Spec
        >>> from pynn.graph.trace import Trace
        >>> with Trace() as trace:
        ...     x = trace.input("x", Spec((2, 3)))
        ...     print(format_graph(trace.finish([ops.relu(x)])))
        graph: 1 input, 0 variables read, 0 written, 1 op
          in   x: float32[2, 3]
          %0: float32[2, 3]  =  Relu(x)
          out  %0
    """
    names = _names(graph)
    variables = [v for v in graph.leaves() if isinstance(v.source, Variable)]
    lines = [
        f"{title}: {_count(len(graph.inputs), 'input')}, {_count(len(variables), 'variable')} read, "
        f"{len(graph.updates)} written, {_count(len(graph.nodes), 'op')}"
    ]
    if leaves:
        lines += [f"  in   {names[id(v)]}: {v.spec}" for v in graph.inputs]
        lines += [f"  var  {names[id(v)]}: {v.spec}" for v in variables]
    lines += _format_nodes(graph, names)
    lines += [f"  out  {names[id(v)]}" for v in graph.outputs]
    lines += _format_updates(graph, names)
    return "\n".join(lines)


def _format_nodes(graph: Graph, names: dict[int, str]) -> list[str]:
    """One line per node: result, call and layer each in their column; a long chain takes a line per step."""
    lefts = [_left(node, names) for node in graph.nodes]
    left_width = min(max(map(len, lefts), default=0), _LEFT_WIDTH)
    scopes = short_scopes(graph)
    rows: list[tuple[list[str], str]] = []
    for node, left in zip(graph.nodes, lefts, strict=True):
        head = f"  {left:<{left_width}}  =  "
        comment = f"# {scopes[id(node)]}" if node.scope else ""
        call = format_call(node, names)
        describe = getattr(node.op, "describe", None)
        if describe is None or len(head) + len(call) + len(comment) + 2 <= WIDTH:
            rows.append(([head + call], comment))
            continue
        steps, stored = describe([names[id(v)] for v in node.inputs])
        lines = [f"{head}Chain{{ {steps[0]}", *(f"{'':<{len(head)}}       {step}" for step in steps[1:])]
        lines[-1] += f" }} -> {', '.join(stored)}"
        rows.append((lines, comment))
    widest = max((len(comment) for _, comment in rows), default=0)
    lengths = [len(lines[0]) for lines, comment in rows if comment]
    column = max((n for n in lengths if n + 2 + widest <= WIDTH), default=0)
    text = []
    for lines, comment in rows:
        text.append(f"{lines[0]:<{column}}  {comment}" if comment else lines[0])
        text += lines[1:]
    return text


def short_scopes(graph: Graph) -> dict[int, str]:
    """Each node's layer, without the model's name where all layers are of one model."""
    model = _only_model(graph)
    return {id(node): node.scope.replace(model, "", 1) if model else node.scope for node in graph.nodes}


def _only_model(graph: Graph) -> str:
    """``net/``, if all layers are of the model ``net``; else nothing."""
    scopes = {node.scope for node in graph.nodes}
    models = {s.removeprefix("grad(").partition("/")[0] for s in scopes if "/" in s}
    return f"{models.pop()}/" if len(models) == 1 else ""


def _format_updates(graph: Graph, names: dict[int, str]) -> list[str]:
    """``set`` lines; what one optimizer op gives to many variables in a row is one line."""
    lines = []
    model = _only_model(graph)
    updates = [(variable.path.removeprefix(model), v) for variable, v in graph.updates]
    while updates:
        path, v = updates[0]
        run = 1
        while run < len(updates) and updates[run][1].node is v.node is not None:
            run += 1
        if run > 3:
            last_path, last = updates[run - 1]
            lines.append(f"  set  {path} .. {last_path} <- {names[id(v)]} .. {names[id(last)]}: {run} arrays")
        else:
            run = 1
            lines.append(f"  set  {path} <- {names[id(v)]}")
        del updates[:run]
    return lines


def _names(graph: Graph) -> dict[int, str]:
    """What a listing calls each value; a constant with one number is called by it."""
    names: dict[int, str] = {}
    used: set[str] = set()
    model = _only_model(graph)
    for v in graph.leaves():
        base = (v.name or "leaf").removeprefix(model)
        if isinstance(v.source, np.ndarray) and v.size == 1:
            names[id(v)] = base
            continue
        name, k = base, 1
        while name in used:
            k += 1
            name = f"{base}#{k}"
        used.add(name)
        names[id(v)] = name
    for count, v in enumerate(v for node in graph.nodes for v in node.outputs):
        names[id(v)] = f"%{count}"
    return names


def _left(node: Node, names: dict[int, str]) -> str:
    def listed(values: Sequence[Value]) -> str:
        return ", ".join(f"{names[id(v)]}: {v.spec}" for v in values)

    if len(node.outputs) <= 3 and len(listed(node.outputs)) <= _LEFT_WIDTH:
        return listed(node.outputs)
    if len(node.outputs) == 1:
        return listed(node.outputs)
    first, last = node.outputs[0], node.outputs[-1]
    return f"{names[id(first)]} .. {names[id(last)]}: {len(node.outputs)} arrays"


def format_call(node: Node, names: dict[int, str]) -> str:
    """``Matmul[transpose_b=True](x, dense/kernel)``, without attributes that go without saying."""
    operands = [names[id(v)] for v in node.inputs]
    describe = getattr(node.op, "describe", None)  # a fused op prints as the formula it stands for
    if describe is not None:
        steps, stored = describe(operands)
        return f"Chain{{ {'; '.join(steps)} }} -> {', '.join(stored)}"
    values = {f.name: (getattr(node.op, f.name), f.default) for f in fields(node.op)}
    shown = [
        f"{name}={_brief(value)}"
        for name, (value, default) in values.items()
        # A shape that is the result's own stands on the left already.
        if (default is MISSING or value != default) and value != node.outputs[0].shape
    ]
    if len(operands) > _MOST_OPERANDS:
        operands = [operands[0], f"... {len(operands) - 1} more"]
    attributes = f"[{', '.join(shown)}]" if shown else ""
    return f"{type(node.op).__name__}{attributes}({', '.join(operands)})"


def _brief(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def format_choices(graph: Graph) -> str:
    """Which kernel computes each node, and why others were refused (``PYNN_SHOW=kernels``)."""
    names = _names(graph)
    scopes = short_scopes(graph)
    lines = ["=== kernels ==="]
    for node in graph.nodes:
        if node.op.is_view:
            continue
        kernel = "not chosen yet" if node.choice is None else node.choice.kernel
        of = f"  # {scopes[id(node)]}" if node.scope else ""
        lines.append(f"  {names[id(node.outputs[0])]:>6}  {node.op.name:<32}  {kernel:<32}{of}".rstrip())
        for refused, reason in node.choice.declined if node.choice else ():
            lines.append(f"          {refused} declined: {reason}")
    return "\n".join(lines)
