"""Tables and a figure of what the other scripts wrote with ``--json``.

python benchmarks/report.py bars.json steps.json --markdown report.md --plot report.png
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def heading(machine: dict[str, Any], versions: dict[str, Any]) -> str:
    """What the numbers depend on."""
    software = ", ".join(f"{name} {_version(version)}" for name, version in versions.items())
    return f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date'][:10]}; {software}"


def _version(version: Any) -> str:
    return " ".join(version.values()) if isinstance(version, dict) else str(version)


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def kernel_rows(run: dict[str, Any]) -> list[list[str]]:
    """One line per kernel: time, speed, share of the limit, ratio to PyTorch, and whether that is enough."""
    rows = []
    for row in run["results"]:
        if "gflops" not in row:
            rows.append([row["kernel"], "failed", *[""] * 5])
            continue
        speed = f"{row['gflops']:.0f} GFLOP/s" if row["limit"] == "compute" else f"{row['gbs']:.0f} GB/s"
        wanted = [f"{row['peak_bar']:.0%}"] if row["peak_bar"] else []
        wanted += [f"{row['bar']:.1f}x"] if row["bar"] else []
        versus = f"{row['ratio']:.2f}x" if "ratio" in row else ""
        met = {True: "yes", False: "**no**", None: ""}[row["met"]]
        cells = [f"{row['ms']['pynn']:.3f}", speed, f"{row['of_peak']:.0%}", versus, " and ".join(wanted), met]
        rows.append([row["kernel"], *cells])
    return rows


KERNEL_HEAD = ["kernel", "ms", "speed", "of the limit", "faster than PyTorch", "bar", "met"]
STEP_HEAD = ["", "ms", "quartiles", "ratio to pynn"]


def compare_tables(result: dict[str, Any]) -> list[str]:
    """A table for each network and mode of ``compare.py`` or ``inference.py``."""
    tables = []
    for key in dict.fromkeys((row["network"], row["mode"]) for row in result["results"]):
        rows = [row for row in result["results"] if (row["network"], row["mode"]) == key]
        cells = []
        for row in rows:
            label = " ".join([row["peer"], *row["case"].split(".")[2:]])
            if "ms" not in row:
                cells.append([label, "failed", "", ""])
                continue
            low, high = row["quartiles_ms"]
            cells.append([label, f"{row['ms']:.3f}", f"{low:.3f} - {high:.3f}", f"{row['ratio']:.2f}"])
        tables.append(f"### {' '.join(key)}\n\n{markdown_table(STEP_HEAD, cells)}" + _verdict(rows))
    return tables


def _verdict(rows: list[dict[str, Any]]) -> str:
    """How the best of the others compares, and whether that is as far behind as it is meant to be."""
    others = [row["ratio"] for row in rows if "ratio" in row and row["peer"] != "pynn"]
    if not others or not any(row["peer"] == "pynn" and "ratio" in row for row in rows):
        return ""
    text = f"\n\npynn is {min(others):.2f} times as fast as the best of the others"
    bar = rows[0].get("bar")
    return f"{text}; bar {bar:.1f}: {'met' if min(others) >= bar else '**not met**'}." if bar else f"{text}."


def render(documents: list[dict[str, Any]]) -> str:
    """Everything as markdown."""
    parts = []
    for document in documents:
        for run in document.get("runs", []):
            met = [row["met"] for row in run["results"] if row.get("met") is not None]
            parts.append(
                f"## Kernels\n\n{heading(run['machine'], run['versions'])}. {sum(met)} of {len(met)} bars met."
            )
            parts.append(markdown_table(KERNEL_HEAD, kernel_rows(run)))
        if "results" in document:
            parts.append(f"## Networks\n\n{heading(document['machine'], document['versions'])}.")
            parts += compare_tables(document)
    return "\n\n".join(parts) + "\n"


def plot(documents: list[dict[str, Any]]) -> Any:
    """Each kernel's ratio to PyTorch as a bar, and its own bar as a line."""
    from matplotlib.figure import Figure

    runs = [run for document in documents for run in document.get("runs", [])]
    if not runs:
        raise SystemExit("report.py: --plot shows kernels, and none of the files has any")
    lines = max(len(run["results"]) for run in runs)
    figure = Figure(figsize=(9 * len(runs), 1.5 + 0.24 * lines), layout="constrained")
    for axes, run in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs, strict=True):
        rows = [row for row in run["results"] if "ratio" in row]
        right = 1.35 * max((row["ratio"] for row in rows if row["ratio"] < 8), default=1.0)
        widths = [min(row["ratio"], 0.8 * right) for row in rows]  # longer ones are cut; the label says how long
        verdicts = {True: "tab:green", False: "tab:red", None: "tab:gray"}
        colors = [verdicts[row["met"]] for row in rows]
        bars = axes.barh(range(len(rows)), widths, color=colors)
        axes.bar_label(
            bars, [f"{row['ratio']:.2f}x, {row['of_peak']:.0%} of the limit" for row in rows], padding=3, fontsize=7
        )
        for i, row in enumerate(rows):
            if row["bar"] is not None:
                axes.plot([row["bar"]] * 2, [i - 0.4, i + 0.4], color="black", linewidth=1.5)
        axes.axvline(1, color="gray", linewidth=0.8)
        axes.set_yticks(range(len(rows)), [row["kernel"] for row in rows], fontsize=7)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, right)
        axes.set_xlabel("times as fast as PyTorch's best (black: what is asked for)")
        axes.set_title(heading(run["machine"], run["versions"]), fontsize=8)
    return figure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="what kernel_bars.py, compare.py or inference.py wrote")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here instead of printing them")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the kernels")
    options = parser.parse_args()
    documents = [json.loads(path.read_text()) for path in options.files]
    text = render(documents)
    if options.markdown:
        options.markdown.write_text(text)
    else:
        print(text)
    if options.plot:
        plot(documents).savefig(options.plot, dpi=130)
    return 0


if __name__ == "__main__":
    sys.exit(main())
