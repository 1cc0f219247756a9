"""Batch normalization over all axes but the last: channels are the last axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, GraphError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value, current


@dataclass(frozen=True)
class _ChannelOp(Op, abstract=True):
    """Base: x is ``[..., channels]``, and there are vectors of one number per channel."""

    epsilon: float = 1e-3

    _x: ClassVar[int] = 0

    def params(self, node: Node) -> dict[str, Any]:
        shape = node.inputs[self._x].shape
        return {"rows": math.prod(shape[:-1]), "channels": shape[-1], "epsilon": self.epsilon}

    def _require_channels(self, x: Spec, *vectors: Spec) -> None:
        self.require_float(x)
        self.require(len(x.shape) >= 2 and x.size > 0, "x of shape [..., channels], not empty", x)
        expected = x.with_shape(x.shape[-1:])
        self.require(all(v == expected for v in vectors), f"x and vectors {expected}", x, *vectors)


class BatchNorm(_ChannelOp):
    """``(gamma * (x - mean) / sqrt(variance + epsilon) + beta, mean, variance)`` with the batch's own statistics.

    ``mean[channels]`` and ``variance[channels]`` (biased: divided by the number of values) are over all axes of x but
    the last.  They are for moving averages: gradients flow through the first output only.
    """

    #: For the gradient check: the outputs that gradients may arrive at.
    differentiable_outputs: ClassVar[tuple[int, ...]] = (0,)

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        x, gamma, beta = specs
        self._require_channels(x, gamma, beta)
        return x, gamma, gamma

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        if g[1] is not None or g[2] is not None:
            raise GraphError(
                "batch_norm: a gradient arrived at the batch's mean or variance, and there is no rule for them (they "
                "feed moving averages); use stop_gradient on them, or compute them with ops.mean and ops.square"
            )
        x, gamma, _ = inputs
        _, mean, variance = y
        return BatchNormGrad(self.epsilon)(g[0], x, gamma, mean, variance)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("batch_norm", self.params, inplace=lambda node: {0: 0}),)


class BatchNormGrad(_ChannelOp):
    """Gradients ``(dx, dgamma, dbeta)`` of :class:`BatchNorm` from g, x, gamma and the batch's statistics.

    With ``r = 1 / sqrt(variance + epsilon)`` and ``z = (x - mean) * r``: ``dbeta = sum(g)``, ``dgamma = sum(g * z)``,
    ``dx = gamma * r * (g - dbeta / count - z * dgamma / count)``.
    """

    _x: ClassVar[int] = 1

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        g, x, *vectors = specs
        self.require(g == x, "g and x of one shape and dtype", g, x)
        self._require_channels(x, *vectors)
        return x, vectors[0], vectors[0]

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("batch_norm_grad", self.params, inplace=lambda node: {0: 0}),)


class BatchNormInference(_ChannelOp):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta`` with given statistics."""

    def infer(self, *specs: Spec) -> Spec:
        x, *vectors = specs
        self.require(len(vectors) == 4, "x, gamma, beta, mean and variance", *specs)
        self._require_channels(x, *vectors)
        return x

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn import ops

        x, gamma, beta, mean, variance = inputs
        zeros, ones = ops.zeros_like(beta), ops.ones_like(gamma)
        axes = tuple(range(x.ndim - 1))
        # The op itself, with other vectors, scales g and normalizes x.
        dx = BatchNormInference(self.epsilon)(g, gamma, zeros, zeros, variance)
        normal = BatchNormInference(self.epsilon)(x, ones, zeros, mean, variance)
        dgamma, dbeta = ops.sum(g * normal, axis=axes), ops.sum(g, axis=axes)
        shifted = variance + self.epsilon
        return dx, dgamma, dbeta, -(dbeta * gamma) / ops.sqrt(shifted), dgamma * gamma * -0.5 / shifted

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("batch_norm_inference", self.params, inplace=lambda node: {0: 0}),)


def batch_norm_train(x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3) -> tuple[Value, Value, Value]:
    """Normalize ``x[..., channels]`` by its own statistics: ``(y, mean, variance)``.

    Args:
        x: values; each channel needs at least one.
        gamma: scale of each channel.
        beta: offset of each channel.
        epsilon: added to the variance, so that a constant channel does not divide by zero.
    """
    return BatchNorm(checked_epsilon(epsilon, "batch_norm_train"))(as_value(x), as_value(gamma), as_value(beta))


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Value:
    """``scale * (x - mean) / sqrt(variance + epsilon) + offset``: normalize ``x`` by the given statistics.

    Args:
        x: values.
        mean, variance: one number per position on ``axis``.
        axis: the channels' axis.
        offset, scale: one number per channel; 0 and 1 if None.
        epsilon: added to the variance.

    Raises:
        ArgumentError: ``axis`` is none of x's.
        ShapeError: a vector has another length than ``axis``.
    """
    x = as_value(x)
    if not isinstance(axis, int) or not -x.ndim <= axis < x.ndim:
        raise ArgumentError(
            f"batch_normalization: axis must be an int in [{-x.ndim}, {x.ndim}) for {x.spec}, received {axis!r}"
        )
    channels = x.shape[axis]

    def vector(name: str, value: Any, default: float) -> Value:
        v = current().constant(np.full(channels, default), x.dtype) if value is None else as_value(value)
        if v.shape != (channels,):
            raise ShapeError(
                f"batch_normalization: {name} must have shape ({channels},) for axis {axis} of {x.spec}, "
                f"received {v.spec}"
            )
        return v

    vectors = (
        vector("scale", scale, 1.0),
        vector("offset", offset, 0.0),
        vector("mean", mean, 0.0),
        vector("variance", variance, 1.0),
    )
    op = BatchNormInference(checked_epsilon(epsilon, "batch_normalization"))
    axis %= x.ndim
    if axis == x.ndim - 1:
        return op(x, *vectors)
    from pynn.ops.shape import transpose

    order = list(range(x.ndim))
    order[axis], order[-1] = order[-1], order[axis]  # a swap, so the same order swaps back
    return transpose(op(transpose(x, order), *vectors), order)


def checked_epsilon(epsilon: float, function: str) -> float:
    """``epsilon`` as a float if it may be added to a variance."""
    if not isinstance(epsilon, (int, float)) or isinstance(epsilon, bool) or not 0 <= epsilon < math.inf:
        raise ArgumentError(f"{function}: epsilon must be a number >= 0, received {epsilon!r}")
    return float(epsilon)
