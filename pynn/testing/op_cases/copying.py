"""Cases of copying: dtypes and sizes around the task size."""

from pynn.graph.ir import Spec
from pynn.ops.copying import Copy
from pynn.testing.op_case import OpCase

CASES = [
    OpCase(Copy(), [Spec(shape, dtype)], rtol=0, atol=0)
    for shape, dtype in [
        ((), "float32"),
        ((3, 5), "float32"),
        ((2, 70000), "float32"),
        ((7,), "int32"),
        ((2,), "int64"),
    ]
]
