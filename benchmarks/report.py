"""One page and a figure of what the other scripts wrote with ``--json``.

python benchmarks/report.py results.json --markdown RESULTS.md --plot results.png
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TITLES = {
    "kernels": "Kernels",
    "steps": "Training steps and epochs",
    "images": "Image classifiers",
    "conditions": "Conditions",
}
INTRODUCTION = """\
# Results

Made by `benchmarks/report.py`; [README.md](README.md) says how everything is measured and what makes it fair. Ratios
are how many times as fast pynn is as the best of the others; a *bar* is the ratio (or the share of the machine's
limit) that is asked for."""
KERNEL_HEAD = ["kernel", "ms", "speed", "of the limit", "faster than PyTorch", "bar", "met"]
STEP_HEAD = ["", "ms", "quartiles", "ratio to pynn"]
_MET = {True: "yes", False: "**no**", None: ""}

Row = dict[str, Any]
Run = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What is asked of pynn and what it reaches; ``ratio`` to the best of the others, where there is one."""

    name: str
    reached: str
    bar: str
    met: bool | None
    ratio: float | None = None
    ratio_bar: float | None = None


# ---- verdicts --------------------------------------------------------------------------------------------------------


def kernel_verdicts(run: Run) -> list[Verdict]:
    """One per kernel."""
    found = []
    for row in run["results"]:
        if "gflops" not in row:
            found.append(Verdict(row["kernel"], "failed", "", False))
            continue
        wanted = [f"{row['peak_bar']:.0%} of the limit"] if row["peak_bar"] else []
        wanted += [f"{row['bar']:.1f}x"] if row["bar"] else []
        ratio = row.get("ratio")
        reached = f"{row['of_peak']:.0%} of the limit" + (f", {ratio:.2f}x" if ratio else "")
        found.append(Verdict(row["kernel"], reached, " and ".join(wanted), row["met"], ratio, row["bar"]))
    return found


def network_verdicts(run: Run) -> list[Verdict]:
    """One per network and mode, and one for each that compares a step of ``fit`` with one alone."""
    found = []
    for key, rows in _tables(run):
        mine = next((row for row in rows if row["peer"] == "pynn"), None)
        name, bar = " ".join(key), (mine or rows[0]).get("bar")
        # Who has a bar of its own is judged by it, and is not one of the others.
        apart = [row for row in rows if row.get("bar") != bar]
        rows = [row for row in rows if row.get("bar") == bar]
        others = [row["ratio"] for row in rows if "ratio" in row and row["peer"] != "pynn"]
        wanted = f"{bar:.1f}x" if bar else ""
        if mine is None or "ms" not in mine:
            found.append(Verdict(name, "failed" if mine else "not measured", wanted, False if mine else None))
            continue
        if others:
            # Who failed may be the best: nothing is met then.
            failed = {row["peer"] for row in rows} - {row["peer"] for row in rows if "ms" in row}
            best, without = min(others), f" (without {', '.join(sorted(failed))}, failed)" if failed else ""
            met = best >= bar if bar and not (failed and best >= bar) else None
            found.append(Verdict(name, f"{best:.2f}x{without}", wanted, met, best, bar))
        for row in apart:
            if "ratio" in row:
                to, own = row["ratio"], row["bar"]
                found.append(Verdict(f"{name}, to {row['peer']}", f"{to:.2f}x", f"{own:.1f}x", to >= own, to, own))
        if "to_step" in mine:
            reached, most = mine["to_step"], mine["to_step_bar"]
            found.append(Verdict(f"{name}, to a step alone", f"{reached:.2f}", f"at most {most}", reached <= most))
    return found


def condition_verdicts(run: Run) -> list[Verdict]:
    """One per condition."""
    mine = [row for row in run["results"] if row["peer"] == "pynn"]
    return [Verdict(row["condition"], _numbers(row), row["bar"], row["met"]) for row in mine]


def _numbers(row: Row) -> str:
    units = {"seconds": "s", "megabytes": "MB", "slower": "times longer"}
    return ", ".join(f"{row[key]:.{0 if row[key] >= 100 else 2}f} {unit}" for key, unit in units.items() if key in row)


def _tables(run: Run) -> list[tuple[tuple[str, str], list[Row]]]:
    """The rows of each network and mode."""
    keys = dict.fromkeys((row["network"], row["mode"]) for row in run["results"])
    return [(key, [row for row in run["results"] if (row["network"], row["mode"]) == key]) for key in keys]


VERDICTS = {
    "kernels": kernel_verdicts,
    "steps": network_verdicts,
    "images": network_verdicts,
    "conditions": condition_verdicts,
}


# ---- markdown --------------------------------------------------------------------------------------------------------


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def heading(run: Run) -> str:
    """What the numbers depend on."""
    machine = run["machine"]
    software = "".join(f"; {name} {version}" for name, version in run["versions"].items())
    return f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date'][:10]}{software}"


def kernel_tables(run: Run) -> list[str]:
    """One line per kernel: time, speed, share of the limit, ratio to PyTorch, and whether that is enough."""
    lines = []
    for row in run["results"]:
        if "gflops" not in row:
            lines.append([row["kernel"], "failed", *[""] * 5])
            continue
        speed = f"{row['gflops']:.0f} GFLOP/s" if row["limit"] == "compute" else f"{row['gbs']:.0f} GB/s"
        wanted = [f"{row['peak_bar']:.0%}"] if row["peak_bar"] else []
        wanted += [f"{row['bar']:.1f}x"] if row["bar"] else []
        versus = f"{row['ratio']:.2f}x" if "ratio" in row else ""
        cells = [f"{row['ms']['pynn']:.3f}", speed, f"{row['of_peak']:.0%}", versus, " and ".join(wanted)]
        lines.append([row["kernel"], *cells, _MET[row["met"]]])
    return [markdown_table(KERNEL_HEAD, lines)]


