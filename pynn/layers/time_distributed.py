"""One layer on every step of a sequence."""

from __future__ import annotations

import inspect
from typing import Any

from pynn import ops
from pynn.errors import ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.batch_normalization import BatchNormalization
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Shape
from pynn.layers.wrapper import Wrapper


class TimeDistributed(Wrapper):
    """Applies ``layer``, a layer or a model, to every step, with the same weights.

    All steps of all samples are one batch to it, except in the training of layers with a ``BatchNormalization``: its
    statistics are those of one step after the other, as in Keras.

    Args:
        layer: any layer with one input and one output.

    Call arguments:
        inputs: ``(batch, steps, ...)``.
        mask: ``(batch, steps, ...)``; the part of each step is given to layers that take a mask.

    Shapes:
        ``(batch, steps, ...)`` -> ``(batch, steps, ...)``, as ``layer`` makes of ``(batch, ...)``.

    Raises:
        ArgumentError: ``layer`` is not a layer.
        ShapeError: the input has fewer than three axes, or the mask does not fit it.

    Example:
        >>> import numpy as np
        >>> from pynn.layers import Dense
        >>> TimeDistributed(Dense(3))(np.ones((2, 5, 4))).shape
        (2, 5, 3)
    """

    supports_masking = True

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.input_spec = InputSpec(min_ndim=3, hint="sequences are (batch, steps, ...)")

    def build(self, input_shape: Any = None) -> None:
        self.layer.build_from_shape((None, *input_shape[2:]))
        self.built = True

    def call(self, inputs: Value, training: bool = False, mask: Any = None) -> Value:
        batch, steps = inputs.shape[:2]
        options: dict[str, Any] = {"training": training}
        m = None
        if mask is not None:
            m = trace.as_value(mask)
            if m.shape[:2] != (batch, steps):
                raise ShapeError(
                    f"layer '{self.name}': mask must begin with the axes {(batch, steps)} of the input {inputs.spec}, "
                    f"received {m.spec}"
                )
            m = m if "mask" in inspect.signature(self.layer.call).parameters else None
        if training and any(isinstance(inner, BatchNormalization) for inner in self.layer._flatten_layers()):
            outputs = []
            for step in range(steps):
                if m is not None:
                    options["mask"] = ops.get_item(m, (slice(None), step))
                outputs.append(self.layer(ops.get_item(inputs, (slice(None), step)), **options))
            return ops.join_steps(outputs, axis=1)
        if m is not None:
            options["mask"] = ops.reshape(m, (batch * steps, *m.shape[2:]))
        y = self.layer(ops.reshape(inputs, (batch * steps, *inputs.shape[2:])), **options)
        return ops.reshape(y, (batch, steps, *y.shape[1:]))

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        batch, steps, *rest = input_shape
        return (batch, steps, *self.layer.compute_output_shape((batch, *rest))[1:])

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A layer with the same arguments and new weights."""
        from pynn.layers import deserialize

        return cls(deserialize(config["layer"], custom_objects), **{k: v for k, v in config.items() if k != "layer"})
