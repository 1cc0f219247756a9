"""``pynn bench``: how fast this machine trains and predicts."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from pynn.cli import networks
from pynn.cli.options import positive, positive_number

_SHAPES: dict[str, tuple[int, ...]] = {"dense": (28, 28, 1), "cnn": (28, 28, 1), "MobileNetV2": (224, 224, 3)}


def add_to(parsers: Any) -> None:
    """Say the arguments."""
    parser = parsers.add_parser(
        "bench",
        help="time this machine",
        description="Time predictions and training steps on drawn images, after the limits of this machine.",
    )
    parser.add_argument(
        "models", nargs="*", default=list(_SHAPES), metavar="MODEL", help="names (default: dense cnn MobileNetV2)"
    )
    parser.add_argument("--batch-size", type=positive, metavar="N", help="(default: 128 small images, 8 large ones)")
    parser.add_argument(
        "--seconds", type=positive_number, default=1.0, help="to spend on each number (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a line for each network."""
    import pynn

    models = [(name, _build(name)) for name in options.models]
    print(f"machine: {pynn.utils.machine_peak()}")
    wide = max(len("network"), *(len(name) for name in options.models))
    print(f"{'network':{wide}}  {'batch':>5}  {'predict':>20}  {'train':>20}")
    for name, model in models:
        batch = options.batch_size or (128 if model.input_shape[1] <= 64 else 8)
        x, y = _drawn(model, batch)
        model.compile("adam", "sparse_categorical_crossentropy")
        forward = _time(partial(model.predict_on_batch, x), options.seconds)
        step = _time(partial(model.train_on_batch, x, y), options.seconds)
        print(f"{name:{wide}}  {batch:5}  {_speed(forward, batch)}  {_speed(step, batch)}", flush=True)
    return 0


def _build(name: str) -> Any:
    if name in networks.SMALL:
        return networks.SMALL[name](_SHAPES[name], 10)
    return networks.load(name)


def _drawn(model: Any, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, *(size or 224 for size in model.input_shape[1:])), np.float32)
    return x, rng.integers(0, model.output_shape[-1], rows).astype(np.int32)


def _time(call: Callable[[], Any], seconds: float) -> float:
    """The median time of a call, after one that compiles."""
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


def _speed(seconds: float, rows: int) -> str:
    return f"{seconds * 1e3:8.2f} ms {rows / seconds:7,.0f}/s"
