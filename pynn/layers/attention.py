"""Attention of one head without projections: Luong's with products, Bahdanau's with sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.layers.arguments import choice
from pynn.layers.dropout import Dropout
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float

#: What Keras takes from the scores of masked positions.
_MASKED = 1e9


class Attention(Layer):
    """``softmax(scores(query, key)) value``, with ``scores = query key^T`` (Luong et al., 2015).

    Args:
        use_scale: multiply the scores by a trained number.
        score_mode: ``"dot"``, or ``"concat"``: a trained number times ``sum(tanh(query + key))``.
        dropout: fraction of the attention weights dropped in training.
        seed: of the dropout.

    Called on ``[query, value]`` or ``[query, value, key]``; ``mask=[query_mask, value_mask]`` (either may be None; 0
    where a position is padding), ``return_attention_scores=True`` and ``use_causal_mask=True`` as in Keras.

    Shapes:
        query ``(batch, t, dim)``, value ``(batch, s, value_dim)``, key ``(batch, s, dim)``, by default the value ->
        ``(batch, t, value_dim)``, and the scores ``(batch, t, s)`` where asked for.

    Example:
        >>> import numpy as np
        >>> Attention()([np.ones((2, 4, 8)), np.ones((2, 6, 8))]).shape
        (2, 4, 8)
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.use_scale = bool(use_scale)
        self.score_mode = choice(f"layer '{self.name}'", "score_mode", score_mode, ("dot", "concat"))
        self.dropout = dropout
        self.seed = seed
        self._dropout_layer = Dropout(dropout, seed=seed)
        self.scale: Variable | None = None
        self.concat_score_weight: Variable | None = None

    def build(self, input_shape: Any) -> None:
        self._check_shapes(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")
        self.built = True

    def _check_shapes(self, shapes: Any) -> None:
        """Query, value and key of three axes, of one dim and one length."""
        several = isinstance(shapes, list | tuple) and all(isinstance(s, list | tuple) for s in shapes)
        if not several or len(shapes) not in (2, 3):
            raise ArgumentError(
                f"layer '{self.name}': expected a list [query, value] or [query, value, key], received "
                f"{len(shapes) if several else 'one input'}; write layer([query, value])"
            )
        query, value, key = shapes[0], shapes[1], shapes[-1]
        if any(len(s) != 3 for s in shapes) or query[2] != key[2] or value[1] != key[1]:
            raise ShapeError(
                f"layer '{self.name}': expected query (batch, t, dim), value (batch, s, value_dim) and key "
                f"(batch, s, dim), received {', '.join(str(tuple(s)) for s in shapes)}"
            )

    def call(
        self,
        inputs: Sequence[Value],
        mask: Sequence[Any] | None = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check_shapes([x.shape for x in inputs])
        query, value, key = as_float(inputs[0]), as_float(inputs[1]), as_float(inputs[-1])
        scores = self._scores(query, key)  # (batch, t, s)
        query_mask, value_mask = mask or (None, None)
        visible = None
        if use_causal_mask:
            visible = trace.as_value(np.tril(np.ones((1, *scores.shape[1:]), "float32")))
        if value_mask is not None:
            seen = ops.expand_dims(ops.cast(value_mask, "float32"), 1)
            visible = seen if visible is None else visible * seen
        if visible is not None:
            scores = scores + (visible - 1.0) * _MASKED
        weights = ops.softmax(scores, axis=-1)
        dropped = self._dropout_layer(weights, training=training)
        y = ops.matmul(dropped, value)
        if query_mask is not None:
            y = y * ops.expand_dims(ops.cast(query_mask, "float32"), -1)
        return (y, dropped) if return_attention_scores else y

    def _scores(self, query: Value, key: Value) -> Value:
        if self.score_mode == "dot":
            scores = ops.einsum("btd,bsd->bts", query, key)
            return scores if self.scale is None else scores * self.scale
        sums = ops.expand_dims(query, 2) + ops.expand_dims(key, 1)
        sums = sums if self.scale is None else sums * self.scale
        return ops.sum(ops.tanh(sums), axis=-1) * self.concat_score_weight

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return mask[0] if isinstance(mask, list | tuple) else None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


class AdditiveAttention(Attention):
    """Attention with ``scores = sum(scale * tanh(query + key))`` (Bahdanau et al., 2015).

    Args:
        use_scale: whether ``scale``, one number per dim, is trained; else it is 1.
        dropout: fraction of the attention weights dropped in training.

    Called like :class:`Attention`, with the same shapes.

    Example:
        >>> import numpy as np
        >>> AdditiveAttention()([np.ones((2, 4, 8)), np.ones((2, 6, 8))]).shape
        (2, 4, 8)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check_shapes(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")
        self.built = True

    def _scores(self, query: Value, key: Value) -> Value:
        sums = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))
        return ops.sum(sums if self.scale is None else sums * self.scale, axis=-1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["score_mode"]
        return config
