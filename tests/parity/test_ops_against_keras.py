"""Functions of ``ops`` beside Keras's: the same values, dtypes, shapes and gradients for the same arguments."""

import importlib.util
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.executor.native import compile_graph
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.utils.structure import flatten, map_structure


def _load(name):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


CASES = _load("ops_cases").CASES
IDS = [f"{i}-{name}" for i, (name, _, _) in enumerate(CASES)]

#: Results whose gradient is not compared, and why.
NO_GRADIENT = {
    "isfinite", "isinf", "isnan", "ceil", "floor", "round", "sign", "trunc", "ones_like", "zeros_like", "full_like",
    "stop_gradient",  # 0 in both
    "linspace", "array", "convert_to_tensor", "convert_to_numpy",  # made outside of a trace from plain numbers
    "unique", "bincount", "histogram",  # positions and counts
    "angle", "imag", "polar",  # complex results, or 0
    "erfinv",  # infinite at the ends
    "slogdet",  # the sign's
    "segment_prod",  # JAX has none
}  # fmt: skip


def _same(ours, theirs, rtol=2e-5, atol=2e-6):
    theirs = np.asarray(theirs)
    got = np.asarray(ours)
    assert got.shape == theirs.shape
    if hasattr(ours, "dtype"):
        assert got.dtype == theirs.dtype
    np.testing.assert_allclose(got, theirs, rtol=rtol, atol=atol)


def _leaves(structure):
    return flatten(list(structure) if isinstance(structure, tuple | list) else structure)


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=IDS)
def test_values_dtypes_and_shapes(keras, name, args, kwargs):
    expected = getattr(keras.ops, name)(*args, **kwargs)
    got = getattr(ops, name)(*args, **kwargs)
    pairs = list(zip(_leaves(got), _leaves(expected), strict=True))
    for ours, theirs in pairs:
        if isinstance(theirs, str | bool | type(None)):
            assert ours == theirs
        else:
            _same(ours, theirs)


def _differentiable(args, kwargs, result):
    floats = [a for a in flatten((args, kwargs)) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    return floats and any(np.asarray(r).dtype.kind == "f" for r in _leaves(result))


@pytest.mark.parametrize(
    ("name", "args", "kwargs"), [c for c in CASES if c[0] not in NO_GRADIENT],
    ids=[i for i, c in zip(IDS, CASES, strict=True) if c[0] not in NO_GRADIENT],
)  # fmt: skip
def test_gradients(keras, name, args, kwargs):
    """Of a weighted sum of the float results, with respect to all float arrays among the arguments."""
    import jax

    theirs = getattr(keras.ops, name)
    expected = theirs(*args, **kwargs)
    if not _differentiable(args, kwargs, expected) or kwargs.get("reduction") == "mul":  # JAX has none
        return
    leaves = flatten((args, kwargs))
    places = [i for i, a in enumerate(leaves) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    rng = np.random.default_rng(3)
    weights = [
        rng.standard_normal(np.shape(r)).astype("float32") if np.asarray(r).dtype.kind == "f" else None
        for r in _leaves(expected)
    ]

    def rebuilt(floats):
        found = dict(zip(places, floats, strict=True))
        counter = iter(range(len(leaves)))

        def leaf(old):
            return found.get(next(counter), old)

        return map_structure(leaf, (args, kwargs))

    def objective(floats):
        values, options = rebuilt(floats)
        total = 0.0
        for r, w in zip(_leaves(theirs(*values, **options)), weights, strict=True):
            if w is not None:
                total = total + (r * w).sum()
        return total

    given = [np.ascontiguousarray(leaves[i]) for i in places]
    wanted = jax.grad(objective)([jax.numpy.asarray(a) for a in given])
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape)) for i, a in enumerate(given)]
        values, options = rebuilt(xs)
        total = ops.cast(0.0, "float32")
        for r, w in zip(_leaves(getattr(ops, name)(*values, **options)), weights, strict=True):
            if w is not None:
                total = ops.add(total, ops.sum(ops.multiply(r, w)))
        graph = trace.finish(gradients(total, xs))
    for ours, jaxs in zip(compile_graph(graph)(given), wanted, strict=True):
        _same(ours, jaxs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=IDS)
