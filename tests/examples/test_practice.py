"""The examples of practice run as a person runs them, for a few steps, and leave their picture and their figures."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
DATA = os.environ.get("PYNN_DATA_DIR", "")

#: Example, its arguments for a few steps, what it reads from PYNN_DATA_DIR, and what the end of its output says.
EXAMPLES_OF_PRACTICE = [
    (
        "autoencoder",
        "--samples 600 --epochs 1",
        "mnist",
        r"autoencoder 0\.\d+, principal components 0\.\d+\npictures: ",
    ),
    ("vae", "--samples 600 --epochs 1", "mnist", r"codes of 9 lie around \( *-?\d.*\npictures: "),
    ("gan", "--samples 512 --epochs 1", "mnist", r"discriminator_loss: \d\.\d+ - generator_loss: \d\.\d+\npictures: "),
    ("text_classification", "--samples 300 --epochs 1", "imdb", r"test accuracy \d+\.\d+%"),
    ("time_series", "--epochs 20", "tabular", r"network \d\.\d+ degrees, the day before 1\.95\ncurves: "),
    ("audio", "--samples 64 --epochs 1", "", r"test accuracy \d+\.\d+%\npictures: "),
    ("recommendation", "--samples 50000 --epochs 3", "", r"network 0\.[34]\d+, noise 0.25\nperson 7 should see: film"),
    ("localization", "--samples 200 --epochs 1", "", r"\(IoU\) 0\.\d+, right kind \d+\.\d%\ngreen.*\npictures: "),
    ("siamese_faces", "--samples 200 --epochs 1", "orl-faces", r"strangers: mean distance 0\.\d+.* right\npictures: "),
    ("transfer_learning", "--samples 30 --epochs 1 --tuning 1 --size 64", "models", r"frozen features, \d+\.\d% after"),
]


@pytest.mark.skipif(not EXAMPLES.exists(), reason="not run from the repository")
@pytest.mark.parametrize(
    ("name", "arguments", "needs", "ending"), EXAMPLES_OF_PRACTICE, ids=[example[0] for example in EXAMPLES_OF_PRACTICE]
)
def test_example(name, arguments, needs, ending, tmp_path):
    if needs and not Path(DATA, needs).exists():
        pytest.skip(f"needs {needs} in PYNN_DATA_DIR")
    script = EXAMPLES / f"{name}.py"
    command = [sys.executable, "-W", "error", str(script), *arguments.split()]
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert process.returncode == 0, process.stderr
    assert re.search(ending, process.stdout), process.stdout[-2000:]
    if ending.endswith("s: "):
        assert process.stdout.endswith(f"s: {name}.png\n")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    assert len(script.read_text().splitlines()) <= 80, "examples are short"


@pytest.mark.skipif(not EXAMPLES.exists(), reason="not run from the repository")
def test_missing_data_is_told(tmp_path):
    environment = {**os.environ, "PYNN_DATA_DIR": str(tmp_path)}
    command = [sys.executable, str(EXAMPLES / "time_series.py")]
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300)
    assert process.returncode == 1
    assert process.stderr.startswith(f"There is no {tmp_path / 'tabular' / 'airline-passengers.csv'}.\nGet it from ")
