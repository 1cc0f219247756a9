"""What all frameworks have in common when they classify images, or learn to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from protocol import Case
from vision_nets import BATCHES, NETS, TRAIN_BATCH, images, labels

Make = Callable[..., Callable[[], Any]]


class Predict:
    """``call`` gives the logits of one fixed batch as a NumPy array."""

    #: Steps at the beginning of a turn that do not count.  One is enough: it takes milliseconds.
    warm_up = 1

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call

    def run(self, n: int) -> list[float]:
        for _ in range(self.warm_up):
            self.call()
        times = []
        for _ in range(n):
            start = time.perf_counter()
            self.call()
            times.append(time.perf_counter() - start)
        return times

    def losses(self, n: int) -> list[float]:
        """Some logits, over the size of the largest, to compare."""
        logits = np.asarray(self.call(), np.float64)
        return (logits[0, :20] / np.abs(logits).max()).tolist()


class Train(Predict):
    """``call`` does one step of training and gives the loss as a Python float.

    A step takes up to seconds and reads gigabytes: how the caches are before it makes no difference.
    """

    warm_up = 0

    def losses(self, n: int) -> list[float]:
        return [float(self.call()) for _ in range(n)]


def cases(predict: Mapping[str, Make], train: Mapping[str, Make] | None = None) -> dict[str, Callable[[], Case]]:
    """Cases ``net.batch<n>.variant`` and ``net.train.variant``.

    Args:
        predict: by variant, what makes a call of a network and a batch.
        train: the same, of a network, a batch and its labels.
    """
    found: dict[str, Callable[[], Case]] = {}
    for net in NETS:
        for batch in BATCHES:
            for variant, make in predict.items():
                key = f"{net}.batch{batch}.{variant}".rstrip(".")
                found[key] = lambda net=net, batch=batch, make=make: Predict(make(NETS[net](), images(batch)))
        for variant, make in (train or {}).items():
            key = f"{net}.train.{variant}".rstrip(".")
            found[key] = lambda net=net, make=make: Train(make(NETS[net](), images(TRAIN_BATCH), labels(TRAIN_BATCH)))
    return found
