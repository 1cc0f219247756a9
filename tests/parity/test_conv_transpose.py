"""ops.conv_transpose against keras.ops.conv_transpose: sizes and numbers."""

import numpy as np
import pytest

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.executor.native import NativeProgram
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def run(x, w, **arguments):
    with Trace() as trace:
        values = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate((x, w))]
        graph = trace.finish([ops.conv_transpose(*values, **arguments)])
    return NativeProgram(graph)([x, w])[0]


SIZES = [(k, stride, dilation) for k in (1, 2, 3, 5) for stride in (1, 2, 3) for dilation in (1, 2)]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("output_padding", [None, 0, 1])
def test_numbers_and_sizes_are_those_of_keras(keras, padding, output_padding):
    rng = np.random.default_rng(0)
    compared = 0
    for kernel, stride, dilation in SIZES:
        if output_padding is not None and output_padding >= stride:
            continue  # an error of its own, below
        x = rng.standard_normal((2, 4, 5, 3)).astype("float32")
        w = rng.standard_normal((kernel, kernel, 4, 3)).astype("float32")
        arguments = {"strides": stride, "padding": padding, "output_padding": output_padding, "dilation_rate": dilation}
        expected = np.asarray(keras.ops.conv_transpose(x, w, **arguments))
        np.testing.assert_allclose(run(x, w, **arguments), expected, rtol=1e-5, atol=1e-5, err_msg=str(arguments))
        compared += 1
    assert compared >= 8


def test_strides_and_output_padding_may_differ_between_dimensions(keras):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((1, 3, 4, 2)).astype("float32"), rng.standard_normal((3, 4, 5, 2)).astype("float32")
    arguments = {"strides": (2, 3), "padding": "same", "output_padding": (1, 2)}
    expected = np.asarray(keras.ops.conv_transpose(x, w, **arguments))
    np.testing.assert_allclose(run(x, w, **arguments), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("x", "w", "arguments", "error", "message"),
    [
        ((2, 3), (4, 3), {}, ShapeError, r"expected inputs \(n, steps, channels\)"),
        ((2, 5, 5, 3), (3, 3, 4, 2), {}, ShapeError, r"with the 3 channels of the inputs"),
        ((2, 5, 5, 3), (3, 3, 4, 3), {"padding": "full"}, ArgumentError, "'valid' or 'same', received 'full'"),
        ((2, 5, 5, 3), (3, 3, 4, 3), {"output_padding": -1}, ArgumentError, "integer of at least 0"),
        ((2, 5, 5, 3), (3, 3, 4, 3), {"output_padding": 2}, ArgumentError, "must be below the stride"),
        ((2, 5, 5, 3), (3, 3, 4, 3), {"data_format": "NCHW"}, ArgumentError, "data_format must be"),
        ((2, 1, 1, 3), (2, 2, 4, 3), {"padding": "same", "output_padding": 0}, ShapeError, "nothing is left"),
    ],
)
def test_errors_say_what_is_wrong(x, w, arguments, error, message):
    with pytest.raises(error, match=message):
        run(np.zeros(x, "float32"), np.zeros(w, "float32"), **arguments)
