"""Where a step's time goes, instruction by instruction, beside what the machine could do."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.utils.machine import MachinePeak, machine_peak

if TYPE_CHECKING:
    from pynn.executor.native import NativeProgram

#: Instructions that a table lists one by one; the rest is one line.
_MOST_ROWS = 40
_WIDTH = 150


@dataclass(frozen=True)
class ProfileRow:
    """One instruction of a program.

    ``flops`` count the op's plain formula and ``nbytes`` all its operands once; ``share`` is the part of the step's
    time, ``limit`` what could stop it at best (``"compute"`` or ``"memory"``), and ``of_peak`` the least time that
    this limit allows divided by the time taken.  Above 1 are kernels that do less than the formula (Winograd).
    """

    op: str
    kernel: str
    layer: str
    shapes: str
    count: int
    seconds: float
    share: float
    flops: int
    nbytes: int
    limit: str
    of_peak: float

    @property
    def gflops(self) -> float:
        """10^9 operations per second."""
        return self.flops / self.seconds / 1e9 if self.seconds else 0.0

    @property
    def bandwidth(self) -> float:
        """10^9 bytes per second."""
        return self.nbytes / self.seconds / 1e9 if self.seconds else 0.0


@dataclass(frozen=True)
class Profile:
    """The time of each instruction of a step, longest first in print and in plots, in program order in ``rows``."""

    title: str
    runs: int
    rows: tuple[ProfileRow, ...]
    peak: MachinePeak

    @property
    def seconds(self) -> float:
        """Of one run, all instructions together."""
        return sum(row.seconds for row in self.rows)

    def _longest_first(self) -> list[ProfileRow]:
        return sorted(self.rows, key=lambda row: -row.seconds)

    def __str__(self) -> str:
        rows = self._longest_first()
        shown, rest = rows[:_MOST_ROWS], rows[_MOST_ROWS:]
        head = ("us", "share", "GFLOP/s", "GB/s", "of peak", "limit", "kernel", "layer", "shapes")
        cells = [head, *(_cells(row) for row in shown)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
        numbers = 5  # the first columns, set to the right
        lines = [
            f"{self.title}: {_time(self.seconds)} a run, {self.runs} run{'s' * (self.runs != 1)}",
            f"machine: {self.peak}",
        ]
        for line in cells:
            padded = zip(line, widths, strict=True)
            text = [cell.rjust(w) if i < numbers else cell.ljust(w) for i, (cell, w) in enumerate(padded)]
            lines.append(_cut("  ".join(text).rstrip()))
        if rest:
            seconds = sum(row.seconds for row in rest)
            lines.append(f"{seconds * 1e6:{widths[0]}.1f}  {seconds / self.seconds:{widths[1]}.1%}  {len(rest)} more")
        return "\n".join(lines)

    def plot(self, most: int = 25) -> Any:
        """A bar for each of the longest instructions, in the colour of what limits it; a Matplotlib figure.

        Args:
            most: how many instructions to show.

        Raises:
            ImportError: Matplotlib is not installed (``pip install matplotlib``).
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("Profile.plot() needs Matplotlib: pip install matplotlib") from error
        rows = self._longest_first()[:most]
        figure = Figure(figsize=(9, 1.4 + 0.28 * len(rows)), layout="constrained")
        axes = figure.subplots()
        colors = {"compute": "tab:blue", "memory": "tab:orange"}
        times = [row.seconds * 1e6 for row in rows]
        bars = axes.barh(range(len(rows)), times, color=[colors[row.limit] for row in rows])
        axes.bar_label(bars, [f"{row.share:.0%}, {row.of_peak:.0%} of peak" for row in rows], padding=3, fontsize=8)
        labels = [f"{row.layer or row.op}: {row.kernel}" if row.layer else row.kernel for row in rows]
        axes.set_yticks(range(len(rows)), labels, fontsize=8)
        axes.set_ylim(len(rows) - 0.4, -0.6)  # the longest on top
        axes.set_xlim(0, 1.3 * max(times, default=1.0))  # room for the labels
        axes.set_xlabel("microseconds")
        machine = f"{self.peak.isa}, {self.peak.threads} thread{'s' * (self.peak.threads != 1)}"
        axes.set_title(f"{self.title}\n{_time(self.seconds)} a run, {machine}", fontsize=9)
        handles = [axes.barh([0], [0], color=color) for color in colors.values()]
        axes.legend(handles, [f"limited by {name}" for name in colors], loc="lower right", fontsize=8)
        return figure


