"""Scaled dot-product attention."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.reference.attention import MASKED_SCORE
from pynn.utils.arrays import as_float


class _AttentionOp(Op, abstract=True):
    """Base: the shapes and the kernel's parameters, which both directions share."""

    #: Where the additive mask is among the inputs, if there is one.
    _mask_at: ClassVar[int]
    scale: float
    causal: bool

    def _check(self, specs: Sequence[Spec]) -> None:
        self.require_float(*specs)
        q, k, v = specs[:3]
        self.require(all(len(s.shape) == 4 for s in (q, k, v)), "q, k, v of [batch, sequence, heads, dim]", q, k, v)
        (b, t, h, d), (_, s, _, _) = q.shape, k.shape
        self.require(k.shape == (b, s, h, d) and v.shape[:3] == (b, s, h), "one batch, heads, keys and dim", q, k, v)
        if len(specs) > self._mask_at:
            mask = specs[self._mask_at]
            broadcasts = len(mask.shape) == 4 and all(
                m in allowed for m, allowed in zip(mask.shape, ((1, b), (1, h), (1, t), (s,)), strict=True)
            )
            self.require(broadcasts, f"a mask [{b} or 1, {h} or 1, {t} or 1, {s}]", mask)

    def params(self, node: Node) -> dict[str, Any]:
        batch, queries, heads, dim = node.inputs[0].shape
        keys, value_dim = node.inputs[2].shape[1], node.inputs[2].shape[3]
        strides = dict.fromkeys(("mask_batch", "mask_head", "mask_query"), 0)
        masked = len(node.inputs) > self._mask_at
        if masked:
            b, h, t, _ = node.inputs[self._mask_at].shape
            strides = {
                "mask_batch": h * t * keys if b > 1 else 0,
                "mask_head": t * keys if h > 1 else 0,
                "mask_query": keys if t > 1 else 0,
            }
        return {
            "batch": batch, "heads": heads, "queries": queries, "keys": keys, "dim": dim, "value_dim": value_dim,
            "scale": self.scale, "causal": self.causal, "masked": masked, **strides,
        }  # fmt: skip

    def _product_flops(self, node: Node, of_dim: int, of_value_dim: int) -> int:
        """Of so many products along ``dim`` and ``value_dim``, each over all pairs of a query and a key it may see."""
        s = self.params(node)
        queries, keys = s["queries"], s["keys"]
        pairs = sum(min(i + 1, keys) for i in range(queries)) if self.causal else queries * keys
        return 2 * s["batch"] * s["heads"] * pairs * (of_dim * s["dim"] + of_value_dim * s["value_dim"])


@dataclass(frozen=True)
class Attention(_AttentionOp):
    """``(softmax(scale q k^T + mask) v, statistics)`` for each head, without keeping the scores.

    q ``[batch, t, heads, dim]``, k ``[batch, s, heads, dim]``, v ``[batch, s, heads, value_dim]``, an additive mask
    ``[batch or 1, heads or 1, t or 1, s]`` if there is one, which gets no gradient.  If ``causal``, query i sees the
    keys 0 to i only.  The statistics ``[batch, heads, t, 2]`` are each row's maximum and ``1 / sum(exp(score - max))``.
    """

    differentiable_outputs: ClassVar[tuple[int, ...]] = (0,)
    _mask_at: ClassVar[int] = 3
    scale: float
    causal: bool = False

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        self.require(len(specs) in (3, 4), "q, k, v and maybe a mask", *specs)
        self._check(specs)
        b, t, h, _ = specs[0].shape
        return specs[0].with_shape((b, t, h, specs[2].shape[3])), specs[0].with_shape((b, h, t, 2))

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        q, k, v, *mask = inputs
        grads = AttentionGrad(self.scale, self.causal)(q, k, v, y[0], y[1], g[0], *mask)
        return (*grads, *(None for _ in mask))

    def flops(self, node: Node) -> int:
        """``q k^T`` and the scores times ``v``."""
        return self._product_flops(node, 1, 1)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("attention", self.params),)


@dataclass(frozen=True)
class AttentionGrad(_AttentionOp):
    """Gradients ``(dq, dk, dv)`` of :class:`Attention`; inputs q, k, v, its result and statistics, g, and its mask."""

    _mask_at: ClassVar[int] = 6
    scale: float
    causal: bool = False

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        self.require(len(specs) in (6, 7), "q, k, v, y, statistics, g and maybe a mask", *specs)
        self._check(specs)
        q, k, v, y, statistics, g = specs[:6]
        b, t, h, _ = q.shape
        fits = y == g == q.with_shape((b, t, h, v.shape[3])) and statistics == q.with_shape((b, h, t, 2))
        self.require(fits, "y and g of the result's shape, and its statistics", y, statistics, g)
        return q, k, v

    def flops(self, node: Node) -> int:
        """The scores once more, and two products for each of their gradient and the values' on either side."""
        return self._product_flops(node, 3, 2)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("attention_grad", self.params),)


