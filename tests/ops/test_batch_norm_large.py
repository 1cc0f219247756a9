"""Batch normalization of arrays too large for the cache, whose results are stored past it."""

import numpy as np
import pytest

from pynn import _core
from pynn.executor.native import NativeProgram
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.ops.normalization import BatchNorm, BatchNormGrad
from pynn.reference.normalization import batch_norm, batch_norm_grad

SHAPE = (66000, 64)  # 17 MB


@pytest.mark.parametrize("isa", _core.available_isas())
def test_large_arrays(isa):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(SHAPE).astype("float32") for _ in range(2))
    gamma, beta = (rng.uniform(0.5, 1.5, SHAPE[1]).astype("float32") for _ in range(2))
    # Variables, unlike arrays of NumPy, lie where vectors may be streamed to.
    operands = [Variable(a) for a in (x, gamma, beta, g)]
    y, dx = (Variable(np.zeros(SHAPE, "float32")) for _ in range(2))
    with Trace() as trace:
        tx, tgamma, tbeta, tg = (trace.read(v) for v in operands)
        result, mean, variance = BatchNorm(1e-3, "relu")(tx, tgamma, tbeta)
        y.assign(result)
        dx.assign(BatchNormGrad(1e-3, "relu")(tg, tx, tgamma, mean, variance, tbeta)[0])
        graph = trace.finish([])
    NativeProgram(graph, isa=isa, threads=2)([])
    want, mean, variance = batch_norm(*(a.astype("float64") for a in (x, gamma, beta)), epsilon=1e-3, activation="relu")
    np.testing.assert_allclose(y.numpy(), want, rtol=1e-5, atol=1e-5)
    want = batch_norm_grad(g.astype("float64"), x, gamma, mean, variance, beta, epsilon=1e-3, activation="relu")[0]
    # Where x lies on the edge of the ReLU, float32 may see it on the other side.
    assert np.mean(~np.isclose(dx.numpy(), want, rtol=1e-4, atol=1e-4)) < 1e-5
