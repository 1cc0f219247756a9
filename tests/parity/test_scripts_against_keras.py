"""The scripts in ``examples/keras`` print the same under Keras and under pynn.

Each runs twice in processes of their own: with the installed Keras, and by ``python -m pynn.compat``.  Those that use
TensorFlow's gradient tape need TensorFlow beside Keras to be compared.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "examples" / "keras").glob("*.py"))
NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?")


def run(*command, backend="jax"):
    """What the script prints, line by line."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg", "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**os.environ, **quiet, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def words(line):
    """The line without its numbers and spaces: NumPy prints a number's last digits and spaces as they come."""
    return re.sub(r"\s", "", NUMBER.sub("#", line))


def numbers(line):
    return [float(number) for number in NUMBER.findall(line)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_prints_the_same(keras, script):
    tensorflow = "import tensorflow" in script.read_text()
    if tensorflow and importlib.util.find_spec("tensorflow") is None:
        pytest.skip("the script uses TensorFlow's gradient tape, and TensorFlow is not installed")
    expected = run(script, backend="tensorflow" if tensorflow else "jax")
    printed = run("-m", "pynn.compat", script)
    assert [words(line) for line in printed] == [words(line) for line in expected]
    for ours, theirs in zip(printed, expected, strict=True):
        assert numbers(ours) == pytest.approx(numbers(theirs), rel=1e-3, abs=1e-5), f"{ours}\n{theirs}"


def test_there_are_ten_scripts():
    assert len(SCRIPTS) == 10
