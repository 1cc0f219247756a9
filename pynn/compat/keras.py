"""The module ``keras`` that scripts import: pynn, with the version of Keras whose interface it has."""

from __future__ import annotations

from typing import Any

import pynn
from pynn.compat.importing import missing

#: Scripts compare it; it is the version that pynn's behaviour follows.
__version__ = "3.15.0"
__path__: list[str] = []


def version() -> str:
    """The version of Keras that pynn follows."""
    return __version__


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return getattr(pynn, name)
    except AttributeError:
        raise missing("keras", name, "docs/keras_surface.md lists what pynn has of Keras") from None


def __dir__() -> list[str]:
    return sorted({*dir(pynn), "version"})
