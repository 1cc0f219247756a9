"""Rows of a trained table."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pynn import ops, regularizers
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import positive_int
from pynn.layers.layer import Shape, refuse_unsupported
from pynn.layers.weight_options import WeightOptions
from pynn.utils.callers import users_line


class Embedding(WeightOptions):
    """Whole numbers to vectors: number ``i`` becomes row ``i`` of the trained table ``embeddings``.

    Args:
        input_dim: how many different numbers there are; the largest plus 1.
        output_dim: length of the vectors.
        embeddings_initializer: how the table begins.
        embeddings_regularizer: a penalty on the table.
        embeddings_constraint: what the table must satisfy after each step.
        mask_zero: whether 0 is padding: the vectors get a mask, which layers behind and the loss respect.
        weights: the table to begin with, ``(input_dim, output_dim)``.

    Shapes:
        ``(batch, ...)`` -> ``(batch, ..., output_dim)``.  The numbers may have any dtype; fractions are cut off.

    A number below 0 counts from the end of the table, as in Keras.  A number outside of the table is an error where the
    layer is called on an array, and in ``fit``, ``evaluate`` and ``predict`` of a model whose input it reads.  Behind
    other layers its vector is NaN (as in Keras on JAX), so that the loss is NaN too, and it changes no weight.

    Raises:
        ArgumentError: an argument is out of range or not supported, or a number is outside of the table.

    Example:
        >>> import numpy as np
        >>> Embedding(10, 4)(np.array([[1, 2, 3], [0, 9, 1]])).shape
        (2, 3, 4)
    """

    roles = ("embeddings",)

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        if kwargs.pop("input_length", None) is not None:
            warnings.warn(
                "Embedding(input_length=...) is the way of older Keras versions; leave it out",
                DeprecationWarning,
                stacklevel=users_line(),
            )
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.input_dim = positive_int(where, "input_dim", input_dim)
        self.output_dim = positive_int(where, "output_dim", output_dim)
        refuse_unsupported(where, lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self._take_options(locals())
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Shape = ()) -> None:
        if not self.built:
            shape = (self.input_dim, self.output_dim)
            self.embeddings = self._add_weight_of("embeddings", shape)
        self.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """With ``mask_zero``: where the numbers are not 0."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def _call_on_arrays(self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any], training: Any) -> Any:
        self.check_numbers(np.asarray(x))
        return super()._call_on_arrays(x, args, kwargs, training)

    def check_numbers(self, x: np.ndarray) -> None:
        """Raise an ArgumentError if a number in ``x`` is outside of the table."""
        if x.dtype.kind not in "fiub" or not x.size:
            return  # what calls the layer says what is wrong
        outside = ~((x > -self.input_dim - 1) & (x < self.input_dim))  # NaN is outside, too
        if outside.any():
            raise ArgumentError(
                f"layer '{self.name}': the numbers must be from 0 to input_dim - 1 = {self.input_dim - 1}, received "
                f"{x[outside][0]}; give the layer a larger input_dim, or map rare numbers to one for 'unknown'"
            )

    def call(self, x: Value) -> Value:
        return ops.take(self.embeddings, x, axis=0)

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            **self._options_config(),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }
