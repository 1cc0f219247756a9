"""The same training step in pynn and in what people would use instead, side by side.

Every framework runs in a process of its own that stays alive, and they take turns: one computes, the others
sleep. So a machine that gets slower or faster while this runs does so for all of them, and ratios hold where
times do not. Before anything is timed, all must report the same losses from the same weights: they do the same
work.

    python benchmarks/compare.py --python torch=/path/to/python --python keras_tf=/path/to/python --json out.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

PEERS = ("pynn", "torch", "keras_tf", "keras_jax", "jax", "numpy")
NETWORKS = {
    "mlp": "784-64-10, sigmoid, softmax, MSE, SGD, batch 128",
    "lenet5": "LeNet-5, relu, cross entropy, Adam, batch 128",
}
MODES = {
    "step": "one step on a batch in memory, loss read back",
    "fit": "per step of a whole epoch over 12,800 samples, shuffled",
}
# Enough for different orders of summation; a different network or optimizer is much further off.
LOSS_TOLERANCE = 2e-4


class PeerError(Exception):
    """A framework answered with an error or not at all."""


class Peer:
    """A framework in its process."""

    def __init__(self, name: str, python: str, threads: int) -> None:
        self.name = name
        script = Path(__file__).parent / "peers" / f"{name}_steps.py"
        env = dict(os.environ, BENCH_THREADS=str(threads))
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


def check_losses(series: list[Series]) -> None:
    """All must start alike; who does not is reported and not timed."""
    for one in series:
        one.losses = one.ask("check", 3)
    agreed = [one for one in series if not one.error]
    if not agreed:
        return
    middle = [statistics.median(losses) for losses in zip(*(one.losses for one in agreed), strict=True)]
    for one in agreed:
        if any(not abs(a - b) <= LOSS_TOLERANCE * abs(b) for a, b in zip(one.losses, middle, strict=True)):
            one.error = f"trains something else: losses {one.losses}, the others {middle}"


def take_turns(series: list[Series], options: argparse.Namespace, is_fit: bool) -> float:
    """Time all series in rounds; returns the share of time in which processes that should sleep computed."""
    seconds_per_step = options.seconds
    for one in series:
        one.ask("run", 1 if is_fit else 20)  # builds, compiles and warms up
        times = one.ask("run", 1 if is_fit else 20)
        if times:
            steps = 100 if is_fit else 1
            one.n = max(1, min(5000, round(seconds_per_step / (statistics.median(times) * steps))))
    peers = list({id(one.peer): one.peer for one in series}.values())
    turns, idle = 0.0, 0.0
    for _ in range(options.rounds):
        for one in series:
            if one.error:
                continue
            # Thread pools spin for a while after their work; let the last one's fall asleep.
            time.sleep(options.pause)
            others = [peer for peer in peers if peer is not one.peer]
            before = sum(peer.cpu_seconds() for peer in others)
            start = time.perf_counter()
            times = one.ask("run", one.n)
            turns += time.perf_counter() - start
            idle += sum(peer.cpu_seconds() for peer in others) - before
            if times:
                one.rounds.append(statistics.median(times))
    return idle / turns if turns else 0.0


def ratios(one: Series, reference: Series) -> float:
    """How many times slower than the reference, round by round."""
    return statistics.median(a / b for a, b in zip(one.rounds, reference.rounds, strict=False))


def find_reference(series: list[Series]) -> Series | None:
    """pynn, or the fastest where pynn is missing."""
    timed = [one for one in series if one.rounds and not one.error]
    ours = [one for one in timed if one.peer.name == "pynn"]
    candidates = ours or timed
    return min(candidates, key=lambda one: statistics.median(one.rounds)) if candidates else None


def table(network: str, mode: str, series: list[Series]) -> tuple[str, list[dict[str, Any]]]:
    """The table as text, and its rows for the JSON file."""
    reference = find_reference(series)
    versus = f"to {reference.label}" if reference else ""
    lines = [f"{network} {mode}: {NETWORKS[network]}; {MODES[mode]}"]
    lines.append(f"  {'':30}{'ms/step':>10}{'quartiles':>20}   ratio {versus}")
    rows: list[dict[str, Any]] = []
    for one in sorted(series, key=lambda s: (s.error is not None, statistics.median(s.rounds or [0]))):
        row: dict[str, Any] = {"network": network, "mode": mode, "peer": one.peer.name, "case": one.case}
        if one.error or not one.rounds or reference is None:
            lines.append(f"  {one.label:30}{'failed':>10}   {one.error}")
            rows.append(row | {"error": one.error})
            continue
        ms = [1e3 * seconds for seconds in one.rounds]
        low, middle, high = statistics.quantiles(ms, n=4) if len(ms) > 1 else (ms[0],) * 3
        ratio = ratios(one, reference)
        lines.append(f"  {one.label:30}{middle:10.3f}{f'{low:.3f} - {high:.3f}':>20}   {ratio:.2f}")
        rows.append(row | {"ms": middle, "quartiles_ms": [low, high], "ratio": ratio, "rounds_ms": ms})
    return "\n".join(lines), rows


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
    isa = next((name for name, flag in (("avx512", "avx512f"), ("avx2", "avx2")) if flag in flags), "generic")
    return {
        "cpu": cpu,
        "isa": isa,
        "cpus": os.cpu_count(),
        "threads": threads,
        "python": platform.python_version(),
        "system": platform.platform(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="interpreter that has the framework; default: this one",
    )
    parser.add_argument("--rounds", type=int, default=11, help="turns of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a turn (default: %(default)s)")
    parser.add_argument(
        "--pause",
        type=float,
        default=0.03,
        help="seconds between turns, for pools to stop spinning (%(default)s)",
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for each (all CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here")
    options = parser.parse_args()
    options.interpreters = {}
    for choice in options.python:
        name, _, path = choice.partition("=")
        if name not in PEERS or not path:
            parser.error(f"--python {choice}: expected PEER=PATH, with PEER one of {', '.join(PEERS)}")
        options.interpreters[name] = path
    return options


def main() -> int:
    options = parse_arguments()
    machine = describe_machine(options.threads)
    print(f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date']}")
    peers = [Peer(name, options.interpreters.get(name, sys.executable), options.threads) for name in options.peers]
    rows: list[dict[str, Any]] = []
    try:
        for peer in peers:
            versions = ", ".join(f"{package} {version}" for package, version in peer.versions.items())
            print(f"  {peer.name:12}{versions or 'missing: ' + str(peer.missing)}")
        for network in options.networks:
            for mode in options.modes:
                wanted = f"{network}.{mode}"
                series = [
                    Series(peer, case)
                    for peer in peers
                    for case in peer.cases
                    if case == wanted or case.startswith(wanted + ".")
                ]
                if mode == "step":
                    check_losses(series)
                idle = take_turns([one for one in series if not one.error], options, is_fit=mode == "fit")
                text, new_rows = table(network, mode, series)
                print(f"\n{text}", flush=True)
                if idle > 0.02:
                    print(f"  note: sleeping processes computed {idle:.0%} of the time; a longer --pause helps")
                rows += new_rows
    finally:
        for peer in peers:
            peer.close()
    if options.json:
        report = {
            "machine": machine,
            "versions": {peer.name: peer.versions for peer in peers if not peer.missing},
            "missing": {peer.name: peer.missing for peer in peers if peer.missing},
            "results": rows,
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if any("ms" in row for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