def compare_tables(run: Run) -> list[str]:
    """All verdicts, then who took how long in each network and mode."""
    verdicts = [[v.name, v.reached, v.bar, _MET[v.met]] for v in network_verdicts(run)]
    tables = [markdown_table(["", "pynn to the best of the others", "bar", "met"], verdicts)]
    for key, rows in _tables(run):
        lines = []
        for row in rows:
            label = " ".join([row["peer"], *row["case"].split(".")[2:]])
            if "ms" not in row:
                lines.append([label, "failed", "", ""])
                continue
            low, high = row["quartiles_ms"]
            lines.append([label, f"{row['ms']:.3f}", f"{low:.3f} - {high:.3f}", f"{row['ratio']:.2f}"])
        tables.append(f"### {' '.join(key)}\n\n{markdown_table(STEP_HEAD, lines)}")
    return tables


def condition_tables(run: Run) -> list[str]:
    """What was asked and reached, and everybody's numbers."""
    lines = [
        [f"{row['condition']}: {row['peer']}", _numbers(row), row.get("bar", ""), _MET[row.get("met")]]
        for row in run["results"]
    ]
    return [markdown_table(["", "measured", "bar", "met"], lines)]


TABLES = {"kernels": kernel_tables, "steps": compare_tables, "images": compare_tables, "conditions": condition_tables}


def summary(runs: list[Run]) -> str:
    """How many bars are met, and which are not."""
    lines, missed = [], []
    for run in runs:
        verdicts = [v for v in VERDICTS[run["part"]](run) if v.met is not None]
        title = f"{TITLES[run['part']]}, {run['machine']['isa']}"
        lines.append([title, f"{sum(bool(v.met) for v in verdicts)} of {len(verdicts)}"])
        missed += [f"- {title}: {v.name}: {v.reached} (bar: {v.bar})" for v in verdicts if not v.met]
    text = markdown_table(["", "bars met"], lines)
    return f"{text}\n\nNot met:\n\n" + "\n".join(missed) if missed else text


def render(runs: list[Run]) -> str:
    """Everything as markdown."""
    parts = [INTRODUCTION, summary(runs)]
    for run in runs:
        parts += [f"## {TITLES[run['part']]}, {run['machine']['isa']}", f"{heading(run)}."]
        parts += TABLES[run["part"]](run)
    return "\n\n".join(parts) + "\n"


# ---- figure ----------------------------------------------------------------------------------------------------------


def plot(runs: list[Run]) -> Any:
    """Each ratio to the best of the others as a bar, and what is asked for as a line."""
    from matplotlib.figure import Figure

    panels = [(run, [v for v in VERDICTS[run["part"]](run) if v.ratio is not None]) for run in runs]
    panels = [(run, verdicts) for run, verdicts in panels if verdicts]
    if not panels:
        raise SystemExit("report.py: --plot shows ratios to other frameworks, and none of the files has any")
    heights = [1.0 + 0.24 * len(verdicts) for _, verdicts in panels]
    figure = Figure(figsize=(10, 0.4 + sum(heights)), layout="constrained")
    subplots = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (run, verdicts) in zip(subplots, panels, strict=True):
        # Very long bars are cut, so that the others can be told apart; the label says how long they are.
        right = 1.4 * max([v.ratio for v in verdicts if v.ratio < 8] + [v.ratio_bar or 1.0 for v in verdicts])
        colors = [{True: "tab:green", False: "tab:red", None: "tab:gray"}[v.met] for v in verdicts]
        widths = [min(v.ratio, 0.8 * right) for v in verdicts]
        axes.barh(range(len(verdicts)), widths, color=colors)
        for i, v in enumerate(verdicts):
            if v.ratio_bar is not None:
                axes.plot([v.ratio_bar] * 2, [i - 0.4, i + 0.4], color="black", linewidth=1.5)
            axes.text(max(widths[i], v.ratio_bar or 0) + 0.01 * right, i, v.reached, va="center", fontsize=7)
        axes.axvline(1, color="gray", linewidth=0.8)
        axes.set_yticks(range(len(verdicts)), [v.name for v in verdicts], fontsize=7)
        axes.set_ylim(len(verdicts) - 0.4, -0.6)
        axes.set_xlim(0, right)
        axes.set_xlabel("times as fast as the best of the others (black: what is asked for)", fontsize=8)
        axes.set_title(f"{TITLES[run['part']]}: {heading(run).partition(';')[0]}", fontsize=8)
    return figure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="what the other scripts wrote")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page here instead of printing it")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the ratios to other frameworks")
    options = parser.parse_args()
    runs = [run for path in options.files for run in json.loads(path.read_text())["runs"]]
    runs.sort(key=lambda run: list(TITLES).index(run["part"]))
    if options.markdown:
        options.markdown.write_text(render(runs))
    else:
        print(render(runs))
    if options.plot:
        plot(runs).savefig(options.plot, dpi=130)
    return 0


if __name__ == "__main__":
    sys.exit(main())
