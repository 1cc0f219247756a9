"""Results too large for the caches take other stores (and fetch ahead): they must be the same numbers."""

import numpy as np
import pytest

from pynn import _core
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel
from pynn.ops.elementwise import Add
from pynn.ops.pool import AveragePool2dGrad, MaxPool2d, MaxPool2dGrad

SAME = ((1, 1), (1, 1))
LARGE = (2, 151, 150, 96)  # 17 MB
HALF = (2, 76, 75, 96)
NARROW = (2, 151, 150, 16)
DEPTHWISE = {"padding": SAME, "groups": 96}
TILES = {"pool": (2, 2), "strides": (2, 2), "padding": ((1, 0), (0, 0))}
OVERLAP = {"pool": (3, 3), "strides": (2, 2), "padding": SAME}

CASES = [
    (Conv2d(**DEPTHWISE, activation="relu6"), [LARGE, (3, 3, 1, 96), (96,)]),
    (Conv2dGradInput(**DEPTHWISE, input_shape=LARGE), [LARGE, (3, 3, 1, 96)]),
    (Conv2dGradInput(**DEPTHWISE, strides=(2, 2), input_shape=LARGE), [HALF, (3, 3, 1, 96)]),
    (Conv2dGradKernel(**DEPTHWISE, kernel_shape=(3, 3, 1, 96)), [LARGE, LARGE]),
    (Conv2d(padding=SAME), [NARROW, (3, 3, 16, 96)]),
    (Conv2d(padding=SAME, activation="relu"), [NARROW, (3, 3, 16, 96), (96,)]),
    (Conv2d(padding=SAME, activation="tanh"), [NARROW, (3, 3, 16, 96), LARGE]),
    (Conv2dGradInput(padding=SAME, input_shape=LARGE), [NARROW, (3, 3, 96, 16)]),
    (Conv2d(activation="relu6"), [NARROW, (1, 1, 16, 96), (96,), LARGE]),
    (Conv2d(activation="sigmoid"), [NARROW, (1, 1, 16, 96)]),
    (Conv2dGradInput(input_shape=LARGE), [NARROW, (1, 1, 96, 16)]),
    (Conv2dGradInput(padding=SAME, strides=(2, 2), input_shape=LARGE), [(2, 76, 75, 16), (3, 3, 96, 16)]),
    (MaxPool2d(pool=(3, 3), strides=(1, 1), padding=SAME), [LARGE]),
    (MaxPool2dGrad(**TILES), [HALF, LARGE, HALF]),
    (MaxPool2dGrad(**OVERLAP), [HALF, LARGE, HALF]),
    (AveragePool2dGrad(**OVERLAP, input_shape=LARGE), [HALF]),
]


def _arrays(op, shapes):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
    if isinstance(op, Conv2d):
        arrays[1] *= 0.05  # sigmoid and tanh hide nothing, and enlarge nothing
    if isinstance(op, MaxPool2dGrad):  # the maxima must be those of the image
        with Trace() as trace:
            x = trace.input("x", Spec(shapes[1]))
            graph = trace.finish([MaxPool2d(op.pool, op.strides, op.padding)(x)])
        arrays[2] = ReferenceProgram(graph)([arrays[1]])[0]
    return arrays


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize(("op", "shapes"), CASES, ids=[f"{op.name}-{i}" for i, (op, _) in enumerate(CASES)])
def test_large_results_are_right(op, shapes, isa):
    arrays = _arrays(op, shapes)
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(shape)) for i, shape in enumerate(shapes)]
        y = op(*xs)
        graph = trace.finish([Add()(y, y)])  # so that y lies in the arena, where it is aligned
    one, two = (NativeProgram(graph, isa=isa, threads=threads)(arrays)[0] for threads in (1, 2))
    assert one.tobytes() == two.tobytes()
    want = ReferenceProgram(graph)(arrays)[0]
    winograd = isinstance(op, (Conv2d, Conv2dGradInput)) and op.groups == 1  # rounds more than a sum
    error = 1e-4 if winograd or isinstance(op, Conv2dGradKernel) else 1e-5
    np.testing.assert_allclose(one, want, rtol=error, atol=error * float(np.abs(want).max()))
