"""THE table of op cases: shape test, gradient check, native-against-reference and benchmark all come from it.

One file per family, named as in ``pynn.ops``; each has a list ``CASES``.
"""

from __future__ import annotations

import importlib
import pkgutil

from pynn.testing.op_case import OpCase


def all_cases() -> list[OpCase]:
    """Every case of every family."""
    cases: list[OpCase] = []
    for info in pkgutil.iter_modules(__path__):
        cases += importlib.import_module(f"{__name__}.{info.name}").CASES
    return cases
