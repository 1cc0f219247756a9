"""Adafactor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import check_number, is_number
from pynn.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Adam that keeps the mean squares of a matrix by row and by column only (Shazeer and Stern, 2018).

    As in Keras a slot for the whole matrix is kept, too.

    Args:
        learning_rate: a number from 0, or a schedule; the step is relative to the size of the weight.
        beta_2_decay: the means follow with ``1 - t ** beta_2_decay``.
        epsilon_1: added to squared gradients.
        epsilon_2: the least size of a weight for the step.
        clip_threshold: how long a step may be, as the root of its mean square.
        relative_step: the learning rate is at most ``1 / sqrt(t)``.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Adafactor(0.01).get_config()["clip_threshold"]
        1.0
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        if not is_number(beta_2_decay):
            raise ArgumentError(f"Adafactor: beta_2_decay must be a number, received {beta_2_decay!r}")
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = check_number(self, "epsilon_1", epsilon_1)
        self.epsilon_2 = check_number(self, "epsilon_2", epsilon_2)
        self.clip_threshold = check_number(self, "clip_threshold", clip_threshold)
        self.relative_step = bool(relative_step)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        self._rows: list[Variable] = []
        self._columns: list[Variable] = []
        self._squares: list[Variable] = []
        for v in variables:
            # Vectors get empty places, too: Keras's files have them.
            matrix = len(v.shape) > 1
            dtype = v.dtype if matrix else "float32"
            self._rows.append(self._own(np.zeros(v.shape[:-1] if matrix else (), dtype), v.name))
            self._columns.append(self._own(np.zeros((*v.shape[:-2], v.shape[-1]) if matrix else (), dtype), v.name))
            self._squares.append(self.add_variable_from_reference(v, "velocity"))

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        rows, columns, squares = self._rows[i], self._columns[i], self._squares[i]
        t = ops.cast(self.iterations + 1, variable.dtype)
        # Keras bounds the rate by this twice: once here, whatever relative_step says, and once if it is set.
        rate = ops.minimum(learning_rate, 1.0 / ops.sqrt(t))
        alpha = ops.maximum(self.epsilon_2, _rms(variable)) * rate
        square = ops.square(gradient) + self.epsilon_1
        beta = 1.0 - t**self.beta_2_decay
        if len(variable.shape) > 1:
            rows.assign(beta * rows + (1.0 - beta) * ops.mean(square, axis=-1))
            columns.assign(beta * columns + (1.0 - beta) * ops.mean(square, axis=-2))
            relative = rows / ops.mean(rows, axis=-1, keepdims=True)
            squares.assign(ops.expand_dims(relative, -1) * ops.expand_dims(columns, -2))
        else:
            squares.assign(beta * squares + (1.0 - beta) * square)
        update = gradient / ops.sqrt(squares)
        update = update / ops.maximum(1.0, _rms(update) / self.clip_threshold)
        variable.assign_sub(alpha * update)

    def get_config(self) -> dict[str, Any]:
        names = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _rms(x: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(x)))
