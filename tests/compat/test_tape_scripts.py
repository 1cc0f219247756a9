"""The scripts of ``examples/keras`` that use TensorFlow's gradient tape, under ``pynn.compat`` alone.

``tests/parity`` compares their numbers with Keras's where TensorFlow is installed.  Here is what must hold in any case:
facts about losses and steps, the same lines in a second run, and the same numbers from the executor that computes
every op by NumPy.
"""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "keras"
NUMBER = re.compile(r"[-+]?\d+\.\d+(?:e[-+]?\d+)?")


@cache
def printed(name, executor="native", run=0):
    """What a script prints; ``run`` tells repeated runs apart."""
    done = subprocess.run(
        [sys.executable, "-m", "pynn.compat", str(EXAMPLES / f"{name}.py")],
        env={**os.environ, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8", "PYNN_EXECUTOR": executor},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def value(text, name):
    """The dictionary behind a name at the beginning of a line."""
    return ast.literal_eval(re.search(rf"^{name} (.*)$", text, re.MULTILINE).group(1))


@pytest.mark.parametrize("name", ["variational_autoencoder", "gan"])
def test_runs_agree(name):
    first = printed(name)
    assert printed(name, run=1) == first
    reference = printed(name, executor="reference")
    assert NUMBER.sub("#", reference) == NUMBER.sub("#", first)
    numbers, expected = ([float(n) for n in NUMBER.findall(text)] for text in (first, reference))
    np.testing.assert_allclose(numbers, expected, rtol=1e-3, atol=1e-5)


def test_variational_autoencoder():
    text = printed("variational_autoencoder")
    history = value(text, "history")
    total, kl, reconstruction = (
        np.array(history[f"{name}_loss"]) for name in ("total", "kl", "reconstruction")
    )  # four epochs each
    np.testing.assert_allclose(total, kl + reconstruction, rtol=1e-5)
    assert (np.diff(total) < 0).all()
    assert (kl > 0).all()
    evaluated = value(text, "evaluate")
    assert evaluated["total_loss"] < total[-1]  # weights of the end, the epoch's mean is of those before
    assert evaluated["total_loss"] == pytest.approx(evaluated["kl_loss"] + evaluated["reconstruction_loss"], rel=1e-5)
    assert 0 < float(re.search(r"^picture (.*)$", text, re.MULTILINE).group(1)) < 1


def test_gan():
    text = printed("gan")
    history = value(text, "history")
    # Both begin at guessing, with a loss of ln 2, and neither runs away from the other in three epochs.
    assert all(abs(loss - np.log(2)) < 0.1 for losses in history.values() for loss in losses)
    assert {name: len(losses) for name, losses in history.items()} == {"d_loss": 3, "g_loss": 3}
    assert text.splitlines()[-1] == "steps 12 12"  # each optimizer once in each of the four steps of an epoch
    pictures = re.findall(r"^epoch \d \(3, 8, 8, 1\) (.*)$", text, re.MULTILINE)
    assert len(set(pictures)) == 3  # the generator learns
