"""Attention whose keys and values have fewer heads than its queries."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError
from pynn.layers.arguments import positive_int
from pynn.layers.constructor import named_arguments
from pynn.layers.multi_head_attention import MultiHeadAttention


class GroupedQueryAttention(MultiHeadAttention):
    """Grouped-query attention (Ainslie et al., 2023): groups of query heads share one head of keys and values.

    Args:
        head_dim: length of a query, a key and a value in each head.
        num_query_heads: number of heads of the queries.
        num_key_value_heads: number of heads of keys and values; divides ``num_query_heads``.
        dropout, use_bias, sliding_window, flash_attention, use_gate, seed: as of :class:`MultiHeadAttention`.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer: as there, too.
        kernel_constraint, bias_constraint: as there.
        activity_regularizer: a penalty on the output, too.

    Called like :class:`MultiHeadAttention`; masked queries see nothing.

    Shapes:
        query ``(batch, queries, features)``, value and key ``(batch, keys, ...)`` -> ``(batch, queries, features)``.

    Raises:
        ArgumentError: an argument is out of range, or the heads cannot be divided into groups.

    Example:
        >>> import numpy as np
        >>> x = np.ones((2, 5, 8))
        >>> GroupedQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)(x, x).shape
        (2, 5, 8)
    """

    _masks_queries = True
    #: Not public here, as in Keras: files of weights find the projections under their private names.
    query_dense = key_dense = value_dense = output_dense = None

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
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
        super().__init__(
            num_query_heads,
            head_dim,
            **named_arguments(locals(), without=("head_dim", "num_query_heads", "num_key_value_heads")),
        )
        self.activity_regularizer = self.projection_regularizer
        self.num_key_value_heads = positive_int(f"layer '{self.name}'", "num_key_value_heads", num_key_value_heads)
        if self.num_heads % self.num_key_value_heads:
            raise ArgumentError(
                f"layer '{self.name}': num_query_heads must be a multiple of num_key_value_heads, received "
                f"{num_query_heads} and {num_key_value_heads}"
            )

    @property
    def head_dim(self) -> int:
        """Length of a query, a key and a value in each head."""
        return self.key_dim

    @property
    def num_query_heads(self) -> int:
        """Number of heads of the queries."""
        return self.num_heads

    def _key_heads(self) -> int:
        return self.num_key_value_heads

    def get_config(self) -> dict[str, Any]:
        return {
            **super(MultiHeadAttention, self).get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            **self._common_config(),
        }


#: Its name in Keras's ``layers``.
GroupQueryAttention = GroupedQueryAttention
