"""What linear algebra means: LAPACK's results, NaN where it gives up."""

import numpy as np


def _or_nan(function, *shapes_of):
    """The function's results, or NaN in the shapes that ``shapes_of`` gives where a matrix is singular."""
    try:
        return function()
    except np.linalg.LinAlgError:
        results = tuple(np.full(shape, np.nan) for shape in shapes_of)
        return results if len(results) > 1 else results[0]


def cholesky(x):
    return _or_nan(lambda: np.linalg.cholesky(x), x.shape)


def inv(x):
    return _or_nan(lambda: np.linalg.inv(x), x.shape)


def det(x):
    return np.linalg.det(x)


def slogdet(x):
    sign, size = np.linalg.slogdet(x)
    return sign, size


def solve(a, b):
    return _or_nan(lambda: np.linalg.solve(a, b), b.shape)


def solve_triangular(a, b, *, lower, transpose):
    a = np.tril(a) if lower else np.triu(a)
    return solve(np.swapaxes(a, -1, -2) if transpose else a, b)


def qr(x, *, complete):
    q, r = np.linalg.qr(x, "complete" if complete else "reduced")
    return q, r


def eigh(x):
    w, v = _or_nan(lambda: tuple(np.linalg.eigh(x)), x.shape[:-1], x.shape)
    return w, v


def svd(x, *, full):
    *stack, m, n = x.shape
    k = min(m, n)
    left, right = ((m, m), (n, n)) if full else ((m, k), (k, n))
    shapes = (*stack, *left), (*stack, k), (*stack, *right)
    if not np.isfinite(x).all():  # LAPACK may look for singular values of NaN forever
        return tuple(np.full(shape, np.nan) for shape in shapes)
    return _or_nan(lambda: tuple(np.linalg.svd(x, full_matrices=full)), *shapes)
