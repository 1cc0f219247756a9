"""Fully connected recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.recurrent import RecurrentLayer
from pynn.layers.recurrent_cell import RecurrentCell


class SimpleRNNCell(RecurrentCell):
    """One step of :class:`SimpleRNN`, whose arguments it has: a cell for :class:`RNN`.

    Called on ``(inputs (batch, features), [h])`` it gives ``(h, [h])``.  Where it is called by hand, each call draws
    dropout of its own; in a layer it is the same in all steps.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.RNN(layers.SimpleRNNCell(4))(np.ones((2, 5, 3))).shape
        (2, 4)
    """

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
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, recurrent_constraint, bias_constraint: applied to the weights after each step of training.
        dropout: fraction of the inputs that training drops, the same in all steps.
        recurrent_dropout: fraction of the state that training drops between steps, the same in all steps.
        return_sequences: give the output of every step, not of the last only.
        return_state: give the last state, too.
        go_backwards: read the sequence from its end; the output of every step is in the order of reading.
        stateful, unroll, zero_output_for_mask: see :class:`RNN`.
        use_cudnn, implementation: how Keras computes; accepted without effect, but ``use_cudnn=True`` is an error, as
            it is there without a GPU.
        seed: for the same dropout in every run.

    Call arguments:
        sequences: ``(batch, steps, features)``.
        initial_state: ``(batch, units)``; zeros by default.
        mask: ``(batch, steps)``, false (0) at steps that are skipped: the state stays as it is.

    Shapes:
        ``(batch, steps, features)`` -> ``(batch, units)``, or ``(batch, steps, units)`` with ``return_sequences``.
        ``kernel (features, units)``, ``recurrent_kernel (units, units)``, ``bias (units,)``.

    Raises:
        ArgumentError: an argument is out of range or not supported.
        ShapeError: the input is no sequence, or has another number of features than the first.

    Example:
        >>> import numpy as np
        >>> SimpleRNN(4)(np.ones((2, 10, 8))).shape
        (2, 4)
    """

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(locals(), **kwargs)
