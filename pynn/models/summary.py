"""The table that ``model.summary()`` prints, character for character as Keras 3 does on a plain terminal."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pynn.distribute.ranks import rank
from pynn.errors import ArgumentError
from pynn.graph.symbolic import map_shapes
from pynn.graph.variable import Variable

_WIDTH = 88
_BRANCHED_WIDTH = 108
_TRAINABLE_WIDTH = 12


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    style: str = "keras3",
) -> None:
    """Print a model's layers, output shapes and numbers of parameters.

    Args:
        model: anything with ``name``, ``layers``, ``trainable_weights`` and ``non_trainable_weights``.
        line_length: width of the table; at most 88 characters by default (108 with the column "Connected to", which
            models that are more than a chain of layers have), less on a narrow terminal.
        positions: where the columns end, as fractions of the width.
        print_fn: gets the whole text once; by default it is written to standard output.
        expand_nested: also list the layers of models inside the model.
        show_trainable: add a column with Y or N.
        layer_range: first and last layer to list, names or regular expressions.
        style: ``"keras3"``, or ``"classic"`` for the table of older versions.
    """
    if style not in ("keras3", "classic"):
        raise ArgumentError(f"summary: style must be 'keras3' or 'classic', received {style!r}")
    if print_fn is None and rank() > 0:
        return  # several processes train together, and the first one prints
    graph = getattr(model, "_graph", None)
    branched = graph is not None and not graph.is_chain
    header, align, width = ["Layer (type)", "Output Shape", "Param #"], ["<", "<", ">"], _WIDTH
    if branched:
        header.append("Connected to")
        align.append("<")
        width = _BRANCHED_WIDTH
    given = positions
    positions = list(positions or ((0.3, 0.56, 0.74, 1.0) if branched else (0.45, 0.8, 1.0)))
    if show_trainable:
        header.append("Trainable")
        align.append("^")
        positions = [p * 0.9 for p in positions] + [1.0]
        width += _TRAINABLE_WIDTH
    width = line_length or min(width, shutil.get_terminal_size().columns - 4)
    connections = graph.connections if graph is not None and branched else None
    rows = [
        row
        for layer in _in_range(getattr(model, "operations", model.layers), layer_range)
        for row in _rows(layer, connections, expand_nested, show_trainable)
    ]
    if style == "classic":
        from pynn.models.classic_summary import classic_lines

        lines = classic_lines(model.name, header, rows, _totals(model), branched, show_trainable, line_length, given)
    else:
        lines = [f'Model: "{model.name}"', *_table(header, rows, align, _column_widths(width, positions))]
        lines += _totals(model)
    text = "\n".join([*lines, ""])
    if print_fn is not None:
        print_fn(text)
    else:
        sys.stdout.write(text)


def _in_range(layers: Sequence[Any], layer_range: Sequence[str] | None) -> Sequence[Any]:
    if layer_range is None:
        return layers
    if len(layer_range) != 2:
        raise ArgumentError(f"summary: layer_range must be (first, last), received {layer_range!r}")
    found = []
    for pattern in layer_range:
        matches = [i for i, layer in enumerate(layers) if re.match(pattern, layer.name)]
        if not matches:
            names = ", ".join(layer.name for layer in layers)
            raise ArgumentError(f"summary: no layer matches {pattern!r} of layer_range; there are {names}")
        found.append(matches)
    return layers[min(found[0]) : max(found[1]) + 1]


def _rows(
    layer: Any,
    connections: Callable[[Any], str] | None,
    expand_nested: bool,
    show_trainable: bool,
    depth: int = 0,
) -> list[list[str]]:
    """The cells of a layer or function, and those of the layers inside it."""
    row = [
        f"{'   ' * depth + '└ ' if depth else ''}{layer.name} ({getattr(layer, 'type_name', type(layer).__name__)})",
        _shapes(getattr(layer, "output_shape", None)),
        f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
    ]
    if connections is not None:
        row.append(connections(layer))
    if show_trainable:
        row.append(("Y" if layer.trainable else "N") if layer.weights else "-")
    rows = [row]
    if expand_nested:
        for inner in getattr(layer, "layers", ()):
            rows += _rows(inner, connections, expand_nested, show_trainable, depth + 1)
    return rows


def _shapes(output_shape: Any) -> str:
    """The shape of a layer's output, or the list of shapes of several outputs."""
    if output_shape is None:
        return "?"
    shapes: list[str] = []
    map_shapes(lambda shape: shapes.append(f"({', '.join(map(str, shape))})"), output_shape)
    return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"


def _totals(model: Any) -> list[str]:
    groups = {
        "Trainable": model.trainable_weights,
        "Non-trainable": model.non_trainable_weights,
    }
    if getattr(model, "compiled", False) and getattr(model.optimizer, "built", False):
        groups["Optimizer"] = model.optimizer.variables
    everything = [v for group in groups.values() for v in group]
    return [_count_line(name, group) for name, group in {"Total": everything, **groups}.items()]


def _count_line(name: str, variables: Iterable[Variable]) -> str:
    variables = list({id(v): v for v in variables}.values())
    count = sum(v.size for v in variables)
    nbytes = sum(v.size * np.dtype(v.dtype).itemsize for v in variables)
    return f" {name} params: {count:,} ({_readable(nbytes)})"


def _readable(nbytes: float) -> str:
    """``203560`` -> ``198.79 KB``."""
    for unit in ("B", "KB", "MB", "GB"):
        if nbytes < 1024:
            return f"{nbytes:.2f} {unit}"
        nbytes /= 1024
    return f"{nbytes:.2f} TB"


def _column_widths(width: int, positions: Sequence[float]) -> list[int]:
    """Characters for each column's text.

    Keras asks for columns that fill ``width`` by themselves; what frames and padding need is then taken from the
    columns in equal parts, as the library that draws Keras's table does it.
    """
    ends = [int(p * width) for p in positions]
    widths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(widths) < 4:
        raise ArgumentError(f"summary: line_length {width} is too small for a table with columns at {positions}")
    excess = 3 * len(widths) + 1  # each column: two spaces and a line; one more line
    for i in range(len(widths)):
        share = round(excess / (len(widths) - i))
        widths[i] -= share
        excess -= share
    return [max(w, 1) for w in widths]


def _table(
    header: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str], widths: Sequence[int]
) -> list[str]:
    def rule(left: str, line: str, cross: str, right: str) -> str:
        return left + cross.join(line * (w + 2) for w in widths) + right

    def row(cells: Sequence[str], bar: str, at_bottom: bool = False) -> list[str]:
        columns = [_wrap(c, w) for c, w in zip(cells, widths, strict=True)]
        height = max(map(len, columns))
        for column in columns:
            blank = [""] * (height - len(column))
            column[:] = blank + column if at_bottom else column + blank
        return [
            bar + bar.join(f" {t:{a}{w}} " for t, a, w in zip(texts, align, widths, strict=True)) + bar
            for texts in zip(*columns, strict=True)
        ]

    lines = [rule("┏", "━", "┳", "┓"), *row(header, "┃", at_bottom=True), rule("┡", "━", "╇", "┩")]
    for i, cells in enumerate(rows):
        if i:
            lines.append(rule("├", "─", "┼", "┤"))
        lines += row(cells, "│")
    return [*lines, rule("└", "─", "┴", "┘")]


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, broken between words; a longer word ends in an ellipsis."""
    lines = [""]
    for word in re.findall(r"\s*\S+\s*", text):
        if lines[-1] and len(lines[-1]) + len(word.rstrip()) > width:
            lines.append("")
        lines[-1] += word
    lines = [line.rstrip() for line in lines]
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]
