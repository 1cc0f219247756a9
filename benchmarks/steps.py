"""Whole steps through the API: training, an epoch, one prediction, and the first step with its compilation.

    pytest benchmarks/steps.py --benchmark-enable

The networks are those of ``compare.py``, which sets them beside other frameworks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import pynn

# The other frameworks' processes are started inside that folder and find its modules there.
sys.path.insert(0, str(Path(__file__).parent / "peers"))

from keras_api import build
from networks import BATCH, NETWORKS

pytestmark = [
    pytest.mark.parametrize("name", NETWORKS),
    pytest.mark.benchmark(max_time=0.5, warmup=True, warmup_iterations=3),
]


def test_train_on_batch(benchmark: Any, name: str) -> None:
    model = build(pynn, name)
    benchmark.group = name
    benchmark(model.train_on_batch, *NETWORKS[name].data(BATCH))


def test_fit_one_epoch(benchmark: Any, name: str) -> None:
    model = build(pynn, name)
    benchmark.group = name
    x, y = NETWORKS[name].data()
    benchmark.pedantic(model.fit, (x, y), {"batch_size": BATCH, "verbose": 0}, rounds=3, warmup_rounds=1)


def test_predict_one(benchmark: Any, name: str) -> None:
    model = build(pynn, name)
    benchmark.group = name
    x, _ = NETWORKS[name].data(1)
    benchmark(model.predict, x, verbose=0)


def test_build_and_first_step(benchmark: Any, name: str) -> None:
    x, y = NETWORKS[name].data(BATCH)
    benchmark.group = f"{name}, first step"
    benchmark(lambda: build(pynn, name).train_on_batch(x, y))