def test_symbolic_shapes(name, args, kwargs):
    """What a model is told about the result before there is a batch is what comes out."""
    if name in HOST_ONLY or name in PLAIN or (name == "where" and len(args) == 1):
        pytest.skip("made of plain numbers, or of a length that depends on numbers")
    first = next((i for i, a in enumerate(args) if isinstance(a, np.ndarray) and a.ndim > 0), None)
    if first is None:
        pytest.skip("no array as an argument of its own")
    x = pynn.Input(batch_shape=args[first].shape, dtype=str(args[first].dtype))
    symbolic = getattr(ops, name)(*args[:first], x, *args[first + 1 :], **kwargs)
    real = getattr(ops, name)(*args, **kwargs)
    for s, r in zip(_leaves(symbolic), _leaves(real), strict=True):
        assert s.shape == r.shape
        assert s.dtype == str(r.dtype)


HOST_ONLY = {"nonzero", "unique", "bincount"}
PLAIN = {"shape", "ndim", "size", "dtype", "linspace", "convert_to_numpy"}
#: Not in this table: functions of functions, layers' functions with tables of their own, random state.
ELSEWHERE = {
    "cond", "map", "scan", "switch", "vectorize", "vectorized_map", "while_loop", "fori_loop", "custom_gradient",
    "average_pool", "conv", "conv_transpose", "depthwise_conv", "max_pool", "separable_conv", "ctc_decode", "ctc_loss",
    "dot_product_attention", "empty", "empty_like", "argpartition", "eigh", "qr", "svd", "is_tensor", "sparsemax",
}  # fmt: skip


def _listed(module):
    for line in (Path(__file__).parents[2] / "docs" / "keras_tiers.txt").read_text().splitlines():
        head, _, names = line.partition(": ")
        if head.endswith(f" {module}"):
            yield from names.split(", ")


def test_every_listed_function_is_compared():
    names = set(_listed("keras.ops"))
    assert names - {name for name, _, _ in CASES} - ELSEWHERE == set()


#: Parameters that differ, and why.
EXTRA = {"kwargs"}


@pytest.mark.parametrize("module", ["ops", "ops.image", "random", "activations", "backend"])
def test_no_name_and_no_parameter_is_missing(keras, module):
    missing = []
    for name in _listed(f"keras.{module}"):
        theirs, ours = keras, pynn
        for part in module.split("."):
            theirs, ours = getattr(theirs, part), getattr(ours, part)
        if not hasattr(ours, name):
            missing.append(name)
            continue
        wanted, have = (inspect.signature(getattr(m, name)).parameters for m in (theirs, ours))
        for parameter, p in wanted.items():
            if parameter in EXTRA or (name, parameter) == ("custom_gradient", "f"):  # always given by position
                continue
            if parameter not in have:
                missing.append(f"{name}({parameter})")
            elif have[parameter].default != p.default:
                missing.append(f"{name}({parameter}={have[parameter].default!r}, not {p.default!r})")
    assert missing == []


def test_factorizations_up_to_signs(keras):
    """Signs of orthogonal factors are free; their products are not."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 4, 3)).astype("float32")
    for mode in ("reduced", "complete"):
        q, r = ops.qr(x, mode)
        theirs = keras.ops.qr(x, mode)
        assert (q.shape, r.shape) == tuple(t.shape for t in theirs)
        np.testing.assert_allclose(q @ r, x, atol=1e-5)
        np.testing.assert_allclose(np.abs(r), np.abs(theirs[1]), atol=1e-5)
    for full in (True, False):
        u, s, vt = ops.svd(x, full_matrices=full)
        theirs = keras.ops.svd(x, full_matrices=full)
        assert (u.shape, s.shape, vt.shape) == tuple(t.shape for t in theirs)
        np.testing.assert_allclose(s, theirs[1], rtol=1e-5)
        np.testing.assert_allclose((u[..., :3] * s[:, None]) @ vt, x, atol=1e-5)
    symmetric = x[:, :3] @ x[:, :3].transpose(0, 2, 1)
    w, v = ops.eigh(symmetric)
    np.testing.assert_allclose(w, keras.ops.eigh(symmetric)[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(v @ (w[..., None] * v.transpose(0, 2, 1)), symmetric, atol=1e-5)


def test_argpartition(keras):
    x = np.array([3.0, 1.0, 2.0, 5.0], "float32")
    for found in (ops.argpartition(x, 2), keras.ops.argpartition(x, 2)):
        found = np.asarray(found)
        assert x[found[2]] == 3.0
        assert set(x[found[:2]]) == {1.0, 2.0}
