"""``pynn predict``: what is on photographs."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pynn.cli import networks
from pynn.cli.options import add_settings, positive
from pynn.errors import ArgumentError, ShapeError

_BATCH = 16


def add_to(parsers: Any) -> None:
    """Say the arguments."""
    parser = parsers.add_parser(
        "predict",
        help="name what is on photographs",
        description="Name what is on photographs: the most probable classes of each, as a table.",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="JPEG, PNG, ... files")
    parser.add_argument("--model", required=True, help="a name from pynn.applications, or a .keras or .h5 file")
    parser.add_argument(
        "--weights", default="imagenet", help="a file of weights (default: ImageNet's published ones, downloaded once)"
    )
    parser.add_argument("--top", type=positive, default=5, help="classes to show (default: %(default)s)")
    parser.add_argument(
        "--class-names", type=Path, metavar="FILE", help="one name in each line, or a JSON list (default: ImageNet's)"
    )
    parser.add_argument(
        "--preprocess", metavar="NAME", help="prepare images as for this network (default: as for the model)"
    )
    add_settings(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a table for each image; 1 if any could not be read."""
    from_file = Path(options.model).suffix in (".keras", ".h5", ".hdf5")
    weights = None if from_file else options.weights
    model = networks.load(options.model, weights=weights, **dict(options.settings))
    prepare = _preprocessing(options.preprocess or (None if from_file else options.model))
    height, width, channels = _image_shape(model, options.model)
    paths, images, bad = [], [], 0
    for path in options.images:
        try:
            images.append(_read(path, (height, width), channels))
            paths.append(path)
        except OSError as error:
            bad += 1
            reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"not a whole image: {error}"
            print(f"pynn predict: {path}: {reason}", file=sys.stderr)
    if images:
        answers = np.asarray(model.predict(prepare(np.stack(images)), batch_size=_BATCH, verbose=0))
        if answers.ndim != 2:
            raise ShapeError(f"{options.model} gives {answers.shape[1:]} per image, which is no list of classes")
        for path, rows in zip(paths, _named(answers, options), strict=True):
            print(_table(path, rows))
    return 1 if bad else 0


def _preprocessing(name: str | None) -> Any:
    if name is None:
        return lambda images: images
    module = networks.application(name).__module__
    return importlib.import_module(module).preprocess_input


def _image_shape(model: Any, name: str) -> tuple[int, int, int]:
    shapes = [tensor.shape[1:] for tensor in model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][2] not in (1, 3):
        raise ShapeError(f"{name} takes {shapes}, expected images (height, width, 1 or 3)")
    height, width, channels = shapes[0]
    return height or 224, width or 224, channels


def _read(path: str, size: tuple[int, int], channels: int) -> np.ndarray:
    from pynn.utils import img_to_array, load_img

    return img_to_array(load_img(path, "rgb" if channels == 3 else "grayscale", size))


def _named(answers: np.ndarray, options: argparse.Namespace) -> list[list[tuple[str, str, float]]]:
    """For each image (number or WordNet's id, name, probability), most probable first."""
    if options.class_names is None and answers.shape[1] == 1000:
        from pynn.applications.imagenet_utils import decode_predictions

        return decode_predictions(answers, options.top)
    names = [f"class {i}" for i in range(answers.shape[1])]
    if options.class_names is not None:
        text = options.class_names.read_text()
        names = (
            json.loads(text) if options.class_names.suffix == ".json" else text.split("\n")[: len(text.splitlines())]
        )
        if len(names) != answers.shape[1]:
            raise ArgumentError(
                f"{options.class_names} has {len(names)} names, but {options.model} knows {answers.shape[1]} classes"
            )
    return [[(str(i), names[i], row[i]) for i in np.argsort(row)[::-1][: options.top]] for row in answers]


def _table(path: str, rows: list[tuple[str, str, float]]) -> str:
    wide = max(len(name) for _, name, _ in rows)
    short = max(len(number) for number, _, _ in rows)
    lines = [f"  {p:7.2%}  {name.ljust(wide)}  {number.rjust(short)}" for number, name, p in rows]
    return "\n".join([path, *lines])
