"""Fully connected recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.recurrent import RecurrentCell, RecurrentLayer


class SimpleRNNCell(RecurrentCell):
    """The weights and the formula of :class:`SimpleRNN`."""

    def step(
        self, z: Sequence[Value], h: Sequence[Value], states: Sequence[Value], kernels: Sequence[Value]
    ) -> tuple[Value, ...]:
        return (self.activation(z[0] + ops.matmul(h[0], kernels[0])),)


class SimpleRNN(RecurrentLayer):
    """``h = activation(x K + h R + b)`` in each step (Elman, 1990).

    It runs as a graph of all steps one by one.

    Args:
        units: length of the output.
        activation: name or function.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        dropout: fraction of the inputs that training drops, the same in all steps.
        recurrent_dropout: fraction of the state that training drops between steps, the same in all steps.
        return_sequences: give the output of every step, not of the last only.
        return_state: give the last state, too.
        go_backwards: read the sequence from its end; the output of every step is in the order of reading.
        unroll: accepted as in Keras, without effect.
        seed: for the same dropout in every run.

    Call arguments:
        sequences: ``(batch, steps, features)``.
        initial_state: ``(batch, units)``; zeros by default.

    Shapes:
        ``(batch, steps, features)`` -> ``(batch, units)``, or ``(batch, steps, units)`` with ``return_sequences``.
        ``kernel (features, units)``, ``recurrent_kernel (units, units)``, ``bias (units,)``.

    Raises:
        ArgumentError: an argument is out of range or not supported (stateful, masks, regularizers, constraints).
        ShapeError: the input is no sequence, or has another number of features than the first.

    Example:
        >>> import numpy as np
        >>> SimpleRNN(4)(np.ones((2, 10, 8))).shape
        (2, 4)
    """

    _cell = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        cell = {
            "activation": activation,
            "use_bias": use_bias,
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "seed": seed,
        }
        super().__init__(units, cell=cell, **kwargs)
