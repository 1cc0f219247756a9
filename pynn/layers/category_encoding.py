"""Class numbers as rows of 0 and 1, or of counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.arguments import choice, positive_int
from pynn.layers.layer import Layer

_MODES = ("multi_hot", "one_hot", "count")


def encoded(numbers: Value, mode: str, depth: int, weights: Value | None = None) -> Value:
    """Rows of ``depth`` for whole ``numbers``; those outside count nowhere.

    Args:
        mode: ``"one_hot"``: a row for each number (a last axis of length 1 disappears); ``"multi_hot"`` and
            ``"count"``: a row for each sample, the last axis.
    """
    if mode == "one_hot" and numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = ops.squeeze(numbers, -1)
    classes = as_value(np.arange(depth, dtype="float32"))
    rows = ops.cast(ops.equal(ops.expand_dims(ops.cast(numbers, "float32"), -1), classes), "float32")
    if mode == "one_hot" or numbers.ndim == 0:
        return rows
    if mode == "multi_hot":
        return ops.max(rows, axis=-2)
    if weights is not None:
        rows = rows * ops.expand_dims(ops.cast(weights, "float32"), -1)
    return ops.sum(rows, axis=-2)


class CategoryEncoding(Layer):
    """Class numbers as rows of ``num_tokens``.

    Args:
        num_tokens: how many classes there are; numbers outside of 0 to ``num_tokens - 1`` give zeros.
        output_mode: ``"one_hot"``: a row for each number; ``"multi_hot"``: a row for each sample, with 1 for each
            class in it; ``"count"``: how often each is in it.
        sparse: not supported.

    Samples are the last axis, as Keras's ``compute_output_shape`` says; Keras's arrays of three axes are encoded along
    the second one.

    Called as ``layer(x, count_weights=w)`` in mode ``"count"`` each number counts as much as ``w`` says.

    Example:
        >>> CategoryEncoding(4, output_mode="multi_hot")(np.array([[0, 1], [3, 3]]))
        array([[1., 1., 0., 0.],
               [0., 0., 0., 1.]], dtype=float32)
    """

    _stateless = True

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        if num_tokens is None:
            raise ArgumentError(f"{where}: num_tokens must be given; where it is unknown, use IntegerLookup")
        self.num_tokens = positive_int(where, "num_tokens", num_tokens)
        self.output_mode = choice(
            where, "output_mode", "multi_hot" if output_mode == "binary" else output_mode, _MODES
        )  # fmt: skip
        if sparse:
            raise ArgumentError(f"{where}: sparse=True is not supported; the rows are dense arrays")
        self.sparse = False

    def call(self, x: Value, count_weights: Value | None = None) -> Value:
        if count_weights is not None and self.output_mode != "count":
            raise ArgumentError(
                f"layer '{self.name}': count_weights are for output_mode='count', not {self.output_mode!r}"
            )
        return encoded(x, self.output_mode, self.num_tokens, count_weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
