"""The running mean of the weights, which may replace them."""

from __future__ import annotations

from collections.abc import Sequence

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.variable import Variable
from pynn.optimizers.own_variables import HasVariables


class AveragesWeights(HasVariables):
    """``average = ema_momentum * average + (1 - ema_momentum) * weight`` after each step."""

    ema_momentum: float
    ema_overwrite_frequency: int | None
    _model_variables_moving_average: list[Variable]
    _means_in_model = False  # exchanged by swap_ema_values

    def _average_weights(self) -> None:
        iterations = self.iterations
        # The mean begins as the weights after the first step.
        momentum = self.ema_momentum * ops.cast(ops.not_equal(iterations, 0), "float32")
        pairs = list(zip(self._trainable_variables, self._model_variables_moving_average, strict=True))
        for variable, average in pairs:
            average.assign(momentum * average + (1.0 - momentum) * variable)
        if self.ema_overwrite_frequency:
            now = ops.equal((iterations + 1) % self.ema_overwrite_frequency, 0)
            for variable, average in pairs:
                variable.assign(ops.where(now, average, variable))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """At the end of training: with ``use_ema`` the running means become the weights."""
        if self.use_ema and self.built:
            for v, average in zip(var_list, self.slots(self._model_variables_moving_average, var_list), strict=True):
                if self._means_in_model:
                    average.assign(v)
                else:
                    v.assign(average)
            self._means_in_model = False

    def swap_ema_values(self) -> None:
        """Exchange the weights and their running means; once more puts them back.

        Raises:
            ArgumentError: the optimizer keeps no means.
        """
        if not self.use_ema:
            raise ArgumentError(
                f"{type(self).__name__} '{self.name}' keeps no running means of the weights (use_ema=False): make it "
                "with use_ema=True"
            )
        if self.built:
            for v, average in zip(self._trainable_variables, self._model_variables_moving_average, strict=True):
                weights = v.numpy()
                v.assign(average)
                average.assign(weights)
            self._means_in_model = not self._means_in_model
