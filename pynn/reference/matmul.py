"""What the matrix product means."""

from pynn.reference.epilogue import finish


def matmul(a, b, bias=None, *, transpose_a, transpose_b, activation):
    return finish((a.T if transpose_a else a) @ (b.T if transpose_b else b), bias, activation)
