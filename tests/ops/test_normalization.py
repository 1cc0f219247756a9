"""Batch normalization: axes, defaults, and the gradients that do not exist."""

import numpy as np
import pytest

from pynn import ops
from pynn.errors import ArgumentError, GraphError, ShapeError
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("axis", [-1, 1, 0])
def test_batch_normalization_along_any_axis(axis):
    x = RNG.standard_normal((3, 4, 5))
    channels = x.shape[axis]
    mean, variance, offset = RNG.standard_normal((3, channels))
    variance = variance**2
    with Trace() as trace:
        v = trace.input("x", Spec(x.shape, "float64"))
        m, s, o = (trace.constant(a, "float64") for a in (mean, variance, offset))
        graph = trace.finish([ops.batch_normalization(v, m, s, axis, offset=o)])
    shape = [1] * 3
    shape[axis] = channels
    want = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + 1e-3) + offset.reshape(shape)
    np.testing.assert_allclose(ReferenceProgram(graph)([x])[0], want)


def test_statistics_may_not_be_differentiated():
    with Trace() as trace:
        x, gamma, beta = trace.input("x", Spec((4, 3))), trace.input("gamma", Spec((3,))), trace.input("b", Spec((3,)))
        _, mean, _ = ops.batch_norm_train(x, gamma, beta)
        with pytest.raises(GraphError, match="batch_norm: a gradient arrived at the batch's mean or variance"):
            gradients(mean, [x], trace.constant(np.ones(3)))


@pytest.mark.parametrize("rows", [200, 20_011])
def test_native_statistics_survive_a_large_mean(rows):
    """Against float64; sums of squares without a shift would leave no digit of the variance."""
    x = (3000 + RNG.standard_normal((rows, 7))).astype(np.float32)
    with Trace() as trace:
        inputs = [trace.input(name, Spec(s)) for name, s in [("x", x.shape), ("gamma", (7,)), ("beta", (7,))]]
        graph = trace.finish(ops.batch_norm_train(*inputs))
    _, mean, variance = NativeProgram(graph)([x, np.ones(7, np.float32), np.zeros(7, np.float32)])
    np.testing.assert_allclose(mean, x.mean(axis=0, dtype=np.float64), rtol=1e-7)
    np.testing.assert_allclose(variance, x.var(axis=0, dtype=np.float64), rtol=2e-5)


def test_errors():
    with Trace() as trace:
        x, short = trace.input("x", Spec((4, 3))), trace.input("v", Spec((2,)))
        with pytest.raises(ShapeError, match=r"mean must have shape \(3,\) for axis -1 .* received float32\[2\]"):
            ops.batch_normalization(x, short, short, -1)
        with pytest.raises(ArgumentError, match="axis must be an int"):
            ops.batch_normalization(x, short, short, 2)
        with pytest.raises(ArgumentError, match="epsilon must be a number >= 0"):
            ops.batch_norm_train(x, short, short, epsilon=-1)
