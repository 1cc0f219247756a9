"""Random ops: the published test vectors, one result on all ISAs, and what the numbers look like."""

import numpy as np
import pytest

from pynn import _core, ops
from pynn.errors import ArgumentError
from pynn.executor.native import NativeProgram
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops.random import STATE, Dropout, RandomNormal, RandomUniform
from pynn.reference.random import _philox

N = 100_003
SEED = np.array([2024, 7], np.uint32)


def run(op, feeds, isa=None, threads=1):
    with Trace() as trace:
        graph = trace.finish([op(*(trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(feeds)))])
    return NativeProgram(graph, isa=isa, threads=threads)(feeds)[0]


def test_philox_known_answer():
    """Philox4x32-10 with counter and key zero, from the kat_vectors file of Random123."""
    words = _philox(np.zeros(1, np.uint64), 0, 0, 0)
    assert [int(w[0]) for w in words] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize(
    ("op", "feeds"),
    [
        (Dropout(0.3, 1), [np.ones(N, np.float32), SEED]),
        (RandomUniform((N,), -1.0, 3.3, 1), [SEED]),
        (RandomNormal((N,), 0.1, 1.3, 1), [SEED]),
    ],
    ids=["dropout", "uniform", "normal"],
)
def test_one_result_on_all_isas(op, feeds):
    results = {run(op, feeds, isa, threads).tobytes() for isa in _core.available_isas() for threads in (1, 2)}
    assert len(results) == 1


def test_moments():
    kept = run(Dropout(0.3, 0), [np.ones(N, np.float32), SEED])
    assert abs((kept == 0).mean() - 0.3) < 0.005
    assert abs(kept.mean() - 1) < 0.01
    uniform = run(RandomUniform((N,), 2.0, 4.0, 0), [SEED])
    assert uniform.min() >= 2
    assert uniform.max() <= 4
    assert abs(uniform.mean() - 3) < 0.01
    normal = run(RandomNormal((N,), 1.0, 2.0, 0), [SEED])
    assert abs(normal.mean() - 1) < 0.03
    assert abs(normal.std() - 2) < 0.03


def test_seed_step_and_stream_give_other_numbers():
    def draw(seed, step, stream):
        return run(RandomUniform((1000,), 0.0, 1.0, stream), [np.array([seed, step], np.uint32)])

    base = draw(1, 2, 3)
    assert (draw(1, 2, 3) == base).all()
    for other in [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)]:
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.15


def test_each_dropout_of_a_trace_has_its_own_stream():
    with Trace() as trace:
        x, state = trace.input("x", Spec((1000,))), trace.input("state", STATE)
        graph = trace.finish([ops.dropout(x, 0.5, state), ops.dropout(x, 0.5, state)])
    a, b = NativeProgram(graph)([np.ones(1000, np.float32), SEED])
    assert (a != b).any()


def test_dropout_checks_its_rate():
    with Trace() as trace:
        x, state = trace.input("x", Spec((3,))), trace.input("state", STATE)
        assert ops.dropout(x, 0, state) is x
        with pytest.raises(ArgumentError, match=r"dropout: rate must be a number in \[0, 1\], received 1.5"):
            ops.dropout(x, 1.5, state)
