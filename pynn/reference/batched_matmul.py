"""What products of stacks of matrices mean."""

import numpy as np


def batched_matmul(a, b, *, transpose_a, transpose_b):
    a = np.swapaxes(a, 1, 2) if transpose_a else a
    b = np.swapaxes(b, 1, 2) if transpose_b else b
    return a @ b
