"""The functions conv, max_pool and average_pool: Keras' arguments, and errors that say what to do."""

from dataclasses import replace

import numpy as np
import pytest

from pynn import _core, ops
from pynn.errors import ArgumentError, GraphError, ShapeError
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Spec
from pynn.graph.passes.choose_kernels import Choice
from pynn.graph.trace import Trace
from pynn.ops.conv import Conv2d
from pynn.ops.matmul import Matmul


def traced(function, *arrays, **arguments):
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(arrays)]
        graph = trace.finish([function(*xs, **arguments)])
    return ReferenceProgram(graph)(list(arrays))[0]


def direct_conv(x, w, strides, pads, dilation):
    """The definition, one number at a time."""
    (n, h, width, _), (kh, kw, _, filters) = x.shape, w.shape
    oh, ow = (
        (size + sum(pad) - (k - 1) * d - 1) // s + 1
        for size, pad, k, d, s in zip((h, width), pads, (kh, kw), dilation, strides, strict=True)
    )
    y = np.zeros((n, oh, ow, filters))
    for i, j, r, s in np.ndindex(oh, ow, kh, kw):
        row = i * strides[0] + r * dilation[0] - pads[0][0]
        column = j * strides[1] + s * dilation[1] - pads[1][0]
        if 0 <= row < h and 0 <= column < width:
            y[:, i, j] += x[:, row, column] @ w[r, s]
    return y


@pytest.mark.parametrize(
    ("size", "kernel", "strides", "dilation", "padding", "pads"),
    [
        ((6, 7), (3, 3), 1, 1, "valid", ((0, 0), (0, 0))),
        ((6, 7), (3, 2), 1, 1, "same", ((1, 1), (0, 1))),
        # As in Keras the bottom and right get the odd zero, and the stride takes part in the sum.
        ((6, 7), (3, 3), 2, 1, "same", ((0, 1), (1, 1))),
        ((8, 9), (5, 4), (3, 2), 1, "SAME", ((1, 2), (1, 2))),
        ((7, 7), (3, 3), 1, (2, 3), "same", ((2, 2), (3, 3))),
        ((5, 5), (1, 1), 2, 1, "same", ((0, 0), (0, 0))),
    ],
)
def test_conv_means_what_its_arguments_say(size, kernel, strides, dilation, padding, pads):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, *size, 3)), rng.standard_normal((*kernel, 3, 4))
    got = traced(ops.conv, x, w, strides=strides, padding=padding, dilation_rate=dilation)
    pair = [v if isinstance(v, tuple) else (v, v) for v in (strides, dilation)]
    np.testing.assert_allclose(got, direct_conv(x, w, pair[0], pads, pair[1]), rtol=1e-12, atol=1e-12)
    if padding.lower() == "same":
        assert got.shape[1:3] == tuple(-(-s // t) for s, t in zip(size, pair[0], strict=True))


def test_groups_follow_from_the_channels():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 5, 5, 6)), rng.standard_normal((3, 3, 2, 9))
    parts = [
        direct_conv(x[..., 2 * i : 2 * i + 2], w[..., 3 * i : 3 * i + 3], (1, 1), ((0, 0), (0, 0)), (1, 1))
        for i in range(3)
    ]
    np.testing.assert_allclose(traced(ops.conv, x, w), np.concatenate(parts, -1), rtol=1e-12, atol=1e-12)


def test_pooling_with_same_padding_ignores_what_is_outside():
    x = -np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    largest = traced(ops.max_pool, x, pool_size=2, padding="same")
    mean = traced(ops.average_pool, x, pool_size=2, padding="same")
    np.testing.assert_array_equal(largest[0, :, :, 0], [[-1, -3], [-7, -9]])
    np.testing.assert_array_equal(mean[0, :, :, 0], [[-3, -4.5], [-7.5, -9]])
    assert traced(ops.max_pool, x, pool_size=2, strides=1).shape == (1, 2, 2, 1)


