"""Every native kernel through a program of one op: the table of op cases, and sizes that users meet.

    pytest benchmarks/kernels.py --benchmark-enable -k "realistic and matmul"

Without ``--benchmark-enable`` each runs once, which checks that it runs. The time includes the call from Python and the
allocation of the outputs, together about two microseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pynn import _core, config
from pynn.executor.native import compile_graph
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel
from pynn.ops.matmul import Matmul
from pynn.ops.normalization import BatchNorm
from pynn.ops.optimizer_step import AdamStep
from pynn.ops.pool import MaxPool2d
from pynn.ops.softmax import Softmax
from pynn.testing.op_case import OpCase
from pynn.testing.op_cases import all_cases

SAME_5X5 = ((2, 2), (2, 2))
SAME_3X3 = ((1, 1), (1, 1))


def _specs(*shapes: tuple[int, ...]) -> list[Spec]:
    return [Spec(shape) for shape in shapes]


def _squares(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    return rng.standard_normal(spec.shape) ** 2


REALISTIC = [
    OpCase(Matmul(), _specs((512, 512), (512, 512)), note="square"),
    OpCase(Matmul(), _specs((128, 784), (784, 64)), note="MLP, forward"),
    OpCase(Matmul(transpose_a=True), _specs((128, 784), (128, 64)), note="MLP, gradient of the kernel"),
    OpCase(Matmul(transpose_b=True), _specs((128, 10), (64, 10)), note="MLP, gradient of the input"),
    OpCase(Conv2d(padding=SAME_5X5), _specs((128, 28, 28, 1), (5, 5, 1, 6)), note="LeNet-5, first"),
    OpCase(Conv2d(), _specs((128, 14, 14, 6), (5, 5, 6, 16)), note="LeNet-5, second"),
    OpCase(
        Conv2dGradInput(input_shape=(128, 14, 14, 6)),
        _specs((128, 10, 10, 16), (5, 5, 6, 16)),
        note="LeNet-5, second",
    ),
    OpCase(
        Conv2dGradKernel(kernel_shape=(5, 5, 6, 16)),
        _specs((128, 14, 14, 6), (128, 10, 10, 16)),
        note="LeNet-5, second",
    ),
    OpCase(Conv2d(padding=SAME_3X3), _specs((16, 56, 56, 64), (3, 3, 64, 64)), note="ResNet-50"),
    OpCase(MaxPool2d((2, 2), (2, 2)), _specs((128, 28, 28, 6)), note="LeNet-5, first"),
    OpCase(BatchNorm(1e-3), _specs((128, 32, 32, 16), (16,), (16,)), note="ResNet-20"),
    OpCase(Softmax(), _specs((128, 10)), note="ten classes"),
    OpCase(Softmax(), _specs((256, 1000)), note="thousand classes"),
    OpCase(
        AdamStep(0.9, 0.999, 1e-7, 1),
        [Spec(()), Spec((), "int64"), *_specs(*[(1 << 20,)] * 4)],
        {5: _squares},
        note="a million parameters",
    ),
]


def _run(benchmark: Any, case: OpCase, threads: int) -> None:
    with Trace() as trace:
        xs = [trace.input(f"x{i}", spec) for i, spec in enumerate(case.specs)]
        y = case.op(*xs)
        graph = trace.finish(y if isinstance(y, tuple) else [y])
    program = compile_graph(graph, threads=threads)
    arrays = case.inputs()
    benchmark.group = case.op.name
    benchmark.extra_info.update(isa=_core.available_isas()[-1], threads=threads, note=case.note)
    benchmark(program, arrays)


@pytest.mark.benchmark(max_time=0.3, warmup=True, warmup_iterations=10)
@pytest.mark.parametrize("threads", sorted({1, config.num_threads()}), ids="threads{}".format)
@pytest.mark.parametrize("case", REALISTIC, ids=lambda case: case.id)
def test_realistic(benchmark: Any, case: OpCase, threads: int) -> None:
    _run(benchmark, case, threads)


@pytest.mark.benchmark(max_time=0.05, min_rounds=3)
@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_case(benchmark: Any, case: OpCase) -> None:
    _run(benchmark, case, config.num_threads())
