"""Many steps, and how much memory the process has afterwards: a leak of one byte a step shows.

    python tests/hardening/soak.py [--steps 100000] [--only train predict ...]

Prints a line for each kind of work: the resident memory after each tenth of its steps, and what the second half added
for one step.  Ends with 1 if that is more than ``MOST_BYTES`` for any.  test_leaks.py runs a shorter one.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import pynn as keras
from pynn import layers, ops

#: What one step may add for good.  Windows of 10^4 steps are known to a few pages, so this is well above the noise.
MOST_BYTES = 8.0
PAGE = 4096


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def network() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


X, Y = np.random.default_rng(0).random((4, 8, 8, 1), "float32"), np.arange(4, dtype="int32")


def train() -> tuple[Callable[[], object], int]:
    model = network()
    return lambda: model.train_on_batch(X, Y), 1


def predict() -> tuple[Callable[[], object], int]:
    model = network()
    return lambda: model.predict(X, verbose=0), 1


def evaluate() -> tuple[Callable[[], object], int]:
    model = network()
    return lambda: model.test_on_batch(X, Y), 1


def fit() -> tuple[Callable[[], object], int]:
    """Epochs of 20 steps, with shuffling, validation and a history."""
    model, x, y = network(), np.tile(X, (20, 1, 1, 1)), np.tile(Y, 20)
    return lambda: model.fit(x, y, batch_size=4, epochs=1, verbose=0, validation_data=(X, Y)), 20


def tape() -> tuple[Callable[[], object], int]:
    """A loop of one's own, op by op."""
    weight = keras.Variable(np.ones((8, 3), "float32"))
    optimizer = keras.optimizers.SGD(0.01)
    x = np.ones((4, 8), "float32")

    def step() -> None:
        with keras.GradientTape() as recording:
            loss = ops.mean(ops.square(ops.matmul(x, weight)))
        optimizer.apply_gradients([(recording.gradient(loss, weight), weight)])

    return step, 1


def arrays() -> tuple[Callable[[], object], int]:
    """Layers and ops on arrays, with results that are kept for a moment."""
    layer, x = layers.Dense(5), np.ones((3, 4), "float32")
    return lambda: ops.softmax(layer(x)), 1


def build() -> tuple[Callable[[], object], int]:
    """Models made, compiled, trained for a step and dropped; each counts as 100 steps, for its time."""

    def step() -> None:
        model = keras.Sequential([keras.Input((6,)), layers.Dense(7, activation="relu"), layers.Dense(2)])
        model.compile("adam", "mse")
        model.train_on_batch(np.zeros((2, 6), "float32"), np.zeros((2, 2), "float32"))

    return step, 100


KINDS = {f.__name__: f for f in (train, predict, evaluate, fit, tape, arrays, build)}


def soak(kind: str, steps: int, report: Callable[[str], None] = print) -> float:
    """Bytes that a step of ``kind`` adds for good, by the second half of ``steps`` steps, in five windows.

    The least of the windows counts, taken with the slope over all of them: a leak grows in each, while the allocator's
    habits (a heap that it stretches once) show in one or two.
    """
    call, worth = KINDS[kind]()
    calls = max(20, steps // worth)
    start = time.perf_counter()
    for _ in range(calls // 2):
        call()
    sizes = [resident()]
    for _ in range(5):
        for _ in range(calls // 10):
            call()
        sizes.append(resident())
    window = calls // 10 * worth
    added = max(0.0, min(np.diff(sizes)) / window)
    megabytes = " ".join(f"{size / 2**20:.1f}" for size in sizes)
    report(
        f"{kind:9} {calls * worth:>8,} steps in {time.perf_counter() - start:6.1f} s; MB in the second half: "
        f"{megabytes}; "
        f"least growth {added:.2f} bytes a step, in all {(sizes[-1] - sizes[0]) / (5 * window):.2f}"
    )
    return added


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    given = parser.parse_args()
    return int(max(soak(kind, given.steps) for kind in given.only) > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
