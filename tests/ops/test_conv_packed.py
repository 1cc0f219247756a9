"""Kernels packed beforehand: when, in which layout, and that predictions follow the weights."""

import numpy as np
import pytest

import pynn
from pynn import config
from pynn.errors import GraphError, ShapeError
from pynn.graph.ir import Spec
from pynn.graph.passes.choose_kernels import choose
from pynn.graph.trace import Trace
from pynn.ops.conv import Conv2d
from pynn.ops.conv_pack import PackConv2dKernel
from pynn.reference.conv import conv2d

SAME, VALID = ((1, 1), (1, 1)), ((0, 0), (0, 0))


@pytest.fixture(autouse=True)
def _default_precision():
    yield
    config.set_conv_precision("fast")


def packing(op: Conv2d, x, w) -> tuple[str, int] | None:
    """The kernel that reads packed weights and its tile; None where packing does not pay."""
    with Trace() as trace:
        y = op(trace.input("x", Spec(x)), trace.input("w", Spec(w)))
        trace.finish([y])
    ops = choose(y.node).candidate.prepack(y.node)
    if ops is None:
        return None
    pack, compute = ops
    assert pack.tile == compute.tile
    return compute.candidates()[0].kernel, compute.tile


def test_the_layout_follows_from_shape_and_precision():
    def same(pixels, c, filters, n=1):
        return packing(Conv2d(padding=SAME), (n, pixels, pixels, c), (3, 3, c, filters))

    assert same(28, 256, 256) == same(14, 256, 256, n=4) == ("conv2d_winograd", 4)
    assert same(14, 256, 256) == same(7, 512, 512) == ("conv2d_winograd", 2)
    assert same(7, 40, 70) == ("conv2d_direct", 0)
    assert packing(Conv2d(), (1, 14, 14, 256), (1, 1, 256, 1024)) == ("conv2d_direct", 0)
    assert same(56, 64, 64, n=32) is None, "so many tiles that packing takes no time"
    assert packing(Conv2d(), (1, 14, 14, 256), (1, 1, 256, 32)) is None, "one panel as it lies"
    assert packing(Conv2d(dilation=(2, 2)), (1, 14, 14, 16), (3, 3, 16, 64)) is None, "im2col packs nothing"
    config.set_conv_precision("exact")
    assert same(28, 256, 256) == ("conv2d_winograd", 2)


def test_predictions_follow_the_weights():
    layers = pynn.layers
    model = pynn.Sequential(
        [
            pynn.Input((14, 14, 32)),
            layers.Conv2D(48, 3, padding="same", activation="relu"),
            layers.Conv2D(70, 3, strides=2),
            layers.Conv2D(80, 1, bias_initializer="ones"),
        ]
    )
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 14, 14, 32)).astype("float32")
    for _ in range(2):
        plain, options = x, {"dilation": (1, 1), "groups": 1}
        for layer, strides, padding, activation in [
            (model.layers[0], (1, 1), SAME, "relu"),
            (model.layers[1], (2, 2), VALID, "linear"),
            (model.layers[2], (1, 1), VALID, "linear"),
        ]:
            weights = [v.numpy() for v in layer.weights]
            plain = conv2d(plain, *weights, strides=strides, padding=padding, activation=activation, **options)
        np.testing.assert_allclose(model.predict_on_batch(x), plain, rtol=1e-4, atol=1e-4 * np.abs(plain).max())
        for v in model.weights:
            v.assign(rng.standard_normal(v.shape).astype("float32") * 0.1)


def test_errors():
    with pytest.raises(ShapeError, match="a kernel of 3 x 3 with channels and filters in sixteens"):
        PackConv2dKernel(4).infer(Spec((3, 3, 16, 20)))
    with pytest.raises(ShapeError, match="a tile of 0, 2 or 4, not 3"):
        PackConv2dKernel(3).infer(Spec((3, 3, 16, 16)))
    with pytest.raises(ShapeError, match=r"a packed kernel of shape \(1, 36, 32\)"):
        Conv2d(packed=(3, 3, 4, 6)).infer(Spec((1, 8, 8, 4)), Spec((3, 3, 4, 6)))
    with Trace() as trace:
        y = PackConv2dKernel()(trace.input("w", Spec((3, 3, 4, 6))))
        with pytest.raises(GraphError, match="differentiate before the weights are packed"):
            y.node.op.vjp(y, y, *y.node.inputs)
        trace.finish([y])
