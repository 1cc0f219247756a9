"""The summary as Keras 2 printed it, for texts and courses that show it: plain columns between lines."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _ENDS = 65, (0.45, 0.85, 1.0)
_BRANCHED_WIDTH, _BRANCHED_ENDS = 98, (0.3, 0.6, 0.7, 1.0)
_TRAINABLE_WIDTH = 11
#: Behind these a list of shapes or names goes on in the next line.
_BREAKS = ("),", "},", "],", "',")


def classic_lines(
    name: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    totals: Sequence[str],
    branched: bool,
    show_trainable: bool,
    width: int | None = None,
    ends: Sequence[float] | None = None,
) -> list[str]:
    """The lines of the table.

    Args:
        header, rows: the texts of the cells.
        totals: what stands below.
        branched: whether there is a column "Connected to".
        width: of the table.
        ends: where the columns end: fractions of the width, or numbers of characters.

    Example:
        >>> header, row = ["Layer", "Shape", "Param #"], ["a (A)", "(None, 2)", "1,000"]
        >>> classic_lines("m", header, [row], [], False, False, 50)[4]
        ' a (A)                (None, 2)           1000    '
    """
    width = width or (_BRANCHED_WIDTH if branched else _WIDTH)
    ends = ends or (_BRANCHED_ENDS if branched else _ENDS)
    places = [int(width * end) for end in ends] if ends[-1] <= 1 else [int(end) for end in ends]
    if show_trainable:
        width += _TRAINABLE_WIDTH
        places.append(width)
    lines = [f'Model: "{name}"', "_" * width, *_row(header, places), "=" * width]
    for row in rows:
        cells = list(row)
        cells[2] = cells[2].replace(",", "")
        if branched:
            cells[3] = str([] if cells[3] == "-" else cells[3].split(", "))
        lines += [*_row(cells, places), " " * width]
    below = [total.strip().replace(",", "").replace(" B)", " Byte)") for total in totals]
    return [*lines, "=" * width, *below, "_" * width]


def _row(cells: Sequence[str], places: Sequence[int]) -> list[str]:
    left = list(cells)
    lines = []
    while any(left):
        line = " "
        for i, (start, end) in enumerate(zip((0, *places), places, strict=False)):
            room = end - start - (2 if end != places[-1] else 0) - (i == 0)
            breaks = [at + len(mark) for mark in _BREAKS if (at := left[i][:room].find(mark)) >= 0]
            room = min([room, *breaks])
            line = (line + left[i][:room]).ljust(end)
            left[i] = left[i][room:]
        lines.append(line)
    return lines
