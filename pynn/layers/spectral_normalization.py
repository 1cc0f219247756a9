"""Spectral normalization."""

from __future__ import annotations

from typing import Any

from pynn import initializers, ops
from pynn.errors import ArgumentError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.layers.arguments import positive_int
from pynn.layers.input_spec import InputSpec
from pynn.layers.wrapper import Wrapper


class SpectralNormalization(Wrapper):
    """Holds the largest singular value of a layer's kernel at 1.  (Miyato et al., 2018.)

    Each call while training divides the kernel by an estimate of that value, which power iteration improves from step
    to step.  The kernel itself is changed, so predictions use the same one.

    Args:
        layer: a layer with a ``kernel`` or ``embeddings``.
        power_iterations: rounds of the estimate per call.

    Raises:
        ArgumentError: the layer has neither, or an argument is of the wrong kind.

    Gradients are those of the kernel after the division (as in Keras on TensorFlow).

    Example:
        >>> import numpy as np
        >>> from pynn.layers import Dense
        >>> layer = SpectralNormalization(Dense(3), power_iterations=20)
        >>> y = layer(np.ones((2, 4)), training=True)
        >>> round(float(np.linalg.svd(layer.layer.kernel.numpy())[1][0]), 3)
        1.0
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_int(f"layer '{self.name}'", "power_iterations", power_iterations)

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", None)
        kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if kernel is None:
            raise ArgumentError(
                f"layer '{self.name}': the layer inside must have a kernel or embeddings, {self.layer!r} has neither"
            )
        self.kernel: Variable = kernel
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]),
            initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            name="vector_u",
        )

    def call(self, inputs: Value, training: bool = False) -> Value:
        if training:
            self._normalize()
        return self.layer(inputs)

    def _normalize(self) -> None:
        kernel = trace.as_value(self.kernel)
        matrix = ops.stop_gradient(ops.reshape(kernel, (-1, kernel.shape[-1])))
        u = before = trace.as_value(self.vector_u)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(matrix)))
            u = _unit(ops.matmul(v, matrix))
        sigma = ops.reshape(ops.matmul(ops.matmul(v, matrix), ops.transpose(u)), ())
        some = ops.any(ops.not_equal(matrix, 0.0))  # a kernel of zeros has no direction
        self.vector_u.assign(ops.where(some, u, before))
        self.kernel.assign(ops.where(some, kernel / ops.where(some, sigma, 1.0), kernel))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(x: Value) -> Value:
    return x / ops.maximum(ops.sqrt(ops.sum(ops.square(x))), 1e-12)
