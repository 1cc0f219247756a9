"""grad, value_and_grad, jacobian, hessian, hvp, vjp: with the tape and with finite differences."""

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.errors import ArgumentError, DtypeError, ShapeError


def finite_differences(function, x, step=1e-2):
    """Central differences of a function of one float32 array, in the order of its elements."""
    found = np.empty((*np.shape(function(x)), *x.shape))
    for i in np.ndindex(*x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * step
            ends.append(np.asarray(function(moved), "float64"))
        found[(..., *i)] = (ends[0] - ends[1]) / (2 * step)
    return found


_RNG = np.random.default_rng(3)
A = _RNG.normal(size=(3, 4)).astype("float32")
B = _RNG.normal(size=(4, 2)).astype("float32")

_FUNCTIONS = {
    "polynomial": lambda x: ops.sum(x**3 - 2 * x),
    "network": lambda x: ops.mean(ops.tanh(ops.matmul(x, B)) ** 2),
    "softmax": lambda x: -ops.sum(ops.log(ops.softmax(x))[:, 0]),
    "broadcast": lambda x: ops.sum((x - ops.mean(x, axis=0, keepdims=True)) ** 2 * x[0]),
    "branches": lambda x: ops.sum(ops.where(x > 0, ops.sin(x), x * x)),
}


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_grad_tape_and_finite_differences_agree(name):
    function = _FUNCTIONS[name]
    value, found = pynn.value_and_grad(function)(A)
    np.testing.assert_allclose(value, function(A), rtol=1e-5)
    np.testing.assert_allclose(found, finite_differences(function, A), atol=5e-3)
    x = pynn.Variable(A)
    with pynn.GradientTape() as tape:
        y = function(x)
    np.testing.assert_allclose(tape.gradient(y, x), found, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(pynn.grad(function)(x), found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_hessian_hvp_and_finite_differences_agree(name):
    function = _FUNCTIONS[name]
    found = pynn.hessian(function)(A)
    assert found.shape == (3, 4, 3, 4)
    np.testing.assert_allclose(found, finite_differences(pynn.grad(function), A), atol=2e-2)
    np.testing.assert_allclose(found, np.transpose(found, (2, 3, 0, 1)), atol=1e-5)
    along = _RNG.normal(size=A.shape).astype("float32")
    np.testing.assert_allclose(pynn.hvp(function)(A, along), np.tensordot(found, along, 2), rtol=1e-4, atol=1e-4)


def test_the_calculus_of_the_course():
    x = 1.3
    assert float(pynn.grad(lambda x: 5 * x**5)(x)) == pytest.approx(25 * x**4, rel=1e-5)
    got = float(pynn.grad(lambda x: (x**4 + 2) * ops.cos(x))(x))
    assert got == pytest.approx(4 * x**3 * np.cos(x) - (x**4 + 2) * np.sin(x), rel=1e-5)
    assert float(pynn.grad(lambda x, y: x**4 * y)(x, 0.7)) == pytest.approx(4 * x**3 * 0.7, rel=1e-5)
    by_x, by_y = pynn.grad(lambda x, y: 2 * x**2 + 4 * y, argnums=(0, 1))(x, 0.7)
    assert (float(by_x), float(by_y)) == pytest.approx((4 * x, 4), rel=1e-5)


def classify(function, x, y):
    """What kind of critical point (x, y) is: r t - s^2 and r decide."""
    assert np.abs(pynn.grad(function, argnums=(0, 1))(x, y)).max() < 1e-5
    (r, s), (_, t) = pynn.hessian(function, argnums=(0, 1))(x, y)
    determinant = float(r * t - s * s)
    if determinant == 0:
        return "undecided"
    return "saddle" if determinant < 0 else "minimum" if r > 0 else "maximum"


@pytest.mark.parametrize(
    ("function", "point", "kind"),
    [
        (lambda x, y: x**2 + 3 * y**2 - x * y, (0.0, 0.0), "minimum"),
        (lambda x, y: -(x**2) - y**2 + x * y, (0.0, 0.0), "maximum"),
        (lambda x, y: x**2 - y**2, (0.0, 0.0), "saddle"),
        (lambda x, y: x**3 - 3 * x + y**2, (1.0, 0.0), "minimum"),
        (lambda x, y: x**3 - 3 * x + y**2, (-1.0, 0.0), "saddle"),
        (lambda x, y: x**4 + y**4, (0.0, 0.0), "undecided"),
    ],
)
def test_critical_points(function, point, kind):
    assert classify(function, *point) == kind


def test_trees_of_arrays_and_the_same_array_twice():
    params = {"w": [A, 2.0], "b": np.float32(1.0)}
    value, found = pynn.value_and_grad(lambda p, x: ops.sum(p["w"][0] * x) * p["w"][1] + p["b"])(params, A)
    assert set(found) == {"w", "b"}
    np.testing.assert_allclose(found["w"][0], 2 * A, rtol=1e-6)
    assert float(found["w"][1]) == pytest.approx(float((A * A).sum()), rel=1e-5)
    assert float(found["b"]) == 1
    assert float(value) == pytest.approx(2 * float((A * A).sum()) + 1, rel=1e-5)
    inner = pynn.grad(lambda a, b: ops.sum(a * a * b))
    np.testing.assert_allclose(pynn.jit(lambda x: inner(x, x))(A), 2 * A * A, rtol=1e-5)


def test_variables_as_arguments_and_by_name():
    v, w = pynn.Variable(A), pynn.Variable(3.0, trainable=False)

    def function(x, scale):
        return ops.sum(x * x) * scale * w

    np.testing.assert_allclose(pynn.grad(function)(v, 2.0), 12 * A, rtol=1e-6)
    _, by_scale = pynn.grad(function, argnums=(0, 1))(v, 2.0)
    assert float(by_scale) == pytest.approx(3 * float((A * A).sum()), rel=1e-5)
    value, (by_w,) = pynn.value_and_grad(function, variables=[w])(v, 2.0)
    assert float(by_w) == pytest.approx(float(value) / 3, rel=1e-5)
    by_argument, by_variable = pynn.grad(function, argnums=1, variables={"w": w})(v, 2.0)
    assert float(by_argument) == pytest.approx(float(by_scale))
    assert float(by_variable["w"]) == pytest.approx(float(by_w))


def test_a_model_that_is_built_by_the_call():
    model = pynn.Sequential([pynn.layers.Dense(3, "tanh"), pynn.layers.Dense(1)])
    step = pynn.value_and_grad(lambda x: ops.mean(model(x) ** 2), variables=model)
    _, grads = step(A)
    assert [g.shape for g in grads] == [v.shape for v in model.trainable_variables] == [(4, 3), (3,), (3, 1), (1,)]
    with pynn.GradientTape() as tape:
        loss = ops.mean(model(A) ** 2)
    for a, b in zip(grads, tape.gradient(loss, model.trainable_variables), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_auxiliary_results():
    def function(x):
        y = ops.sum(x * x)
        return y, {"twice": 2 * y, "name": "sum"}

    (value, aux), found = pynn.value_and_grad(function, has_aux=True)(A)
    assert float(aux["twice"]) == pytest.approx(2 * float(value))
    assert aux["name"] == "sum"
    found_alone, aux_alone = pynn.grad(function, has_aux=True)(A)
    np.testing.assert_array_equal(found, found_alone)
    assert float(aux_alone["twice"]) == float(aux["twice"])


def test_jacobians():
    found = pynn.jacobian(lambda x: ops.matmul(x, B))(A)
    assert found.shape == (3, 2, 3, 4)
    np.testing.assert_allclose(found, np.einsum("ik,lj->ijkl", np.eye(3), B), atol=1e-6)
    tree = pynn.jacobian(lambda p: {"s": ops.sum(p["a"]), "d": p["a"] * p["b"]})({"a": A[0], "b": 2.0})
    np.testing.assert_allclose(tree["s"]["a"], np.ones(4))
    assert tree["s"]["b"].shape == ()
    assert float(tree["s"]["b"]) == 0
    np.testing.assert_allclose(tree["d"]["a"], 2 * np.eye(4))
    np.testing.assert_allclose(tree["d"]["b"], A[0], rtol=1e-6)
    by_a, by_b = pynn.jacobian(lambda a, b: a * b, argnums=(0, 1))(A[0], A[1])
    np.testing.assert_allclose(by_a, np.diag(A[1]))
    np.testing.assert_allclose(by_b, np.diag(A[0]))


def test_jacobians_inside_compiled_functions():
    f = pynn.jit(lambda x: pynn.jacobian(lambda x: x**2)(x) * 10)
    np.testing.assert_allclose(f(A[0]), 20 * np.diag(A[0]), rtol=1e-6)
    g = pynn.jit(lambda x: pynn.hessian(lambda x: ops.sum(x**3))(x))
    np.testing.assert_allclose(g(A[0]), 6 * np.diag(A[0]), rtol=1e-5)


def test_vjp():
    y, back = pynn.vjp(lambda x, w: ops.matmul(x, w), A, B)
    np.testing.assert_allclose(y, A @ B, rtol=1e-5)
    g = np.ones((3, 2), "float32")
    by_x, by_w = back(g)
    np.testing.assert_allclose(by_x, g @ B.T, rtol=1e-5)
    np.testing.assert_allclose(by_w, A.T @ g, rtol=1e-5, atol=1e-6)


def test_third_derivatives():
    f = pynn.grad(pynn.grad(pynn.grad(lambda x: x**4)))
    assert float(f(2.0)) == 48


def test_custom_gradients():
    @ops.custom_gradient
    def log1pexp(x):
        e = ops.exp(x)

        def gradient(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1, e))

        return ops.log(1 + e), gradient

    assert float(pynn.grad(log1pexp)(100.0)) == 1  # NaN without it
    np.testing.assert_allclose(log1pexp(A), np.log1p(np.exp(A)), rtol=1e-4)
    np.testing.assert_allclose(pynn.grad(lambda x: ops.sum(log1pexp(x)))(A), 1 / (1 + np.exp(-A)), rtol=1e-5)
    assert log1pexp(pynn.Input((3,))).shape == (None, 3)
    x = pynn.Variable(A)
    with pynn.GradientTape() as tape:
        y = ops.sum(log1pexp(x))
    np.testing.assert_allclose(tape.gradient(y, x), 1 / (1 + np.exp(-A)), rtol=1e-5)


def test_custom_gradients_of_several_results_and_arguments():
    @ops.custom_gradient
    def both(a, b):
        return (a * b, a + b), lambda g, h: (100 * g, 1000 * h)

    def total(a, b):
        product, added = both(a, b)
        return product + 2 * added

    assert [float(g) for g in pynn.grad(total, argnums=(0, 1))(3.0, 4.0)] == [100, 2000]
    assert float(total(3.0, 4.0)) == 26

    @ops.custom_gradient
    def wrong(a, b):
        return a * b, lambda g: g

    with pytest.raises(ArgumentError, match="the gradient of 'wrong' gave 1 gradients for 2 arrays"):
        pynn.grad(wrong)(1.0, 2.0)
    incomplete = ops.custom_gradient(lambda x: x)
    with pytest.raises(ArgumentError, match=r"'<lambda>' must return \(result, gradient function\)"):
        incomplete(1.0)


def test_a_stopped_gradient():
    assert float(pynn.grad(lambda x: ops.stop_gradient(x * x) * x)(3.0)) == 9


def test_mistakes_are_named():
    with pytest.raises(ShapeError, match=r"must give one number.*float32\[3, 4\]; reduce it.*jacobian"):
        pynn.grad(lambda x: x * 2)(A)
    with pytest.raises(ShapeError, match=r"received float: 3\.0"):
        pynn.grad(lambda x: 3.0)(A)
    with pytest.raises(DtypeError, match=r"must be floating-point numbers, received int32\[\]; write 3.0"):
        pynn.grad(lambda x: x * x)(3)
    with pytest.raises(ArgumentError, match=r"argnums=1.*called with 1 positional arguments"):
        pynn.grad(lambda x: x, argnums=1)(A)
    with pytest.raises(ShapeError, match=r"vector of shape \(2,\) for an argument of shape \(3, 4\)"):
        pynn.hvp(lambda x: ops.sum(x * x))(A, np.ones(2))
