"""Gradients of ops on symmetric matrices, which cases cannot check: finite differences move single numbers."""

import numpy as np
import pytest

from pynn import ops
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace, current

_RNG = np.random.default_rng(0)
_A = _RNG.standard_normal((2, 3, 3)) + np.diag([1.0, 4.0, 8.0])  # eigenvalues well apart
_WEIGHTS, _SQUARES, _MATRIX = (_RNG.standard_normal(s) for s in ((2, 3), (2, 3, 3), (2, 3, 3)))


def _of_eigenvalues(x):
    return ops.sum(ops.eigh(x)[0] * _constant(_WEIGHTS))


def _of_eigenvectors(x):
    """Of their squares, and of projections on them: their signs are nobody's choice."""
    values, vectors = ops.eigh(x)
    projections = ops.matmul(vectors * ops.expand_dims(ops.sin(values), -2), ops.swapaxes(vectors, -1, -2))
    return ops.sum(vectors * vectors * _constant(_SQUARES)) + ops.sum(projections * _constant(_MATRIX))


def _of_cholesky(x):
    return ops.sum(ops.cholesky(ops.matmul(x, x)) * _constant(_MATRIX))


def _constant(array):
    return current().constant(array, "float64")


@pytest.mark.parametrize("objective", [_of_eigenvalues, _of_eigenvectors, _of_cholesky])
def test_gradient_against_finite_differences(objective):
    with Trace() as trace:
        a = trace.input("a", Spec(_A.shape, "float64"))
        loss = objective((a + ops.swapaxes(a, -1, -2)) * 0.5)
        graph = trace.finish([loss, *gradients(loss, [a])])
    run = ReferenceProgram(graph)
    _, found = run([_A])
    for _ in range(3):
        way = _RNG.standard_normal(_A.shape)
        ahead, behind = (float(run([_A + step * way])[0]) for step in (1e-6, -1e-6))
        np.testing.assert_allclose((found * way).sum(), (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-7)
