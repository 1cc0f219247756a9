"""Convolutions: channels last, kernels (*window, in, out), as Keras stores them.  Kernels of C++ know images only.

A convolution is linear in its input and in its kernel, so its two gradients are linear too, and the gradients of all
three ops are expressed by the three themselves.
"""

from __future__ import annotations

import math
from builtins import slice as Slice
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pynn import config
from pynn.errors import ArgumentError, GraphError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.conv_pack import PackConv2dKernel, packed_shape
from pynn.ops.indexing import get_item
from pynn.ops.matmul import EPILOGUE_ACTIVATIONS
from pynn.ops.pad import Pad, concatenate
from pynn.ops.shape import reshape, transpose
from pynn.ops.spatial import (
    AXES,
    Pads,
    Pair,
    channels_to_end,
    channels_to_front,
    is_channels_first,
    one_row,
    per_axis,
    resolve_padding,
    spatial_rank,
    strides_inside,
    without_row,
)

#: ``((top, bottom), (left, right))``: rows and columns of zeros around an image.
Padding = tuple[Pair, Pair]


def window_positions(size: int, window: int, stride: int, dilation: int, pad: Pair) -> int:
    """How many positions a window has along one dimension; 0 or less if it does not fit."""
    return (size + sum(pad) - (window - 1) * dilation - 1) // stride + 1


