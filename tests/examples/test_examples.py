"""The examples of the course run as a person runs them, and print and draw what the course says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="not run from the repository")


@pytest.fixture
def run(tmp_path):
    """``run(name, *arguments)``: what an example prints; it runs in ``tmp_path``."""

    def run(name, *arguments):
        script = EXAMPLES / f"{name}.py"
        assert len(script.read_text().splitlines()) <= 80, "examples are short"
        command = [sys.executable, "-W", "error", str(script), *arguments]
        process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
        assert process.returncode == 0, process.stderr
        return process.stdout

    return run


def pictures(folder):
    return {path.stem for path in folder.glob("*.png") if path.stat().st_size > 10_000}


def test_critical_points(run, tmp_path):
    printed = run("critical_points", "--function", "cubes", "himmelblau", "flat")
    points = dict.fromkeys(("cubes", "himmelblau", "flat"))
    for name, text in re.findall(r"(\w+):\n((?:  \(.*\n)+)", printed):
        points[name] = re.findall(r"\( *(-?[\d.]+), +(-?[\d.]+)\)  (\w+)", text)
    assert points["cubes"] == [
        ("-1.00", "-1.00", "maximum"),
        ("-1.00", "1.00", "saddle"),
        ("1.00", "-1.00", "saddle"),
        ("1.00", "1.00", "minimum"),
    ]
    # Himmelblau's function is known for its four minima, between them a maximum and four saddle points.
    kinds = [kind for _, _, kind in points["himmelblau"]]
    assert {kind: kinds.count(kind) for kind in kinds} == {"minimum": 4, "saddle": 4, "maximum": 1}
    assert ("3.00", "2.00", "minimum") in points["himmelblau"]
    assert points["flat"] == [("0.00", "0.00", "undecided")]
    assert pictures(tmp_path / "critical_points") == {"cubes", "himmelblau", "flat"}


def test_perceptron(run, tmp_path):
    printed = run("perceptron")
    both, either = printed.split("\n\nXOR\n")
    assert re.findall(r"\[(\d) (\d)\].*\((.*)\)  <- wrong", both) == [("1", "0", "0.7, 0.6")]
    assert both.endswith("right in round 2")
    assert len(re.findall("<- wrong", either)) >= 4
    assert "never right" in either
    learned = [float(n) for n in re.findall(r"-> (\d\.\d+)", either)]
    assert [n > 0.5 for n in learned] == [False, True, True, False]
    assert pictures(tmp_path) == {"perceptron"}


def test_course_curves(run, tmp_path):
    run("course_curves", "--depth", "3")
    assert pictures(tmp_path / "course_curves") == {
        "losses", "activations", "optimizer_paths", "variance_by_initializer", "gradient_norms",
    }  # fmt: skip
