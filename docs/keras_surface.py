"""Writes ``docs/keras_surface.md``: which public names of Keras pynn has, and whether their signatures agree.

    pip install ".[parity]"
    KERAS_BACKEND=jax python docs/keras_surface.py

``docs/keras_tiers.txt`` lists the names; what Keras itself has is asked of the installed Keras.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

#: Differences that are meant, ``name: reason``.  A name may end in ``*``.
REASONS: dict[str, str] = {
    "keras.utils.deserialize_keras_object": "None means: as the load around it does, and safe outside of one; so does "
    "Keras, whose default gives way to a surrounding load",
    "keras.tree.map_structure": "only the name of the first argument, which is given by position",
    "keras.export.ExportArchive": "TensorFlow's SavedModel is not written; Model.export writes ONNX, and .keras files "
    "are what Keras reads and exports",
}

#: Arguments that pynn's constructors take through the base class, or that mean nothing here, in every signature.
_IGNORED = {"args", "kwargs", "self", "cls"}


@dataclass
class Row:
    """One public name of Keras, and how pynn's compares."""

    tier: int
    name: str
    present: bool = False
    differences: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        return next(
            (r for n, r in REASONS.items() if re.fullmatch(n.replace(".", r"\.").replace("*", ".*"), self.name)), ""
        )


def names() -> Iterator[tuple[int, str]]:
    """``(tier, "keras.layers.Dense")`` of every listed name."""
    for line in (HERE / "keras_tiers.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            head, listed = line.split(": ", 1)
            tier, module = head.split(" ")
            for name in listed.split(", "):
                yield int(tier), f"{module}.{name}"


def find(library: str, name: str) -> Any:
    """The object of that dotted name below ``library``; None where there is none."""
    found: Any = importlib.import_module(library)
    for i, part in enumerate(parts := name.split(".")[1:]):
        if not hasattr(found, part):
            try:
                importlib.import_module(".".join([library, *parts[: i + 1]]))
            except ImportError:
                return None
        found = getattr(found, part, None)
        if found is None:
            return None
    return found


def parameters(thing: Any) -> dict[str, Any]:
    """Names and defaults of the arguments, those of base classes after a class's own."""
    if not inspect.isclass(thing) or hasattr(thing, "__signature__"):  # a class may say its signature itself
        callables = [thing]
    else:
        callables = [c.__init__ for c in thing.__mro__ if "__init__" in vars(c) and c is not object]
    found: dict[str, Any] = {}
    for function in callables:
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            break
        for p in signature.parameters.values():
            if p.name not in _IGNORED and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
                found.setdefault(p.name, p.default)
        if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            break
    return found


def differences(theirs: Any, ours: Any) -> list[str]:
    """What of Keras's signature pynn's does not have, in words."""
    if not callable(theirs):
        return []
    expected, got = parameters(theirs), parameters(ours)
    if inspect.isclass(theirs):  # what every Keras class takes through its base is not of its own signature
        own = inspect.signature(theirs).parameters
        expected = {name: default for name, default in expected.items() if name in own}
    found = [f"no argument `{name}`" for name in expected if name not in got]
    for name, default in expected.items():
        if name in got and not _same_default(default, got[name]):
            found.append(f"`{name}={_text(got[name])}` instead of `{_text(default)}`")
    order = [name for name in got if name in expected]
    positions = [name for name in expected if name in got]
    if not found and order != positions:
        found.append(f"order of arguments: {', '.join(order)}")
    return found


def _same_default(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, tuple) and _leaves(a) == {b}:  # (1, 1) and 1: one number stands for all axes and sides
        return True
    try:
        return bool(a == b) or repr(a) == repr(b)
    except Exception:
        return False


def _leaves(item: Any) -> set[Any]:
    return {leaf for part in item for leaf in _leaves(part)} if isinstance(item, tuple) else {item}


def _text(default: Any) -> str:
    return "(required)" if default is inspect.Parameter.empty else repr(default)


def compare() -> list[Row]:
    """Every listed name, compared."""
    rows = []
    for tier, name in names():
        theirs, ours = find("keras", name), find("pynn", name)
        row = Row(tier, name, present=ours is not None)
        if ours is not None and theirs is not None:
            row.differences = differences(theirs, ours)
        rows.append(row)
    return rows


def page(rows: list[Row]) -> str:
    """The page as Markdown."""
    import keras

    lines = [
        "# Keras's names in pynn",
        "",
        f"Compared with Keras {keras.__version__}; made by `docs/keras_surface.py`. Tier 1 are the names that",
        "most public scripts use, tier 2 the others that scripts use.",
        "",
        "| tier | names | present | signature equal | different, for a reason | different | missing |",
        "|---|---|---|---|---|---|---|",
    ]
    for tier in (1, 2):
        mine = [r for r in rows if r.tier == tier]
        present = [r for r in mine if r.present]
        lines.append(
            f"| {tier} | {len(mine)} | {len(present)} | {sum(not r.differences for r in present)} | "
            f"{sum(bool(r.differences and r.reason) for r in present)} | "
            f"{sum(bool(r.differences and not r.reason) for r in present)} | {len(mine) - len(present)} |"
        )
    for tier in (1, 2):
        missing = [r for r in rows if r.tier == tier and not r.present]
        different = [r for r in rows if r.tier == tier and r.present and r.differences]
        if missing:
            lines += ["", f"## Tier {tier}: missing", "", "| name | reason |", "|---|---|"]
            lines += [f"| `{r.name}` | {r.reason} |" for r in missing]
        if different:
            lines += ["", f"## Tier {tier}: another signature", "", "| name | difference | reason |", "|---|---|---|"]
            lines += [f"| `{r.name}` | {'; '.join(r.differences)} | {r.reason} |" for r in different]
    modules: dict[str, list[Row]] = {}
    for row in rows:
        modules.setdefault(row.name.rpartition(".")[0], []).append(row)
    lines += ["", "## All names", ""]
    for module, mine in sorted(modules.items()):
        marked = (f"`{r.name.rpartition('.')[2]}`" + ("" if r.present else " (missing)") for r in mine)
        lines.append(f"- **{module}**: {', '.join(marked)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = page(compare())
    target = HERE / "keras_surface.md"
    target.write_text(text)
    sys.stdout.write("\n".join(text.splitlines()[:12]) + f"\n... written to {target}\n")
