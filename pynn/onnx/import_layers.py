"""Layers that imported models are made of where Keras has none that fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.trace import as_value
from pynn.layers import Layer
from pynn.ops.pool import AveragePool2d, MaxPool2d
from pynn.ops.spatial import resolve_padding
from pynn.saving.registration import register_keras_serializable

#: What a weight can be combined with an input by.
COMBINATIONS = ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "matmul")


@register_keras_serializable(package="pynn.onnx")
class ApplyWeight(Layer):
    """``function(x, weight)``, or ``function(weight, x)``: a weight that belongs to no layer of Keras's.

    Args:
        function: one of :data:`COMBINATIONS`.
        shape: of the weight.
        weight_first: which operand it is.
    """

    def __init__(self, function: str, shape: Sequence[int], weight_first: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if function not in COMBINATIONS:
            raise ArgumentError(f"ApplyWeight: function must be one of {', '.join(COMBINATIONS)}, not {function!r}")
        self.function, self.shape, self.weight_first = function, tuple(shape), bool(weight_first)

    def build(self, input_shape: Any) -> None:
        self.weight = self.add_weight(shape=self.shape, initializer="zeros", name="weight")

    def call(self, x: Any) -> Any:
        operands = (self.weight, x) if self.weight_first else (x, self.weight)
        return getattr(ops, self.function)(*operands)


@register_keras_serializable(package="pynn.onnx")
class Pooling(Layer):
    """ONNX's poolings over steps or images, channels last: with any padding, and with windows that stick out.

    Args:
        kind: "max" or "average".
        pool_size, strides: one number for each dimension.
        pads: (before, after) for each dimension, or "same".
        ceil_mode: whether a last window that sticks out counts.
        count_pads: whether averages count the zeros around the image.
    """

    def __init__(
        self,
        kind: str,
        pool_size: Sequence[int],
        strides: Sequence[int],
        pads: Any,
        ceil_mode: bool = False,
        count_pads: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.kind, self.pool_size, self.strides = kind, tuple(pool_size), tuple(strides)
        self.pads = pads if isinstance(pads, str) else tuple((int(a), int(b)) for a, b in pads)
        self.ceil_mode, self.count_pads = ceil_mode, count_pads

    def call(self, inputs: Any) -> Any:
        x = as_value(inputs)
        rank = x.ndim - 2
        if rank not in (1, 2) or rank != len(self.pool_size):
            raise ShapeError(
                f"layer '{self.name}': expected {len(self.pool_size) + 2} axes of 3 or 4, received {x.spec}"
            )
        sizes = x.shape[1:-1]
        pads: Sequence[tuple[int, int]]
        if isinstance(self.pads, str):
            pads = resolve_padding("pooling", self.pads, sizes, self.pool_size, self.strides)
        else:
            pads = self.pads
        if self.count_pads and any(map(any, pads)):
            x = ops.pad(x, [(0, 0), *pads, (0, 0)])
            sizes, pads = x.shape[1:-1], [(0, 0)] * rank
        if self.ceil_mode:
            pads = [
                (a, b + max(0, (math.ceil((n + a + b - k) / s)) * s + k - (n + a + b)))
                for n, (a, b), k, s in zip(sizes, pads, self.pool_size, self.strides, strict=True)
            ]
            # ONNX leaves out a last window that begins behind the image.
            pads = [
                (a, b - s if (n + a + b - k) // s * s >= n + a else b)
                for n, (a, b), k, s in zip(sizes, pads, self.pool_size, self.strides, strict=True)
            ]
        if rank == 1:
            x = ops.expand_dims(x, 1)
        one = () if rank == 2 else (1,)
        op = (MaxPool2d if self.kind == "max" else AveragePool2d)(
            (*one, *self.pool_size), (*one, *self.strides), (*(((0, 0),) if rank == 1 else ()), *map(tuple, pads))
        )
        y = op(x)
        return ops.squeeze(y, 1) if rank == 1 else y


@register_keras_serializable(package="pynn.onnx")
class ShapedAs(Layer):
    """A reshape or broadcast to lengths that other tensors have.

    Called with ``[x, *others]``; ``target`` holds numbers (-1 and 0 as ONNX has them) and ``(which of the others, axis,
    times, divided by)``.
    """

    def __init__(self, function: str, target: Sequence[Any], **kwargs: Any):
        super().__init__(**kwargs)
        if function not in ("reshape", "broadcast_to"):
            raise ArgumentError(f"ShapedAs: function must be 'reshape' or 'broadcast_to', not {function!r}")
        self.function = function
        self.target = [n if isinstance(n, int) else tuple(n) for n in target]

    def call(self, inputs: Sequence[Any]) -> Any:
        x, others = as_value(inputs[0]), inputs[1:]
        target = []
        for i, n in enumerate(self.target):
            if isinstance(n, tuple):
                which, axis, times, by = n
                n = others[which].shape[axis] * times // by
            target.append(x.shape[i] if n == 0 and self.function == "reshape" else n)
        if self.function == "broadcast_to":
            rank = max(len(target), x.ndim)
            have, target = (1,) * (rank - x.ndim) + x.shape, [1] * (rank - len(target)) + target
            target = [max(a, b) for a, b in zip(have, target, strict=True)]
        return getattr(ops, self.function)(x, target)
