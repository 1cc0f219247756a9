"""What normalizing layers share that end in ``gamma * x + beta``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pynn.layers.arguments import epsilon_number
from pynn.layers.weight_options import WeightOptions


class ScaledNormalization(WeightOptions):
    """Base of layers with the arguments ``epsilon``, ``center``, ``scale`` and those about ``beta`` and ``gamma``."""

    roles = ("beta", "gamma")
    supports_masking = True

    def _take_scaling(self, arguments: Mapping[str, Any]) -> None:
        """Keep these arguments of a constructor."""
        self.epsilon = epsilon_number(f"layer '{self.name}'", arguments["epsilon"])
        self.center, self.scale = bool(arguments["center"]), bool(arguments["scale"])
        self._take_options(arguments)

    def _add_scaling(self, shape: Sequence[int]) -> None:
        """Make ``gamma`` and ``beta``; what is not wanted is None."""
        self.gamma = self._add_weight_of("gamma", shape) if self.scale else None
        self.beta = self._add_weight_of("beta", shape) if self.center else None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self._options_config(),
        }
