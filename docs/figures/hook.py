"""Draws the figures of the course: what MkDocs calls before it builds the site, and ``python docs/figures/hook.py``.

``docs/course/images/`` holds what is drawn, and is not kept in the repository; a figure is drawn anew when the code in
this folder is younger.  Names after the command draw only those.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "course" / "images"


def on_pre_build(config: Any = None, only: list[str] | None = None) -> None:
    """Draw what is missing or older than its code."""
    sys.path.insert(0, str(HERE))  # MkDocs takes back what is done to the path while it loads its hooks
    import frame
    import networks  # noqa: F401  (enter their figures)
    import neurons  # noqa: F401

    IMAGES.mkdir(exist_ok=True)
    newest = max(path.stat().st_mtime for path in HERE.glob("*.py"))
    for name in only or frame.FIGURES:
        path = IMAGES / f"{name}.svg"
        if only or not path.exists() or path.stat().st_mtime < newest:
            frame.save(name, IMAGES)


if __name__ == "__main__":
    on_pre_build(only=sys.argv[1:])
