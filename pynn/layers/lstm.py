"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.constructor import named_arguments
from pynn.layers.recurrent import RecurrentLayer
from pynn.layers.recurrent_cell import GatedCell


class LSTMCell(GatedCell):
    """One step of :class:`LSTM`, whose arguments it has: a cell for :class:`RNN`.

    Called on ``(inputs (batch, features), [h, c])`` it gives ``(h, [h, c])``.  Where it is called by hand, each call
    draws dropout of its own; in a layer it is the same in all steps.  Gates: input, forget, candidate, output.

    Example:
        >>> import numpy as np
        >>> cell = LSTMCell(4)
        >>> output, states = cell(np.ones((2, 8), "float32"), cell.get_initial_state(2))
        >>> output.shape, len(states)
        ((2, 4), 2)
    """

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**named_arguments(locals(), without=("unit_forget_bias",)))
        self.unit_forget_bias = bool(unit_forget_bias)

    def _initial_bias(self, shape: Sequence[int], dtype: str) -> Any:
        if not self.unit_forget_bias:
            return super()._initial_bias(shape, dtype)
        first, last = (self._bias_numbers((k * self.units,), dtype) for k in (1, 2))
        return np.concatenate([first, np.ones(self.units, dtype), last])

    def whole(self, z: Value, states: Sequence[Value], go_backwards: bool, mask: Value | None) -> tuple[Value, ...]:
        return ops.lstm(z, self.recurrent_kernel, states[0], states[1], go_backwards, mask)

    def step(
        self, z: Sequence[Value], h: Sequence[Value], states: Sequence[Value], kernels: Sequence[Value]
    ) -> tuple[Value, ...]:
        i, f, g, o = (zk + ops.matmul(hk, kernel) for zk, hk, kernel in zip(z, h, kernels, strict=True))
        gate = self.recurrent_activation
        c = gate(f) * states[1] + gate(i) * self.activation(g)
        return gate(o) * self.activation(c), c

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class LSTM(RecurrentLayer):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with forget gates (Gers et al., 2000).

    In each step, with ``s = recurrent_activation`` and ``a = activation``::

        i, f, o = s(x K + h R + b)      g = a(x K + h R + b)
        c = f * c + i * g               h = o * a(c)

    Args:
        units: length of the output.
        activation, recurrent_activation: names or functions.  The defaults run as one native kernel over all steps;
            others as a graph of all steps one by one, which takes longer to compile and to run.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, recurrent_constraint, bias_constraint: applied to the weights after each step of training.
        unit_forget_bias: begin with a bias of 1 in the forget gate.
        dropout: fraction of the inputs that training drops, the same in all steps (and for all gates).
        recurrent_dropout: fraction of the state that training drops between steps, the same in all steps; steps then
            run one by one.
        seed: for the same dropout in every run.
        return_sequences: give the output of every step, not of the last only.
        return_state: give the last h and c, too.
        go_backwards: read the sequence from its end; the output of every step is in the order of reading.
        stateful, unroll, zero_output_for_mask: see :class:`RNN`.
        use_cudnn, implementation: how Keras computes; accepted without effect, but ``use_cudnn=True`` is an error, as
            it is there without a GPU.

    Call arguments:
        sequences: ``(batch, steps, features)``.
        initial_state: ``[h, c]``, each ``(batch, units)``; zeros by default.
        mask: ``(batch, steps)``, false (0) at steps that are skipped: the state stays as it is.

    Shapes:
        ``(batch, steps, features)`` -> ``(batch, units)``, or ``(batch, steps, units)`` with ``return_sequences``.
        ``kernel (features, 4 * units)``, ``recurrent_kernel (units, 4 * units)``, ``bias (4 * units,)``, in the order
        input, forget, candidate, output.

    Raises:
        ArgumentError: an argument is out of range or not supported.
        ShapeError: the input is no sequence, or has another number of features than the first.

    Example:
        >>> import numpy as np
        >>> x = np.ones((2, 10, 8))
        >>> LSTM(4)(x).shape
        (2, 4)
        >>> LSTM(4, return_sequences=True)(x).shape
        (2, 10, 4)
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        super().__init__(locals(), **kwargs)
