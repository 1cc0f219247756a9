"""A model whose steps call a Python function in the middle, and runs of scripts in processes of their own."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops, reference


@pytest.fixture(autouse=True)
def _interrupts_arrive():
    """Also where the tests are run in the background of a shell, which has such processes ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def meaning_of_cumsum():
    """A function that replaces the NumPy function of ``ops.cumsum``, which has no kernel, by another for one test."""
    before = reference._all()["cumsum"]

    def replace(function):
        reference._all()["cumsum"] = lambda x, **options: function(before, x, **options)

    yield replace
    reference._all()["cumsum"] = before


class Running(layers.Layer):
    """Sums along the features, which the runtime asks Python for."""

    def call(self, x):
        return ops.cumsum(x, axis=1)


@pytest.fixture
def calls_python():
    """A small model, compiled, with such a layer in its middle."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8), Running(), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    return rng.random((40, 4), "float32"), rng.random((40, 2), "float32")


@pytest.fixture
def run_script():
    """Runs Python code in a new process; gives what it printed."""

    def run(code, timeout=120, **environment):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
