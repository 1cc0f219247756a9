"""``pynn train``: a network on a known data set; the same command again goes on where it stopped."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pynn.cli import networks
from pynn.cli.options import add_settings, positive, positive_number
from pynn.errors import ArgumentError

DATA_SETS = {"mnist": "mnist", "fashion-mnist": "fashion_mnist", "cifar10": "cifar10"}
CLASSES = 10
#: What decides which numbers a training comes to; a training that goes on must have the same.
_FIXED = ("data", "model", "settings", "batch_size", "learning_rate", "augment", "seed", "steps")


def add_to(parsers: Any) -> None:
    """Say the arguments."""
    parser = parsers.add_parser(
        "train",
        help="train a network on a known data set",
        description="Train a network on a known data set. DIR gets best.keras, last.keras, history.csv and curves.png; "
        "the same command again goes on where it stopped, with more epochs if asked.",
    )
    parser.add_argument("data", choices=DATA_SETS)
    parser.add_argument(
        "--model", default="cnn", help="dense, cnn, or a name from pynn.applications (default: %(default)s)"
    )
    parser.add_argument("--epochs", type=positive, default=5, help="in all (default: %(default)s)")
    parser.add_argument("--batch-size", type=positive, default=128, metavar="N", help="(default: %(default)s)")
    parser.add_argument(
        "--learning-rate", type=positive_number, default=0.001, metavar="RATE", help="of Adam (default: %(default)s)"
    )
    parser.add_argument(
        "--augment",
        action=argparse.BooleanOptionalAction,
        help="crop images at random, and mirror photographs (default: for cifar10)",
    )
    parser.add_argument("--steps", type=positive, metavar="N", help="batches in an epoch (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="for the same numbers in each run (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where results go (default: runs/DATA-MODEL)")
    parser.add_argument("--fresh", action="store_true", help="begin anew, whatever is in DIR")
    add_settings(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, and say how good it became."""
    import pynn

    if options.augment is None:
        options.augment = options.data == "cifar10"
    out = options.out or Path("runs") / f"{options.data}-{Path(options.model).stem.lower()}"
    pynn.utils.set_random_seed(options.seed)
    model = _network(options)
    _prepare_folder(out, options)
    (x, y), (x_test, y_test) = getattr(pynn.datasets, DATA_SETS[options.data]).load_data()
    x, x_test = (images if images.ndim == 4 else images[..., None] for images in (x, x_test))
    batches = _batches(x, y, options)
    test = pynn.data.ImageBatches(x_test, y_test.ravel(), 500, std=255.0)
    model.compile(pynn.optimizers.Adam(options.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    print(f"{options.data}: {len(x):,} images to train with, {len(x_test):,} to test; {model.name}: "
          f"{model.count_params():,} parameters; results in {out}", flush=True)  # fmt: skip
    options.if_stopped = "the same command goes on after the last whole epoch"
    model.fit(
        batches.take(options.steps) if options.steps else batches,  # an epoch of fit is one of the data, in any case
        epochs=options.epochs,
        validation_data=test,
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=_callbacks(out, batches),
    )
    model.save(out / "last.keras")
    _report(out)
    return 0


def _network(options: argparse.Namespace) -> Any:
    import pynn

    shape = (32, 32, 3) if options.data == "cifar10" else (28, 28, 1)
    if options.model in networks.SMALL:
        if options.settings:
            raise ArgumentError(f"{options.model} has no arguments to --set")
        return networks.SMALL[options.model](shape, CLASSES)
    try:
        network = networks.application(options.model)
    except ArgumentError:
        raise networks.unknown(options.model, [*networks.SMALL, *networks.application_names()]) from None
    try:
        return network(**{"weights": None, "input_shape": shape, "classes": CLASSES} | dict(options.settings))
    except pynn.errors.ShapeError as error:
        raise ArgumentError(f"{options.model} cannot take the images of {options.data}: {error}") from None


def _batches(x: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> Any:
    from pynn.data import ImageBatches

    crop = min(4, x.shape[1] // 8) if options.augment else 0
    return ImageBatches(
        x, y.ravel(), options.batch_size, std=255.0, shuffle=True, seed=options.seed,
        crop=crop, flip=options.augment and options.data != "mnist",
    )  # fmt: skip


def _prepare_folder(out: Path, options: argparse.Namespace) -> None:
    """Make the folder; one that holds another training is not touched."""
    record = out / "arguments.json"
    chosen = json.loads(json.dumps({name: getattr(options, name) for name in _FIXED}))
    if options.fresh and record.exists():
        shutil.rmtree(out)
    if record.exists():
        before = json.loads(record.read_text())
        other = [name for name in _FIXED if before.get(name) != chosen[name]]
        if other:
            differences = ", ".join(f"{name} {before.get(name)!r} (now {chosen[name]!r})" for name in other)
            raise ArgumentError(
                f"{out} holds a training with {differences}; choose another --out, or begin anew with --fresh"
            )
    elif out.is_dir() and any(out.iterdir()):
        raise ArgumentError(f"{out} is not empty and holds no training; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(chosen, indent=1) + "\n")


def _callbacks(out: Path, batches: Any) -> list[Any]:
    from pynn import callbacks

    def go_to(epoch: int, logs: Any = None) -> None:
        batches.epoch = epoch

    best = callbacks.ModelCheckpoint(
        out / "best.keras", "val_accuracy", save_best_only=True, mode="max",
        initial_value_threshold=max((row["val_accuracy"] for row in read_history(out)), default=None),
    )  # fmt: skip
    return [
        callbacks.LambdaCallback(on_epoch_begin=go_to),
        best,
        callbacks.CSVLogger(out / "history.csv", append=True),
        callbacks.BackupAndRestore(out / "backup", delete_checkpoint=False),
    ]


def read_history(out: Path) -> list[dict[str, float]]:
    """The results of all epochs so far; of an epoch that was done twice, the later ones."""
    path = out / "history.csv"
    if not path.exists():
        return []
    head, *lines = path.read_text().splitlines()
    rows = [dict(zip(head.split(","), map(float, line.split(",")), strict=True)) for line in lines]
    return list({row["epoch"]: row for row in rows}.values())


def _report(out: Path) -> None:
    history = read_history(out)
    best = max(history, key=lambda row: row["val_accuracy"])
    print(
        f"test accuracy {history[-1]['val_accuracy']:.2%} after {len(history)} epochs; "
        f"best {best['val_accuracy']:.2%} in epoch {best['epoch'] + 1:.0f}: {out / 'best.keras'}"
    )
    try:
        draw(history, out / "curves.png")
        print(f"learning curves: {out / 'curves.png'}")
    except ImportError:
        print("no learning curves: pip install matplotlib")


def draw(history: list[dict[str, float]], path: Path) -> None:
    """Loss and accuracy of all epochs."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [row["epoch"] + 1 for row in history]
    for axes, key in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for name, label in ((key, "training"), (f"val_{key}", "test")):
            axes.plot(epochs, [row[name] for row in history], "o-", markersize=3, label=label)
        axes.set(xlabel="epoch", ylabel=key)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)
