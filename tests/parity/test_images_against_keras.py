"""Functions of ``ops.image`` beside Keras's: values, dtypes, shapes, and gradients of the images."""

import numpy as np
import pytest

from pynn import ops
from pynn.executor.native import compile_graph
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

_rng = np.random.default_rng(5)
X = _rng.uniform(0, 1, (2, 6, 7, 3)).astype("float32")
PIXELS = _rng.integers(0, 256, (2, 6, 7, 3)).astype("uint8")
TURN = np.array([0.917, -0.313, 1.031, 0.217, 1.123, -0.719, 0, 0], "float32")
#: All pixels come from places in the middle between others, on both sides of 0.
HALVES = np.array([1, 0, 0.5, 0, 1, -2.5, 0, 0], "float32")
EACH = np.stack([TURN, TURN[::-1] * 0 + np.array([1, 0, 2.3, 0, 1, -1.6, 0, 0])]).astype("float32")

CASES = [
    *(("resize", (X, size), {"interpolation": i, "antialias": a})
      for size in [(3, 4), (9, 10), (6, 3)] for i in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
      for a in (False, True)),
    ("resize", (X[0], (4, 4)), {}), ("resize", (X.transpose(0, 3, 1, 2), (4, 5)), {"data_format": "channels_first"}),
    *(("resize", (PIXELS, (4, 9)), {"interpolation": i}) for i in ("nearest", "bilinear", "bicubic")),
    *(("resize", (X, size), {"crop_to_aspect_ratio": True}) for size in [(4, 4), (3, 8), (8, 2)]),
    *(("resize", (X, size), {"pad_to_aspect_ratio": True, "fill_value": 0.5}) for size in [(4, 4), (3, 8), (8, 2)]),
    *(("affine_transform", (x, t), {"interpolation": i, "fill_mode": m, "fill_value": 0.3})
      for x, t in ((X[:1], TURN), (X, EACH)) for i in ("nearest", "bilinear")
      for m in ("constant", "nearest", "wrap", "mirror", "reflect")),
    *(("affine_transform", (X[:1], HALVES), {"interpolation": "nearest", "fill_mode": m})
      for m in ("constant", "wrap", "mirror")),
    ("affine_transform", (X[0], TURN), {}),
    ("crop_images", (X, 1, 2, 1, 1), {}), ("crop_images", (X, 1, 2), {"target_height": 3, "target_width": 4}),
    ("pad_images", (X, 1, 2, 1, 1), {}), ("pad_images", (X[0], 1, 2), {"target_height": 9, "target_width": 12}),
    ("extract_patches", (X, 2), {}), ("extract_patches", (X, (3, 2)), {"strides": 1, "padding": "same"}),
    ("extract_patches", (X, 2), {"strides": 1, "dilation_rate": 2}), ("extract_patches", (X[0], 3), {}),
    ("rgb_to_grayscale", (X,), {}), ("rgb_to_grayscale", (PIXELS,), {}), ("rgb_to_grayscale", (X[..., :1],), {}),
    ("rgb_to_hsv", (X,), {}), ("rgb_to_hsv", (np.round(X),), {}), ("hsv_to_rgb", (X,), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES)
def test_images(keras, name, args, kwargs):
    theirs = getattr(keras.ops.image, name)
    expected = np.asarray(theirs(*args, **kwargs))
    got = getattr(ops.image, name)(*args, **kwargs)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    # Whole numbers: a sum near a half may be rounded either way.
    atol = 1 if expected.dtype == "uint8" and kwargs.get("interpolation") != "nearest" else 1e-5
    np.testing.assert_allclose(got.astype("float32"), expected.astype("float32"), rtol=1e-4, atol=atol)
    if args[0].dtype == "uint8" or (name == "rgb_to_hsv" and args[0] is not X):
        return  # whole numbers have no gradient, pure colours sit in corners of the formula
    import jax

    weights = _rng.standard_normal(expected.shape).astype("float32")
    start = np.ascontiguousarray(args[0])
    wanted = jax.grad(lambda x: (theirs(x, *args[1:], **kwargs) * weights).sum())(start)
    with Trace() as trace:
        x = trace.input("x", Spec(start.shape))
        total = ops.sum(ops.multiply(getattr(ops.image, name)(x, *args[1:], **kwargs), weights))
        graph = trace.finish(gradients(total, [x]))
    np.testing.assert_allclose(compile_graph(graph)([start])[0], wanted, rtol=1e-3, atol=1e-4)
