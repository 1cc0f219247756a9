"""Nothing grows with the number of steps: a short run of soak.py, which has the long one."""

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("soak", Path(__file__).with_name("soak.py"))
soak = importlib.util.module_from_spec(spec)
spec.loader.exec_module(soak)

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
#: Of which half is measured: a tenth is a window.
STEPS = {"train": 10_000, "predict": 10_000, "evaluate": 10_000, "fit": 10_000, "tape": 2_000, "arrays": 10_000,
         "build": 6_000}  # fmt: skip


@pytest.mark.parametrize("kind", soak.KINDS)
def test_no_leak(kind):
    """A window is known to a page or two; one lost float a step would be 4 bytes, one lost object 50 or more."""
    window = STEPS[kind] / 10
    assert soak.soak(kind, STEPS[kind]) < max(soak.MOST_BYTES, 3 * soak.PAGE / window)
