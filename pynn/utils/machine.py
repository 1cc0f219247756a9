"""What this machine can do at most: the measure for "fast"."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from pynn import _core, config
from pynn.executor.native import kernel_params
from pynn.graph.variable import aligned_empty

#: As in params.h.
_READ, _COPY, _TRIAD = 0, 1, 2
_ARRAYS_MOVED = {_READ: 1, _COPY: 2, _TRIAD: 3}
_SUMS = 12  # independent sums of the kernel peak_fma
_ROUNDS = 20_000
#: Each of the three arrays for main memory is as large as the last cache, within these bounds: quick to allocate.
_LEAST_BYTES, _MOST_BYTES = 16 << 20, 64 << 20
#: The best of so many; a helper that was asleep takes no part in the first.
_MEMORY_TRIES, _FMA_TRIES = 4, 25


@dataclass(frozen=True)
class MachinePeak:
    """Measured limits: 10^9 operations and 10^9 bytes per second.

    Bytes are those the program moves: a copy reads and writes.  ``*_nontemporal`` stores past the caches, which
    saves the read of the line that is written.  ``l2`` and ``l3`` are copies that stay in these caches.
    """

    isa: str
    threads: int
    gflops: float
    read: float
    copy: float
    copy_nontemporal: float
    triad: float
    triad_nontemporal: float
    l2: float
    l3: float

    @property
    def memory(self) -> float:
        """GB/s of main memory, the best that was seen."""
        return max(self.read, self.copy, self.copy_nontemporal, self.triad, self.triad_nontemporal)

    def bandwidth(self, nbytes: float) -> float:
        """GB/s for a working set of so many bytes: of the smallest cache that holds it, else of main memory."""
        l2, l3 = _cache_bytes()
        if nbytes <= l2 * self.threads:
            return max(self.l2, self.l3, self.memory)
        return max(self.l3, self.memory) if nbytes <= l3 else self.memory

    def seconds(self, flops: float, nbytes: float) -> tuple[float, str]:
        """The least time for so many operations and bytes, and which of them sets it: "compute" or "memory"."""
        compute = flops / self.gflops / 1e9
        memory = nbytes / self.bandwidth(nbytes) / 1e9
        return (compute, "compute") if compute > memory else (memory, "memory")

    def __str__(self) -> str:
        return (
            f"{self.isa}, {self.threads} thread{'s' * (self.threads != 1)}: {self.gflops:.0f} GFLOP/s; GB/s: "
            f"memory {self.memory:.0f} (copy {self.copy:.0f}, triad {self.triad:.0f}, past the caches "
            f"{self.copy_nontemporal:.0f} and {self.triad_nontemporal:.0f}), L3 {self.l3:.0f}, L2 {self.l2:.0f}"
        )


def machine_peak(threads: int | None = None, isa: str | None = None) -> MachinePeak:
    """Measure the limits of this machine, in about 0.2 s; a second call in the same process remembers.

    Args:
        threads: how many work at once; by default as many as a model's step takes.
        isa: ``"generic"``, ``"avx2"``, ``"avx512"`` or ``"neon"``; by default the one that models take.

    Returns:
        A :class:`MachinePeak`.

    Raises:
        ValueError: this build or this CPU does not have ``isa``.

    Example:
        >>> import pynn
        >>> peak = pynn.utils.machine_peak(threads=1)
        >>> peak.gflops > 1 and peak.memory > 0.1
        True
    """
    return _measure(threads or config.num_threads(), isa or _core.isa())


@cache
def _measure(threads: int, isa: str) -> MachinePeak:
    arena = _core.Arena()

    def best_seconds(
        kernel: str, params: dict[str, int], inputs: list[np.ndarray], output: np.ndarray, tries: int
    ) -> float:
        operands = [("fixed", array, array.size, array.itemsize) for array in inputs]
        target = [("fixed", output, output.size, output.itemsize)]
        instruction = (kernel, kernel, kernel_params(kernel, params), operands, target)
        program = _core.Program(isa, [instruction], [], arena, 0)
        return min(program.profile([], threads)[0][1] for _ in range(tries))

    tasks = 4 * threads
    seconds = best_seconds("peak_fma", {"tasks": tasks, "rounds": _ROUNDS}, [], np.zeros(tasks, "float32"), _FMA_TRIES)
    gflops = 2 * _SUMS * _lanes(isa) * _ROUNDS * tasks / seconds / 1e9

    l2, l3 = _cache_bytes()
    all_bytes = max(_LEAST_BYTES, min(_MOST_BYTES, l3))
    whole = aligned_empty((3 * all_bytes // 4,), "float32")
    whole.fill(1.0)  # memory that was never written is one page of zeros, read again and again

    def traffic(kind: int, nontemporal: bool = False, nbytes: int = all_bytes, repeats: int = 1) -> float:
        """GB/s over the first ``nbytes`` of each of three arrays; only read is all of them: one would fit the cache."""
        x, y, z = (whole, whole, whole) if kind == _READ else np.split(whole, 3)
        moved = 4 * threads if repeats == 1 else threads
        params = {"tasks": moved, "repeats": repeats, "kind": kind, "nontemporal": nontemporal}
        part = nbytes // 4
        seconds = best_seconds("peak_memory", params, [x[:part], z[:part]], y[:part], _MEMORY_TRIES)
        return _ARRAYS_MOVED[kind] * nbytes * repeats / seconds / 1e9

    # A copy has two arrays; half of a cache is left for everything else.
    in_l2, in_l3 = min(threads * l2 // 4, all_bytes), min(l3 // 4, all_bytes)
    return MachinePeak(
        isa=isa,
        threads=threads,
        gflops=gflops,
        read=traffic(_READ, nbytes=whole.nbytes),
        copy=traffic(_COPY),
        copy_nontemporal=traffic(_COPY, nontemporal=True),
        triad=traffic(_TRIAD),
        triad_nontemporal=traffic(_TRIAD, nontemporal=True),
        l2=traffic(_COPY, nbytes=in_l2, repeats=20),
        l3=traffic(_COPY, nbytes=in_l3, repeats=2),
    )


def _lanes(isa: str) -> int:
    return {"generic": 4, "neon": 4, "avx2": 8, "avx512": 16}[isa]


@cache
def _cache_bytes() -> tuple[int, int]:
    """Sizes of one core's L2 and of the L3 that the cores share; common ones where the system does not say."""
    sizes = {2: 1 << 20, 3: 32 << 20}
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            level, size = int((index / "level").read_text()), (index / "size").read_text().strip()
            if level in sizes and size.endswith("K"):
                sizes[level] = int(size[:-1]) << 10
        except (OSError, ValueError):
            continue
    return sizes[2], sizes[3]