# ---- functions -----------------------------------------------------------------------------------------------------


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Value:
    """``softmax(scale * query @ key^T + bias) @ value`` for each head (Vaswani et al., 2017).

    Args:
        query: ``(batch, queries, heads, dim)``.
        key: ``(batch, keys, heads, dim)``; with fewer heads than the query, each serves a group of its heads.
        value: ``(batch, keys, heads, value_dim)``.
        bias: added to the scores; broadcasts to ``(batch, heads, queries, keys)``.
        mask: nonzero where a query may see a key; broadcasts likewise.
        scale: of the scores; ``1 / sqrt(dim)`` by default.
        is_causal: whether query i sees the keys 0 to i only.
        flash_attention: accepted for Keras's sake: scores are never kept but for a ``bias`` that may be trained.
        attn_logits_soft_cap: not supported.

    Returns:
        ``(batch, queries, heads, value_dim)``.

    Raises:
        ShapeError: the shapes do not fit together.
        ArgumentError: ``attn_logits_soft_cap`` is given.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.dot_product_attention(*np.ones((3, 2, 5, 4, 8))).shape  # batch, length, heads, features
        (2, 5, 4, 8)
    """
    from pynn import ops

    if attn_logits_soft_cap is not None:
        raise ArgumentError("dot_product_attention: attn_logits_soft_cap is not supported yet; leave it out")
    q, k, v, visible, factor = _prepared(query, key, value, mask, scale)
    if bias is not None:  # it may be trained, so it needs the scores' gradient
        return attention_with_scores(q, k, v, bias, visible, factor, is_causal)[0]
    masks = [] if visible is None else [ops.where(visible, 0.0, MASKED_SCORE)]
    return Attention(factor, bool(is_causal))(q, k, v, *masks)[0]


def attention_with_scores(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    change_scores: Callable[[Value], Value] = lambda scores: scores,
) -> tuple[Value, Value]:
    """:func:`dot_product_attention` of ops that keep the scores, and the scores ``(batch, heads, queries, keys)``.

    ``change_scores`` is applied to them before they weigh the values: dropout.
    """
    from pynn import ops

    q, k, v, mask, factor = _prepared(query, key, value, mask, scale)
    shape = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
    scores = ops.einsum("bthd,bshd->bhts", q, k) * factor
    if bias is not None:
        scores = scores + ops.broadcast_to(as_float(as_value(bias)), shape)
    causal = np.tri(*shape[2:], dtype="float32") if is_causal else None
    for visible in (mask, causal):
        if visible is not None:
            scores = ops.where(ops.broadcast_to(visible, shape), scores, MASKED_SCORE)
    scores = change_scores(ops.softmax(scores))
    return ops.einsum("bhts,bshd->bthd", scores, v), scores


def shared_heads(x: Value, heads: int) -> Value:
    """``x (batch, keys, fewer heads, dim)`` with each head as often as gives ``heads`` of them, if that is possible."""
    from pynn import ops

    n, keys, own, dim = x.shape
    if own == heads or heads % own:
        return x
    x = ops.broadcast_to(ops.reshape(x, (n, keys, own, 1, dim)), (n, keys, own, heads // own, dim))
    return ops.reshape(x, (n, keys, heads, dim))


def _prepared(query: Any, key: Any, value: Any, mask: Any, scale: float | None) -> tuple[Any, ...]:
    """The operands as float values, checked, the mask as ``[batch or 1, heads or 1, t or 1, keys]``, and scale."""
    from pynn import ops

    q, k, v = (as_float(as_value(x)) for x in (query, key, value))
    if q.ndim == k.ndim == v.ndim == 4 and k.shape[2] == v.shape[2]:
        k, v = shared_heads(k, q.shape[2]), shared_heads(v, q.shape[2])
    if not (
        q.ndim == k.ndim == v.ndim == 4
        and q.shape[0] == k.shape[0] == v.shape[0]
        and q.shape[2] == k.shape[2] == v.shape[2]
        and k.shape[1] == v.shape[1]
        and q.shape[3] == k.shape[3]
    ):
        raise ShapeError(
            "dot_product_attention: expected query (batch, queries, heads, dim), key (batch, keys, heads, dim) and "
            f"value (batch, keys, heads, value_dim), received {q.spec}, {k.spec} and {v.spec}"
        )
    factor = 1.0 / math.sqrt(max(1, q.shape[3])) if scale is None else float(scale)
    if mask is None:
        return q, k, v, None, factor
    m = as_value(mask)
    full = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
    if m.ndim > 4 or any(n not in (1, f) for n, f in zip(m.shape[::-1], full[::-1], strict=False)):
        raise ShapeError(f"dot_product_attention: expected a mask that broadcasts to {full}, received {m.spec}")
    m = ops.reshape(m, (1,) * (4 - m.ndim) + m.shape)
    return q, k, v, ops.broadcast_to(m, (*m.shape[:3], full[3])), factor
