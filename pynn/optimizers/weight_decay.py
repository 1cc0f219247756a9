"""Weight decay: which weights, and how much."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pynn.errors import ArgumentError
from pynn.graph.variable import Variable


class DecaysWeights:
    """Each step takes ``weight_decay * learning_rate`` of the weights away before it follows the gradient."""

    weight_decay: float | None
    _undecayed: list[Variable]
    _undecayed_names: re.Pattern[str] | None
    _was_traced: bool

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave variables out of weight decay.

        Args:
            var_list: these variables.
            var_names: variables in whose name one of these is found, such as ``["bias", "gamma", "beta"]``.

        Raises:
            ArgumentError: a step has been made or compiled: it would not follow.
        """
        if self._was_traced:
            raise ArgumentError(
                f"{type(self).__name__}.exclude_from_weight_decay() can only be called before the first step"
            )
        self._undecayed = list(var_list or ())
        names = list(var_names or ())
        self._undecayed_names = re.compile("|".join(names)) if names else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        if any(v is variable for v in self._undecayed):
            return False
        return self._undecayed_names is None or self._undecayed_names.search(variable.name) is None

    def _apply_weight_decay(self, variables: Sequence[Variable], rate: Any) -> None:
        if self.weight_decay is not None:
            for v in variables:
                if self._use_weight_decay(v):
                    v.assign(v - v * (self.weight_decay * rate))