def profile(model: Any, x: Any, y: Any = None, sample_weight: Any = None, runs: int = 20) -> Profile:
    """Time each instruction of a model's step; the model's weights and states are as before afterwards.

    Args:
        model: a model; compiled, if ``y`` is given.
        x: one batch, as for ``train_on_batch``.
        y: its targets: the training step is timed; without them the prediction.
        sample_weight: one number per sample.
        runs: how often the step runs; each instruction's time is the median.

    Returns:
        A :class:`Profile`: ``rows`` to work with, a table when printed, ``plot()`` for a figure.

    Raises:
        ArgumentError: ``runs`` is not positive, or steps run on the reference executor.

    Example:
        >>> import numpy as np, pynn
        >>> model = pynn.Sequential([pynn.Input((8,)), pynn.layers.Dense(4)])
        >>> model.compile("sgd", "mse")
        >>> result = pynn.utils.profile(model, np.ones((16, 8)), np.ones((16, 4)), runs=3)
        >>> result.rows[0].op, result.rows[0].shapes
        ('matmul', '(16, 8) (8, 4) (4) -> (16, 4)')
    """
    from pynn.executor.native import NativeProgram

    if not isinstance(runs, int) or isinstance(runs, bool) or runs < 1:
        raise ArgumentError(f"profile: runs must be a positive whole number, received {runs!r}")
    program, arrays = _step_of(model, x, y, sample_weight)
    if not isinstance(program, NativeProgram):
        raise ArgumentError("profile: steps run on the reference executor; unset PYNN_EXECUTOR to profile native ones")
    states = [(variable.array, variable.array.copy()) for variable, _ in program.graph.updates]
    try:
        seconds = [s for _, s in program.profile(arrays, runs)]
    finally:
        for array, before in states:
            array[...] = before
    return make_profile(program, runs, seconds)


def _step_of(model: Any, x: Any, y: Any, sample_weight: Any) -> tuple[Any, list[np.ndarray]]:
    """The program of a model's step for this batch, and what to feed it."""
    from pynn.models.feeding import columns_of

    kind = "predict" if y is None else "train"
    if y is not None:
        model._require_compiled("profile with targets")
    columns = columns_of(model, kind, x, y, sample_weight)
    feeds = columns.feeds()
    return model._programs.get(kind, feeds, columns.layout).program, feeds


def make_profile(program: NativeProgram, runs: int, seconds: Sequence[float]) -> Profile:
    """A profile of times that were taken already, one per instruction."""
    peak = machine_peak(program.threads, program.isa)
    total = sum(seconds) or 1.0
    rows = []
    for instruction, time in zip(program.instructions, seconds, strict=True):
        least, limit = peak.seconds(instruction.flops, instruction.nbytes)
        row = ProfileRow(
            op=instruction.op,
            kernel=instruction.kernel,
            layer=instruction.scope,
            shapes=instruction.shapes,
            count=runs,
            seconds=time,
            share=time / total,
            flops=instruction.flops,
            nbytes=instruction.nbytes,
            limit=limit,
            of_peak=least / time if time else 0.0,
        )
        rows.append(row)
    return Profile(program.title, runs, tuple(rows), peak)


class Recorder:
    """Adds up the times of a program's ordinary runs, for ``PYNN_PROFILE=1``.

    The first run is left out once there is another: it pays for memory that is touched for the first time.
    """

    def __init__(self) -> None:
        self.runs = 0
        self._first: np.ndarray | None = None
        self._total: np.ndarray | None = None

    def add(self, seconds: Sequence[float]) -> None:
        times = np.asarray(seconds)
        if self._first is None:
            self._first = times
            return
        self._total = times if self._total is None else self._total + times
        self.runs += 1

    def profile(self, program: NativeProgram) -> Profile | None:
        """The mean times; None if the program never ran."""
        if self._first is None:
            return None
        if self._total is None:
            return make_profile(program, 1, self._first.tolist())
        return make_profile(program, self.runs, (self._total / self.runs).tolist())


_recorded: list[tuple[NativeProgram, Recorder]] = []


def record(program: NativeProgram) -> Recorder:
    """A recorder whose table is printed to stderr when the process ends."""
    if not _recorded:
        atexit.register(print_recorded)
    recorder = Recorder()
    _recorded.append((program, recorder))
    return recorder


def print_recorded() -> None:
    """Print the tables of all programs that ran, the one that took longest first, and forget them."""
    profiles = [p for program, recorder in _recorded if (p := recorder.profile(program)) is not None]
    _recorded.clear()
    for found in sorted(profiles, key=lambda p: -p.seconds * p.runs):
        print(f"\n{found}", file=sys.stderr)


def _cells(row: ProfileRow) -> tuple[str, ...]:
    return (
        f"{row.seconds * 1e6:.1f}",
        f"{row.share:.1%}",
        f"{row.gflops:.1f}" if row.flops else "-",
        f"{row.bandwidth:.1f}",
        f"{row.of_peak:.0%}",
        row.limit,
        row.kernel,
        row.layer or "-",
        row.shapes,
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."
