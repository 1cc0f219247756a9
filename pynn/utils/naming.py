"""Names: how classes become ``snake_case``, automatic names of layers, and what to say about an unknown name."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pynn.errors import ArgumentError

_used: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """``Conv2D`` -> ``conv2d``, ``BatchNormalization`` -> ``batch_normalization``, ``ReLU`` -> ``re_lu``."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name).lower()


def auto_name(prefix: str) -> str:
    """``dense``, then ``dense_1``, ``dense_2`` ..."""
    count = _used[prefix]
    _used[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def reset_names() -> None:
    """Start counting again: part of ``pynn.utils.clear_session()``."""
    _used.clear()


def unknown_name(kind: str, name: Any, known: Iterable[str]) -> ArgumentError:
    """The error for a name that is not in a table, with the names that look like it."""
    known = sorted(set(known))
    message = f"unknown {kind} {name!r}"
    if isinstance(name, str):
        folded: dict[str, str] = {}
        for k in sorted(known, key=str.islower, reverse=True):
            folded.setdefault(k.lower().replace("_", ""), k)
        near = difflib.get_close_matches(name.lower().replace("_", ""), folded, n=3, cutoff=0.6)
        if near:
            message += f": did you mean {' or '.join(repr(folded[n]) for n in near)}?"
            if len(known) > 40:  # nobody reads through them to find what has just been said
                return ArgumentError(message)
    # Most tables also list every name as a class name: one spelling is enough to read.
    shown = [k for k in known if k.islower()] or known
    message += f" (known: {', '.join(shown)})"
    return ArgumentError(message)
