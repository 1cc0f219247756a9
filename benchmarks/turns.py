"""Frameworks in processes of their own that take turns: one computes, the others sleep.

So a machine that gets slower or faster while this runs does so for all of them, and ratios hold where times do not.
``peers/protocol.py`` is the other end.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

#: glibc gives large blocks back at each free and faults them in again; with these PyTorch does not pay for that.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "8000000000", "MALLOC_TRIM_THRESHOLD_": "16000000000"}
#: What keeps PyTorch, oneDNN, MKL and pynn from instructions beyond AVX2.
ONLY_AVX2 = {
    "PYNN_ISA": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL",
}


class PeerError(Exception):
    """A framework answered with an error or not at all."""


class Peer:
    """A framework in its process."""

    def __init__(
        self, name: str, python: str, threads: int, work: str = "steps", extra: Mapping[str, str] | None = None
    ) -> None:
        """Start ``peers/<name>_<work>.py`` with ``python``; ``extra`` is added to its environment."""
        self.name = name
        script = Path(__file__).parent / "peers" / f"{name}_{work}.py"
        env = dict(os.environ, BENCH_THREADS=str(threads), **(extra or {}))
        for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYNN_THREADS"):
            env[variable] = str(threads)
        # A list of CPUs limits also the pools that size themselves by what they see (XLA, Eigen).
        cpus = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )
        self.missing: str | None = None
        self.versions: dict[str, str] = {}
        self.cases: list[str] = []
        try:
            hello = self._read()
        except PeerError:
            hello = {"missing": f"{python} {script.name} ended at once; run it by hand to see why"}
        self.missing = hello.get("missing")
        self.versions = hello.get("versions", {})
        self.cases = hello.get("cases", [])

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"{self.name}: the process ended")
        return json.loads(line)

    def ask(self, command: str, case: str, n: int) -> list[float]:
        """Send a command and wait for its numbers."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{command} {case} {n}\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise PeerError(f"{self.name}: the process ended") from error
        answer = self._read()
        if isinstance(answer, dict):
            raise PeerError(answer["error"])
        return answer

    def cpu_seconds(self) -> float:
        """What its threads have computed so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()


@dataclass
class Series:
    """One line of the table: a case of a peer and its times."""

    peer: Peer
    case: str
    n: int = 1
    rounds: list[float] = field(default_factory=list)  # median seconds per step of each round
    losses: list[float] = field(default_factory=list)
    error: str | None = None

    @property
    def label(self) -> str:
        return " ".join([self.peer.name, *self.case.split(".")[2:]])

    def ask(self, command: str, n: int) -> list[float]:
        try:
            return self.peer.ask(command, self.case, n)
        except PeerError as error:
            self.error = str(error)
            return []


def rounds_in_turn(series: Sequence[Series], rounds: int, pause: float) -> float:
    """Time all series in rounds; returns the share of time in which processes that should sleep computed."""
    peers = list({id(one.peer): one.peer for one in series}.values())
    turns, idle = 0.0, 0.0
    for _ in range(rounds):
        for one in series:
            if one.error:
                continue
            # Thread pools spin for a while after their work; let the last one's fall asleep.
            time.sleep(pause)
            others = [peer for peer in peers if peer is not one.peer]
            before = sum(peer.cpu_seconds() for peer in others)
            start = time.perf_counter()
            times = one.ask("run", one.n)
            turns += time.perf_counter() - start
            idle += sum(peer.cpu_seconds() for peer in others) - before
            if times:
                one.rounds.append(statistics.median(times))
    return idle / turns if turns else 0.0


def ratio(one: Series, reference: Series) -> float:
    """How many times slower than the reference, round by round."""
    return statistics.median(a / b for a, b in zip(one.rounds, reference.rounds, strict=False))


def find_reference(series: list[Series]) -> Series | None:
    """pynn, or the fastest where pynn is missing."""
    timed = [one for one in series if one.rounds and not one.error]
    ours = [one for one in timed if one.peer.name == "pynn"]
    candidates = ours or timed
    return min(candidates, key=lambda one: statistics.median(one.rounds)) if candidates else None


def table(
    title: str, network: str, mode: str, bar: float | None, series: list[Series]
) -> tuple[str, list[dict[str, Any]]]:
    """The table as text, and its rows for the JSON file; ``bar`` is how far behind the best of the others should be."""
    reference = find_reference(series)
    versus = f"to {reference.label}" if reference else ""
    lines = [title]
    lines.append(f"  {'':30}{'ms/step':>10}{'quartiles':>20}   ratio {versus}")
    rows: list[dict[str, Any]] = []
    for one in sorted(series, key=lambda s: (s.error is not None, statistics.median(s.rounds or [0]))):
        row: dict[str, Any] = {"network": network, "mode": mode, "peer": one.peer.name, "case": one.case}
        row["bar"] = bar
        if one.error or not one.rounds or reference is None:
            lines.append(f"  {one.label:30}{'failed':>10}   {one.error}")
            rows.append(row | {"error": one.error})
            continue
        ms = [1e3 * seconds for seconds in one.rounds]
        low, middle, high = statistics.quantiles(ms, n=4) if len(ms) > 1 else (ms[0],) * 3
        slower = ratio(one, reference)
        lines.append(f"  {one.label:30}{middle:10.3f}{f'{low:.3f} - {high:.3f}':>20}   {slower:.2f}")
        rows.append(row | {"ms": middle, "quartiles_ms": [low, high], "ratio": slower, "rounds_ms": ms})
    return "\n".join(lines), rows


def versions_of(peers: Sequence[Peer]) -> dict[str, str]:
    """Each package that some peer is made of."""
    return {package: version for peer in peers for package, version in peer.versions.items()}


def describe_machine(threads: int) -> dict[str, Any]:
    """What the numbers depend on."""
    cpu = platform.processor() or platform.machine()
    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                cpu = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
    isa = os.environ.get("PYNN_ISA") or next(
        (name for name, flag in (("avx512", "avx512f"), ("avx2", "avx2")) if flag in flags), "generic"
    )
    return {
        "cpu": cpu,
        "isa": isa,
        "cpus": os.cpu_count(),
        "threads": threads,
        "python": platform.python_version(),
        "system": platform.platform(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
