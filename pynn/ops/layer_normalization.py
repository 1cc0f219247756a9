"""Layer and RMS normalization: each position is normalized by itself, over the last axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, GraphError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value, current
from pynn.ops.normalization import checked_epsilon
from pynn.ops.shape import transpose


@dataclass(frozen=True)
class _RowOp(Op, abstract=True):
    """Base: x is ``[*positions, *features]``, the last ``axes`` axes are features."""

    epsilon: float
    axes: int = 1

    def params(self, node: Node) -> dict[str, Any]:
        features = math.prod(node.outputs[0].shape[-self.axes :])
        return {"rows": node.outputs[0].size // features, "columns": features, "epsilon": self.epsilon}

    def flops(self, node: Node) -> int:
        """Counted like batch normalization's: two sums (one of products), and a product with a sum."""
        return 6 * node.outputs[0].size

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate(self.name, self.params, inplace=lambda node: {0: 0}),)

    def _require_rows(self, x: Spec, vectors: Sequence[Spec], statistics: Sequence[Spec] = ()) -> tuple[Spec, Spec]:
        """Checks the operands; gives the specs of a vector and of a statistic."""
        self.require_float(x)
        self.require(1 <= self.axes <= len(x.shape) and x.size > 0, f"x with {self.axes} axes or more, not empty", x)
        features, positions = x.with_shape(x.shape[-self.axes :]), x.with_shape(x.shape[: -self.axes])
        self.require(all(v == features for v in vectors), f"x and vectors {features}", x, *vectors)
        self.require(all(s == positions for s in statistics), f"statistics {positions}", x, *statistics)
        return features, positions

    def _refuse_gradients_of_statistics(self, g: Any) -> None:
        if any(gradient is not None for gradient in g[1:]):
            raise GraphError(
                f"{self.name}: a gradient arrived at the statistics, and there is no rule for them; "
                "use stop_gradient on them, or compute them with ops.mean and ops.square"
            )


class LayerNorm(_RowOp):
    """``(gamma * (x - mean) * rstd + beta, mean, rstd)`` with ``rstd = 1 / sqrt(variance + epsilon)``.

    ``gamma`` and ``beta`` have the features' shape; ``mean`` and ``rstd``, over the features, the positions'.
    Gradients flow through the first output only.  (Ba et al., 2016.)
    """

    #: For the gradient check: the outputs that gradients may arrive at.
    differentiable_outputs = (0,)

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        x, gamma, beta = specs
        _, positions = self._require_rows(x, (gamma, beta))
        return x, positions, positions

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        self._refuse_gradients_of_statistics(g)
        x, gamma, _ = inputs
        return LayerNormGrad(self.epsilon, self.axes)(g[0], x, gamma, y[1], y[2])


class LayerNormGrad(_RowOp):
    """Gradients ``(dx, dgamma, dbeta)`` of :class:`LayerNorm` from g, x, gamma, mean and rstd.

    With ``z = (x - mean) * rstd``, ``h = g * gamma`` and means over the features:
    ``dx = rstd * (h - mean(h) - z * mean(h * z))``, ``dgamma = sum(g * z)``, ``dbeta = sum(g)``.
    """

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        g, x, gamma, mean, rstd = specs
        self.require(g == x, "g and x of one shape and dtype", g, x)
        features, _ = self._require_rows(x, (gamma,), (mean, rstd))
        return x, features, features


class RmsNorm(_RowOp):
    """``(scale * x * rstd, rstd)`` with ``rstd = 1 / sqrt(mean(x^2) + epsilon)``.

    ``scale`` has the features' shape; ``rstd``, over the features, the positions'.  Gradients flow through the first
    output only.  (Zhang and Sennrich, 2019.)
    """

    #: For the gradient check: the outputs that gradients may arrive at.
    differentiable_outputs = (0,)

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        x, scale = specs
        _, positions = self._require_rows(x, (scale,))
        return x, positions

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        self._refuse_gradients_of_statistics(g)
        return RmsNormGrad(self.epsilon, self.axes)(g[0], *inputs, y[1])


class RmsNormGrad(_RowOp):
    """Gradients ``(dx, dscale)`` of :class:`RmsNorm` from g, x, scale and rstd.

    With ``z = x * rstd`` and ``h = g * scale``: ``dx = rstd * (h - z * mean(h * z))``, ``dscale = sum(g * z)``.
    """

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        g, x, scale, rstd = specs
        self.require(g == x, "g and x of one shape and dtype", g, x)
        features, _ = self._require_rows(x, (scale,), (rstd,))
        return x, features


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Value:
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, with mean and variance over ``axis``.

    Args:
        x: values.
        gamma, beta: scale and offset, of the shape of x's axes ``axis`` in ascending order; 1 and 0 if None.
        axis: one axis or several.
        epsilon: added to the variance; 1e-7 by default.

    Raises:
        ArgumentError: ``axis`` names an axis that x does not have, or one twice.
        ShapeError: ``gamma`` or ``beta`` has another shape than those axes.
    """
    x, order, features = _features_last("layer_normalization", as_value(x), axis)
    scale, offset = (
        _vector("layer_normalization", name, v, features, default)
        for name, v, default in (("gamma", gamma, 1.0), ("beta", beta, 0.0))
    )
    op = LayerNorm(checked_epsilon(1e-7 if epsilon is None else epsilon, "layer_normalization"), len(features.shape))
    return transpose(op(x, scale, offset)[0], order)


def rms_normalization(x: Any, scale: Any = None, axis: int | Sequence[int] = -1, epsilon: float | None = None) -> Value:
    """``scale * x / sqrt(mean(x^2) + epsilon)``, with the mean over ``axis``.

    Args:
        x: values.
        scale: of the shape of x's axes ``axis`` in ascending order; 1 if None.
        axis: one axis or several.
        epsilon: added to the mean square; 1e-7 by default.

    Raises:
        ArgumentError: ``axis`` names an axis that x does not have, or one twice.
        ShapeError: ``scale`` has another shape than those axes.
    """
    x, order, features = _features_last("rms_normalization", as_value(x), axis)
    op = RmsNorm(checked_epsilon(1e-7 if epsilon is None else epsilon, "rms_normalization"), len(features.shape))
    return transpose(op(x, _vector("rms_normalization", "scale", scale, features, 1.0))[0], order)


def _features_last(function: str, x: Value, axis: int | Sequence[int]) -> tuple[Value, list[int], Spec]:
    """x with the axes ``axis`` behind all others, the order that puts them back, and the spec of these axes."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    inside = all(isinstance(a, int) and -x.ndim <= a < x.ndim for a in axes)
    last = sorted({a % x.ndim for a in axes}) if inside and x.ndim else []
    if not last or len(last) < len(axes):
        raise ArgumentError(
            f"{function}: axis must be an int in [{-x.ndim}, {x.ndim}) or several different ones for {x.spec}, "
            f"received {axis!r}"
        )
    order = [a for a in range(x.ndim) if a not in last] + last
    back = [order.index(a) for a in range(x.ndim)]
    return transpose(x, order), back, x.spec.with_shape([x.shape[a] for a in last])


def _vector(function: str, name: str, value: Any, expected: Spec, default: float) -> Value:
    v = current().constant(np.full(expected.shape, default), expected.dtype) if value is None else as_value(value)
    if v.shape != expected.shape:
        raise ShapeError(
            f"{function}: {name} must have shape {expected.shape}, that of the normalized axes, received {v.spec}"
        )
    return v
