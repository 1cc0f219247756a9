"""The weights ``gamma`` and ``beta`` that normalizing layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.graph.variable import Variable


def scale_and_offset(layer: Any, shape: Sequence[int]) -> tuple[Variable | None, Variable | None]:
    """``gamma`` and ``beta`` of ``layer``, by its attributes ``scale``, ``center`` and ``gamma_initializer`` ..."""

    def weight(name: str, wanted: bool) -> Variable | None:
        if not wanted:
            return None
        return layer.add_weight(
            shape,
            getattr(layer, f"{name}_initializer"),
            regularizer=getattr(layer, f"{name}_regularizer"),
            constraint=getattr(layer, f"{name}_constraint"),
            name=name,
        )

    return weight("gamma", layer.scale), weight("beta", layer.center)
