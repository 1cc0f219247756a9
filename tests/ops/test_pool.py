"""Max-pooling and NaN: a window with a NaN gives NaN, as ``np.max`` does."""

import numpy as np
import pytest

from pynn import _core
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops.pool import MaxPool2d


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("channels", [3, 16, 20])
@pytest.mark.parametrize("op", [MaxPool2d((2, 2), (2, 2)), MaxPool2d((3, 3), (2, 2), ((1, 1), (1, 1)))], ids=str)
def test_a_nan_anywhere_in_a_window_is_its_maximum(op, channels, isa):
    shape = (1, 6, 6, channels)
    with Trace() as trace:
        graph = trace.finish([op(trace.input("x", Spec(shape)))])
    program = NativeProgram(graph, isa=isa)
    for row, column in np.ndindex(4, 4):
        x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        x[0, row, column, 1::2] = np.nan
        want = ReferenceProgram(graph)([x])[0]
        assert np.isnan(want).any()
        np.testing.assert_array_equal(program([x])[0], want)
