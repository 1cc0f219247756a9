"""The recipes' comparison runs, and its schedules are those of the examples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="takes CPU times and CPU lists from Linux"),
    pytest.mark.skipif(not BENCHMARKS.exists(), reason="not run from the repository"),
]


def recipes(*arguments):
    command = [sys.executable, str(BENCHMARKS / "recipes.py"), *arguments, "--rounds", "1", "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_steps_are_timed_and_missing_frameworks_listed(tmp_path):
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\nexit 1\n")
    empty.chmod(0o755)
    report = tmp_path / "report.json"
    peers = ["--peers", "pynn", "torch", "--python", f"torch={empty}"]
    out = recipes("steps", *peers, "--seconds", "0.01", "--json", str(report))
    assert "missing: " in out
    (written,) = json.loads(report.read_text())["runs"]
    assert [row["network"] for row in written["results"]] == ["cifar10_fast", "mnist_cnn"]
    assert all(row["ms"] > 0 for row in written["results"])


@pytest.mark.parametrize("name", ["cifar10_fast", "mnist_cnn"])
def test_rates_are_those_of_the_example(name, monkeypatch):
    for folder in ("benchmarks/peers", "examples"):
        monkeypatch.syspath_prepend(str(BENCHMARKS.parent / folder))
    import cifar10_fast
    import mnist_cnn
    from recipe_case import first_weights, rate

    total = 100
    if name == "mnist_cnn":
        model = mnist_cnn.build(total)
    else:
        model = cifar10_fast.build(first_weights(name)[0], total)
    schedule = model.optimizer._schedule
    for step in (0, 7, 20, 21, 60, 99):
        assert float(schedule(step)) == pytest.approx(rate(name, step, total), rel=1e-5, abs=1e-6)
