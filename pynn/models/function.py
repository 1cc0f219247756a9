"""``keras.Function``: what leads from symbolic inputs to symbolic outputs, as a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph import symbolic, trace
from pynn.graph.operation import Operation
from pynn.graph.symbolic import KerasTensor
from pynn.graph.variable import Variable
from pynn.models.call_graph import CallGraph
from pynn.utils.structure import flatten, map_structure


class Function(Operation):
    """The calls between symbolic ``inputs`` and ``outputs``, to be repeated on arrays or other tensors.

    Like a functional model, but no layer: it has no weights of its own, no training, and no config.  Layers inside use
    theirs.

    Args:
        inputs: a symbolic tensor (:class:`~pynn.KerasTensor`, ``Input``, or what a call gave), or a list, tuple or
            dictionary of them.
        outputs: the same, made of ``inputs`` alone.
        name: ``function``, ``function_1`` ... if not given.

    Raises:
        GraphError: an output needs something that is not among the inputs.
        ArgumentError: inputs or outputs that are not symbolic tensors; a call on another structure than ``inputs``.
        ShapeError: a call on tensors of other shapes.

    Example:
        >>> import numpy as np, pynn
        >>> a, b = pynn.KerasTensor((None, 3)), pynn.KerasTensor((None, 3))
        >>> add_squared = Function([a, b], pynn.ops.square(a + b))
        >>> add_squared([np.ones((2, 3)), np.ones((2, 3))])
        array([[4., 4., 4.],
               [4., 4., 4.]], dtype=float32)
        >>> add_squared.compute_output_shape([(5, 3), (5, 3)])
        (5, 3)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name)
        self._graph = CallGraph(inputs, outputs, self.name, what="function")

    @property
    def operations(self) -> list[Any]:
        """The layers and functions inside."""
        return self._graph.operations

    @property
    def inputs(self) -> list[KerasTensor]:
        """All symbolic inputs."""
        return flatten(self._graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """All symbolic outputs."""
        return flatten(self._graph.outputs)

    def call(self, inputs: Any) -> Any:
        """The outputs for ``inputs``, in the structure given to the constructor."""
        self._check(map_structure(lambda leaf: tuple(leaf.shape) if hasattr(leaf, "shape") else np.shape(leaf), inputs))
        if trace.is_tracing():
            return self._graph.run(map_structure(trace.as_value, inputs))
        from pynn.executor.eager import run_traced_with
        from pynn.utils.arrays import to_array

        arrays = map_structure(lambda leaf: to_array(leaf, f"function '{self.name}'"), inputs)
        return run_traced_with(self._graph.run, (arrays,), {}, freezes=Variable.freezes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape (or structure of shapes) of the outputs for inputs of this shape (or structure of shapes)."""
        self._check(input_shape)
        return symbolic.output_shape(self, input_shape)

    def get_config(self) -> dict[str, Any]:
        """A function has none: save a :class:`~pynn.Model` of the same inputs and outputs.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"function '{self.name}' has no config: make a Model of the same inputs and outputs to save it"
        )

    def _check(self, shapes: Any) -> None:
        expected = map_structure(lambda tensor: tensor.shape, self._graph.inputs)
        if not _fits(shapes, expected):
            raise ArgumentError(
                f"function '{self.name}': expected inputs of the structure {expected}, received {shapes}"
            )
        given: list[tuple[Any, ...]] = []
        symbolic.map_shapes(given.append, shapes)
        for tensor, shape in zip(self.inputs, given, strict=True):
            if len(shape) != len(tensor.shape) or any(
                m is not None and n is not None and m != n for m, n in zip(tensor.shape, shape, strict=True)
            ):
                raise ShapeError(
                    f"function '{self.name}': the input '{tensor.name}' must have shape {tensor.shape}, received "
                    f"{tuple(shape)}"
                )


def _fits(shapes: Any, expected: Any) -> bool:
    """Whether both are structures of shapes, and the same."""
    if symbolic.is_shape(expected):
        return symbolic.is_shape(shapes)
    if symbolic.is_shape(shapes):
        return False
    if isinstance(expected, dict):
        return (
            isinstance(shapes, dict)
            and set(shapes) == set(expected)
            and all(_fits(shapes[key], expected[key]) for key in expected)
        )
    if not isinstance(shapes, Sequence) or isinstance(shapes, str) or len(shapes) != len(expected):
        return False
    return all(_fits(one, other) for one, other in zip(shapes, expected, strict=True))
