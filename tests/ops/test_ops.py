"""One table of cases drives every check an op must pass."""

import numpy as np
import pytest

import pynn.ops
from pynn import _core
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import REGISTRY, Candidate, Graph, Op, Spec
from pynn.graph.passes.choose_kernels import Choice
from pynn.graph.trace import Trace
from pynn.reference import meaning
from pynn.testing.op_case import OpCase
from pynn.testing.op_cases import all_cases

CASES = all_cases()
IDS = [case.id for case in CASES]


def graph_of(case: OpCase, dtype: str) -> Graph:
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(s.shape, dtype if s.is_float else s.dtype)) for i, s in enumerate(case.specs)]
        y = case.op(*xs)
        return trace.finish(y if isinstance(y, tuple) else [y])


def test_every_op_has_a_meaning_and_a_case():
    assert pynn.ops is not None
    covered = {case.op.name for case in CASES}
    assert {name for name in REGISTRY if meaning(name) is None} == set()
    assert set(REGISTRY) - covered == set()


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_shape_rule(case):
    graph = graph_of(case, "float64")
    outputs = ReferenceProgram(graph)(case.inputs("float64"))
    assert [a.shape for a in outputs] == [v.shape for v in graph.outputs]
    if case.expect is not None:
        assert [v.shape for v in graph.outputs] == [tuple(s) for s in case.expect]


def has_gradient(case: OpCase) -> bool:
    moved = case.grad if case.grad is not None else [i for i, s in enumerate(case.specs) if s.is_float]
    return type(case.op).vjp is not Op.vjp and len(moved) > 0


@pytest.mark.parametrize("case", [c for c in CASES if has_gradient(c)], ids=lambda c: c.id)
def test_gradient_rule_against_finite_differences(case):
    """In float64 on the reference executor, in random directions."""
    arrays = case.inputs("float64")
    rng = np.random.default_rng(1)
    forward = ReferenceProgram(graph_of(case, "float64"))
    outputs = forward(arrays)
    # Outputs without a rule (statistics, indices) get weight zero: the rule must then give the rest.
    weights = [rng.standard_normal(o.shape) for o in outputs]
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(arrays)]
        y = case.op(*xs)
        ys = y if isinstance(y, tuple) else (y,)
        moved = case.grad if case.grad is not None else [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
        single = not isinstance(y, tuple)
        g = [trace.constant(w, "float64") for w in weights]
        if single:
            found = gradients(y, [xs[i] for i in moved], g[0])
            weight_of = weights
        else:
            used = getattr(case.op, "differentiable_outputs", range(len(ys)))
            weight_of = [w if i in used else np.zeros_like(w) for i, w in enumerate(weights)]
            rule = case.op.vjp(tuple(g[i] if i in used else None for i in range(len(ys))), ys, *xs)
            found = [rule[i] for i in moved]
        names = [i for i, v in zip(moved, found, strict=True) if v is not None]
        graph = trace.finish([v for v in found if v is not None])
    assert names, "the rule gives no gradient at all: set grad=() in the case"
    exact = ReferenceProgram(graph)(arrays)

    def objective(moved_arrays):
        return sum(float((o * w).sum()) for o, w in zip(forward(moved_arrays), weight_of, strict=True))

    for i, gx in zip(names, exact, strict=True):
        d = rng.standard_normal(arrays[i].shape)
        eps = 1e-6
        hi, lo = list(arrays), list(arrays)
        hi[i] = arrays[i] + eps * d
        lo[i] = arrays[i] - eps * d
        numeric = (objective(hi) - objective(lo)) / (2 * eps)
        np.testing.assert_allclose((gx * d).sum(), numeric, rtol=1e-5, atol=1e-7, err_msg=f"input {i}")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_native_against_reference(case, isa, threads):
    graph = graph_of(case, "float32")
    arrays = case.inputs("float32")
    if any(v.dtype == "float64" for v in graph.outputs):
        pytest.fail("a case must be written in float32")
    native = NativeProgram(graph, isa=isa, threads=threads)(arrays)
    wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
    for got, want in zip(native, ReferenceProgram(graph_of(case, "float64"))(wide), strict=True):
        np.testing.assert_allclose(got, want, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_bitwise_equal_for_any_thread_count(case, isa):
    arrays = case.inputs("float32")
    one, *others = (NativeProgram(graph_of(case, "float32"), isa=isa, threads=t)(arrays) for t in (1, 2, 3, 5))
    for other in others:
        for a, b in zip(one, other, strict=True):
            assert a.tobytes() == b.tobytes()


def second_choices() -> list[tuple[OpCase, Candidate]]:
    """The kernels that would take a case if a better one did not: slow twins, other algorithms."""
    found = []
    for case in CASES:
        node = graph_of(case, "float32").outputs[0].node
        if node is not None and not node.op.is_view:
            accepting = [c for c in node.op.candidates() if c.declines(node) is None]
            found += [(case, candidate) for candidate in accepting[1:]]
    return found


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize(
    ("case", "candidate"), [pytest.param(*pair, id=f"{pair[1].kernel}-{pair[0].id}") for pair in second_choices()]
)
def test_every_kernel_that_accepts_a_case(case, candidate, isa):
    """The other tests run the first choice; all must compute the same."""
    arrays = case.inputs("float32")
    results = []
    for threads in (1, 3):
        graph = graph_of(case, "float32")
        graph.outputs[0].node.choice = Choice(candidate)
        results.append(NativeProgram(graph, isa=isa, threads=threads)(arrays))
    wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
    exact = ReferenceProgram(graph_of(case, "float64"))(wide)
    for one, three, want in zip(*results, exact, strict=True):
        assert one.tobytes() == three.tobytes()
        np.testing.assert_allclose(one, want, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_ops_print_and_compare(case):
    assert str(case.op).startswith(type(case.op).__name__)
    assert case.op == type(case.op)(**case.op.attributes())
    assert hash(case.op) == hash(type(case.op)(**case.op.attributes()))
