"""Training loops written by hand beside ``fit``: time per step.

    python benchmarks/loops.py

``fit`` runs an epoch with its callbacks and shuffling.  The loops go over the same batches in order: one compiled
function with a ``GradientTape`` inside, one with ``value_and_grad``, and a tape alone, op by op, as one debugs.  They
take turns; a number is the median of the epochs' times, divided by the number of steps.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import pynn

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from keras_api import build
from networks import BATCH, NETWORKS

STEPS = 100
EPOCHS = 9

Step = Callable[[np.ndarray, np.ndarray], Any]


def with_tape(model: Any, optimizer: Any, loss_of: Any) -> Step:
    """``GradientTape`` and ``apply_gradients``, to be run as it is or compiled."""

    def step(x: np.ndarray, y: np.ndarray) -> Any:
        with pynn.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def with_value_and_grad(model: Any, optimizer: Any, loss_of: Any) -> Step:
    """``value_and_grad`` and ``apply`` in one compiled function."""
    differentiated = pynn.value_and_grad(lambda x, y: loss_of(y, model(x, training=True)), variables=model)

    @pynn.jit
    def step(x: np.ndarray, y: np.ndarray) -> Any:
        loss, gradients = differentiated(x, y)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return step


def epoch_of(step: Step, x: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """One pass over the batches."""

    def run() -> None:
        for i in range(0, len(x), BATCH):
            step(x[i : i + BATCH], y[i : i + BATCH])

    return run


def measure(name: str) -> dict[str, float]:
    """Seconds per step of each way to train the network."""
    x, y = NETWORKS[name].data(BATCH)
    x, y = np.concatenate([x] * STEPS), np.concatenate([y] * STEPS)
    one_hot = NETWORKS[name].one_hot
    loss_of = pynn.losses.MeanSquaredError() if one_hot else pynn.losses.SparseCategoricalCrossentropy()

    def parts() -> tuple[Any, Any, Any]:
        model = build(pynn, name)
        return model, model.optimizer, loss_of

    fitted = build(pynn, name)
    ways = {
        "fit": lambda: fitted.fit(x, y, batch_size=BATCH, verbose=0),
        "jit with a tape": epoch_of(pynn.jit(with_tape(*parts())), x, y),
        "jit with value_and_grad": epoch_of(with_value_and_grad(*parts()), x, y),
        "a tape alone": epoch_of(with_tape(*parts()), x, y),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(EPOCHS + 1):  # the first one compiles
        for way, run in ways.items():
            start = time.perf_counter()
            run()
            times[way].append((time.perf_counter() - start) / STEPS)
    return {way: median(measured[1:]) for way, measured in times.items()}


def main() -> None:
    """Print the table."""
    for name in sys.argv[1:] or ["mlp", "lenet5"]:
        found = measure(name)
        print(f"\n{name}, batch {BATCH}")
        for way, seconds in found.items():
            print(f"  {way:<24} {seconds * 1e3:7.3f} ms per step  {seconds / found['fit']:5.2f} x fit")


if __name__ == "__main__":
    main()