@pytest.mark.parametrize(
    ("x", "w", "arguments", "error", "message"),
    [
        ((2, 5, 5), (3, 3, 1, 1), {}, ShapeError, r"inputs \(n, steps, channels\) and a kernel of as many axes"),
        ((2, 5, 5, 3), (3, 3, 2, 4), {}, ShapeError, "3 input channels must be a multiple"),
        ((2, 5, 5, 4), (3, 3, 2, 5), {}, ShapeError, "5 filters a multiple of the groups"),
        ((2, 5, 5, 3), (7, 3, 3, 4), {}, ShapeError, "a kernel no larger than the input"),
        ((2, 5, 5, 3), (3, 3, 3, 4), {"strides": 0}, ArgumentError, "strides must be a positive integer"),
        ((2, 5, 5, 3), (3, 3, 3, 4), {"strides": (1, 2, 3)}, ArgumentError, "or a pair of them"),
        ((2, 5, 5, 3), (3, 3, 3, 4), {"padding": "full"}, ArgumentError, "'valid' or 'same', received 'full'"),
        ((2, 5, 5, 3), (3, 3, 3, 4), {"data_format": "NCHW"}, ArgumentError, "data_format must be .* received 'NCHW'"),
        ((2, 9, 9, 3), (3, 3, 3, 4), {"strides": 2, "dilation_rate": 2}, ArgumentError, "only one of them"),
    ],
)
def test_conv_says_what_is_wrong(x, w, arguments, error, message):
    with pytest.raises(error, match=message):
        traced(ops.conv, np.zeros(x), np.zeros(w), **arguments)


def test_pooling_says_what_is_wrong():
    with pytest.raises(ShapeError, match=r"max_pool: expected inputs \(n, steps, channels\)"):
        traced(ops.max_pool, np.zeros((3, 4)), pool_size=2)
    with pytest.raises(ShapeError, match=r"an image that holds a window of \(4, 4\)"):
        traced(ops.average_pool, np.zeros((1, 3, 3, 1)), pool_size=4)
    with pytest.raises(ArgumentError, match="average_pool: pool_size must be a positive integer"):
        traced(ops.average_pool, np.zeros((1, 3, 3, 1)), pool_size=-1)


def test_a_fused_convolution_has_no_gradient():
    with Trace() as trace:
        x, w = trace.input("x", Spec((1, 3, 3, 1))), trace.input("w", Spec((2, 2, 1, 1)))
        op = Conv2d(activation="relu")
        y = op(x, w)
        with pytest.raises(GraphError, match="the fuse pass joins them"):
            op.vjp(y, y, x, w)


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("activation", ["relu", "relu6"])
@pytest.mark.parametrize(
    ("op", "x", "w"),
    [
        (Conv2d(), (2, 8, 8, 16), (3, 3, 16, 40)),
        (Conv2d(), (2, 8, 8, 16), (3, 3, 16, 48)),
        (Conv2d(), (2, 8, 8, 1), (3, 3, 1, 5)),
        (Conv2d(groups=24), (2, 8, 8, 24), (3, 3, 1, 24)),
        (Conv2d(groups=2), (2, 8, 8, 8), (3, 3, 4, 10)),
        (Matmul(), (20, 8), (8, 40)),
    ],
    ids=str,
)
def test_a_fused_relu_keeps_a_nan(op, x, w, activation, isa):
    """As the ReLU of its own does, in every kernel that takes one in."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s).astype("float32") for s in (x, w, w[-1:])]
    arrays[2][3] = np.nan
    op = replace(op, activation=activation)
    for candidate in op.candidates():
        with Trace() as trace:
            y = op(*(trace.input(f"x{i}", Spec(a.shape)) for i, a in enumerate(arrays)))
            graph = trace.finish([y])
        if candidate.declines(y.node) is None:
            y.node.choice = Choice(candidate)
            got = NativeProgram(graph, isa=isa)(arrays)[0]
            assert (np.isnan(got) == (np.arange(w[-1]) == 3)).all(), candidate.kernel


def test_added_inputs_are_told_apart_by_their_ranks():
    x, w = Spec((2, 8, 8, 4)), Spec((3, 3, 4, 6))
    bias, residual = Spec((6,)), Spec((2, 6, 6, 6))
    for added in [(bias,), (residual,), (bias, residual)]:
        assert Conv2d().infer(x, w, *added) == residual
    with pytest.raises(ShapeError, match=r"expected a bias of shape \(6,\)"):
        Conv2d().infer(x, w, Spec((7,)))
    for wrong in [(Spec((2, 6, 6, 5)),), (residual, bias), (residual, residual), (bias, bias)]:
        with pytest.raises(ShapeError, match=r"expected a residual of shape \(2, 6, 6, 6\)"):
            Conv2d().infer(x, w, *wrong)
