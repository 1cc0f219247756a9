"""The files that the scripts write with ``--json``: what was measured, under the machine that it was measured on.

``{"runs": [{"part": "kernels", "machine": {...}, "versions": {...}, "results": [row, ...]}, ...]}``.  A file is written
anew after each step of a script, and what it has already stays unless it is measured again, so a long comparison can be
made in pieces, and a piece that is ended early loses nothing that was printed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Results:
    """The rows of one part of the benchmarks, in a file."""

    def __init__(
        self,
        path: Path | None,
        part: str,
        machine: Mapping[str, Any],
        versions: Mapping[str, Any],
        key: Sequence[str],
        order: Sequence[tuple[str, ...]],
    ) -> None:
        """Rows that agree in the fields ``key`` are measured together; ``order`` is how these groups stand.

        Args:
            path: where to write; None: nowhere.
            part: of the benchmarks: "kernels", "steps", "images" or "conditions".
        """
        self.path, self.key, self.order = path, key, {group: i for i, group in enumerate(order)}
        runs = json.loads(path.read_text())["runs"] if path and path.exists() else []
        setting = _setting({"part": part, "machine": machine})
        mine = [run for run in runs if _setting(run) == setting]
        before = mine[0] if mine else {"versions": {}, "results": []}
        self.run: dict[str, Any] = {"part": part, "machine": machine}
        self.run |= {"versions": before["versions"] | dict(versions), "results": before["results"]}
        self.runs = [run for run in runs if _setting(run) != setting] + [self.run]

    def add(self, rows: Sequence[Row]) -> None:
        """Put these rows in the place of older ones, and write the file."""
        new = {self._group(row) for row in rows}
        kept = [row for row in self.run["results"] if self._group(row) not in new]
        self.run["results"] = sorted([*kept, *rows], key=lambda row: self.order.get(self._group(row), len(self.order)))
        if self.path:
            text = json.dumps({"runs": self.runs}, indent=1) + "\n"
            unfinished = self.path.with_suffix(".part")
            unfinished.write_text(text)
            unfinished.replace(self.path)  # whoever is killed in between leaves a whole file

    def _group(self, row: Row) -> tuple[str, ...]:
        return tuple(row[field] for field in self.key)


def _setting(run: Mapping[str, Any]) -> tuple[Any, ...]:
    """Runs that agree in this belong together."""
    return run["part"], *(run["machine"][field] for field in ("cpu", "isa", "threads"))
