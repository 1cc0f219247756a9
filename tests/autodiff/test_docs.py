"""The examples of docs/autodiff.md run, one after the other."""

import re
from pathlib import Path


def test_examples_of_the_page():
    path = Path(__file__).parents[2] / "docs" / "autodiff.md"
    page = path.read_text()
    examples = list(re.finditer(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    assert len(examples) > 8
    names = {}
    for example in examples:
        above = "\n" * page.count("\n", 0, example.start(1))  # so that an error shows the page's line
        exec(compile(above + example.group(1), str(path), "exec"), names)
