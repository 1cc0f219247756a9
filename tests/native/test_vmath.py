"""The error bounds that csrc/simd/vmath.h states, on each ISA, against the standard library in double precision."""

import math

import numpy as np
import pytest

from pynn import _core
from pynn.executor.native import NativeProgram
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops import activations, elementwise


def native(op, isa, *arrays):
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape)) for i, a in enumerate(arrays)]
        graph = trace.finish([op(*xs)])
    return NativeProgram(graph, isa=isa, threads=1)(list(arrays))[0]


def ulps(got, want):
    """Distance in units of the last place of the exact result (of the smallest normal number at least)."""
    spacing = np.spacing(np.maximum(np.abs(want), np.finfo("float32").tiny).astype("float32")).astype("float64")
    return np.abs(got.astype("float64") - want) / spacing


def sweep(low, high, logarithmic=False):
    n = 200_003
    x = np.geomspace(low, high, n) if logarithmic else np.linspace(low, high, n)
    return x.astype("float32")


both_signs = np.concatenate([sweep(1e-30, 50, True), -sweep(1e-30, 50, True), sweep(-12, 12)])
erf = np.vectorize(math.erf)


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize(
    ("op", "x", "exact", "bound"),
    [
        (elementwise.Exp(), np.concatenate([sweep(-87, 88.7), both_signs]), np.exp, 2),
        (elementwise.Log(), np.concatenate([sweep(1e-38, 3e38, True), sweep(0.5, 2)]), np.log, 2),
        (elementwise.Log1p(), np.concatenate([sweep(1e-30, 1e30, True), sweep(-0.9999, 3)]), np.log1p, 4),
        (activations.Tanh(), both_signs, np.tanh, 3),
        (activations.Erf(), both_signs, erf, 3),
        (activations.Elu(1.0), both_signs[both_signs < 0], np.expm1, 4),
        (activations.Softplus(), both_signs, lambda x: np.logaddexp(0, x), 4),
        (elementwise.Power(), sweep(1e-5, 25, True), lambda x: x**x, 1),
        (elementwise.Sin(), sweep(-0.78, 0.78), np.sin, 2),
    ],
    ids=lambda v: str(v) if hasattr(v, "attributes") else "",
)
def test_relative_error(op, x, exact, bound, isa):
    wide = x.astype("float64")
    with np.errstate(over="ignore"):
        want = exact(wide)
    fits = np.abs(want) < np.finfo("float32").max
    arrays = (x, x) if isinstance(op, elementwise.Power) else (x,)
    assert ulps(native(op, isa, *arrays), want)[fits].max() <= bound


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize(("op", "exact"), [(elementwise.Sin(), np.sin), (elementwise.Cos(), np.cos)])
def test_sine_and_cosine_absolute_error(op, exact, isa):
    x = np.concatenate([sweep(-10, 10), sweep(-8192, 8192), sweep(8192, 1e7)])
    assert np.abs(native(op, isa, x) - exact(x.astype("float64"))).max() < 1e-7


@pytest.mark.parametrize("isa", _core.available_isas())
def test_special_numbers(isa):
    inf, nan, tiny = math.inf, math.nan, 1e-42
    x = np.array(
        [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, tiny, 89.0, -104.5, 1e30, -1e30, 2.0**23 + 1, -0.5, 1e-8, 7], "float32"
    )
    with np.errstate(all="ignore"):
        for op, exact in [
            (elementwise.Exp(), np.exp),
            (elementwise.Log(), np.log),
            (elementwise.Log1p(), np.log1p),
            (elementwise.Sqrt(), np.sqrt),
            (elementwise.Floor(), np.floor),
            (elementwise.Sin(), np.sin),
            (elementwise.Cos(), np.cos),
            (elementwise.Sign(), np.sign),
            (elementwise.Abs(), np.abs),
            (activations.Relu(), lambda v: np.maximum(v, 0)),
            (activations.Tanh(), np.tanh),
            (activations.Softplus(), lambda v: np.logaddexp(0, v)),
        ]:
            np.testing.assert_allclose(native(op, isa, x), exact(x), rtol=1e-6, atol=2e-38, err_msg=f"{op}")
