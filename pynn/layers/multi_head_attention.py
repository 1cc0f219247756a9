"""Multi-head attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops, regularizers
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.arguments import positive_int
from pynn.layers.dropout import Dropout
from pynn.layers.einsum_dense import EinsumDense
from pynn.layers.layer import Shape
from pynn.layers.weight_options import WeightOptions
from pynn.ops.attention import attention_with_scores
from pynn.utils.arrays import as_float


class MultiHeadAttention(WeightOptions):
    """Attention with several heads (Vaswani et al., 2017, "Attention is all you need").

    ``query``, ``key`` and ``value`` are projected to ``num_heads`` heads each, every query takes the mean of the values
    weighted by ``softmax(q k^T / sqrt(key_dim))``, and the heads are projected back to ``output_shape``.  The scores
    are kept only where they are dropped out in training or returned; else memory grows with the length of the
    sequence, not with its square.

    Args:
        num_heads: number of heads.
        key_dim: length of a query and a key in each head.
        value_dim: length of a value in each head; ``key_dim`` by default.
        dropout: fraction of the scores dropped in training.
        use_bias: whether the projections have biases.
        output_shape: length(s) of the output's last axes; by default that of ``query``'s.
        attention_axes: the axes over which attention is; by default all between batch and features.
        sliding_window: a query sees only keys less than so many positions away.
        flash_attention: accepted for Keras's sake; True refuses dropout and returned scores, as there.
        kernel_initializer, bias_initializer: how the weights of the projections begin.
        kernel_regularizer, bias_regularizer: penalties on the weights of the projections.
        activity_regularizer: penalty on the output of each projection.
        kernel_constraint, bias_constraint: applied to the weights of the projections after each step of training.
        use_gate: multiply what the heads give by ``sigmoid`` of one more projection of the query.
        seed: of the dropout.

    Call arguments:
        query: ``(batch, ..., features)``; value: ``(batch, ..., features)``; key: ``value`` by default.
        query_mask: accepted, without effect on the scores, as in Keras: it goes on to the output.
        value_mask, key_mask: ``(batch, keys)``, false (0) at positions that no query sees; layers with masks give them.
        attention_mask: nonzero where a query may see a key, ``(batch or 1, queries, keys)`` or
            ``(batch or 1, heads or 1, queries, keys)``; with several attention axes these are several axes, too.
        return_attention_scores: also return the scores ``(batch, heads, queries, keys)``.
        use_causal_mask: whether query i sees the keys 0 to i only.

    Weights:
        ``query``, ``key``: kernel ``(features, num_heads, key_dim)``, bias ``(num_heads, key_dim)``; ``value`` with
        ``value_dim``; ``attention_output``: kernel ``(num_heads, value_dim, *output_shape)``, bias ``output_shape``.

    Raises:
        ArgumentError: an argument is out of range.
        ShapeError: inputs do not fit together.

    Example:
        >>> x = np.ones((2, 5, 8))
        >>> MultiHeadAttention(num_heads=2, key_dim=4)(x, x, use_causal_mask=True).shape
        (2, 5, 8)
    """

    supports_masking = True
    #: Whether masked queries see nothing.
    _masks_queries = False

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.num_heads = positive_int(where, "num_heads", num_heads)
        self.key_dim = positive_int(where, "key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else positive_int(where, "value_dim", value_dim)
        self.use_bias = bool(use_bias)
        self.use_gate = bool(use_gate)
        self.dropout = dropout
        self.sliding_window = sliding_window and positive_int(where, "sliding_window", sliding_window)
        self.flash_attention = flash_attention
        if flash_attention and dropout > 0:
            raise ArgumentError(f"{where}: flash_attention=True keeps no scores to drop; use dropout=0")
        lengths = (output_shape,) if isinstance(output_shape, int) else output_shape
        self._output_lengths = lengths and tuple(positive_int(where, "output_shape", n) for n in lengths)
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self._take_options(locals())
        self.projection_regularizer = regularizers.get(activity_regularizer)
        self.seed = seed
        self._dropout_layer = Dropout(dropout, seed=seed)

    # Weights

    def _key_heads(self) -> int:
        """Number of heads of keys and values."""
        return self.num_heads

    def build(self, query_shape: Shape, value_shape: Shape | None = None, key_shape: Shape | None = None) -> None:
        """Make the projections; ``value_shape`` is that of the queries and ``key_shape`` the values' by default."""
        value_shape = query_shape if value_shape is None else value_shape
        key_shape = value_shape if key_shape is None else key_shape
        self._axes(query_shape)
        heads, key_heads, d, dv = self.num_heads, self._key_heads(), self.key_dim, self.value_dim
        out = self._output_lengths or (query_shape[-1],)
        self._query_dense = self._projection("query", query_shape, (heads, d))
        self._key_dense = self._projection("key", key_shape, (key_heads, d))
        if self.use_gate:
            self._gate_dense = self._projection("gate", query_shape, (heads, dv), activation="sigmoid")
        self._value_dense = self._projection("value", value_shape, (key_heads, dv))
        self._output_dense = self._projection("attention_output", (*query_shape[:-1], heads, dv), out, inner=2)
        self.built = True

    def _projection(
        self, name: str, shape: Shape, lengths: Sequence[int | None], inner: int = 1, activation: str | None = None
    ) -> EinsumDense:
        """A dense layer from the last ``inner`` axes to axes of ``lengths``."""
        x, y = "xyz"[:inner], "uvwrst"[: len(lengths)]
        layer = EinsumDense(
            f"...{x},{x}{y}->...{y}",
            output_shape=lengths,
            activation=activation,
            bias_axes=y if self.use_bias else None,
            kernel_initializer=type(self.kernel_initializer).from_config(self.kernel_initializer.get_config()),
            bias_initializer=type(self.bias_initializer).from_config(self.bias_initializer.get_config()),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.projection_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            trainable=self.trainable,
            name=name,
        )
        layer.build(shape)
        return layer

    query_dense = property(lambda self: self._query_dense, doc="The projection of the queries.")
    key_dense = property(lambda self: self._key_dense, doc="The projection of the keys.")
    value_dense = property(lambda self: self._value_dense, doc="The projection of the values.")
    output_dense = property(lambda self: self._output_dense, doc="The projection of what the heads give.")

    def _axes(self, query_shape: Shape) -> tuple[int, ...]:
        """The axes over which attention is, in ascending order."""
        between = range(1, len(query_shape) - 1)
        if not between:
            raise ShapeError(
                f"layer '{self.name}': expected a query (batch, sequence, features), received {tuple(query_shape)}"
            )
        if self.attention_axes is None:
            return tuple(between)
        axes = tuple(sorted(a % len(query_shape) for a in self.attention_axes))
        if len(set(axes)) < len(axes) or not axes or any(a not in between for a in axes):
            raise ArgumentError(
                f"layer '{self.name}': attention_axes must be different ones of the axes {tuple(between)} between "
                f"batch and features, received {self.attention_axes}"
            )
        return axes

    # Calling

    def call(  # type: ignore[override]
        self,
        query: Value,
        value: Value,
        key: Value | None = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        axes = self._axes(query.shape)
        rest = tuple(a for a in range(1, query.ndim - 1) if a not in axes)
        same = [tuple(x.shape[a] for a in (0, *rest)) for x in (query, value) if x.ndim == query.ndim]
        if value.shape[:-1] != key.shape[:-1] or len(same) < 2 or same[0] != same[1]:
            raise ShapeError(
                f"layer '{self.name}': key and value must have equal lengths but the last, and query their batch"
                f"{' and the axes without attention' if rest else ''}, "
                f"received query {query.shape}, value {value.shape} and key {key.shape}"
            )
        if self.flash_attention and return_attention_scores:
            raise ArgumentError(f"layer '{self.name}': flash_attention=True keeps no scores to return")
        order = (0, *rest, *axes)
        q, k, v = (
            _gathered(dense(as_float(x)), order, len(axes))  # (batch and rest, positions, heads, dim)
            for dense, x in ((self._query_dense, query), (self._key_dense, key), (self._value_dense, value))
        )
        around = [tuple(x.shape[a] for a in axes) for x in (query, key)]
        masks = {"value_mask": value_mask, "key_mask": key_mask}
        if self._masks_queries:
            masks["query_mask"] = query_mask
        batch = tuple(query.shape[a] for a in (0, *rest))
        mask = self._visible(masks, attention_mask, batch, around[0], around[1], use_causal_mask)
        only_causal = use_causal_mask and mask is None
        scores = None
        if return_attention_scores or (self.dropout > 0 and training):
            seen = (
                mask if mask is None else ops.broadcast_to(mask, (q.shape[0], self.num_heads, q.shape[1], k.shape[1]))
            )

            def change(scores: Value) -> Value:
                """A query that sees nothing has no scores, and dropout."""
                return self._dropout_layer(scores if seen is None else ops.where(seen, scores, 0.0), training=training)

            y, scores = attention_with_scores(q, k, v, mask=mask, is_causal=only_causal, change_scores=change)
        else:
            y = ops.dot_product_attention(q, k, v, mask=mask, is_causal=only_causal)
        y = ops.reshape(y, (*batch, *around[0], self.num_heads, self.value_dim))
        back = tuple(int(i) for i in np.argsort(order))
        y = ops.transpose(y, (*back, y.ndim - 2, y.ndim - 1)) if rest else y
        if self.use_gate:
            y = y * self._gate_dense(as_float(query))
        y = self._output_dense(y)
        if not return_attention_scores:
            return y
        assert scores is not None
        return y, ops.reshape(scores, (*batch, self.num_heads, *around[0], *around[1]))

    # Masks

    def _visible(
        self,
        masks: dict[str, Any],
        attention_mask: Any,
        batch: tuple[int, ...],
        queries: tuple[int, ...],
        keys: tuple[int, ...],
        causal: bool,
    ) -> Value | None:
        """Where a query may see a key, as ``(batch or 1, heads or 1, queries or 1, keys)``; None: everywhere.

        ``causal`` is part of it unless it is all: then the op does that by itself, and faster.  There is one mask for
        all, because a query that sees nothing by several together is treated as if one of them said so.
        """
        parts: list[Value] = []
        if attention_mask is not None:
            parts.append(self._flat_mask(trace.as_value(attention_mask), batch, queries, keys))
        for name, given in masks.items():
            if given is None:
                continue
            m = trace.as_value(given)
            positions = queries if name == "query_mask" else keys
            if m.shape != (*batch, *positions):
                raise ShapeError(f"layer '{self.name}': {name} must be {(*batch, *positions)}, received {m.shape}")
            n, size = math.prod(batch), math.prod(positions)
            parts.append(ops.reshape(m, (n, 1, size, 1) if name == "query_mask" else (n, 1, 1, size)))
        if self.sliding_window:
            t, s = math.prod(queries), math.prod(keys)
            near = np.abs(np.arange(t)[:, None] - np.arange(s)) < self.sliding_window
            parts.append(trace.as_value(near.reshape(1, 1, t, s)))
        if not parts:
            return None
        if causal:
            t, s = math.prod(queries), math.prod(keys)
            parts.append(trace.as_value(np.tri(t, s, dtype=bool).reshape(1, 1, t, s)))
        visible = ops.cast(ops.not_equal(parts[0], 0), "float32")
        for part in parts[1:]:
            visible = visible * ops.cast(ops.not_equal(part, 0), "float32")
        full = (*visible.shape[:3], math.prod(keys))
        return ops.broadcast_to(visible, full)

    def _flat_mask(self, mask: Value, batch: tuple[int, ...], queries: tuple[int, ...], keys: tuple[int, ...]) -> Value:
        """``attention_mask`` as ``(batch or 1, heads or 1, queries or 1, keys or 1)``."""
        full = (*batch, self.num_heads, *queries, *keys)
        m, positions = mask, len(queries) + len(keys)
        while m.ndim < len(full) and m.ndim >= positions:  # what is missing is before the queries, first the heads
            m = ops.expand_dims(m, m.ndim - positions)
        if m.ndim != len(full) or any(n not in (1, f) for n, f in zip(m.shape, full, strict=True)):
            raise ShapeError(
                f"layer '{self.name}': attention_mask must be {(*batch, *queries, *keys)} or {full} (each length may "
                f"be 1), received {mask.shape}"
            )
        lengths = [m.shape[: len(batch)], m.shape[len(batch) : len(batch) + 1]]
        lengths += [m.shape[-positions : -len(keys)], m.shape[-len(keys) :]]
        whole = [batch, (self.num_heads,), queries, keys]
        kept = [own if set(own) == {1} else all_ for own, all_ in zip(lengths, whole, strict=True)]
        m = ops.broadcast_to(m, tuple(n for part in kept for n in part))
        return ops.reshape(m, tuple(math.prod(part) for part in kept))

    def compute_output_shape(self, query_shape: Shape, value_shape: Any = None, key_shape: Any = None) -> Any:
        return (*query_shape[:-1], *(self._output_lengths or (query_shape[-1],)))

    def _common_config(self) -> dict[str, Any]:
        return {
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "activity_regularizer": regularizers.serialize(self.projection_regularizer),
            **self._options_config(),
            "seed": self.seed,
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_lengths,
            "attention_axes": self.attention_axes,
            **self._common_config(),
        }


def _gathered(x: Value, order: tuple[int, ...], positions: int) -> Value:
    """``(batch, ..., heads, dim)`` as ``(batch and axes without attention, positions, heads, dim)``."""
    if order != tuple(range(len(order))):
        x = ops.transpose(x, (*order, x.ndim - 2, x.ndim - 1))
    at = len(order) - positions
    return ops.reshape(x, (math.prod(x.shape[:at]), math.prod(x.shape[at:-2]), *x.shape[-2:]))
