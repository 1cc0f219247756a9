"""Image classifiers in pynn and in what people would use instead, side by side: predictions and training steps.

    python benchmarks/vision.py --python torch=/path/to/python --python onnxruntime=/path/to/python --json out.json

The processes take turns as in ``compare.py``.  All build the same network from the same weights, and before anything
is timed their logits (in training, the first loss) must agree.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from results import Results
from turns import KEEP_MEMORY, Peer, Series, describe_machine, rounds_in_turn, table, versions_of

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from vision_nets import BARS, BATCHES, NETS, TRAIN_BARS, TRAIN_BATCH

PEERS = ("pynn", "onnxruntime", "openvino", "torch", "keras_tf", "keras_jax")
MODES = (*(f"batch{n}" for n in BATCHES), "train")
#: Of the largest logit: Winograd's tiles and other orders of summation, through fifty layers.
LOGIT_TOLERANCE = 2e-3


def check_results(series: list[Series]) -> None:
    """All must predict alike; who does not is reported and not timed."""
    for one in series:
        one.losses = one.ask("check", 1)
    agreed = [one for one in series if not one.error]
    if not agreed:
        return
    middle = [statistics.median(logits) for logits in zip(*(one.losses for one in agreed), strict=True)]
    for one in agreed:
        off = max(abs(a - b) for a, b in zip(one.losses, middle, strict=True))
        if not off <= LOGIT_TOLERANCE:
            one.error = f"predicts something else: a logit is off by {off:.2g} of the largest, or the loss by that much"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETS, default=list(NETS))
    parser.add_argument(
        "--modes", nargs="+", choices=MODES, default=list(MODES), help="predictions of 1 or 16, or training"
    )
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a framework")
    parser.add_argument("--without", nargs="+", default=[], metavar="VARIANT", help="leave these out, e.g. compile")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a turn (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=0.03, help="seconds between turns (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for each (all CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here; adds to what is there")
    options = parser.parse_args()
    options.interpreters = dict(choice.split("=", 1) for choice in options.python if "=" in choice)
    if set(options.interpreters) - set(PEERS) or len(options.interpreters) != len(options.python):
        parser.error(f"--python {' '.join(options.python)}: expected PEER=PATH, with PEER one of {', '.join(PEERS)}")
    return options


def main() -> int:
    options = parse_arguments()
    machine = describe_machine(options.threads)
    print(f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date']}")
    peers = [
        Peer(name, options.interpreters.get(name, sys.executable), options.threads, "vision", KEEP_MEMORY)
        for name in options.peers
    ]
    order = [(network, mode) for network in NETS for mode in MODES]
    results = Results(options.json, "images", machine, versions_of(peers), ("network", "mode"), order)
    timed = False
    try:
        for peer in peers:
            versions = ", ".join(f"{package} {version}" for package, version in peer.versions.items())
            print(f"  {peer.name:12}{versions or 'missing: ' + str(peer.missing)}")
        for network in options.networks:
            for mode in options.modes:
                prefix = [network, mode]
                series = [
                    Series(peer, case)
                    for peer in peers
                    for case in peer.cases
                    if case.split(".")[:2] == prefix and not set(case.split(".")[2:]) & set(options.without)
                ]
                check_results(series)
                for one in series:
                    times = [] if one.error else one.ask("run", 1)
                    if times:
                        one.n = max(1, round(options.seconds / statistics.median(times)))
                rounds_in_turn(series, options.rounds, options.pause)
                for one in series:
                    one.ask("forget", 1)
                what = f"a training step on {TRAIN_BATCH}" if mode == "train" else f"predictions of {mode[5:]}"
                bar = TRAIN_BARS.get(network) if mode == "train" else BARS[network]
                text, rows = table(f"{network}, {what} images of 224 x 224", network, mode, bar, series)
                print(f"\n{text}", flush=True)
                results.add(rows)
                timed |= any("ms" in row for row in rows)
    finally:
        for peer in peers:
            peer.close()
    return 0 if timed else 1


if __name__ == "__main__":
    sys.exit(main())
