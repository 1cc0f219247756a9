"""Fully connected layer."""

from __future__ import annotations

from typing import Any

from pynn import activations, ops
from pynn.errors import ShapeError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.layers.arguments import positive_int
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Shape, refuse_unsupported
from pynn.layers.weight_options import WeightOptions
from pynn.utils.arrays import as_float

_BATCH_AXIS = "add a batch axis, x[None]"


class Dense(WeightOptions):
    """``activation(x @ kernel + bias)`` on the last axis.

    Args:
        units: number of outputs.
        activation: name or function; ``"linear"`` by default.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on the weights and on the outputs.
        kernel_constraint, bias_constraint: what the weights must satisfy after each step.
        lora_rank, lora_alpha, quantization_config: not supported.

    Shapes:
        ``(batch, ..., features)`` -> ``(batch, ..., units)``; kernel ``(features, units)``, bias ``(units,)``.

    Raises:
        ArgumentError: ``units`` is not a whole number from 1, or a name is unknown.
        ShapeError: a later input has another number of features than the first.

    Example:
        >>> import numpy as np
        >>> Dense(3, activation="relu")(np.ones((2, 4))).shape
        (2, 3)
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        where = f"layer '{self.name}'"
        self.units = positive_int(where, "units", units)
        refuse_unsupported(where, lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self._take_options(locals())
        self.input_spec = InputSpec(min_ndim=2, hint=_BATCH_AXIS)

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        if features is None:
            raise ShapeError(
                f"layer '{self.name}': the length of the last axis must be known, received {tuple(input_shape)}; "
                "with several axes per sample, put a Flatten() before Dense"
            )
        self.kernel = self._add_weight_of("kernel", (features, self.units))
        self.bias: Variable | None = None
        if self.use_bias:
            self.bias = self._add_weight_of("bias", (self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features}, hint=_BATCH_AXIS)
        self.built = True

    def call(self, x: Value) -> Value:
        y = ops.matmul(as_float(x), self.kernel)  # (batch, ..., units)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        return self.activation(y)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self._options_config(),
            "quantization_config": None,
        }
