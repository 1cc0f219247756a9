"""The same training step in pynn and in what people would use instead, side by side.

Every framework runs in a process of its own that stays alive, and they take turns: one computes, the others
sleep. So a machine that gets slower or faster while this runs does so for all of them, and ratios hold where
times do not. Before anything is timed, all must report the same losses from the same weights: they do the same
work.

    python benchmarks/compare.py --python torch=/path/to/python --python keras_tf=/path/to/python --json out.json
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from results import Results
from turns import KEEP_MEMORY, Peer, Series, describe_machine, ratio, rounds_in_turn, table, versions_of

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from networks import NETWORKS

PEERS = ("pynn", "torch", "keras_tf", "keras_jax", "jax", "numpy")
MODES = {
    "step": "one step on a batch in memory, loss read back",
    "fit": "per step of a whole epoch, shuffled",
}
# Enough for different orders of summation; a different network or optimizer is much further off.
LOSS_TOLERANCE = 2e-4
#: How much longer a step inside of ``fit`` may take in pynn than one by itself.
FIT_BAR = 1.1


def check_losses(series: list[Series]) -> None:
    """All must start alike; who does not is reported and not timed."""
    for one in series:
        one.losses = one.ask("check", 3)
    agreed = [one for one in series if not one.error]
    if not agreed or NETWORKS[agreed[0].case.split(".")[0]].is_random:
        return
    middle = [statistics.median(losses) for losses in zip(*(one.losses for one in agreed), strict=True)]
    later = NETWORKS[agreed[0].case.split(".")[0]].loss_tolerance
    tolerances = [LOSS_TOLERANCE, *[later] * (len(middle) - 1)]
    for one in agreed:
        far = [
            not abs(a - b) <= tolerance * abs(b) for a, b, tolerance in zip(one.losses, middle, tolerances, strict=True)
        ]
        if any(far):
            one.error = f"trains something else: losses {one.losses}, the others {middle}"


def take_turns(series: list[Series], options: argparse.Namespace) -> float:
    """Time all series in rounds; returns the share of time in which processes that should sleep computed."""
    for one in series:
        one.ask("run", 1)  # builds and compiles
        is_epoch = one.case.split(".")[1] == "fit"
        times = one.ask("run", 1 if is_epoch else 5)
        if times:
            steps = NETWORKS[one.case.split(".")[0]].steps_per_epoch if is_epoch else 1
            one.n = max(1, min(5000, round(options.seconds / (statistics.median(times) * steps))))
    return rounds_in_turn(series, options.rounds, options.pause)


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
    parser.add_argument("--without", nargs="+", default=[], metavar="VARIANT", help="leave these out, e.g. compile")
    parser.add_argument("--rounds", type=int, default=11, help="turns of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a turn (default: %(default)s)")
    parser.add_argument(
        "--pause",
        type=float,
        default=0.03,
        help="seconds between turns, for pools to stop spinning (%(default)s)",
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for each (all CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here; adds to what is there")
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
    peers = [
        Peer(name, options.interpreters.get(name, sys.executable), options.threads, extra=KEEP_MEMORY)
        for name in options.peers
    ]
    order = [(network, mode) for network in NETWORKS for mode in MODES]
    results = Results(options.json, "steps", machine, versions_of(peers), ("network", "mode"), order)
    timed = False
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
                    if (case == wanted or case.startswith(wanted + "."))
                    and not set(case.split(".")[2:]) & set(options.without)
                ]
                if mode == "step":
                    check_losses(series)
                ours = [peer for peer in peers if peer.name == "pynn" and not peer.missing and mode == "fit"]
                alone = [Series(peer, f"{network}.step") for peer in ours]
                idle = take_turns([one for one in (*series, *alone) if not one.error], options)
                for one in (*series, *alone):
                    one.ask("forget", 1)
                title = f"{network} {mode}: {NETWORKS[network].description}; {MODES[mode]}"
                bar = NETWORKS[network].bar if mode == "step" else None
                text, rows = table(title, network, mode, bar, series)
                if mode == "step":
                    for row in rows:
                        row["bar"] = NETWORKS[network].peer_bars.get(row["peer"], bar)
                print(f"\n{text}", flush=True)
                for step in alone:
                    epoch = next(one for one in series if one.peer is step.peer)
                    if epoch.rounds and step.rounds:
                        longer = ratio(epoch, step)
                        verdict = "met" if longer <= FIT_BAR else "NOT MET"
                        print(f"  a step of pynn's fit takes {longer:.2f} times one alone (bar {FIT_BAR}): {verdict}")
                        mine = next(row for row in rows if row["peer"] == "pynn")
                        mine |= {"to_step": longer, "to_step_bar": FIT_BAR}
                results.add(rows)
                timed |= any("ms" in row for row in rows)
                if idle > 0.02:
                    print(f"  note: sleeping processes computed {idle:.0%} of the time; a longer --pause helps")
    finally:
        for peer in peers:
            peer.close()
    return 0 if timed else 1


if __name__ == "__main__":
    sys.exit(main())
