"""What tables of steps do not show: the first step of a process, memory, and a neighbour that keeps a core busy.

    python benchmarks/conditions.py startup --python torch=/path/to/python
    python benchmarks/conditions.py memory neighbour

``startup``: from the start of a process to the end of LeNet-5's first training step, interpreter and imports included.
``memory``: the most that a process has had in memory after two training steps of ResNet-50 on 16 images.
``neighbour``: how much longer a training step takes beside one other process that never waits.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from results import Results, Row
from turns import Peer, PeerError, describe_machine

BARS = {
    "startup": "0.35 s, and a fifth of the best other",
    "memory": "0.7 of PyTorch",
    "neighbour": "2.5 times longer",
}


def startup(name: str, python: str, options: argparse.Namespace) -> dict[str, float]:
    """Seconds; the first process of all, which finds cold file caches, does not count."""
    seconds = []
    for _ in range(options.rounds + 1):
        start = time.perf_counter()
        peer = _start(name, python, "steps", options.threads)
        try:
            peer.ask("check", "lenet5.step", 1)
            seconds.append(time.perf_counter() - start)
        finally:
            peer.close()
    return {"seconds": statistics.median(seconds[1:])}


def memory(name: str, python: str, options: argparse.Namespace) -> dict[str, float]:
    """Megabytes of physical memory at the highest, and what the framework alone takes."""
    peer = _start(name, python, "vision", options.threads)
    try:
        before = _peak_megabytes(peer)
        case = next(case for case in peer.cases if case.startswith("resnet50.train"))
        peer.ask("check", case, 2)
        return {"megabytes": _peak_megabytes(peer), "idle_megabytes": before}
    finally:
        peer.close()


def neighbour(name: str, python: str, options: argparse.Namespace) -> dict[str, float]:
    """Times of LeNet-5's step: alone, beside a busy process, and how they compare."""
    peer = _start(name, python, "steps", options.threads)
    try:
        peer.ask("run", "lenet5.step", 20)
        alone, beside = [], []
        for _ in range(options.rounds):
            alone.append(statistics.median(peer.ask("run", "lenet5.step", 50)))
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            try:
                time.sleep(0.2)
                # The mean: a step that waits for a core is rare and long.
                beside.append(statistics.fmean(peer.ask("run", "lenet5.step", 50)))
            finally:
                busy.kill()
                busy.wait()
        ms_alone, ms_beside = 1e3 * statistics.median(alone), 1e3 * statistics.median(beside)
        return {"slower": ms_beside / ms_alone, "ms_alone": ms_alone, "ms_beside": ms_beside}
    finally:
        peer.close()


def judge(rows: list[Row]) -> None:
    """Says in pynn's row whether its bar is met; not where it takes somebody to compare with who is missing."""
    found = {row["peer"]: row for row in rows}
    mine = found.pop("pynn", None)
    if mine is None:
        return
    condition = mine["condition"]
    met: bool | None = None
    if condition == "neighbour":
        met = mine["slower"] <= 2.5
    elif condition == "startup" and found:
        met = mine["seconds"] <= min(0.35, min(row["seconds"] for row in found.values()) / 5)
    elif condition == "memory" and "torch" in found:
        met = mine["megabytes"] <= 0.7 * found["torch"]["megabytes"]
    mine |= {"bar": f"at most {BARS[condition]}", "met": met}
    print(f"  {'':12}{ {True: 'met', False: 'NOT MET', None: 'nobody to compare with'}[met] }")


CONDITIONS: dict[str, Callable[[str, str, argparse.Namespace], dict[str, float]]] = {
    "startup": startup,
    "memory": memory,
    "neighbour": neighbour,
}
PEERS = ("pynn", "torch", "keras_tf", "keras_jax")


def _start(name: str, python: str, work: str, threads: int) -> Peer:
    peer = Peer(name, python, threads, work)
    if peer.missing:
        peer.close()
        raise PeerError(f"missing: {peer.missing}")
    return peer


def _peak_megabytes(peer: Peer) -> float:
    for line in Path(f"/proc/{peer.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise PeerError("the system does not say how much memory a process had")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("conditions", nargs="+", choices=CONDITIONS)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a framework")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is done (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for each (all CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here")
    options = parser.parse_args()
    interpreters = dict(choice.split("=", 1) for choice in options.python if "=" in choice)
    if set(interpreters) - set(PEERS) or len(interpreters) != len(options.python):
        parser.error(f"--python {' '.join(options.python)}: expected PEER=PATH, with PEER one of {', '.join(PEERS)}")
    machine = describe_machine(options.threads)
    print(f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date']}")
    order = [(condition,) for condition in CONDITIONS]
    results = Results(options.json, "conditions", machine, {}, ("condition",), order)
    measured = False
    for condition in options.conditions:
        rows: list[Row] = []
        print(f"\n{condition} (bar: at most {BARS[condition]})")
        for name in options.peers:
            try:
                found = CONDITIONS[condition](name, interpreters.get(name, sys.executable), options)
            except PeerError as error:
                print(f"  {name:12}{error}")
                continue
            numbers = ", ".join(f"{key} {value:.3g}" for key, value in found.items())
            print(f"  {name:12}{numbers}", flush=True)
            rows.append({"condition": condition, "peer": name, **found})
        judge(rows)
        results.add(rows)
        measured |= bool(rows)
    return 0 if measured else 1


if __name__ == "__main__":
    sys.exit(main())
