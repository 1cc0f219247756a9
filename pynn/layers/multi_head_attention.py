"""Multi-head attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import initializers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import positive_int
from pynn.layers.dropout import Dropout
from pynn.layers.einsum_dense import EinsumDense
from pynn.layers.layer import Layer, Shape, refuse_unsupported
from pynn.ops.attention import attention_with_scores
from pynn.utils.arrays import as_float


class MultiHeadAttention(Layer):
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
        use_bias: whether the four projections have biases.
        output_shape: length(s) of the output's last axes; by default that of ``query``'s.
        attention_axes: must be left out, or name all axes between batch and features: attention is over all of them.
        flash_attention: accepted for Keras's sake; True refuses dropout and returned scores, as there.
        kernel_initializer, bias_initializer: how the weights of the projections begin.
        seed: of the dropout.

    Call arguments:
        query: ``(batch, ..., features)``; value: ``(batch, ..., features)``; key: ``value`` by default.
        attention_mask: nonzero where a query may see a key, ``(batch or 1, queries, keys)`` or
            ``(batch or 1, heads or 1, queries, keys)``.
        return_attention_scores: also return the scores ``(batch, heads, queries, keys)``.
        use_causal_mask: whether query i sees the keys 0 to i only.

    Weights:
        ``query``, ``key``: kernel ``(features, num_heads, key_dim)``, bias ``(num_heads, key_dim)``; ``value`` with
        ``value_dim``; ``attention_output``: kernel ``(num_heads, value_dim, *output_shape)``, bias ``output_shape``.

    Raises:
        ArgumentError: an argument is out of range or not supported.
        ShapeError: inputs do not fit together.

    Example:
        >>> import numpy as np
        >>> x = np.ones((2, 5, 8))
        >>> MultiHeadAttention(num_heads=2, key_dim=4)(x, x, use_causal_mask=True).shape
        (2, 5, 8)
    """

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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        where = f"layer '{self.name}'"
        refuse_unsupported(
            where,
            sliding_window=sliding_window,
            use_gate=use_gate or None,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.num_heads = positive_int(where, "num_heads", num_heads)
        self.key_dim = positive_int(where, "key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else positive_int(where, "value_dim", value_dim)
        self.use_bias = bool(use_bias)
        self.dropout = dropout
        self.flash_attention = flash_attention
        if flash_attention and dropout > 0:
            raise ArgumentError(f"{where}: flash_attention=True keeps no scores to drop; use dropout=0")
        lengths = (output_shape,) if isinstance(output_shape, int) else output_shape
        self._output_lengths = lengths and tuple(positive_int(where, "output_shape", n) for n in lengths)
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.seed = seed
        self._dropout_layer = Dropout(dropout, seed=seed)

    def build(self, query_shape: Shape, value_shape: Shape | None = None, key_shape: Shape | None = None) -> None:
        """Make the projections; ``value_shape`` is that of the queries and ``key_shape`` the values' by default."""
        value_shape = query_shape if value_shape is None else value_shape
        key_shape = value_shape if key_shape is None else key_shape
        self._check_axes(query_shape)
        heads, d, dv = self.num_heads, self.key_dim, self.value_dim
        out = self._output_lengths or (query_shape[-1],)
        self._query_dense = self._projection("query", query_shape, (heads, d))
        self._key_dense = self._projection("key", key_shape, (heads, d))
        self._value_dense = self._projection("value", value_shape, (heads, dv))
        self._output_dense = self._projection("attention_output", (*query_shape[:-1], heads, dv), out, inner=2)
        self.built = True

    # The names by which Keras's files know them.

    @property
    def query_dense(self) -> EinsumDense:
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        return self._output_dense

    def _projection(self, name: str, shape: Shape, lengths: Sequence[int | None], inner: int = 1) -> EinsumDense:
        """A dense layer from the last ``inner`` axes to axes of ``lengths``."""
        x, y = "xyz"[:inner], "uvwrst"[: len(lengths)]
        layer = EinsumDense(
            f"...{x},{x}{y}->...{y}",
            output_shape=lengths,
            bias_axes=y if self.use_bias else None,
            kernel_initializer=type(self.kernel_initializer).from_config(self.kernel_initializer.get_config()),
            bias_initializer=type(self.bias_initializer).from_config(self.bias_initializer.get_config()),
            trainable=self.trainable,
            name=name,
        )
        layer.build(shape)
        return layer

    def _check_axes(self, query_shape: Shape) -> None:
        between = tuple(range(1, len(query_shape) - 1))
        axes = self.attention_axes
        if len(query_shape) < 3:
            raise ShapeError(
                f"layer '{self.name}': expected a query (batch, sequence, features), received {tuple(query_shape)}"
            )
        if axes is not None and tuple(a % len(query_shape) for a in axes) != between:
            raise ArgumentError(
                f"layer '{self.name}': attention_axes must be all axes between batch and features, {between}, "
                f"received {axes}"
            )

    def __call__(self, query: Any, value: Any, key: Any = None, attention_mask: Any = None, **kwargs: Any) -> Any:
        """Apply the layer to symbolic tensors, traced values, or arrays (compiled on first use for their shapes)."""
        if not self.built:
            sequences = [x for x in (query, value, key) if x is not None]
            self.build(*((None, *(x.shape if hasattr(x, "shape") else np.shape(x))[1:]) for x in sequences))
        given = {name: x for name, x in (("key", key), ("attention_mask", attention_mask)) if x is not None}
        return super().__call__(query, value, **given, **kwargs)

    def call(  # type: ignore[override]
        self,
        query: Value,
        value: Value,
        key: Value | None = None,
        attention_mask: Value | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
        training: bool = False,
    ) -> Any:
        key = value if key is None else key
        if value.shape[:-1] != key.shape[:-1] or query.shape[0] != value.shape[0]:
            raise ShapeError(
                f"layer '{self.name}': key and value must have equal lengths but the last, and query their batch, "
                f"received query {query.shape}, value {value.shape} and key {key.shape}"
            )
        if self.flash_attention and return_attention_scores:
            raise ArgumentError(f"layer '{self.name}': flash_attention=True keeps no scores to return")
        q = _flat_sequence(self._query_dense(as_float(query)))  # (batch, queries, heads, key_dim)
        k = _flat_sequence(self._key_dense(as_float(key)))  # (batch, keys, heads, key_dim)
        v = _flat_sequence(self._value_dense(as_float(value)))  # (batch, keys, heads, value_dim)
        mask = None if attention_mask is None else self._mask(attention_mask, q.shape[1], k.shape[1])
        scores = None
        if return_attention_scores or (self.dropout > 0 and training):
            y, scores = attention_with_scores(
                q, k, v, mask=mask, is_causal=use_causal_mask, change_scores=self._dropout_layer
            )
        else:
            y = ops.dot_product_attention(q, k, v, mask=mask, is_causal=use_causal_mask)
        y = ops.reshape(y, (*query.shape[:-1], self.num_heads, self.value_dim))
        y = self._output_dense(y)
        if not return_attention_scores:
            return y
        assert scores is not None
        around = (*query.shape[1:-1], *key.shape[1:-1])
        return y, ops.reshape(scores, (*scores.shape[:2], *around))

    def _mask(self, mask: Value, queries: int, keys: int) -> Value:
        """The mask as ``(batch or 1, heads or 1, queries, keys)``."""
        if mask.ndim not in (3, 4) or mask.shape[-2] not in (1, queries) or mask.shape[-1] not in (1, keys):
            raise ShapeError(
                f"layer '{self.name}': attention_mask must be (batch, queries, keys) or (batch, heads, queries, keys) "
                f"with {queries} queries and {keys} keys, received {mask.shape}"
            )
        return mask if mask.ndim == 4 else ops.expand_dims(mask, 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": False,
            "output_shape": self._output_lengths,
            "attention_axes": self.attention_axes,
            "sliding_window": None,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": None,
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
            "seed": self.seed,
        }


def _flat_sequence(x: Value) -> Value:
    """``(batch, ..., heads, dim)`` with the axes in between as one."""
    return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:-2]), *x.shape[-2:]))
