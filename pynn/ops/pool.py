"""Pooling: the maximum or the average of each window, channel by channel.  The ops know images, NHWC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.conv import Padding, window_positions
from pynn.ops.shape import reshape
from pynn.ops.spatial import (
    Pair,
    channels_to_end,
    channels_to_front,
    frames,
    is_channels_first,
    one_row,
    per_axis,
    resolve_padding,
    spatial_rank,
    strides_inside,
    without_row,
)


@dataclass(frozen=True)
class Pooling(Op, abstract=True):
    """Base: the attributes and the shapes that all pooling ops share."""

    pool: Pair
    strides: Pair
    padding: Padding = ((0, 0), (0, 0))

    def _output_shape(self, x: tuple[int, ...]) -> tuple[int, int, int, int]:
        spec = Spec(x)
        self.require(len(x) == 4, "an input of 4 dimensions (n, h, w, c)", spec)
        self.require(min(self.pool) > 0, f"a pool of at least 1, not {self.pool}", spec)
        self.require(min(self.strides) > 0, f"strides of at least 1, not {self.strides}", spec)
        self.require(
            all(0 <= side < self.pool[d] for d in (0, 1) for side in self.padding[d]),
            f"padding of at least 0 and below the pool {self.pool} (no window may lie outside the image), "
            f"not {self.padding}",
            spec,
        )
        oh, ow = (window_positions(x[1 + d], self.pool[d], self.strides[d], 1, self.padding[d]) for d in (0, 1))
        self.require(oh > 0 and ow > 0, f"an image that holds a window of {self.pool}", spec)
        return x[0], oh, ow, x[3]

    def _windows(self) -> dict[str, Any]:
        return {"pool": self.pool, "strides": self.strides, "padding": self.padding}

    def _params(self, x: Spec, y: Spec) -> dict[str, Any]:
        n, h, w, c = x.shape
        return {
            "n": n,
            "h": h,
            "w": w,
            "c": c,
            "oh": y.shape[1],
            "ow": y.shape[2],
            "pool_h": self.pool[0],
            "pool_w": self.pool[1],
            "stride_h": self.strides[0],
            "stride_w": self.strides[1],
            "top": self.padding[0][0],
            "left": self.padding[1][0],
        }

    def flops(self, node: Node) -> int:
        s = self.params(node)
        return s["n"] * s["oh"] * s["ow"] * s["c"] * s["pool_h"] * s["pool_w"]


class MaxPool2d(Pooling):
    """The largest number of each window; positions outside the image do not take part."""

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) == 1, "one input", *specs)
        return specs[0].with_shape(self._output_shape(specs[0].shape))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (MaxPool2dGrad(**self._windows())(g, inputs[0], y),)

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.input_specs[0], node.output_specs[0])

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("max_pool2d", self.params),)


class MaxPool2dGrad(Pooling):
    """Gradient of :class:`MaxPool2d`: ``g`` goes to the first position of its window, row by row, where ``x == y``.

    Inputs ``g, x, y``.  The positions are found again instead of being saved: that costs less than reading them.
    """

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) == 3, "a gradient, the input and the result of the pooling", *specs)
        g, x, y = specs
        shape = self._output_shape(x.shape)
        self.require(g.shape == y.shape == shape, f"a gradient and a result of shape {shape}", *specs)
        return x

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.input_specs[1], node.input_specs[0])

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("max_pool2d_grad", self.params),)


class AveragePool2d(Pooling):
    """The mean of each window; positions outside the image are not counted."""

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) == 1, "one input", *specs)
        return specs[0].with_shape(self._output_shape(specs[0].shape))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (AveragePool2dGrad(**self._windows(), input_shape=inputs[0].shape)(g),)

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.input_specs[0], node.output_specs[0])

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("average_pool2d", self.params),)


@dataclass(frozen=True)
class AveragePool2dGrad(Pooling):
    """Gradient of :class:`AveragePool2d`: each position gets ``g / count`` of every window that it lies in."""

    input_shape: tuple[int, ...] = ()

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) == 1, "one gradient", *specs)
        shape = self._output_shape(self.input_shape)
        self.require(specs[0].shape == shape, f"a gradient of shape {shape} for input_shape={self.input_shape}", *specs)
        return specs[0].with_shape(self.input_shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (AveragePool2d(**self._windows())(g),)

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.output_specs[0], node.input_specs[0])

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("average_pool2d_grad", self.params),)


# ---- functions ------------------------------------------------------------------------------------------------


def _pool(
    op: type[MaxPool2d] | type[AveragePool2d],
    function: str,
    inputs: Any,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str | None,
) -> Value:
    x = as_value(inputs)
    if is_channels_first(function, data_format):
        return channels_to_front(_pool(op, function, channels_to_end(x), pool_size, strides, padding, "channels_last"))
    rank = spatial_rank(function, x)
    pool = per_axis(function, "pool_size", pool_size, rank)
    step = pool if strides is None else per_axis(function, "strides", strides, rank)
    pads = resolve_padding(function, padding, x.shape[1:-1], pool, step)
    step = strides_inside(step, x.shape[1:-1], pads)
    if rank == 1:
        return without_row(op((1, pool[0]), (1, step[0]), ((0, 0), pads[0]))(one_row(x)))
    flat = op((pool[-2], pool[-1]), (step[-2], step[-1]), (pads[-2], pads[-1]))
    if rank == 2:
        return flat(x)
    # A window's maximum is that of its frames' maxima, and its mean that of their means: they have one count.
    n, d = x.shape[:2]
    y = flat(frames(x))  # (n * d, oh, ow, c)
    _, h, w, c = y.shape
    y = op((pool[0], 1), (step[0], 1), (pads[0], (0, 0)))(reshape(y, (n, d, h * w, c)))
    return reshape(y, (n, y.shape[1], h, w, c))


def max_pool(
    inputs: Any,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """Largest number of each window, as ``keras.ops.max_pool``.

    Args:
        inputs: (n, steps, channels), (n, h, w, channels) or (n, d, h, w, channels).
        pool_size: the window, one number or one for each dimension.
        strides: step of the window; the window's own size by default.
        padding: "valid" (windows stay inside) or "same" (they may stick out; what is outside is ignored).
        data_format: "channels_last" or "channels_first": (n, channels, ...), results too.

    Returns:
        (n, *positions, channels).

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.max_pool(np.ones((1, 4, 4, 3)), 2).shape
        (1, 2, 2, 3)
    """
    return _pool(MaxPool2d, "max_pool", inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: Any,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """Mean of each window, as ``keras.ops.average_pool``; arguments as for :func:`max_pool`.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.average_pool(np.ones((1, 4, 4, 3)), 2).shape
        (1, 2, 2, 3)
    """
    return _pool(AveragePool2d, "average_pool", inputs, pool_size, strides, padding, data_format)
