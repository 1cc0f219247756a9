"""depthwise_conv: Keras' arguments and layout, its kernels, and errors that say what to do."""

import warnings

import numpy as np
import pytest

from pynn import ops
from pynn.errors import ShapeError
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Spec
from pynn.graph.passes.choose_kernels import choose
from pynn.graph.trace import Trace
from pynn.ops.conv import Conv2d


def graph_of(x, w, **arguments):
    with Trace() as trace:
        images, kernel = trace.input("x", Spec(x)), trace.input("w", Spec(w))
        return trace.finish([ops.depthwise_conv(images, kernel, **arguments)])


@pytest.mark.parametrize(
    "arguments",
    [{}, {"strides": 2, "padding": "same"}, {"padding": "same", "dilation_rate": 2}, {"strides": (2, 2)}],
    ids=str,
)
@pytest.mark.parametrize("multiplier", [1, 3])
def test_same_as_keras(keras, arguments, multiplier):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras's own imports warn about is not ours to judge
        rng = np.random.default_rng(0)
        x = rng.standard_normal((2, 9, 8, 5), dtype=np.float32)
        w = rng.standard_normal((3, 3, 5, multiplier), dtype=np.float32)
        want = np.asarray(keras.ops.depthwise_conv(x, w, data_format="channels_last", **arguments))
    graph = graph_of(x.shape, w.shape, **arguments)
    np.testing.assert_allclose(NativeProgram(graph)([x, w])[0], want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ReferenceProgram(graph)([x, w])[0], want, rtol=1e-5, atol=1e-5)


def kernel_for(**op):
    with Trace() as trace:
        y = Conv2d(**op)(trace.input("x", Spec((1, 9, 9, 4))), trace.input("w", Spec((3, 3, 4 // op["groups"], 8))))
    return choose(y.node)


def test_who_takes_what():
    with Trace() as trace:
        y = ops.depthwise_conv(trace.input("x", Spec((1, 9, 9, 4))), trace.input("w", Spec((3, 3, 4, 1))))
    assert choose(y.node).kernel == "conv2d_depthwise"
    several = kernel_for(groups=4)
    assert several.kernel == "conv2d"
    assert ("conv2d_depthwise", "4 channels, 8 filters, 4 groups: all must be equal and above 1") in several.declined


def test_nothing_outside_the_window_reaches_a_result():
    """Borders are left out, not multiplied by zero: 0 * inf would be NaN."""
    x = np.zeros((1, 5, 9, 16), np.float32)
    x[0, 4, 8] = np.inf
    w = np.ones((3, 3, 16, 1), np.float32)
    y = NativeProgram(graph_of(x.shape, w.shape, padding="same"))([x, w])[0]
    assert np.isinf(y[0, 3:, 7:]).all()
    y[0, 3:, 7:] = 0
    np.testing.assert_array_equal(y, 0)


def test_errors_say_what_is_wrong():
    with pytest.raises(ShapeError, match=r"depthwise_conv: expected inputs \(n, h, w, channels\) and a kernel"):
        graph_of((1, 5, 5, 3), (3, 3, 4, 1))
    with pytest.raises(ShapeError, match="with as many channels"):
        graph_of((1, 5, 3), (3, 4, 1))
