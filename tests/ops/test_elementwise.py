"""The functions around the element-wise ops: broadcasting, numbers, dtypes, errors; building chains."""

import numpy as np
import pytest

from pynn import ops
from pynn.errors import ShapeError
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops.shape import BroadcastTo

rng = np.random.default_rng(0)


def run(function, *arrays, program=NativeProgram):
    """``function`` on traced values of the arrays, computed."""
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(arrays)]
        graph = trace.finish([function(*xs)])
    return program(graph)(list(arrays))[0]


def floats(*shape):
    return rng.standard_normal(shape).astype("float32")


@pytest.mark.parametrize("shapes", [((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3, 4), (3, 1)), ((), (5,)), ((4,), (2, 4))])
def test_binary_functions_broadcast(shapes):
    a, b = (floats(*s) for s in shapes)
    for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
        np.testing.assert_allclose(run(getattr(ops, name), a, b), getattr(np, name)(a, b), rtol=1e-6)


def test_numbers_and_whole_numbers():
    x, n = floats(3, 4), np.arange(12, dtype="int32").reshape(3, 4)
    np.testing.assert_allclose(run(lambda x: 2 * x - 1 / (x * x + 1), x), 2 * x - 1 / (x * x + 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(run(lambda x, n: x * n, x, n), x * n.astype("float32"))
    np.testing.assert_array_equal(run(lambda n: ops.equal(n, 5), n), (n == 5).astype("float32"))
    np.testing.assert_allclose(run(lambda x: ops.where(ops.greater(x, 0), x, 0), x), np.maximum(x, 0))


def test_composed_functions():
    x = floats(40) * 4
    np.testing.assert_allclose(run(lambda x: ops.clip(x, -1, 2), x), np.clip(x, -1, 2))
    np.testing.assert_allclose(run(ops.relu6, x), np.clip(x, 0, 6))
    np.testing.assert_allclose(run(ops.softsign, x), x / (1 + np.abs(x)), rtol=1e-6)
    np.testing.assert_allclose(run(ops.hard_sigmoid, x), np.clip(x / 6 + 0.5, 0, 1), rtol=1e-5, atol=1e-7)
    selu = 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))
    np.testing.assert_allclose(run(ops.selu, x), selu, rtol=1e-5)
    np.testing.assert_array_equal(run(ops.isnan, np.array([1, np.nan], "float32")), [0, 1])
    for exponent in (2, 1, 0.5, -0.5, -1, 3):
        want = np.abs(x) ** exponent
        np.testing.assert_allclose(run(lambda x, e=exponent: ops.power(ops.abs(x), e), x), want, rtol=1e-5)


def test_power_has_a_finite_gradient_at_zero():
    with Trace() as trace:
        a, b = trace.input("a", Spec((3,), "float64")), trace.input("b", Spec((3,), "float64"))
        graph = trace.finish(gradients(ops.sum(ops.power(a, b)), [a, b]))
    ga, gb = ReferenceProgram(graph)([np.zeros(3), np.array([0.0, 2.0, 3.0])])
    np.testing.assert_array_equal(ga, 0)
    np.testing.assert_array_equal(gb, 0)


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ShapeError, match=r"add: shapes do not fit together: float32\[3\] and float32\[4\]"):
        run(ops.add, floats(3), floats(4))


@pytest.mark.parametrize(
    ("shape", "target", "access"),
    [
        ((3, 4), (3, 4), (1, 12)), ((), (3, 4), (1, 1)), ((4,), (3, 4), (1, 4)), ((3, 1), (3, 4), (4, 3)),
        ((3, 1), (2, 3, 4), (4, 3)), ((1, 1), (5, 6), (1, 1)), ((2, 1, 4), (2, 3, 4), None), ((1, 5), (1, 5), (1, 5)),
        ((2, 1, 1, 5), (2, 1, 1, 5), (1, 10)),
    ],
)  # fmt: skip
def test_broadcast_access(shape, target, access):
    with Trace() as trace:
        y = BroadcastTo(target)(trace.input("x", Spec(shape)))
    assert y.op.access(y.node) == access


def test_in_place_chain_is_right():
    """x -> square -> exp(-x) over and over: the planner lets each result overwrite the one before."""
    x = floats(10000)

    def f(x):
        for _ in range(4):
            x = ops.exp(-ops.square(x)) + x
        return x

    np.testing.assert_allclose(run(f, x), run(f, x, program=ReferenceProgram), rtol=1e-5, atol=2e-6)
