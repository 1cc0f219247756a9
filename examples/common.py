"""What the examples share: their options, where data lies, a sheet of pictures."""

import argparse
import os
from pathlib import Path


def options(doc, **defaults):
    """The command line: the given ones and ``--samples``, to see quickly that all runs."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, help="use only so many samples")
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=str if value is None else type(value), default=value, help=f"[{value}]")
    return parser.parse_args()


def find(name, source):
    """The path of ``name`` in the folder ``PYNN_DATA_DIR``; where it is not there, says where to get it."""
    folder = os.environ.get("PYNN_DATA_DIR")
    path = Path(folder or ".") / name
    if not path.exists():
        where = path if folder else f"{path.absolute()} (PYNN_DATA_DIR is not set)"
        raise SystemExit(
            f"There is no {where}.\nGet it from {source},\nand set PYNN_DATA_DIR to the folder that holds {name}."
        )
    return path


def draw_rows(path, **rows):
    """Save a sheet of pictures in grey: each row of images with its name."""
    from matplotlib.figure import Figure

    columns = max(len(images) for images in rows.values())
    figure = Figure(figsize=(columns, 1.2 * len(rows)), layout="constrained")
    for axes, (name, images) in zip(figure.subplots(len(rows), columns, squeeze=False), rows.items(), strict=True):
        for ax, image in zip(axes, images, strict=False):
            ax.imshow(image.squeeze(), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
        axes[0].set_ylabel(name.replace("_", "\n"), rotation=0, ha="right", va="center")
    figure.savefig(path, dpi=100)
    print(f"pictures: {path}")


def draw_sheet(path, images, titles, boxes=()):
    """Save ten pictures in two rows with their titles; ``boxes`` are pairs of corners (10, 4) and a colour."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    for i, ax in enumerate(figure.subplots(2, 5).flat):
        ax.imshow(images[i].squeeze(), cmap="gray", vmin=0, vmax=1)
        for corners, colour in boxes:
            left, top, right, bottom = corners[i]
            ax.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=colour)
        ax.set_title(titles[i])
        ax.axis("off")
    figure.savefig(path, dpi=100)
    print(f"pictures: {path}")
