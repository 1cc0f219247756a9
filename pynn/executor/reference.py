"""The reference executor: the same graph, node by node, on plain NumPy, in any float dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import DtypeError, GraphError
from pynn.graph.ir import Graph, Node, Value
from pynn.graph.variable import Variable
from pynn.reference import meaning


def evaluate_node(node: Node, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """The node's outputs by its op's NumPy function; shapes are checked against the shape rule."""
    function = meaning(node.op.name)
    if function is None:
        raise GraphError(f"op '{node.op.name}' has no NumPy meaning: add a function of that name to pynn/reference/")
    try:
        result = function(*inputs, **node.op.attributes())
    except TypeError as error:
        if "not supported for the input types" not in str(error):
            raise
        came = ", ".join(str(spec) for spec in node.input_specs)
        raise DtypeError(f"{node.op.name}: there is no such operation on {came}") from error
    results = result if isinstance(result, tuple) else (result,)
    arrays = tuple(np.asarray(r) for r in results)
    for array, spec in zip(arrays, node.output_specs, strict=True):
        if array.shape != spec.shape:
            raise GraphError(f"op '{node.op.name}': its NumPy meaning gave shape {array.shape}, expected {spec.shape}")
    return arrays


class ReferenceProgram:
    """Runs a graph as a native program does, with the same call."""

    def __init__(self, graph: Graph):
        self.graph = graph

    def __call__(self, arrays: Sequence[np.ndarray], background: Any = None) -> list[np.ndarray]:
        """Outputs for the given feeds; variables take their new states at the end."""
        for hook in self.graph.before_run:
            hook()
        env: dict[int, np.ndarray] = {id(v): a for v, a in zip(self.graph.inputs, arrays, strict=True)}

        def read(v: Value) -> np.ndarray:
            if id(v) not in env:
                source = v.source
                if isinstance(source, Variable):
                    return source.array
                assert isinstance(source, np.ndarray), f"{v!r} has no source"
                return source
            return env[id(v)]

        with np.errstate(all="ignore"):  # the native kernels do not warn either; results carry inf and nan
            for node in self.graph.nodes:
                results = evaluate_node(node, [read(v) for v in node.inputs])
                for v, array in zip(node.outputs, results, strict=True):
                    # float64 inputs stay float64 throughout: that is what gradient checks run in.
                    env[id(v)] = array if array.dtype.kind == "f" else array.astype(v.dtype, copy=False)
        outputs = [np.array(read(v)) for v in self.graph.outputs]
        new_states = [(variable, np.array(read(v))) for variable, v in self.graph.updates]
        for variable, state in new_states:
            variable.announce_change()
            variable.array[...] = state
            variable.mark_changed()
        if background is not None:
            from pynn.data._batching import run_task

            run_task(background)
        return outputs
