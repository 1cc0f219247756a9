"""A convolution whose result is max-pooled at once, and its gradients.

The gradient that arrives there is zero but for the largest result of each pooling window.  `PooledConv2dGradKernel` and
`PooledConv2dGradInput` take the pooled gradient instead of the spread-out one: a quarter of the work for a pool of
2 x 2, and nothing is spread out.  `PooledConv2d`, of images with one channel, does not even write down what is pooled,
only which of four numbers was the largest.

They are not recorded by layers; the pass ``fuse_pooling`` puts them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pynn.graph.ir import Candidate, Node, Op, Spec
from pynn.ops.conv import Padding, Pair
from pynn.ops.matmul import EPILOGUE_ACTIVATIONS
from pynn.ops.pool import MaxPool2d

#: Most floats in a row of a kernel, ``kw * channels``: `kRowFloats` in pooled_conv2d.h.
_MOST_ROW_FLOATS = 32


@dataclass(frozen=True)
class PooledConvolution(Op, abstract=True):
    """Base: a convolution with stride 1 and the pooling of its result."""

    padding: Padding
    pool: Pair
    pool_strides: Pair
    pool_padding: Padding

    def _check(self, x: tuple[int, ...], w: tuple[int, ...], g: Spec, y: Spec, pooled: Spec) -> None:
        rows, columns = (x[1 + d] + sum(self.padding[d]) - w[d] + 1 for d in (0, 1))
        self.require(y.shape == (x[0], rows, columns, w[3]), f"a convolution's result for {x} and {w}", y)
        expected = MaxPool2d(self.pool, self.pool_strides, self.pool_padding).infer(y)
        self.require(g == pooled == expected, f"a gradient and a pooled result {expected}", g, pooled)

    def _params(self, x: Spec, w: Spec, y: Spec, pooled: Spec) -> dict[str, Any]:
        n, h, width, c = x.shape
        return {
            "n": n, "h": h, "w": width, "c": c,
            "kh": w.shape[0], "kw": w.shape[1], "oh": y.shape[1], "ow": y.shape[2], "filters": w.shape[3],
            "top": self.padding[0][0], "left": self.padding[1][0],
            "poh": pooled.shape[1], "pow": pooled.shape[2], "pool_h": self.pool[0], "pool_w": self.pool[1],
            "pool_stride_h": self.pool_strides[0], "pool_stride_w": self.pool_strides[1],
            "pool_top": self.pool_padding[0][0], "pool_left": self.pool_padding[1][0],
            "bias": 0, "activation": 0,
        }  # fmt: skip

    def flops(self, node: Node) -> int:
        """A product and a sum per tap of each pooled result: what is known to be zero does not count."""
        s = self.params(node)
        return 2 * s["n"] * s["poh"] * s["pow"] * s["filters"] * s["kh"] * s["kw"] * s["c"]


@dataclass(frozen=True)
class PooledConv2dGradKernel(PooledConvolution):
    """``Conv2dGradKernel(x, MaxPool2dGrad(g, y, pooled))``.  Inputs ``x, g, y, pooled``."""

    kernel_shape: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        x, g, y, pooled = specs
        self._check(x.shape, self.kernel_shape, g, y, pooled)
        return x.with_shape(self.kernel_shape)

    def params(self, node: Node) -> dict[str, Any]:
        x, _, y, pooled = node.input_specs
        return self._params(x, node.output_specs[0], y, pooled)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("pooled_conv2d_grad_kernel", self.params, _declines),)


@dataclass(frozen=True)
class PooledConv2dGradInput(PooledConvolution):
    """``Conv2dGradInput(MaxPool2dGrad(g, y, pooled), w)``.  Inputs ``g, y, pooled, w``."""

    input_shape: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        g, y, pooled, w = specs
        self._check(self.input_shape, w.shape, g, y, pooled)
        return g.with_shape(self.input_shape)

    def params(self, node: Node) -> dict[str, Any]:
        _, y, pooled, w = node.input_specs
        return self._params(node.output_specs[0], w, y, pooled)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("pooled_conv2d_grad_input", self.params, _declines),)


@dataclass(frozen=True)
class PooledConv2d(PooledConvolution):
    """``MaxPool2d(activation(Conv2d(x, w) + b))`` by windows of 2 x 2, and the *winners*: which of the four results of
    a window was the largest (0 to 3 by rows, the first of equal ones; -1 for none, a NaN).

    Inputs ``x, w`` and maybe ``b``.  Winners are floats ``[n, pooled rows, filters, pooled columns]``, the last axis
    filled up with -1 to whole vectors.
    """

    padding: Padding = ((0, 0), (0, 0))
    pool: Pair = (2, 2)
    pool_strides: Pair = (2, 2)
    pool_padding: Padding = ((0, 0), (0, 0))
    activation: str = "linear"

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        self.require_float(*specs)
        self.require(2 <= len(specs) <= 3, "an image, a kernel and maybe a bias", *specs)
        x, w = specs[:2]
        self.require(len(x.shape) == 4 and x.shape[3] == w.shape[2] == 1, "images and a kernel of one channel", *specs)
        self.require(self.activation in ("linear", "relu"), f"linear or relu, not {self.activation!r}", *specs)
        self.require((self.pool, self.pool_strides, self.pool_padding) == _BY_TWOS, "windows of 2 x 2", *specs)
        self.require(len(specs) < 3 or specs[2].shape == w.shape[3:], f"a bias of shape {w.shape[3:]}", *specs)
        y = self._results(x, w)
        pooled = MaxPool2d(*_BY_TWOS).infer(y)
        return pooled, x.with_shape(winners_shape(pooled.shape))

    def _results(self, x: Spec, w: Spec) -> Spec:
        rows, columns = (x.shape[1 + d] + sum(self.padding[d]) - w.shape[d] + 1 for d in (0, 1))
        return x.with_shape((x.shape[0], rows, columns, w.shape[3]))

    def params(self, node: Node) -> dict[str, Any]:
        x, w = node.input_specs[:2]
        more = {"bias": len(node.inputs) == 3, "activation": EPILOGUE_ACTIVATIONS[self.activation]}
        return {**self._params(x, w, self._results(x, w), node.output_specs[0]), **more}

    def flops(self, node: Node) -> int:
        """All of the convolution: each result is needed to know the largest."""
        s = self.params(node)
        return 2 * s["n"] * s["oh"] * s["ow"] * s["filters"] * s["kh"] * s["kw"]

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("pooled_conv2d_narrow", self.params),)


@dataclass(frozen=True)
class PooledConv2dGradKernelOfWinners(PooledConvolution):
    """Gradient of :class:`PooledConv2d` with respect to its kernel.  Inputs ``x, g, winners``; ``g`` has the gradient
    of the activation in it already."""

    padding: Padding = ((0, 0), (0, 0))
    pool: Pair = (2, 2)
    pool_strides: Pair = (2, 2)
    pool_padding: Padding = ((0, 0), (0, 0))
    kernel_shape: tuple[int, ...] = field(kw_only=True)

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        x, g, winners = specs
        pooled, expected = self._forward().infer(x, x.with_shape(self.kernel_shape))
        self.require(g == pooled and winners == expected, f"a gradient {pooled} and winners {expected}", *specs)
        return x.with_shape(self.kernel_shape)

    def _forward(self) -> PooledConv2d:
        return PooledConv2d(self.padding, self.pool, self.pool_strides, self.pool_padding)

    def params(self, node: Node) -> dict[str, Any]:
        x, g, _ = node.input_specs
        w = node.output_specs[0]
        return self._params(x, w, self._forward()._results(x, w), g)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("pooled_conv2d_grad_kernel_narrow", self.params),)


#: Pool, strides and padding of a pooling that `PooledConv2d` takes in.
_BY_TWOS: tuple[Pair, Pair, Padding] = ((2, 2), (2, 2), ((0, 0), (0, 0)))

#: Of more filters a vector is filled without pixels.
_MOST_NARROW_FILTERS = 8


def winners_shape(pooled: Sequence[int]) -> tuple[int, int, int, int]:
    """The shape of the winners of a pooled result ``[n, rows, columns, filters]``."""
    n, rows, columns, filters = pooled
    return n, rows, filters, -(-columns // 16) * 16


def pools_in_registers(kernel_shape: Sequence[int], pooling: MaxPool2d) -> bool:
    """Whether `PooledConv2d` can do a convolution and its pooling, and is faster: one channel, few filters.

    LeNet's first layer at batch 128, on one thread: 0.41 ms instead of 1.0 ms, forward and backward.
    """
    by_twos = (pooling.pool, pooling.strides, pooling.padding) == _BY_TWOS
    return by_twos and kernel_shape[2] == 1 and kernel_shape[3] <= _MOST_NARROW_FILTERS


def profits(kernel_shape: Sequence[int]) -> bool:
    """Whether taking the winners one by one is faster than a product: where a row of the kernel is short.

    Measured for LeNet's second layer at batch 128, on one thread: 0.57 ms for both gradients, against 0.95 ms.  Rows of
    one channel fill too little of a vector (0.63 against 0.50 ms for LeNet's first layer).
    """
    return kernel_shape[2] > 1 and kernel_shape[1] * kernel_shape[2] <= _MOST_ROW_FLOATS


def _declines(node: Node) -> str | None:
    assert isinstance(node.op, PooledConvolution)
    params = node.op.params(node)
    if params["kw"] * params["c"] > _MOST_ROW_FLOATS:
        return f"rows of {params['kw']} x {params['c']} floats, above {_MOST_ROW_FLOATS}"
    return None
