"""Dense layer whose product is written in Einstein's notation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import activations, ops, regularizers
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.layer import Shape, refuse_unsupported
from pynn.layers.weight_options import WeightOptions
from pynn.utils.arrays import as_float


class EinsumDense(WeightOptions):
    """``activation(einsum(equation, x, kernel) + bias)``.

    Args:
        equation: ``"ab,bc->ac"``; the first term is the input's, the second the kernel's.  ``...`` may stand for the
            input's leading axes: ``"...x,xy->...y"``.
        output_shape: the output's lengths without the batch axis, as many as the result has letters after the batch's
            (all of them are taken where the equation has ``...``, the last ones only); None for those of the input.
        activation: name or function; ``"linear"`` by default.
        bias_axes: letters of the result that the bias has; no bias by default.
        kernel_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on the weights and on the outputs.
        kernel_constraint, bias_constraint: what the weights must satisfy after each step.
        lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config: not supported.

    Raises:
        ArgumentError: the equation or ``bias_axes`` is malformed.
        ShapeError: the input does not fit the equation.

    Example:
        >>> import numpy as np
        >>> layer = EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")
        >>> layer(np.ones((2, 3, 4))).shape
        (2, 3, 5)
    """

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        refuse_unsupported(
            f"layer '{self.name}'",
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            gptq_unpacked_column_size=gptq_unpacked_column_size,
            quantization_config=quantization_config,
        )
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self._take_options(locals())
        self._terms = self._parsed()

    def _parsed(self) -> tuple[str, str, str]:
        """The letters of input, kernel and output; leading dots are taken off."""
        where = f"layer '{self.name}'"
        left, arrow, output = str(self.equation).replace(" ", "").partition("->")
        terms = left.split(",")
        well_formed = arrow and len(terms) == 2 and terms[0].startswith("...") == output.startswith("...")
        x, kernel, y = (t.removeprefix("...") for t in (terms[0], terms[-1], output))
        if not well_formed or not all(t.isalpha() for t in (x, kernel, y)) or not set(y) <= set(x + kernel):
            raise ArgumentError(
                f"{where}: equation must be like 'ab,bc->ac' or '...x,xy->...y', received {self.equation!r}"
            )
        missing = [c for c in self.bias_axes or "" if c not in y]
        if missing:
            raise ArgumentError(f"{where}: bias_axes {self.bias_axes!r} must name letters of the output {y!r}")
        return x, kernel, y

    def _sizes(self, input_shape: Shape) -> dict[str, int | None]:
        """Length of each letter."""
        x, _, y = self._terms
        dots = "..." in self.equation
        if (len(input_shape) < len(x)) if dots else (len(input_shape) != len(x)):
            raise ShapeError(
                f"layer '{self.name}': equation {self.equation!r} expects an input of {len(x)} axes"
                f"{' or more' if dots else ''}, received shape {tuple(input_shape)}"
            )
        sizes: dict[str, int | None] = dict(zip(x[::-1], tuple(input_shape)[::-1], strict=False))
        given = self.partial_output_shape
        if (not dots and len(given) != len(y) - 1) or len(given) > len(y):
            raise ArgumentError(
                f"layer '{self.name}': output_shape must have one length for each of the output's letters {y!r} "
                f"after the batch's, received {given}"
            )
        for letter, n in zip(y[::-1], given[::-1], strict=False):
            if n is None:
                continue
            if sizes.get(letter) not in (None, n):
                raise ShapeError(
                    f"layer '{self.name}': output_shape says {n} for '{letter}' of {self.equation!r}, "
                    f"the input of shape {tuple(input_shape)} says {sizes[letter]}"
                )
            sizes[letter] = n
        return sizes

    def build(self, input_shape: Shape) -> None:
        sizes = self._sizes(input_shape)
        _, kernel, y = self._terms
        unknown = [c for c in (*kernel, *(self.bias_axes or "")) if sizes.get(c) is None]
        if unknown:
            raise ShapeError(
                f"layer '{self.name}': the length of '{unknown[0]}' in {self.equation!r} must be known, received an "
                f"input of shape {tuple(input_shape)} and output_shape {self.partial_output_shape}"
            )
        shape = [sizes[c] or 0 for c in kernel]
        self.kernel = self._add_weight_of("kernel", shape)
        self.bias = None
        if self.bias_axes:
            first = min(y.index(c) for c in self.bias_axes)
            # Axes after the first that the bias does not have are kept with length 1, so that it broadcasts.
            lengths = [(sizes[c] or 0) if c in self.bias_axes else 1 for c in y[first:]]
            self.bias = self._add_weight_of("bias", lengths)
        self.built = True

    def call(self, x: Value) -> Value:
        y = ops.einsum(self.equation, as_float(x), self.kernel)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        return self.activation(y)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            **self._options_config(),
            "quantization_config": None,
        }
