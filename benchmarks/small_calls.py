"""Calls on little data, beside Keras on TensorFlow: ``predict`` on one row in a loop, ``fit`` on a small table.

    python benchmarks/small_calls.py --python keras_tf=/path/to/python
    python benchmarks/small_calls.py --calls predict --soak 100000

Both libraries take turns, like in ``compare.py``.  ``fit`` has 20 steps of 32 rows; ``fit_validated`` also evaluates on
the same rows, and should cost no more than ``fit`` and ``evaluate`` together.  ``--soak`` calls ``predict`` so many
times in pynn and shows how its memory grows meanwhile.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from turns import Peer, Series, ratio, rounds_in_turn

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from calls import CALLS

PEERS = ("pynn", "keras_tf")
#: Calls in a round: many where they are short.
COUNT = {"fit": 20, "evaluate": 20, "fit_validated": 20}
#: What one row's ``predict`` may take, in microseconds.
PREDICT_BAR = 30.0


def measure(calls: list[str], peers: list[Peer], rounds: int, pause: float) -> list[list[Series]]:
    """For each call the times of all peers."""
    found = []
    for name in calls:
        series = [Series(peer, f"small.{name}", COUNT.get(name, 200)) for peer in peers]
        rounds_in_turn(series, rounds, pause)
        found.append(series)
    return found


def report(calls: list[str], found: list[list[Series]]) -> str:
    """A table: microseconds per call, and how many times longer the others take."""
    names = [one.peer.name for one in found[0]]
    lines = [f"  {'us per call':20}" + "".join(f"{name:>14}" for name in names) + "   ratio to pynn"]
    for name, series in zip(calls, found, strict=True):
        cells = [f"{1e6 * statistics.median(one.rounds):14.1f}" if one.rounds else f"{'failed':>14}" for one in series]
        ratios = [f"{ratio(one, series[0]):.0f}" for one in series[1:] if one.rounds and series[0].rounds]
        lines.append(f"  {name:20}{''.join(cells)}   {', '.join(ratios)}")
        lines += [f"    {one.peer.name}: {one.error}" for one in series if one.error]
        if name == "predict" and series[0].rounds:
            met = 1e6 * statistics.median(series[0].rounds) < PREDICT_BAR
            lines.append(
                f"    {series[0].peer.name}: under {PREDICT_BAR:.0f} us is the bar: {'met' if met else 'missed'}"
            )
    return "\n".join(lines)


def soak(peer: Peer, count: int, parts: int = 5) -> str:
    """Resident memory of pynn's process while ``predict`` is called so many times."""
    peer.ask("run", "small.predict", 1000)
    lines = []
    for part in range(parts + 1):
        if part:
            peer.ask("run", "small.predict", count // parts)
        pages = int(Path(f"/proc/{peer.process.pid}/statm").read_text().split()[1])
        lines.append(
            f"  after {part * (count // parts):7d} predictions: {pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.1f} MB"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", nargs="+", default=list(CALLS), choices=CALLS)
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="an interpreter")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.05)
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="also call predict N times in pynn")
    options = parser.parse_args()
    pythons = dict(one.split("=", 1) for one in options.python)
    started = [Peer(name, pythons.get(name, sys.executable), options.threads, "calls") for name in options.peers]
    peers = [peer for peer in started if peer.missing is None]
    try:
        for peer in started:
            print(peer.name, peer.missing or peer.versions)
        if peers:
            print(report(options.calls, measure(options.calls, peers, options.rounds, options.pause)))
        if options.soak and peers and peers[0].name == "pynn":
            print(soak(peers[0], options.soak))
    finally:
        for peer in started:
            peer.close()


if __name__ == "__main__":
    main()
