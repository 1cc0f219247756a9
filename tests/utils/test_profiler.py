"""Measured limits, and tables of a step's instructions."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import pynn
from pynn import _core
from pynn.errors import ArgumentError
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.models.model import Model
from pynn.models.trainer import NotCompiledError
from pynn.testing.op_cases import all_cases
from pynn.utils.machine import MachinePeak

PEAK = MachinePeak("avx2", 2, 100.0, 10, 10, 20, 10, 15, l2=200, l3=80)


def _convnet() -> Model:
    layers = pynn.layers
    model = pynn.Sequential(
        [
            pynn.Input((8, 8, 3)),
            layers.Conv2D(16, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def _batch(n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((n, 8, 8, 3), dtype=np.float32), np.arange(n) % 5


@pytest.mark.parametrize("isa", _core.available_isas())
def test_limits_of_the_machine(isa):
    peak = pynn.utils.machine_peak(threads=1, isa=isa)
    assert (peak.isa, peak.threads) == (isa, 1)
    assert min(peak.gflops, peak.read, peak.copy, peak.triad, peak.l2, peak.l3) > 0
    assert pynn.utils.machine_peak(1, isa) is peak, "measured once"
    assert f"{isa}, 1 thread: {peak.gflops:.0f} GFLOP/s" in str(peak)


def test_register_peak_is_not_computed_less_often_than_it_says():
    """Twice the rounds take about twice the time; sums that are found equal and dropped would not."""
    from pynn.executor.native import kernel_params

    y = np.zeros(1, "float32")

    def seconds(rounds):
        params = kernel_params("peak_fma", {"tasks": 1, "rounds": rounds})
        out = [("fixed", y, 1, 4)]
        program = _core.Program("", [("peak_fma", "peak_fma", params, [], out)], [], _core.Arena(), 0)
        return min(program.profile([], 1)[0][1] for _ in range(7))

    assert 1.5 < seconds(100_000) / seconds(50_000) < 2.7
    # Twelve sums, each s -> s / 2 + 1, which ends at 2 in every lane.
    assert y[0] == pytest.approx(12 * 2 * {"generic": 4, "neon": 4, "avx2": 8, "avx512": 16}[_core.isa()])


def test_an_instruction_set_that_is_not_there():
    with pytest.raises(ValueError, match="ISA 'mmx' is not in this build"):
        pynn.utils.machine_peak(isa="mmx")


def test_which_limit_binds():
    assert PEAK.memory == 20
    assert PEAK.bandwidth(1e3) == 200
    assert PEAK.bandwidth(1e12) == 20
    assert PEAK.seconds(flops=1e12, nbytes=1e3) == (pytest.approx(10), "compute")
    assert PEAK.seconds(flops=1e3, nbytes=1e12) == (pytest.approx(50), "memory")


def test_rows_count_the_work_of_each_op():
    model = _convnet()
    x, y = _batch()
    result = pynn.utils.profile(model, x, y, runs=2)
    by_op = {}
    for row in result.rows:
        by_op.setdefault(row.op, row)
    pixels = 6 * 8 * 8
    assert by_op["conv2d"].flops == by_op["conv2d_grad_kernel"].flops == 2 * pixels * 16 * 9 * 3
    assert by_op["conv2d"].nbytes == 4 * (pixels * 3 + 9 * 3 * 16 + pixels * 16)
    assert by_op["max_pool2d"].flops == pixels * 16
    assert by_op["matmul"].flops == 2 * 6 * 256 * 5
    assert by_op["adam_step"].flops == 11 * sum(v.size for v in model.trainable_variables)
    assert by_op["conv2d"].layer == model.layers[0].name
    assert by_op["conv2d"].shapes == "(6, 8, 8, 3) (3, 3, 3, 16) -> (6, 8, 8, 16)"
    assert {row.count for row in result.rows} == {2}
    assert sum(row.share for row in result.rows) == pytest.approx(1)
    assert result.seconds == pytest.approx(sum(row.seconds for row in result.rows))
    conv = by_op["conv2d"]
    assert conv.gflops == pytest.approx(conv.flops / conv.seconds / 1e9)
    assert conv.of_peak == pytest.approx(result.peak.seconds(conv.flops, conv.nbytes)[0] / conv.seconds)


#: Kernels that move numbers, count, or draw them: a profile sets them beside the speed of memory alone.
_NO_ARITHMETIC = {
    "argmax", "cast", "concatenate", "copy", "dropout", "gemm_pack_b", "increment", "join_steps", "next_seed",
    "one_hot", "pad", "random_normal", "random_uniform", "split_steps", "strided_copy", "take_rows",
}  # fmt: skip


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_each_op_with_a_kernel_counts_its_work(case):
    candidates = case.op.candidates()
    with Trace() as trace:
        outputs = case.op(*(trace.input(f"x{i}", spec) for i, spec in enumerate(case.specs)))
    y = outputs[0] if isinstance(outputs, tuple) else outputs
    if not candidates or not y.size:
        return
    counts = bool(case.op.flops(y.node))
    assert counts != (candidates[0].kernel in _NO_ARITHMETIC), "define flops(), or name the kernel above"


def test_products_inside_attention_and_recurrent_layers():
    from pynn.ops.attention import Attention, AttentionGrad
    from pynn.ops.recurrent import Lstm

    with Trace() as trace:
        q, k, v = (trace.input(name, Spec(shape)) for name, shape in zip("qkv", _ATTENTION, strict=True))
        whole, causal = (Attention(0.5, is_causal)(q, k, v) for is_causal in (False, True))
        gradients = AttentionGrad(0.5)(q, k, v, *whole, whole[0])
        z, r, h, c = (trace.input(f"x{i}", Spec(s)) for i, s in enumerate([(2, 5, 24), (6, 24), (2, 6), (2, 6)]))
        sequence = Lstm()(z, r, h, c)
    pairs = 2 * 3 * 4 * 7  # batch, heads, queries, keys
    assert whole[0].node.op.flops(whole[0].node) == 2 * pairs * (8 + 16)
    assert causal[0].node.op.flops(causal[0].node) == 2 * (2 * 3 * (1 + 2 + 3 + 4)) * (8 + 16)
    assert gradients[0].node.op.flops(gradients[0].node) == 2 * pairs * (3 * 8 + 2 * 16)
    assert sequence[0].node.op.flops(sequence[0].node) == 2 * (2 * 5) * 6 * 24


#: Queries, keys and values: batch, sequence, heads, dim.
_ATTENTION = (2, 4, 3, 8), (2, 7, 3, 8), (2, 7, 3, 16)


def test_a_profile_changes_nothing():
    model = _convnet()
    x, y = _batch()
    model.train_on_batch(x, y)
    before = [w.copy() for w in model.get_weights()] + [model.optimizer.iterations.numpy().copy()]
    pynn.utils.profile(model, x, y, runs=3)
    after = [*model.get_weights(), model.optimizer.iterations.numpy()]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_prediction_without_targets_and_without_compiling():
    model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3)])
    result = pynn.utils.profile(model, np.ones((2, 4)), runs=1)
    assert [row.op for row in result.rows] == ["matmul"]
    assert result.title.startswith("predict step of")
    with pytest.raises(NotCompiledError):
        pynn.utils.profile(model, np.ones((2, 4)), np.ones((2, 3)))


def test_the_table_has_the_longest_first_and_fits_a_terminal():
    result = pynn.utils.profile(_convnet(), *_batch(), runs=2)
    title, machine, head, *rows = str(result).splitlines()
    assert title == f"{result.title}: {result.seconds * 1e6:.1f} us a run, 2 runs"
    assert machine == f"machine: {result.peak}"
    assert head.split()[:4] == ["us", "share", "GFLOP/s", "GB/s"]
    assert len(rows) == len(result.rows)
    times = [float(row.split()[0]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert max(map(len, rows)) <= 150


def test_the_figure_has_a_bar_for_each_instruction():
    result = pynn.utils.profile(_convnet(), *_batch(), runs=1)
    (axes,) = result.plot(most=5).axes
    longest = sorted(result.rows, key=lambda row: -row.seconds)[:5]
    assert [bar.get_width() for bar in axes.containers[0]] == pytest.approx([row.seconds * 1e6 for row in longest])
    assert axes.get_xlabel() == "microseconds"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["limited by compute", "limited by memory"]


def test_bad_arguments(monkeypatch):
    with pytest.raises(ArgumentError, match="runs must be a positive whole number, received 0"):
        pynn.utils.profile(_convnet(), *_batch(), runs=0)
    monkeypatch.setenv("PYNN_EXECUTOR", "reference")
    with pytest.raises(ArgumentError, match="unset PYNN_EXECUTOR"):
        pynn.utils.profile(_convnet(), *_batch())


def test_tables_at_the_end_of_a_process():
    code = """
        import numpy as np, pynn
        model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3)])
        model.compile("sgd", "mse")
        model.fit(np.ones((70, 4)), np.ones((70, 3)), batch_size=10, epochs=2, verbose=0)
        model.predict(np.ones((1, 4)), verbose=0)
        print(model.get_weights()[0].sum())
    """
    command = [sys.executable, "-c", "import pynn; pynn.utils.set_random_seed(1)\n" + textwrap.dedent(code)]
    quiet, loud = (
        subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYNN_PROFILE": switch})
        for switch in ("0", "1")
    )
    assert "machine:" not in quiet.stderr
    assert loud.stdout == quiet.stdout, "the same weights: the same data, in the same order"
    # The first run of each program is not counted where there are others.
    assert "train step of 'sequential' for float32[10, 4], float32[10, 3]: " in loud.stderr
    assert "a run, 13 runs" in loud.stderr
    assert "predict step of 'sequential' for float32[1, 4]" in loud.stderr
    assert "a run, 1 run\n" in loud.stderr
