"""One layer on every step of a sequence."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape


class TimeDistributed(Layer):
    """Applies ``layer`` to every step, with the same weights: all steps of all samples are one batch to it.

    Args:
        layer: any layer with one input and one output.

    Shapes:
        ``(batch, steps, ...)`` -> ``(batch, steps, ...)``, as ``layer`` makes of ``(batch, ...)``.

    Raises:
        ArgumentError: ``layer`` is not a layer.
        ShapeError: the input has fewer than three axes.

    A ``BatchNormalization`` inside takes its statistics over all steps together.

    Example:
        >>> import numpy as np
        >>> from pynn.layers import Dense
        >>> TimeDistributed(Dense(3))(np.ones((2, 5, 4))).shape
        (2, 5, 3)
    """

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(layer, dict):
            from pynn.layers import deserialize

            layer = deserialize(layer)
        if not isinstance(layer, Layer):
            raise ArgumentError(f"layer '{self.name}': layer must be a layer, received {layer!r}")
        self.layer = layer
        self.input_spec = InputSpec(min_ndim=3, hint="sequences are (batch, steps, ...)")

    def build(self, input_shape: Shape) -> None:
        self.layer.build_from_shape((None, *input_shape[2:]))
        self.built = True

    def call(self, x: Value, training: bool = False) -> Value:
        batch, steps = x.shape[:2]
        y = self.layer(ops.reshape(x, (batch * steps, *x.shape[2:])), training=training)
        return ops.reshape(y, (batch, steps, *y.shape[1:]))

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        batch, steps, *rest = input_shape
        return (batch, steps, *self.layer.compute_output_shape((batch, *rest))[1:])

    def get_config(self) -> dict[str, Any]:
        from pynn.layers import serialize

        return {**super().get_config(), "layer": serialize(self.layer)}
