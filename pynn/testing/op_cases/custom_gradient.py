"""A function with a gradient of its own: the op itself only hands its first input on."""

from pynn.graph.ir import Spec
from pynn.ops.custom_gradient import CustomGradient
from pynn.testing.op_case import OpCase


def _rule(index, g):
    return [g]


CASES = [OpCase(CustomGradient(_rule), [Spec((3, 5)), Spec((3, 5))], grad=(), expect=[(3, 5)])]
