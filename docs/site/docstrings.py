"""What docstrings say, put as mkdocstrings understands it: a Griffe extension."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).parent))

import public

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data):`~?([\w.]+)`")
PARAGRAPH = re.compile(r"^(Shapes|Sources?|Weights):\n((?:    .*\n?|\n)+)", re.MULTILINE)


class Docstrings(griffe.Extension):
    """``Example:`` becomes a section of examples, ``Shapes:`` a paragraph, ``:class:`Dense``` a link."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        for found in public.objects():
            for name in reversed(found.names):
                self.names.setdefault(name.rpartition(".")[2], found.names[0])
                self.names[name] = found.names[0]

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.is_attribute and "property" not in obj.labels:
            obj.docstring = None  # what inspection finds is the docstring of the value's type
        if obj.docstring:
            text = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
            obj.docstring.value = ROLE.sub(self._link, PARAGRAPH.sub(_paragraph, text))

    def _link(self, role: re.Match[str]) -> str:
        name = role[1]
        target = self.names.get(name)
        return f"[`{name}`][{target}]" if target else f"`{name}`"


def _paragraph(section: re.Match[str]) -> str:
    return f"**{section[1]}:**\n\n{textwrap.dedent(section[2])}\n"
