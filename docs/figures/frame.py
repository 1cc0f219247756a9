"""What the figures share: their size, their colours, and the list of all of them.

A figure is a function decorated with ``@figure("name")`` that draws on the Matplotlib figure it is given; it becomes
``docs/course/images/name.svg``.  Text is readable at the width of a phone, where 4.8 inches become 358 pixels, and the
ground is light, so that figures are cards on a dark page.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

#: Colours that differ for colour-blind readers, too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
BLUE, ORANGE, GREEN = COLOURS[:3]
INK = "#24292f"

STYLE = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.facecolor": "#ffffff",
    "font.size": 9,
    "grid.alpha": 0.25,
    "image.cmap": "gray_r",
    "legend.fontsize": 8,
    "legend.frameon": False,
    "svg.fonttype": "path",  # the same on every machine, whatever fonts it has
    "svg.hashsalt": "pynn",  # the same bytes for the same figure
}

FIGURES: dict[str, tuple[Callable[[Any], None], float]] = {}


def figure(name: str, height: float = 3.0) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Enter a function into the list; ``height`` is in inches, the width is always the same."""

    def enter(draw: Callable[[Any], None]) -> Callable[[Any], None]:
        FIGURES[name] = (draw, height)
        return draw

    return enter


def save(name: str, folder: Path) -> None:
    """Draw one figure."""
    draw, height = FIGURES[name]
    with matplotlib.rc_context(STYLE):
        sheet = Figure(figsize=(4.8, height), layout="constrained")
        draw(sheet)
        sheet.savefig(folder / f"{name}.svg", metadata={"Date": None})


def pictures(sheet: Any, rows: dict[str, Any]) -> None:
    """Rows of images in grey, each with its name before it."""
    columns = max(len(row) for row in rows.values())
    axes = sheet.subplots(len(rows), columns, squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, row, strict=True):
            ax.imshow(np.squeeze(np.asarray(image)), vmin=0, vmax=1)
            bare(ax)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")


def bare(ax: Any) -> None:
    """No ticks, no grid, no frame."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def digits(train: int, test: int = 0) -> Any:
    """Drawn digits as (n, 28, 28, 1) from 0 to 1, and their labels: training, then test."""
    from pynn.datasets import synthetic_digits

    parts = synthetic_digits(train=train, test=test)
    return [(x[..., None].astype("float32") / 255, y) for x, y in parts]
