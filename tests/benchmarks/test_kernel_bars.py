"""The comparison of kernels with bars runs without PyTorch, and says so; its report can be read."""

import importlib.util
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


def _run(script, *arguments):
    return subprocess.run([sys.executable, str(BENCHMARKS / script), *arguments], capture_output=True, text=True)


def _module(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def no_torch(tmp_path):
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\nexit 1\n")
    empty.chmod(0o755)
    return f"torch={empty}"


def test_kernels_without_pytorch_and_their_report(tmp_path, no_torch):
    path = tmp_path / "bars.json"
    options = ("--rounds", "2", "--seconds", "0.001", "--python", no_torch, "--json", str(path))
    for kernels in (("gemm-128x784x64-nn", "softmax_crossentropy-4096"), ("gemm-128x784x64-nn", "depthwise-1x")):
        done = _run("kernel_bars.py", "--only", *kernels, *options)
        assert done.returncode == 0, done.stderr
        assert "torch missing: " in done.stdout
    (run,) = json.loads(path.read_text())["runs"]
    rows = {row["kernel"]: row for row in run["results"]}
    assert list(rows) == ["gemm-128x784x64-nn", "depthwise-1x112x112x32", "softmax_crossentropy-4096x1000"]
    gemm = rows["gemm-128x784x64-nn"]
    assert gemm["gflops"] == pytest.approx(2 * 128 * 784 * 64 / gemm["ms"]["pynn"] / 1e6)
    assert gemm["of_peak"] == pytest.approx(gemm["gflops"] / gemm["peak_gflops"])
    assert gemm["met"] == (gemm["of_peak"] >= gemm["peak_bar"])
    assert rows["softmax_crossentropy-4096x1000"]["met"] is None, "nobody to compare with"

    figure = tmp_path / "bars.png"
    done = _run("report.py", str(path), "--plot", str(figure))
    assert done.returncode == 0, done.stderr
    assert "| kernel | ms | speed | of the limit | faster than PyTorch | bar | met |" in done.stdout
    assert "| gemm-128x784x64-nn | " in done.stdout
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_unknown_kernel_is_refused():
    done = _run("kernel_bars.py", "--only", "nosuch")
    assert done.returncode == 2
    assert "--only nosuch: no kernel's name begins like this; there are gemm-2048" in done.stderr


def test_a_digest_tells_results_apart(monkeypatch):
    import numpy as np

    monkeypatch.syspath_prepend(str(BENCHMARKS / "peers"))
    from kernel_cases import digest

    x = np.random.default_rng(0).standard_normal((5, 7, 3)).astype("float32")
    near = digest(x * (1 + 1e-6))
    assert digest(x) == pytest.approx(near, abs=1e-3)
    for other in (x.transpose(1, 0, 2), x[::-1], x * 1.01, np.zeros_like(x)):
        assert max(abs(a - b) for a, b in zip(digest(x), digest(other), strict=True)) > 1e-2


def test_verdicts_of_networks_in_the_report():
    base = {"network": "mlp", "mode": "step", "quartiles_ms": [1, 1], "bar": 3.0}
    rows = [
        {**base, "peer": "pynn", "case": "mlp.step", "ms": 1.0, "ratio": 1.0},
        {**base, "peer": "torch", "case": "mlp.step.fused", "ms": 2.5, "ratio": 2.5},
        {**base, "peer": "jax", "case": "mlp.step", "error": "no"},
    ]
    (table,) = _module("report").compare_tables({"results": rows})
    assert "| torch fused | 2.500 | 1.000 - 1.000 | 2.50 |" in table
    assert "| jax | failed |" in table
    assert "pynn is 2.50 times as fast as the best of the others; bar 3.0: **not met**." in table
