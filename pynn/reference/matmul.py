"""What the matrix product means."""

import numpy as np

from pynn.reference.epilogue import finish


def matmul(a, b, *added, transpose_a, transpose_b, activation, packed_n):
    """``added``: a bias, a residual, both or none."""
    if packed_n:
        b = b.transpose(1, 0, 2).reshape(b.shape[1], -1)[:, :packed_n]
    y = (a.T if transpose_a else a) @ (b.T if transpose_b else b)
    return finish(y, sum(added[1:], added[0]) if added else None, activation)


def pack_matmul_kernel(b):
    """Panels of 32 columns, the last filled up with zeros."""
    k, n = b.shape
    panels = -(-n // 32)
    return np.pad(b, ((0, 0), (0, 32 * panels - n))).reshape(k, panels, 32).transpose(1, 0, 2)
