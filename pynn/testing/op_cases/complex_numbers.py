"""Cases of complex numbers."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.complex_numbers import ImaginaryPart, MakeComplex, RealPart
from pynn.testing.op_case import OpCase


def _complex(rng, spec):
    return np.asarray(rng.standard_normal(spec.shape) + 1j * rng.standard_normal(spec.shape), "complex64")


CASES = [
    OpCase(MakeComplex(), [Spec((5, 7)), Spec((5, 7))], grad=(), expect=[(5, 7)]),
    *(OpCase(op, [Spec((5, 7), "complex64")], draw={0: _complex}, grad=()) for op in (RealPart(), ImaginaryPart())),
]
