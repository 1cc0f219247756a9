"""``docs/keras_surface.md`` is what ``docs/keras_surface.py`` writes, and says why where tier 1 is not as in Keras."""

import importlib.util
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def surface(keras):
    spec = importlib.util.spec_from_file_location("keras_surface", DOCS / "keras_surface.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(surface):
    return surface.compare()


def test_the_page_is_up_to_date(surface, rows):
    counts = [line for line in surface.page(rows).splitlines() if line.startswith(("| 1 |", "| 2 |"))]
    written = [line for line in (DOCS / "keras_surface.md").read_text().splitlines() if line.startswith("| ")]
    assert set(counts) <= set(written), "run: KERAS_BACKEND=jax python docs/keras_surface.py"


def test_tier_1_has_the_signatures_of_keras(rows):
    tier_1 = [row for row in rows if row.tier == 1]
    assert len(tier_1) == 350
    assert {r.name: r.differences for r in tier_1 if r.present and r.differences and not r.reason} == {}


def test_a_difference_would_be_found(surface):
    def theirs(x, axis=-1, keepdims=False): ...
    def ours(x, axis=0): ...

    assert surface.differences(theirs, ours) == ["no argument `keepdims`", "`axis=0` instead of `-1`"]