@dataclass(frozen=True)
class Convolution(Op, abstract=True):
    """Base: the attributes that a convolution shares with its gradients, and the checks on its three shapes."""

    strides: Pair = (1, 1)
    padding: Padding = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1

    def _output_shape(self, x: tuple[int, ...], w: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Shape of ``y`` for an image of shape ``x`` and a kernel of shape ``w``."""
        specs = Spec(x), Spec(w)
        self.require(len(x) == 4, "an input of 4 dimensions (n, h, w, c)", *specs)
        self.require(len(w) == 4, "a kernel of 4 dimensions (kh, kw, c / groups, filters)", *specs)
        self.require(min(w) > 0, "a kernel that is not empty", *specs)
        self.require(min(self.strides) > 0, f"strides of at least 1, not {self.strides}", *specs)
        self.require(min(self.dilation) > 0, f"a dilation of at least 1, not {self.dilation}", *specs)
        self.require(min(map(min, self.padding)) >= 0, f"padding of at least 0, not {self.padding}", *specs)
        self.require(
            self.groups > 0 and x[3] == w[2] * self.groups and w[3] % self.groups == 0,
            f"{x[3]} input channels = groups * kernel.shape[2] with groups={self.groups}, "
            "and filters divisible by groups",
            *specs,
        )
        oh, ow = (window_positions(x[1 + d], w[d], self.strides[d], self.dilation[d], self.padding[d]) for d in (0, 1))
        self.require(oh > 0 and ow > 0, f"a kernel no larger than the input padded by {self.padding}", *specs)
        return x[0], oh, ow, w[3]

    def _geometry(self) -> dict[str, Any]:
        """The attributes that both gradients take over."""
        return {
            "strides": self.strides,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }

    def _params(self, x: Spec, w: Spec, y: Spec) -> dict[str, Any]:
        n, h, width, c = x.shape
        kh, kw, _, filters = w.shape
        return {
            "n": n,
            "h": h,
            "w": width,
            "c": c,
            "kh": kh,
            "kw": kw,
            "oh": y.shape[1],
            "ow": y.shape[2],
            "filters": filters,
            "stride_h": self.strides[0],
            "stride_w": self.strides[1],
            "dilation_h": self.dilation[0],
            "dilation_w": self.dilation[1],
            "top": self.padding[0][0],
            "left": self.padding[1][0],
            "groups": self.groups,
            "packed": 0,
            "bias": 0,
            "residual": 0,
            "activation": 0,
        }

    def flops(self, node: Node) -> int:
        """The gradients take as many as the convolution: a product and a sum per tap of each result."""
        s = self.params(node)
        return 2 * s["n"] * s["oh"] * s["ow"] * s["filters"] * s["kh"] * s["kw"] * (s["c"] // s["groups"])


@dataclass(frozen=True)
class Conv2d(Convolution):
    """``y[n, i, j, o] = activation(sum over r, s, c of x[n, i*sh + r*dh - top, j*sw + s*dw - left, c] w[r, s, c, o] + b[o] + z[n, i, j, o])``.

    Inputs ``x, w`` and maybe a bias ``b`` and a residual ``z`` (another branch's result), which their ranks tell
    apart.  Outside the image ``x`` is zero.  With ``groups`` the channels and the filters fall into that many parts
    that know nothing of each other.  Layers record the plain convolution; the fuse pass folds the rest in.

    With ``packed``, the shape of ``w``, the second input is what `PackConv2dKernel` with this ``tile`` made of it.
    """  # noqa: E501

    activation: str = "linear"
    packed: tuple[int, ...] = ()
    tile: int = 0

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(2 <= len(specs) <= 4, "an input, a kernel and maybe a bias and a residual", *specs)
        self.require(
            self.activation in EPILOGUE_ACTIVATIONS,
            f"an activation out of {', '.join(EPILOGUE_ACTIVATIONS)}, not {self.activation!r}",
            *specs,
        )
        self.require(len({s.dtype for s in specs}) == 1, "inputs of one dtype", *specs)
        if self.packed:
            expected = packed_shape(self.packed, self.tile)
            self.require(specs[1].shape == expected, f"a packed kernel of shape {expected}", *specs)
        shape = self._output_shape(specs[0].shape, self.packed or specs[1].shape)
        added = list(specs[2:])
        if added and len(added[0].shape) == 1:
            self.require(added.pop(0).shape == shape[3:], f"a bias of shape ({shape[3]},)", *specs)
        if added:
            self.require(added[0].shape == shape and len(added) == 1, f"a residual of shape {shape}", *specs)
        return specs[0].with_shape(shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        if self.activation != "linear" or len(inputs) != 2 or self.packed:
            raise GraphError(
                f"op '{self.name}': no gradient rule with a bias, residual or activation inside "
                f"(activation={self.activation!r}, {len(inputs)} inputs); record the convolution, the addition and the "
                "activation as ops of their own: the fuse pass joins them, and packs the kernel"
            )
        x, w = inputs
        return (
            Conv2dGradInput(**self._geometry(), input_shape=x.shape)(g, w),
            Conv2dGradKernel(**self._geometry(), kernel_shape=w.shape)(x, g),
        )

    def params(self, node: Node) -> dict[str, Any]:
        x, w = node.input_specs[:2]
        added = [len(v.shape) for v in node.inputs[2:]]
        return {
            **self._params(x, Spec(self.packed or w.shape), node.output_specs[0]),
            "packed": bool(self.packed),
            "bias": 1 in added,
            "residual": 4 in added,
            "activation": EPILOGUE_ACTIVATIONS[self.activation],
        }

    def channel_shape(self, kernel: Spec) -> tuple[int, ...] | None:
        return kernel.shape[3:]

    def candidates(self) -> Sequence[Candidate]:
        epilogue = frozenset({"bias", "residual", "relu", "relu6", "sigmoid", "tanh"})
        if self.packed and self.tile:
            return (Candidate("conv2d_winograd", partial(_winograd_params, self.tile), epilogue=epilogue),)
        if self.packed:
            return (Candidate("conv2d_direct", self.params, epilogue=epilogue),)
        return (
            Candidate("conv2d_depthwise", self.params, _declines_depthwise, epilogue=epilogue),
            Candidate("conv2d_narrow", self.params, _declines_narrow, epilogue=epilogue),
            *_winograd_candidates("conv2d_winograd", epilogue, _prepack),
            Candidate("conv2d_direct", self.params, _declines_direct, epilogue=epilogue, prepack=_prepack),
            Candidate("conv2d", self.params, epilogue=epilogue),
        )


def _declines_depthwise(node: Node) -> str | None:
    """The depthwise kernels: each channel has one filter of its own."""
    op = node.op
    assert isinstance(op, Convolution)
    sizes = op.params(node)
    if not sizes["c"] == sizes["filters"] == op.groups or op.groups == 1:
        return f"{sizes['c']} channels, {sizes['filters']} filters, {op.groups} groups: all must be equal and above 1"
    if max(op.strides) > 1 and max(op.dilation) > 1:
        return f"strides {op.strides} together with dilation {op.dilation}"
    return None


def _declines_narrow(node: Node) -> str | None:
    """The narrow kernels keep pixels in their vectors: good where the filters would not fill them."""
    assert isinstance(node.op, Convolution)
    channels = node.inputs[0].shape[3]
    filters = node.outputs[0].shape[3]  # last of the result and of the kernel's gradient alike
    if channels != 1:
        return f"{channels} channels, only 1 is contiguous along the row"
    if node.op.strides != (1, 1):
        return f"strides {node.op.strides}, windows must be neighbours"
    if filters > 8:
        return f"{filters} filters fill a vector by themselves"
    return None


def _declines_direct(node: Node) -> str | None:
    """The direct kernels multiply windows where they lie, which takes whole kernel rows that are contiguous.

    Their vectors hold filters, in the input's gradient channels; im2col's gradients hold windows if these are few.
    """
    op = node.op
    assert isinstance(op, Convolution)
    if op.dilation != (1, 1) or op.groups != 1:
        return f"dilation {op.dilation}, groups {op.groups}: all must be 1"
    sizes = op.params(node)
    if sizes["kh"] * sizes["kw"] == 1:
        return None  # a window is a pixel: nothing to gain
    for kind, name, what, least in (
        (Conv2dGradInput, "c", "channels", 1 / 2),
        (Conv2dGradKernel, "filters", "filters", 3 / 4),
    ):
        if isinstance(op, kind) and sizes[name] < least * 16 * -(-sizes[name] // 16):
            return f"{sizes[name]} {what} leave too much of a vector empty"
    return None


def _declines_gemm(node: Node) -> str | None:
    """Where windows are single neighbouring pixels the kernel's gradient is one product of two matrices as they lie."""
    op = node.op
    assert isinstance(op, Conv2dGradKernel)
    if op.kernel_shape[:2] != (1, 1) or op.strides != (1, 1) or op.groups != 1:
        return f"a window of {op.kernel_shape[:2]}, strides {op.strides}, groups {op.groups}: all must be 1"
    if any(map(any, op.padding)):
        return f"padding {op.padding}, pixels must be those of the image"
    return None


def _gemm_params(node: Node) -> dict[str, Any]:
    """``dw[c, filters] = x[pixels, c]^T g[pixels, filters]``."""
    assert isinstance(node.op, Conv2dGradKernel)
    c, filters = node.op.kernel_shape[2:]
    pixels = math.prod(node.inputs[1].shape[:3])
    sizes = {"m": c, "n": filters, "k": pixels, "transpose_a": 1}
    return {**sizes, **dict.fromkeys(("transpose_b", "packed", "bias", "residual", "activation"), 0)}


def _winograd_candidates(
    kernel: str, epilogue: frozenset[str] = frozenset(), prepack: Any = None
) -> tuple[Candidate, ...]:
    """Tiles of 4 x 4 results take fewer products than tiles of 2 x 2, and round more."""
    more = {"epilogue": epilogue, **({"prepack": prepack} if prepack else {})}
    return tuple(
        Candidate(kernel, partial(_winograd_params, tile), partial(_declines_winograd, tile), **more) for tile in (4, 2)
    )


def _winograd_cannot(tile: int, node: Node) -> str | None:
    """What Winograd's algorithm with this tile cannot do or may not do."""
    op = node.op
    assert isinstance(op, Convolution)
    sizes = op.params(node)
    if (sizes["kh"], sizes["kw"]) != (3, 3):
        return f"a window of {sizes['kh']} x {sizes['kw']}, not 3 x 3"
    if op.strides != (1, 1) or op.dilation != (1, 1) or op.groups != 1:
        return f"strides {op.strides}, dilation {op.dilation}, groups {op.groups}: all must be 1"
    if sizes["c"] % 16 or sizes["filters"] % 16:
        return f"{sizes['c']} channels and {sizes['filters']} filters, not multiples of 16"
    if tile == 4 and config.conv_precision() == "exact":
        return "tiles of 4 x 4 round more than conv_precision 'exact' allows"
    return None


def _declines_winograd(tile: int, node: Node) -> str | None:
    """Winograd's algorithm: up to 2.25 (tile 2) or 4 (tile 4) times fewer products, for the most common convolution."""
    if reason := _winograd_cannot(tile, node):
        return reason
    work, others = _winograd_work(tile, node), [_winograd_work(t, node) for t in (1, 2) if t < tile]
    if work > min(others):
        return f"tiles of {tile} x {tile} cost {work} products for each weight of this shape, another way {min(others)}"
    return None


#: Transforming (or packing) the kernel takes as long as the products of that many tiles.  Measured.
_TILES_PER_KERNEL = 16

#: Reading a packed kernel from memory takes as long as the products of that many tiles.  Measured.
_TILES_PER_PACKED_KERNEL = 12

#: With more tiles (pixels, where the tile is one pixel) packing the kernel each time costs little, and a transformed
#: kernel takes 1.8 (tile 2) or 4 (tile 4) times the memory of the weights.
_MOST_TILES_WHEN_PACKED = {1: 4096, 2: 256, 4: 200}


def _winograd_work(tile: int, node: Node, tiles_per_kernel: int = _TILES_PER_KERNEL) -> int:
    """Products for each pair of a channel and a filter; a tile of 1 x 1 is the plain convolution."""
    return (tile + 2) ** 2 * (_tiles(tile, node) + tiles_per_kernel)


def _tiles(tile: int, node: Node) -> int:
    sizes = _winograd_params(tile, node)
    return int(sizes["n"] * -(-sizes["oh"] // tile) * -(-sizes["ow"] // tile))


def _prepack(node: Node) -> tuple[Op, Op] | None:
    """With its kernel packed, a layer of few pixels may be faster with another algorithm than without."""
    op, kernel = node.op, node.inputs[1].shape
    assert isinstance(op, Conv2d)
    tiles = [1, *(t for t in (2, 4) if _winograd_cannot(t, node) is None)]
    tile = min(tiles, key=lambda t: _winograd_work(t, node, _TILES_PER_PACKED_KERNEL))
    if _tiles(tile, node) > _MOST_TILES_WHEN_PACKED[tile] or (tile == 1 and kernel[3] in (16, 32)):
        return None  # 16 or 32 filters are a panel as they lie
    tile = tile if tile > 1 else 0
    return PackConv2dKernel(tile), replace(op, packed=kernel, tile=tile)


def _winograd_params(tile: int, node: Node) -> dict[str, Any]:
    assert isinstance(node.op, Convolution)
    sizes = node.op.params(node)
    shared = ("n", "h", "w", "c", "oh", "ow", "filters", "top", "left", "packed", "bias", "residual", "activation")
    params = {**{name: sizes[name] for name in shared}, "tile": tile, "rotate": 0}
    if isinstance(node.op, Conv2dGradInput):
        # The convolution of g with the rotated kernel: every pair of "input" and "output" changes places.
        params.update(h=sizes["oh"], w=sizes["ow"], c=sizes["filters"], oh=sizes["h"], ow=sizes["w"])
        params.update(filters=sizes["c"], top=2 - sizes["top"], left=2 - sizes["left"], rotate=1)
    return params


@dataclass(frozen=True)
class Conv2dGradInput(Convolution):
    """Gradient of :class:`Conv2d` with respect to ``x``: each ``g[n, i, j, o] w[r, s, c, o]`` is added to the position
    of ``x`` that it was read from.  Inputs ``g, w``.
    """

    input_shape: tuple[int, ...] = ()

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) == 2, "a gradient and a kernel", *specs)
        g, w = specs
        shape = self._output_shape(self.input_shape, w.shape)
        self.require(g.shape == shape, f"a gradient of shape {shape} for input_shape={self.input_shape}", *specs)
        return g.with_shape(self.input_shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        g_inner, w = inputs
        return (
            Conv2d(**self._geometry())(g, w),
            Conv2dGradKernel(**self._geometry(), kernel_shape=w.shape)(g, g_inner),
        )

    def params(self, node: Node) -> dict[str, Any]:
        g, w = node.input_specs
        return self._params(node.output_specs[0], w, g)

    def candidates(self) -> Sequence[Candidate]:
        return (
            Candidate("conv2d_depthwise_grad_input", self.params, _declines_depthwise),
            *_winograd_candidates("conv2d_winograd"),
            Candidate("conv2d_direct_grad_input", self.params, _declines_direct),
            Candidate("conv2d_grad_input", self.params),
        )


@dataclass(frozen=True)
class Conv2dGradKernel(Convolution):
    """Gradient of :class:`Conv2d` with respect to ``w``: ``sum over n, i, j of x[n, i*sh + r*dh - top, ...] g[n, i, j, o]``.

    Inputs ``x, g``.
    """  # noqa: E501

    kernel_shape: tuple[int, ...] = ()

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) == 2, "an input and a gradient", *specs)
        x, g = specs
        shape = self._output_shape(x.shape, self.kernel_shape)
        self.require(g.shape == shape, f"a gradient of shape {shape} for kernel_shape={self.kernel_shape}", *specs)
        return x.with_shape(self.kernel_shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x, g_inner = inputs
        return (
            Conv2dGradInput(**self._geometry(), input_shape=x.shape)(g_inner, g),
            Conv2d(**self._geometry())(x, g),
        )

    def params(self, node: Node) -> dict[str, Any]:
        x, g = node.input_specs
        return self._params(x, node.output_specs[0], g)

    def candidates(self) -> Sequence[Candidate]:
        return (
            Candidate("conv2d_depthwise_grad_kernel", self.params, _declines_depthwise),
            Candidate("conv2d_grad_kernel_narrow", self.params, _declines_narrow),
            Candidate("gemm", _gemm_params, _declines_gemm),
            *_winograd_candidates("conv2d_winograd_grad_kernel"),
            Candidate("conv2d_direct_grad_kernel", self.params, _declines_direct),
            Candidate("conv2d_grad_kernel", self.params),
        )


# ---- functions ------------------------------------------------------------------------------------------------


def conv(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Value:
    """Convolution (cross-correlation) over one, two or three dimensions, as ``keras.ops.conv``.

    Args:
        inputs: (n, steps, channels), (n, h, w, channels) or (n, d, h, w, channels).
        kernel: (*window, channels / groups, filters); the number of groups follows from the channels.
        strides: step of the window, one number or one for each dimension.
        padding: "valid" (windows stay inside), "same" (zeros around, ``ceil(size / stride)`` results) or, for
            sequences, "causal" (zeros before: no result depends on later steps).
        data_format: "channels_last" or "channels_first": (n, channels, ...), results too.
        dilation_rate: distance between the kernel's taps, one number or one for each dimension.

    Returns:
        (n, *positions, filters).

    Raises:
        ShapeError: the kernel does not fit the inputs.
        ArgumentError: an argument has a value that it cannot take.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.conv(np.ones((2, 10, 3), "float32"), np.ones((4, 3, 8), "float32"), padding="causal").shape
        (2, 10, 8)
    """
    x, w = as_value(inputs), as_value(kernel)
    if is_channels_first("conv", data_format):
        return channels_to_front(conv(channels_to_end(x), w, strides, padding, "channels_last", dilation_rate))
    rank = spatial_rank("conv", x)
    if w.ndim != x.ndim:
        raise ShapeError(
            f"conv: expected inputs (n, {AXES[rank]}, channels) and a kernel of as many axes, (*window, channels / "
            f"groups, filters), received inputs {x.spec} and kernel {w.spec}"
        )
    channels, per_group, filters = x.shape[-1], w.shape[-2], w.shape[-1]
    if per_group < 1 or channels % per_group or filters % max(1, channels // per_group):
        raise ShapeError(
            f"conv: {channels} input channels must be a multiple (the number of groups) of kernel.shape[{rank}] = "
            f"{per_group}, and {filters} filters a multiple of the groups; "
            f"received inputs {x.spec} and kernel {w.spec}"
        )
    step = per_axis("conv", "strides", strides, rank)
    dilation = per_axis("conv", "dilation_rate", dilation_rate, rank)
    if max(step) > 1 and max(dilation) > 1:
        raise ArgumentError(
            f"conv: strides={strides} together with dilation_rate={dilation_rate}; "
            "as in Keras only one of them may be above 1"
        )
    pads = resolve_padding("conv", padding, x.shape[1:-1], w.shape[:-2], step, dilation, causal=rank == 1)
    step = strides_inside(step, x.shape[1:-1], pads)
    groups = channels // per_group
    if rank == 1:
        row = Conv2d((1, step[0]), ((0, 0), pads[0]), (1, dilation[0]), groups)
        return without_row(row(one_row(x), reshape(w, (1, *w.shape))))
    if rank == 3:
        return conv_volume(x, w, step, pads, dilation, groups)
    return Conv2d(*_pairs(step, pads, dilation), groups)(x, w)


def _pairs(step: Sequence[int], pads: Pads, dilation: Sequence[int]) -> tuple[Pair, Padding, Pair]:
    """Strides, padding and dilation of the last two axes."""
    return (step[-2], step[-1]), (pads[-2], pads[-1]), (dilation[-2], dilation[-1])


def conv_volume(x: Value, w: Value, step: Sequence[int], pads: Pads, dilation: Sequence[int], groups: int = 1) -> Value:
    """Convolution of volumes by one of images: the frames that a window sees become channels of one image.

    That costs a copy of the input for each of the window's frames and gains one product for all of them.
    """
    taps, per_group = w.shape[0], w.shape[3]
    (n, d, h, width, _), (before, after) = x.shape, pads[0]
    positions = window_positions(d, taps, step[0], dilation[0], pads[0])
    if positions < 1:
        raise ShapeError(f"conv: a kernel {w.spec} that is deeper than the input {x.spec} padded by {pads[0]}")
    if before or after:
        x = Pad((0, before, 0, 0, 0), (0, after, 0, 0, 0))(x)
    seen = []
    for tap in range(taps):
        first = tap * dilation[0]
        frame = get_item(x, (Slice(None), Slice(first, first + (positions - 1) * step[0] + 1, step[0])))
        seen.append(reshape(frame, (n * positions, h, width, groups, 1, per_group)))
    # Each group has the channels of all its frames side by side.
    stacked = reshape(concatenate(seen, 4), (n * positions, h, width, groups * taps * per_group))
    y = Conv2d(*_pairs(step, pads, dilation), groups)(stacked, depth_as_channels(w))
    return reshape(y, (n, positions, *y.shape[1:]))


def depth_as_channels(w: Value) -> Value:
    """A kernel ``(kd, kh, kw, a, b)`` as ``(kh, kw, kd * a, b)``."""
    kd, kh, kw, a, b = w.shape
    return reshape(transpose(w, (1, 2, 0, 3, 4)), (kh, kw, kd * a, b))
