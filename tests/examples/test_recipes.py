"""The recipes run as a person runs them, for a few steps; what they reach in a whole run is in docs/recipes.md."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
DATA = os.environ.get("PYNN_DATA_DIR", "")

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="not run from the repository")


def run(name, *arguments, folder):
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *arguments]
    process = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize(
    ("name", "data", "ending"),
    [
        ("mnist_cnn", "mnist", r"test accuracy \d+\.\d\d%, \d+\.\d s from the first import to here\n$"),
        ("cifar10_fast", "cifar-10-batches-bin", r"first 1,000 images, \d+\.\d\d% on all 10,000\n.* to answers\n$"),
    ],
)
def test_recipe(name, data, ending, tmp_path):
    if not Path(DATA, data).exists():
        pytest.skip(f"needs {data} in PYNN_DATA_DIR")
    output = run(name, "--epochs", "1", "--steps", "3", "--data", DATA, folder=tmp_path)
    assert re.search(ending, output), output
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) < 80, "examples are short"


def test_resnet20_goes_on_where_it_stopped(tmp_path):
    if not Path(DATA, "cifar-10-batches-bin").exists():
        pytest.skip("needs cifar-10-batches-bin in PYNN_DATA_DIR")
    first = run("cifar10_resnet20", "--epochs", "2", "--steps", "2", folder=tmp_path)
    again = run("cifar10_resnet20", "--epochs", "3", "--steps", "2", folder=tmp_path)
    assert "Epoch 1/2" in first
    assert "Epoch 3/3" in again
    assert "Epoch 2/3" not in again
    assert re.search(r"first 1,000 images: \d.*\n.*first 10,000 images: \d+\.\d\d%\n$", again)


def test_whitened_patches_are_uncorrelated(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import cifar10_fast

    rng = np.random.default_rng(0)
    smooth = rng.random((50, 17, 17, 3)).cumsum(1).cumsum(2) + rng.random((50, 17, 17, 3))
    images = smooth[:, :16, :16] * 20
    kernel = cifar10_fast.whitening(images)
    assert kernel.shape == (2, 2, 3, 24)
    np.testing.assert_array_equal(kernel[..., 12:], -kernel[..., :12])
    x = (images - cifar10_fast.MEAN) / cifar10_fast.STD
    patches = np.stack([x[:, i : i + 15, j : j + 15] for i in (0, 1) for j in (0, 1)], axis=3).reshape(-1, 12)
    answers = patches @ kernel[..., :12].reshape(12, 12)
    covariance = np.cov(answers, rowvar=False)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-3)
    assert covariance.max() == pytest.approx(1, abs=1e-2)
