"""Runs the Python of a page of the documentation: all its blocks in order, as one script.

python tests/docs/run_page.py docs/start.md

A block that cannot run says so and why in its first line::

    ```python no-run: needs a cluster

A block marked ``text`` that follows a Python block with nothing but empty lines between is what that one prints;
``...`` stands for anything, and white space counts as one blank.  Any other output is not compared.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks) *$", re.M | re.S
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass
class Block:
    """A Python block of a page that is to run."""

    code: str
    line: int
    printed: str | None = None


def blocks(markdown: str) -> Iterator[Block]:
    """The blocks to run, with the line each begins in and what it is to print, where the page says so."""
    fences = list(FENCE.finditer(markdown))
    for fence, after in zip(fences, [*fences[1:], None], strict=True):
        language, _, rest = fence["info"].strip().partition(" ")
        if language != "python":
            continue
        if rest.startswith("no-run"):
            if not re.fullmatch(r"no-run: \S.*", rest):
                raise ValueError(f"'```{fence['info']}' does not say why: write '```python no-run: the reason'")
            continue
        block = Block(textwrap.dedent(fence["text"]), markdown.count("\n", 0, fence.start("text")) + 1)
        if after and after["info"].strip() == "text" and not markdown[fence.end() : after.start()].strip():
            block.printed = textwrap.dedent(after["text"])
        yield block


def run(page: Path) -> int:
    """Run a page's blocks, complain of output that differs; how many there were."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    to_run = list(blocks(page.read_text(encoding="utf-8")))
    for block in to_run:
        output = io.StringIO()
        # Empty lines before it give tracebacks the page's own line numbers.
        program = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        try:
            with contextlib.redirect_stdout(output):
                exec(program, namespace)
        finally:
            print(output.getvalue(), end="", flush=True)
        checker = doctest.OutputChecker()
        if block.printed is not None and not checker.check_output(block.printed, output.getvalue(), FLAGS):
            example = doctest.Example(block.code, block.printed)
            difference = checker.output_difference(example, output.getvalue(), FLAGS | doctest.REPORT_NDIFF)
            raise SystemExit(f"{page}:{block.line}: the block prints something else\n{difference}")
    return len(to_run)


if __name__ == "__main__":
    print(f"{run(Path(sys.argv[1]).resolve())} blocks ran", file=sys.stderr)
