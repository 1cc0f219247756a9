"""What the recipes of ``examples/`` are, for those who train them in another framework: rates, first weights, data."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from protocol import Case, Steps

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECIPES = ("cifar10_fast", "mnist_cnn")
#: The schedules are as if so many steps were to come.
TOTAL_STEPS = 1000

MEAN, STD = np.float32((125.3, 123.0, 113.9)), np.float32((63.0, 62.1, 66.7))
WIDTHS = (32, 128, 128)
DECAY, SMOOTHING = 5e-4, 0.1
BATCH = {"cifar10_fast": 256, "mnist_cnn": 128}
EPOCHS = {"cifar10_fast": 8, "mnist_cnn": 4}


def rate(name: str, step: int, total: int) -> float:
    """The learning rate: up in a straight line for a fifth of the steps, then down along a cosine."""
    first, top, last = {"cifar10_fast": (0.04, 0.4, 0.0), "mnist_cnn": (5e-4, 3e-3, 3e-5)}[name]
    rise = total // 5
    if step < rise:
        return first + (top - first) * step / rise
    return last + (top - last) * (1 + math.cos(math.pi * (step - rise) / (total - rise))) / 2


def first_weights(name: str) -> list[np.ndarray]:
    """Kernels (and biases) in Keras's order and layout, without those of batch normalization."""
    rng = np.random.default_rng(8)

    def kernel(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:-1])))

    if name == "cifar10_fast":
        arrays, channels = [kernel(2, 2, 3, 24)], 24
        for width in WIDTHS:
            arrays += [kernel(3, 3, channels, width), kernel(3, 3, width, width)]
            channels = width
        return [*arrays, kernel(channels, 10)]
    shapes = ((3, 3, 1, 16), (3, 3, 16, 32), (800, 128), (128, 10))
    return [array for shape in shapes for array in (kernel(*shape), np.zeros(shape[-1], np.float32))]


def drawn_batch(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A batch in memory: images, labels."""
    rng = np.random.default_rng(9)
    shape = (32, 32, 3) if name == "cifar10_fast" else (28, 28, 1)
    x = rng.standard_normal((BATCH[name], *shape), np.float32)
    return x, rng.integers(0, 10, BATCH[name]).astype(np.int32)


def cases(step_of: Callable[[str, str], Callable[[], float]], names: Any, variants: Any = ("",)) -> dict[str, Any]:
    """The cases of a framework; ``step_of(name, variant)`` gives a function that does a step."""

    def builder(name: str, variant: str) -> Callable[[], Case]:
        return lambda: Steps(step_of(name, variant))

    return {
        ".".join(filter(None, (name, "step", variant))): builder(name, variant)
        for name in names
        for variant in variants
    }
