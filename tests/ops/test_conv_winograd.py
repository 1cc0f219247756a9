"""Winograd's algorithm: both tile sizes on every shape, bounds on the rounding, and the setting that chooses."""

import numpy as np
import pytest

import pynn
from pynn import _core, config
from pynn.errors import ArgumentError
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Graph, Spec
from pynn.graph.passes.choose_kernels import Choice, choose
from pynn.graph.trace import Trace
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel, Convolution
from pynn.testing.op_case import OpCase
from pynn.testing.op_cases.conv_winograd import CASES

SAME = ((1, 1), (1, 1))
#: How each algorithm is found among an op's candidates: they are listed as tiles of 4, of 2, direct, then im2col.
ALGORITHMS = {"F4": -4, "F2": -3, "direct": -2, "im2col": -1}


@pytest.fixture(autouse=True)
def _default_precision():
    yield
    config.set_conv_precision("fast")


def graph_of(op, specs, dtype="float32", algorithm=None) -> Graph:
    with Trace() as trace:
        y = op(*(trace.input(f"x{i}", Spec(s.shape, dtype)) for i, s in enumerate(specs)))
        graph = trace.finish([y])
    if algorithm is not None:
        y.node.choice = Choice(op.candidates()[ALGORITHMS[algorithm]])
    return graph


def chosen_tile(op: Convolution, *shapes) -> int | None:
    """The tile of the kernel that is chosen; None for another algorithm."""
    node = graph_of(op, [Spec(s) for s in shapes]).outputs[0].node
    candidate = choose(node).candidate
    return candidate.params(node).get("tile")


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("algorithm", ["F2", "F4"])
@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_both_tiles_on_every_shape(case: OpCase, algorithm, isa):
    """Also where another algorithm would be chosen."""
    arrays = case.inputs("float32")
    one, *others = (
        NativeProgram(graph_of(case.op, case.specs, algorithm=algorithm), isa=isa, threads=t)(arrays)[0]
        for t in (1, 2, 3, 5)
    )
    exact = ReferenceProgram(graph_of(case.op, case.specs, "float64"))([a.astype("float64") for a in arrays])[0]
    np.testing.assert_allclose(one, exact, rtol=case.rtol, atol=case.atol)
    for other in others:
        assert one.tobytes() == other.tobytes()


def error_of(op, arrays, algorithm, isa) -> float:
    """Largest error as a part of the largest result."""
    specs = [Spec(a.shape) for a in arrays]
    exact = ReferenceProgram(graph_of(op, specs, "float64"))([a.astype("float64") for a in arrays])[0]
    got = NativeProgram(graph_of(op, specs, algorithm=algorithm), isa=isa)(arrays)[0]
    return float(np.abs(got - exact).max() / np.abs(exact).max())


def layer(c: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input, He-scaled kernel and gradient of a layer with c channels and c filters."""
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal((2, size, size, c)).astype("float32") for _ in range(2))
    return x, (rng.standard_normal((3, 3, c, c)) * np.sqrt(2 / (9 * c))).astype("float32"), g


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize(("c", "size"), [(64, 28), (256, 14), (512, 7)])
def test_rounding_stays_within_the_documented_bounds(c, size, isa):
    x, w, g = layer(c, size)
    for op, arrays in [
        (Conv2d(padding=SAME), [x, w]),
        (Conv2dGradInput(padding=SAME, input_shape=x.shape), [g, w]),
        (Conv2dGradKernel(padding=SAME, kernel_shape=w.shape), [x, g]),
    ]:
        assert error_of(op, arrays, "F4", isa) < 3e-5
        assert error_of(op, arrays, "F2", isa) < 1.5e-6
        assert error_of(op, arrays, "direct", isa) < 4e-6
        assert error_of(op, arrays, "im2col", isa) < 4e-6
    assert error_of(Conv2d(padding=SAME), [x, w], "F2", isa) <= error_of(Conv2d(padding=SAME), [x, w], "im2col", isa)


def test_the_tile_follows_from_shape_and_precision():
    forward = Conv2d(padding=SAME)
    large, small, pixel = (32, 28, 28, 64), (32, 5, 5, 64), (32, 1, 1, 64)
    kernel = (3, 3, 64, 64)
    assert [chosen_tile(forward, x, kernel) for x in (large, small, pixel)] == [4, 2, None]
    assert chosen_tile(forward, (32, 28, 28, 3), (3, 3, 3, 64)) is None
    assert chosen_tile(Conv2d(padding=SAME, strides=(2, 2)), large, kernel) is None
    assert chosen_tile(Conv2dGradInput(padding=SAME, input_shape=large), large, kernel) == 4
    assert chosen_tile(Conv2dGradKernel(padding=SAME, kernel_shape=kernel), large, large) == 4
    config.set_conv_precision("exact")
    assert [chosen_tile(forward, x, kernel) for x in (large, small, pixel)] == [2, 2, None]
    reasons = dict(choose(graph_of(forward, [Spec(large), Spec(kernel)]).outputs[0].node).declined)
    assert "conv_precision 'exact'" in reasons["conv2d_winograd"]


def test_precision_must_be_one_of_two():
    assert config.conv_precision() == "fast"
    with pytest.raises(ArgumentError, match="must be 'fast' or 'exact', received 'low'"):
        config.set_conv_precision("low")
    assert config.conv_precision() == "fast"


def test_a_change_of_precision_reaches_compiled_steps():
    model = pynn.Sequential([pynn.Input((16, 16, 16)), pynn.layers.Conv2D(16, 3, padding="same")])
    x = np.random.default_rng(0).standard_normal((8, 16, 16, 16)).astype("float32")
    fast = model.predict_on_batch(x), model.layers[0](x)
    config.set_conv_precision("exact")
    exact = model.predict_on_batch(x), model.layers[0](x)
    for a, b in zip(fast, exact, strict=True):
        assert (a != b).any()
        np.testing.assert_allclose(a, b, atol=3e-5 * np.abs(b).max())
    config.set_conv_precision("fast")
    assert (model.predict_on_batch(x) == fast[0]).all()
