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

#: What batch normalization can apply to its result, and the kernels' number for it (``enum Activation``).
ACTIVATIONS = {"linear": 0, "relu": 1, "relu6": 4}


@dataclass(frozen=True)
class _ChannelOp(Op, abstract=True):
    """Base: x is ``[..., channels]``, and there are vectors of one number per channel."""

    epsilon: float = 1e-3

    _x: ClassVar[int] = 0

    def params(self, node: Node) -> dict[str, Any]:
        shape = node.inputs[self._x].shape
        return {
            "rows": math.prod(shape[:-1]),
            "channels": shape[-1],
            "epsilon": self.epsilon,
            "activation": 0,
            "residual": 0,
        }

    def flops(self, node: Node) -> int:
        """Two sums (with a product) and one product with a sum for each number, the gradient about the same."""
        return 6 * node.inputs[self._x].size

    def _require_channels(self, x: Spec, *vectors: Spec) -> None:
        self.require_float(x)
        self.require(len(x.shape) >= 2 and x.size > 0, "x of shape [..., channels], not empty", x)
        expected = x.with_shape(x.shape[-1:])
        self.require(all(v == expected for v in vectors), f"x and vectors {expected}", x, *vectors)


@dataclass(frozen=True)
class _TrainingOp(_ChannelOp, abstract=True):
    """Base of the ops with an ``activation`` behind the normalization and maybe a residual added before it."""

    activation: str = "linear"
    residual: bool = False

    def params(self, node: Node) -> dict[str, Any]:
        own = {"activation": ACTIVATIONS[self.activation], "residual": int(self.residual)}
        return {**super().params(node), **own}

    def _require_activation(self, *specs: Spec) -> None:
        self.require(
            self.activation in ACTIVATIONS, f"an activation out of {', '.join(ACTIVATIONS)}, not {self.activation!r}"
        )
        self.require(len(specs) == self._operands, f"{self._operands} operands", *specs)

    @property
    def _operands(self) -> int:
        raise NotImplementedError


class BatchNorm(_TrainingOp):
    """``(activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta [+ r]), mean, variance)`` with the batch's own
    statistics.

    Inputs: x, gamma, beta and, if ``residual``, r of x's shape.  ``mean[channels]`` and ``variance[channels]`` (biased:
    divided by the number of values) are over all axes of x but the last.  They are for moving averages: gradients flow
    through the first output only.
    """

    #: For the gradient check: the outputs that gradients may arrive at.
    differentiable_outputs: ClassVar[tuple[int, ...]] = (0,)

    @property
    def _operands(self) -> int:
        return 4 if self.residual else 3

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        self._require_activation(*specs)
        x, gamma, beta, *residual = specs
        self._require_channels(x, gamma, beta)
        self.require(all(r == x for r in residual), "x and the residual of one shape and dtype", x, *residual)
        return x, gamma, gamma

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        if g[1] is not None or g[2] is not None:
            raise GraphError(
                "batch_norm: a gradient arrived at the batch's mean or variance, and there is no rule for them (they "
                "feed moving averages); use stop_gradient on them, or compute them with ops.mean and ops.square"
            )
        x, gamma, beta, *_ = inputs
        result, mean, variance = y
        if self.activation == "linear":
            grads = BatchNormGrad(self.epsilon)(g[0], x, gamma, mean, variance)
            return (*grads, g[0]) if self.residual else grads
        masked_by = result if self.residual else beta
        return BatchNormGrad(self.epsilon, self.activation, self.residual)(g[0], x, gamma, mean, variance, masked_by)

    def candidates(self) -> Sequence[Candidate]:
        over = (0, 3) if self.residual else 0
        return (Candidate("batch_norm", self.params, inplace=lambda node: {0: over}),)


class BatchNormGrad(_TrainingOp):
    """Gradients ``(dx, dgamma, dbeta [, dr])`` of :class:`BatchNorm`.

    Inputs: g, x, gamma, the batch's mean and variance; with an activation also what says where it was flat: beta
    without a residual (the activation's input is computed again from x), the result y with one.

    With ``h`` = g where the activation was not flat, else 0, ``r = 1 / sqrt(variance + epsilon)`` and
    ``z = (x - mean) * r``: ``dbeta = sum(h)``, ``dgamma = sum(h * z)``,
    ``dx = gamma * r * (h - dbeta / count - z * dgamma / count)``, ``dr = h``.
    """

    _x: ClassVar[int] = 1

    @property
    def _operands(self) -> int:
        return 5 if self.activation == "linear" else 6

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        self._require_activation(*specs)
        self.require(self.activation != "linear" or not self.residual, "an activation where there is a residual")
        g, x, gamma, mean, variance, *masked_by = specs
        self.require(g == x, "g and x of one shape and dtype", g, x)
        self._require_channels(x, gamma, mean, variance)
        self.require(
            all(m == (x if self.residual else gamma) for m in masked_by), "y with a residual, else beta", *masked_by
        )
        return (x, gamma, gamma, x) if self.residual else (x, gamma, gamma)

    def candidates(self) -> Sequence[Candidate]:
        over = {0: 1, 3: 0} if self.residual else {0: (0, 1)}
        return (Candidate("batch_norm_grad", self.params, inplace=lambda node: over),)


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
