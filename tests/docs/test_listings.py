"""The listings of ARCHITECTURE.md are what `PYNN_SHOW=passes` prints for the step it tells of."""

import re
from pathlib import Path

import numpy as np
import pytest

import pynn as keras

PAGE = Path(__file__).parents[2] / "ARCHITECTURE.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="not run from the repository")


def test_listings(monkeypatch, capfd):
    listings = re.findall(r"^```\n(===.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    sections = [section for listing in listings for section in re.split(r"\n(?==== )", listing)]
    assert [section.partition("\n")[0] for section in sections] == [
        "=== as traced ===", "=== fuse chains ===", "=== plan memory ===",
    ]  # fmt: skip
    keras.utils.clear_session()  # names count from the beginning
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(64, activation="relu", name="dense"),
            keras.layers.Dense(10, activation="softmax", name="dense_1"),
        ]
    )
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monkeypatch.setenv("PYNN_SHOW", "passes")
    model.train_on_batch(np.zeros((128, 784), "float32"), np.zeros(128, "int32"))
    printed = capfd.readouterr().err
    for section in sections:
        assert section.strip() in printed
