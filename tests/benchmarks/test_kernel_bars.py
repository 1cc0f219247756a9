"""The comparison of kernels with bars runs without PyTorch, and says so; its report can be read."""

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

    done = _run("report.py", str(path), "--plot", str(tmp_path / "bars.png"))
    assert done.returncode == 1
    assert "--plot shows ratios to other frameworks, and none of the files has any" in done.stderr
    assert "| kernel | ms | speed | of the limit | faster than PyTorch | bar | met |" in done.stdout
    assert "| gemm-128x784x64-nn | " in done.stdout


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


def test_verdicts_of_networks_in_the_report(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from report import compare_tables

    base = {"network": "mlp", "mode": "step", "quartiles_ms": [1, 1], "bar": 3.0}
    rows = [
        {**base, "peer": "pynn", "case": "mlp.step", "ms": 1.0, "ratio": 1.0},
        {**base, "peer": "torch", "case": "mlp.step.fused", "ms": 2.5, "ratio": 2.5},
        {**base, "peer": "torch", "case": "mlp.step.compile", "error": "no"},
    ]
    verdicts, table = compare_tables({"results": rows})
    assert "| torch fused | 2.500 | 1.000 - 1.000 | 2.50 |" in table
    assert "| torch compile | failed |" in table
    assert "| mlp step | 2.50x | 3.0x | **no** |" in verdicts
    rows.append({**base, "peer": "jax", "case": "mlp.step", "error": "no"})
    rows[1]["ratio"] = 3.5
    verdicts, _ = compare_tables({"results": rows})
    assert "| mlp step | 3.50x (without jax, failed) | 3.0x |  |" in verdicts
    rows.append({**base, "peer": "numpy", "case": "mlp.step", "ms": 2.3, "ratio": 2.3, "bar": 2.2})
    verdicts, table = compare_tables({"results": rows})
    assert "| mlp step | 3.50x (without jax, failed) | 3.0x |  |" in verdicts
    assert "| mlp step, to numpy | 2.30x | 2.2x | yes |" in verdicts
    assert "| numpy | 2.300 |" in table
    rows[0] |= {"to_step": 1.04, "to_step_bar": 1.1}
    assert "| mlp step, to a step alone | 1.04 | at most 1.1 | yes |" in compare_tables({"results": rows})[0]


def test_the_page_sums_up_and_the_figure_is_drawn(tmp_path):
    machine = {"cpu": "C", "isa": "avx2", "threads": 2, "date": "2026-01-01T00:00"}
    kernel = {"limit": "compute", "gflops": 90.0, "of_peak": 0.9, "ms": {"pynn": 1.0}, "ratio": 1.5}
    kernels = [
        {**kernel, "kernel": "quick", "bar": 1.2, "peak_bar": 0.8, "met": True},
        {**kernel, "kernel": "slow", "bar": 2.0, "peak_bar": None, "met": False},
    ]
    condition = {"condition": "neighbour", "peer": "pynn", "slower": 1.24, "bar": "at most 2.5", "met": True}
    runs = [
        {"part": part, "machine": machine, "versions": {"pynn": "1"}, "results": rows}
        for part, rows in (("conditions", [condition]), ("kernels", kernels))
    ]
    path, figure = tmp_path / "all.json", tmp_path / "bars.png"
    path.write_text(json.dumps({"runs": runs}))
    done = _run("report.py", str(path), "--plot", str(figure))
    assert done.returncode == 0, done.stderr
    assert "| Kernels, avx2 | 1 of 2 |\n| Conditions, avx2 | 1 of 1 |" in done.stdout
    assert "Not met:\n\n- Kernels, avx2: slow: 90% of the limit, 1.50x (bar: 2.0x)\n\n##" in done.stdout
    assert "C, avx2, 2 threads, 2026-01-01; pynn 1." in done.stdout
    assert "| neighbour: pynn | 1.24 times longer | at most 2.5 | yes |" in done.stdout
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_files_are_added_to_and_measured_rows_replaced(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from results import Results

    path, machine = tmp_path / "all.json", {"cpu": "C", "isa": "avx2", "threads": 2, "date": "monday"}

    def add(part, isa, versions, *rows):
        order = [("first",), ("second",)]
        Results(path, part, machine | {"isa": isa}, versions, ("kernel",), order).add(rows)
        return json.loads(path.read_text())["runs"]

    add("kernels", "avx2", {"pynn": "1"}, {"kernel": "second", "ms": 1}, {"kernel": "second", "ms": 2})
    add("kernels", "avx2", {"torch": "3"}, {"kernel": "first", "ms": 3})
    other, run = add("kernels", "avx512", {}, {"kernel": "first", "ms": 4})[::-1]
    assert [row["ms"] for row in run["results"]] == [3, 1, 2]
    assert run["versions"] == {"pynn": "1", "torch": "3"}
    assert [row["ms"] for row in other["results"]] == [4]
    run = add("kernels", "avx2", {}, {"kernel": "second", "ms": 5})[-1]
    assert [row["ms"] for row in run["results"]] == [3, 5]
    assert len(add("steps", "avx2", {}, {"kernel": "first"})) == 3
