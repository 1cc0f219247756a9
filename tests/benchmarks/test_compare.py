"""The comparison with other frameworks runs, with those that are not there listed as missing."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

COMPARE = Path(__file__).parents[2] / "benchmarks" / "compare.py"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="takes CPU times and CPU lists from Linux"),
    pytest.mark.skipif(not COMPARE.exists(), reason="not run from the repository"),
]


def _compare(*arguments):
    command = [sys.executable, str(COMPARE), "--rounds", "2", "--seconds", "0.01", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_report(tmp_path):
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\nexit 1\n")
    empty.chmod(0o755)
    report = tmp_path / "report.json"
    done = _compare(
        "--networks", "mlp", "--peers", "numpy", "torch", "--python", f"torch={empty}", "--json", str(report)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "missing: " in done.stdout
    (written,) = json.loads(report.read_text())["runs"]
    assert list(written["versions"]) == ["numpy"]
    assert {"cpu", "isa", "threads", "date"} <= set(written["machine"])
    assert [(row["peer"], row["mode"]) for row in written["results"]] == [("numpy", "step"), ("numpy", "fit")]
    for row in written["results"]:
        assert row["ms"] > 0
        assert row["ratio"] == 1
        assert len(row["rounds_ms"]) == 2


def test_unknown_interpreter_choice_is_refused():
    done = _compare("--python", "nosuch=python3")
    assert done.returncode == 2
    assert "expected PEER=PATH, with PEER one of pynn, torch" in done.stderr


def test_gradients_by_hand_in_the_numpy_network():
    """The loss is the formula's, and a step lets it fall by rate * |gradient|^2, both in float64."""
    code = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import networks, numpy_steps
        _, cases = numpy_steps.load()
        print(*cases["mlp.step"]().losses(2), sep="\\n")
        import numpy as np
        x, y = networks.NETWORKS["mlp"].data(networks.BATCH)
        w1, b1, w2, b2 = (w.astype("float64") for w in networks.NETWORKS["mlp"].weights())
        h = 1 / (1 + np.exp(-(x @ w1 + b1)))
        p = np.exp(h @ w2 + b2)
        p /= p.sum(axis=1, keepdims=True)
        print(((p - y) ** 2).mean())
        g = 2 * (p - y) / p.size
        g = p * (g - (g * p).sum(axis=1, keepdims=True))
        gh = g @ w2.T * h * (1 - h)
        print(sum((a ** 2).sum() for a in (x.T @ gh, gh.sum(0), h.T @ g, g.sum(0))))
    """
    peers = COMPARE.parent / "peers"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(peers)], capture_output=True, text=True, check=True
    )
    first, second, expected, squares = map(float, done.stdout.split())
    assert first == pytest.approx(expected, rel=1e-6)
    assert first - second == pytest.approx(0.01 * squares, rel=2e-2)
