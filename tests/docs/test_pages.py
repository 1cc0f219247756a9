"""Every page of the documentation runs from its first Python block to its last, and prints what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parents[2]
RUNNER = Path(__file__).with_name("run_page.py")
PAGES = sorted(path for path in [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")] if "```python" in path.read_text())
pytestmark = pytest.mark.skipif(not (ROOT / "docs").exists(), reason="not run from the repository")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).with_suffix("").as_posix())
def test_page(page, tmp_path):
    needs = re.search(r"<!-- needs (\S+) in PYNN_DATA_DIR -->", page.read_text())
    if needs and not Path(os.environ.get("PYNN_DATA_DIR", ""), needs[1]).exists():
        pytest.skip(f"needs {needs[1]} in PYNN_DATA_DIR")
    process = subprocess.run(
        [sys.executable, "-W", "error", str(RUNNER), str(page)],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, env={**os.environ, "MPLBACKEND": "Agg"},
    )  # fmt: skip
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr
