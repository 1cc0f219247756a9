"""Zeros around an image become the convolution's own padding, forward and in both gradients."""

import numpy as np
import pytest

from pynn import ops
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

RNG = np.random.default_rng(2)
BORDER = ((0, 0), (1, 2), (3, 0), (0, 0))


def ops_after(function, *shapes):
    """The ops that remain, of ``function`` and of its gradients; results must stay what they are on NumPy."""
    with Trace() as trace:
        inputs = [trace.input(f"x{i}", Spec(s)) for i, s in enumerate(shapes)]
        y = function(*inputs)
        graph = trace.finish([y, *gradients(ops.sum(y * y), inputs)])
    arrays = [RNG.standard_normal(s).astype("float32") for s in shapes]
    program = NativeProgram(graph)
    for got, want in zip(program(arrays), ReferenceProgram(graph)(arrays), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    return [node.op.name for node in program.graph.nodes]


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_convolution_takes_it(strides, padding):
    found = ops_after(
        lambda x, w: ops.conv(ops.pad(x, BORDER), w, strides=strides, padding=padding), (2, 7, 6, 3), (3, 3, 3, 5)
    )
    assert "pad" not in found
    assert {"conv2d", "conv2d_grad_input", "conv2d_grad_kernel"} <= set(found)


def test_a_depthwise_convolution_takes_it():
    assert "pad" not in ops_after(
        lambda x, w: ops.depthwise_conv(ops.pad(x, BORDER), w, strides=2), (2, 7, 6, 16), (3, 3, 16, 1)
    )


@pytest.mark.parametrize("border", [((0, 0), (0, 0), (0, 0), (1, 0)), ((1, 0), (0, 0), (0, 0), (0, 0))])
def test_other_axes_stay_padded(border):
    channels = 3 + border[3][0]
    assert "pad" in ops_after(lambda x, w: ops.conv(ops.pad(x, border), w), (2, 5, 5, 3), (3, 3, channels, 4))


def test_a_cut_before_a_convolution_stays():
    assert "pad" in ops_after(
        lambda x, w: ops.conv(ops.slice(x, (0, 1, 1, 0), (2, 4, 4, 3)), w), (2, 6, 6, 3), (3, 3, 3, 4)
    )


def test_a_border_that_others_read_stays_for_them():
    def function(x, w):
        padded = ops.pad(x, BORDER)
        return ops.sum(ops.conv(padded, w)) + ops.sum(ops.exp(padded))

    assert "pad" in ops_after(function, (1, 5, 5, 2), (3, 3, 2, 4))
