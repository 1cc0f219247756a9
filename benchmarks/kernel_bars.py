"""Each kernel beside PyTorch's and beside what the machine can do, and whether it is as fast as it is meant to be.

    python benchmarks/kernel_bars.py --python torch=/path/to/python --json bars.json
    python benchmarks/kernel_bars.py --only gemm conv3x3-32x56 --isa avx2

pynn and PyTorch take turns as in ``compare.py``.  PyTorch runs in its default layout and channels last, and does not
give memory back to the system; its faster line counts.  Before anything is timed both must compute the same numbers.
The machine's limits are measured in the same run, before and after each kernel.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

from results import Results
from turns import KEEP_MEMORY, ONLY_AVX2, Peer, PeerError, Series, describe_machine, ratio, rounds_in_turn

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from kernel_cases import CASES, KernelCase

#: Sums in another order, and Winograd's tiles, differ less; another operation differs much more.
DIGEST_TOLERANCE = 1e-3


def check_results(series: list[Series]) -> None:
    """All must compute what pynn computes; who does not is reported and not timed."""
    for one in series:
        one.losses = one.ask("check", 1)
    expected = series[0].losses
    for one in series[1:]:
        pairs = zip(one.losses, expected, strict=False)
        if not one.error and any(abs(a - b) > DIGEST_TOLERANCE * max(1.0, abs(b)) for a, b in pairs):
            one.error = f"computes something else: {one.losses}, pynn {expected}"


def run_case(case: KernelCase, ours: Peer, others: list[Peer], options: argparse.Namespace) -> dict[str, Any]:
    """One row of the table."""
    series = [Series(ours, case.name)]
    series += [Series(peer, name) for peer in others for name in peer.cases if name.split(".")[0] == case.name]
    check_results(series)
    peaks = [ours.ask("check", "peak", 1)]
    for one in series:
        if not one.error:
            times = one.ask("run", 3)
            if times:
                one.n = max(3, min(2000, round(options.seconds / statistics.median(times))))
    rounds_in_turn(series, options.rounds, options.pause)
    peaks.append(ours.ask("check", "peak", 1))
    for one in series:
        one.ask("forget", 1)
    gflops, memory = (max(column) for column in zip(*peaks, strict=True))
    # Registers are as fast all the time: what is less was disturbed.  Memory is not, where others share it.
    options.peak_gflops = gflops = max(options.peak_gflops, gflops)
    row: dict[str, Any] = {"kernel": case.name, "limit": case.limit, "peak_gflops": gflops, "peak_gbs": memory}
    row["bar"] = case.avx2_bar if options.isa == "avx2" else case.bar
    row["peak_bar"] = None if options.isa == "avx2" else case.peak_bar
    errors = {one.label or one.peer.name: one.error for one in series if one.error}
    if errors:
        row["errors"] = errors
    timed = [one for one in series if one.rounds and not one.error]
    row["ms"] = {label_of(one): 1e3 * statistics.median(one.rounds) for one in timed}
    if not timed or timed[0] is not series[0]:
        return row
    seconds = statistics.median(series[0].rounds)
    row["gflops"], row["gbs"] = case.flops / seconds / 1e9, case.nbytes / seconds / 1e9
    if len(timed) > 1:
        best = min(timed[1:], key=lambda one: statistics.median(one.rounds))
        row["best"], row["ratio"] = label_of(best), ratio(best, series[0])
    judge(row, gflops)
    return row


def judge(row: dict[str, Any], peak_gflops: float) -> None:
    """How near a kernel comes to the limit, and whether that is enough."""
    row["peak_gflops"] = peak_gflops
    row["of_peak"] = row["gflops"] / peak_gflops if row["limit"] == "compute" else row["gbs"] / row["peak_gbs"]
    row["met"] = is_met(row)


def is_met(row: dict[str, Any]) -> bool | None:
    """Whether the kernel reaches every bar it has; None where there is nothing to reach or nobody to compare with."""
    tests = []
    if row["bar"] is not None and "ratio" in row:
        tests.append(row["ratio"] >= row["bar"])
    if row["peak_bar"] is not None:
        tests.append(row["of_peak"] >= row["peak_bar"])
    return all(tests) if tests else None


def label_of(one: Series) -> str:
    """``torch channels_last``."""
    return " ".join([one.peer.name, *one.case.split(".")[1:]])


def line_of(row: dict[str, Any]) -> str:
    """The row as people read it."""
    if "gflops" not in row:
        return f"  {row['kernel']:44} failed: {row.get('errors')}"
    speed = f"{row['gflops']:.0f} GFLOP/s" if row["limit"] == "compute" else f"{row['gbs']:.0f} GB/s"
    text = f"  {row['kernel']:44}{row['ms']['pynn']:9.3f} ms {speed:>13} {row['of_peak']:6.0%} of peak"
    if row["peak_bar"]:
        text += f" (bar {row['peak_bar']:.0%})"
    if "ratio" in row:
        text += f"  {row['ratio']:.2f}x {row['best']}" + (f" (bar {row['bar']:.1f})" if row["bar"] else "")
    verdict = {True: "met", False: "NOT MET", None: ""}[row["met"]]
    return f"{text}  {verdict}" + (f"  errors: {row['errors']}" if "errors" in row else "")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], metavar="START", help="kernels whose names begin like this")
    parser.add_argument("--python", action="append", default=[], metavar="torch=PATH", help="interpreter with PyTorch")
    parser.add_argument("--isa", choices=("avx512", "avx2"), help="hold pynn and PyTorch to this instruction set")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.05, help="length of a turn (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=0.01, help="seconds between turns (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for each (all CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here; adds to what is there")
    options = parser.parse_args()
    options.peak_gflops = 0.0
    options.interpreters = dict(choice.split("=", 1) for choice in options.python if "=" in choice)
    if set(options.interpreters) - {"torch", "pynn"} or len(options.interpreters) != len(options.python):
        parser.error(f"--python {' '.join(options.python)}: expected torch=PATH or pynn=PATH")
    options.cases = [case for name, case in CASES.items() if name.startswith(tuple(options.only))]
    if not options.cases:
        parser.error(
            f"--only {' '.join(options.only)}: no kernel's name begins like this; there are {', '.join(CASES)}"
        )
    return options


def main() -> int:
    options = parse_arguments()
    extra = {**KEEP_MEMORY, **(ONLY_AVX2 if options.isa == "avx2" else {})}
    ours, torch = (
        Peer(name, options.interpreters.get(name, sys.executable), options.threads, "kernels", extra)
        for name in ("pynn", "torch")
    )
    rows = []
    try:
        if ours.missing:
            print(f"pynn is missing: {ours.missing}", file=sys.stderr)
            return 1
        machine = describe_machine(options.threads) | {"isa": ours.versions["isa"]}
        print(f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date']}")
        versions = {"pynn": ours.versions["pynn"], **torch.versions}
        print(f"  pynn {versions['pynn']}; torch {versions.get('torch', f'missing: {torch.missing}')}")
        order = [(name,) for name in CASES]
        results = Results(options.json, "kernels", machine, versions, ("kernel",), order)
        for case in options.cases:
            try:
                row = run_case(case, ours, [] if torch.missing else [torch], options)
            except PeerError as error:
                print(f"  {case.name}: {error}", file=sys.stderr)
                return 1
            rows.append(row)
            print(line_of(row), flush=True)
            for one in rows:
                if "gflops" in one:
                    judge(one, options.peak_gflops)  # by the best of the whole run
            results.add(rows)
    finally:
        for peer in (ours, torch):
            peer.close()
    met = [row["met"] for row in rows if row.get("met") is not None]
    print(f"{sum(met)} of {len(met)} bars met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
