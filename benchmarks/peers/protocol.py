"""How ``compare.py`` talks to a framework that waits in a process of its own.

One line in, one line of JSON out. The process says hello first: ``{"versions": {...}, "cases": [...]}`` or
``{"missing": why}``. Then ``check NAME N`` gives the losses of N steps, which are those from the first weights if asked
for first, and ``run NAME N`` N times in seconds per step; ``forget NAME N`` frees what the case holds.
``NAME`` is ``network.mode`` or ``network.mode.variant``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

# After the other processes had their turn caches and clocks are cold; these steps are not counted.
WARM_UP_STEPS = 3


class Case(Protocol):
    """One network in one framework, ready to train."""

    def run(self, n: int) -> list[float]:
        """Seconds per step, n times."""

    def losses(self, n: int) -> list[float]:
        """The losses of n steps on the first batch."""


class Steps:
    """Single training steps: ``step`` does one and returns its loss as a Python float."""

    def __init__(self, step: Callable[[], float]) -> None:
        self.step = step

    def run(self, n: int) -> list[float]:
        for _ in range(WARM_UP_STEPS):
            self.step()
        times = []
        for _ in range(n):
            start = time.perf_counter()
            self.step()
            times.append(time.perf_counter() - start)
        return times

    def losses(self, n: int) -> list[float]:
        return [float(self.step()) for _ in range(n)]


class Epochs:
    """Whole epochs of so many steps: ``epoch`` trains one and returns its loss as a Python float."""

    def __init__(self, epoch: Callable[[], float], steps: int) -> None:
        self.epoch, self.steps = epoch, steps

    def run(self, n: int) -> list[float]:
        times = []
        for _ in range(n):
            start = time.perf_counter()
            self.epoch()
            times.append((time.perf_counter() - start) / self.steps)
        return times

    def losses(self, n: int) -> list[float]:
        return [float(self.epoch()) for _ in range(n)]


def threads() -> int:
    """How many threads this process may use; ``compare.py`` sets it and the CPUs to match."""
    return int(os.environ.get("BENCH_THREADS", os.cpu_count() or 1))


def serve(load: Callable[[], tuple[dict[str, str], dict[str, Callable[[], Case]]]]) -> None:
    """Answer until standard input ends.

    Args:
        load: imports the framework; returns versions to report and a function per case that builds it. An
            import error in it is reported as a missing framework.
    """
    # Frameworks print what they like to standard output; the answers keep a channel of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: object) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    try:
        versions, builders = load()
    except ImportError as error:
        answer({"missing": f"{type(error).__name__}: {error}"})
        return
    answer({"versions": versions, "cases": list(builders)})

    cases: dict[str, Case] = {}
    for line in sys.stdin:
        command, name, n = line.split()
        try:
            if command == "forget":
                cases.pop(name, None)
                answer([])
                continue
            if name not in cases:
                cases[name] = builders[name]()
            case = cases[name]
            answer(case.losses(int(n)) if command == "check" else case.run(int(n)))
        except Exception as error:  # one case that fails must not hide the others
            answer({"error": f"{type(error).__name__}: {error}"})
