"""What making complex numbers and taking them apart means."""

import numpy as np


def make_complex(a, b):
    return (a + 1j * b).astype(np.complex64)


def real_part(x):
    return x.real


def imaginary_part(x):
    return x.imag
