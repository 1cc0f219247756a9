"""Reverse-mode differentiation of whole graphs.  Each op's own rule is checked in tests/ops."""

from dataclasses import dataclass

import numpy as np
import pytest

from pynn import ops
from pynn.errors import GraphError
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import REGISTRY, Op, Spec
from pynn.graph.trace import Trace, scope


def derivative(function, *points, wrt=None, order=1):
    """Values of the derivatives of ``function`` by its arguments (or the ``wrt`` of them) in float64."""
    points = [np.asarray(p, "float64") for p in points]
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(p.shape, "float64")) for i, p in enumerate(points)]
        found = [function(*xs)]
        for _ in range(order):
            found = gradients(found[0], xs if wrt is None else [xs[i] for i in wrt])
        graph = trace.finish(found)
    return ReferenceProgram(graph)(points)


def test_the_calculus_of_the_course():
    x = 1.3
    assert derivative(lambda x: 5 * x**5, x)[0] == pytest.approx(25 * x**4)
    got = derivative(lambda x: (x**4 + 2) * ops.cos(x), x)[0]
    assert got == pytest.approx(4 * x**3 * np.cos(x) - (x**4 + 2) * np.sin(x))
    assert derivative(lambda x, y: x**4 * y, x, 0.7, wrt=[0])[0] == pytest.approx(4 * x**3 * 0.7)
    by_x, by_y = derivative(lambda x, y: 2 * x**2 + 4 * y, x, 0.7)
    assert (by_x, by_y) == pytest.approx((4 * x, 4))


def test_second_derivatives():
    """f = x^3 y + y^2: rt - s^2 at (1, 2) from derivatives of derivatives."""

    def f(x, y):
        return x**3 * y + y**2

    with Trace() as trace:
        x, y = (trace.input(n, Spec((), "float64")) for n in "xy")
        fx, fy = gradients(f(x, y), [x, y])
        graph = trace.finish([*gradients(fx, [x, y]), *gradients(fy, [x, y])])
    fxx, fxy, fyx, fyy = ReferenceProgram(graph)([np.float64(1), np.float64(2)])
    assert (fxx, fxy, fyx, fyy) == pytest.approx((12, 3, 3, 2))


def test_a_value_used_twice_collects_both_gradients():
    assert derivative(lambda x: x * x + x, 3.0)[0] == pytest.approx(7)
    assert derivative(lambda x: ops.sum(ops.matmul(x, x)), np.eye(2) * 2)[0] == pytest.approx(np.full((2, 2), 4))

    def deep(x):
        y = x
        for _ in range(20):
            y = y + y  # 2^20 paths, 20 nodes
        return y

    assert derivative(deep, 1.0)[0] == 2**20


def test_what_the_result_does_not_depend_on_has_gradient_zero():
    by_x, by_y = derivative(lambda x, y: ops.sum(x), np.ones(2), np.ones((3, 4)))
    assert by_x.tolist() == [1, 1]
    np.testing.assert_array_equal(by_y, np.zeros((3, 4)))
    assert derivative(lambda x: ops.sum(ops.stop_gradient(x) * x), np.array([2.0, 3]))[0].tolist() == [2, 3]


def test_of_a_value_by_itself_and_by_one_in_between():
    with Trace() as trace:
        x = trace.input("x", Spec((), "float64"))
        u = x * x
        y = u * u
        graph = trace.finish([*gradients(y, [y, u, x]), *gradients(x, [x])])
    assert [float(v) for v in ReferenceProgram(graph)([np.float64(3)])] == [1, 18, 108, 1]


def test_an_incoming_gradient():
    with Trace() as trace:
        x = trace.input("x", Spec((3,), "float64"))
        g = trace.input("g", Spec((3,), "float64"))
        graph = trace.finish(gradients(x * x, [x], g))
    (found,) = ReferenceProgram(graph)([np.array([1.0, 2, 3]), np.array([1.0, 0, -1])])
    assert found.tolist() == [2, 0, -6]


def test_a_result_that_is_no_scalar_needs_an_incoming_gradient():
    with Trace() as trace:
        x = trace.input("x", Spec((3,)))
        with pytest.raises(GraphError, match=r"y must be a scalar, received float32\[3\]; give g or reduce it first"):
            gradients(x * x, [x])


def test_very_deep_graphs():
    """Deeper than Python's recursion limit."""

    def deep(x):
        for _ in range(3000):
            x = -x
        return x

    assert derivative(deep, 1.0)[0] == 1


def test_broadcasting_is_summed_back():
    by_x, by_b = derivative(lambda x, b: ops.sum((x + b) * x), np.ones((4, 3)), np.full((3,), 2.0))
    np.testing.assert_array_equal(by_x, np.full((4, 3), 4))
    np.testing.assert_array_equal(by_b, np.full((3,), 4))


def test_gradient_nodes_carry_the_scope_of_the_forward_layer():
    with Trace() as trace:
        x = trace.input("x", Spec((2, 2)))
        with scope("dense"):
            y = ops.sum(ops.matmul(x, x))
        (found,) = gradients(y, [x])
    assert "grad(dense)" in found.node.scope


@pytest.fixture
def own_op():
    """Defines a user's op for one test."""
    before = dict(REGISTRY)

    def define(vjp):
        body = {"infer": lambda self, *specs: specs[0]}
        if vjp is not None:
            body["vjp"] = vjp
        return dataclass(frozen=True)(type("OpOfATest", (Op,), body))

    yield define
    REGISTRY.clear()
    REGISTRY.update(before)


def _gradient_of(op):
    with Trace() as trace:
        x = trace.input("x", Spec((2, 3)))
        return gradients(ops.sum(op()(x)), [x])


def test_wrong_rules_are_named(own_op):
    with pytest.raises(GraphError, match=r"op 'op_of_atest' has no gradient rule: define vjp\(\), or use"):
        _gradient_of(own_op(None))
    with pytest.raises(GraphError, match=r"op 'op_of_atest': vjp gave 2 gradients for 1 inputs"):
        _gradient_of(own_op(lambda self, g, y, x: (g, g)))
    with pytest.raises(GraphError, match=r"gradient of shape \(\) for an input of float32\[2, 3\]"):
        _gradient_of(own_op(lambda self, g, y, x: (ops.sum(g),)))


def test_only_what_leads_to_the_variables_needs_a_rule(own_op):
    """An op without a rule on the way to the data only does not disturb."""
    op = own_op(None)
    with Trace() as trace:
        x, w = trace.input("x", Spec((2, 3))), trace.input("w", Spec((2, 3)))
        (found,) = gradients(ops.sum(op()(x) * w), [w])
    assert found.shape == (2, 3)
