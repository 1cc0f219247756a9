"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.recurrent import GatedCell, RecurrentLayer


class LSTMCell(GatedCell):
    """The weights and the formula of :class:`LSTM`; gates: input, forget, candidate, output."""

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2

    def __init__(self, units: int, *, unit_forget_bias: bool = True, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.unit_forget_bias = bool(unit_forget_bias)

    def _initial_bias(self, shape: Sequence[int], dtype: str) -> Any:
        if not self.unit_forget_bias:
            return super()._initial_bias(shape, dtype)
        first, last = (self.bias_initializer((k * self.units,), dtype) for k in (1, 2))
        return np.concatenate([first, np.ones(self.units, dtype), last])

    def whole(self, z: Value, states: Sequence[Value], go_backwards: bool) -> tuple[Value, ...]:
        return ops.lstm(z, self.recurrent_kernel, states[0], states[1], go_backwards)

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
        unit_forget_bias: begin with a bias of 1 in the forget gate.
        dropout: fraction of the inputs that training drops, the same in all steps (and for all gates).
        recurrent_dropout: fraction of the state that training drops between steps, the same in all steps; steps then
            run one by one.
        seed: for the same dropout in every run.
        return_sequences: give the output of every step, not of the last only.
        return_state: give the last h and c, too.
        go_backwards: read the sequence from its end; the output of every step is in the order of reading.
        unroll: accepted as in Keras, without effect.

    Call arguments:
        sequences: ``(batch, steps, features)``.
        initial_state: ``[h, c]``, each ``(batch, units)``; zeros by default.

    Shapes:
        ``(batch, steps, features)`` -> ``(batch, units)``, or ``(batch, steps, units)`` with ``return_sequences``.
        ``kernel (features, 4 * units)``, ``recurrent_kernel (units, 4 * units)``, ``bias (4 * units,)``, in the order
        input, forget, candidate, output.

    Raises:
        ArgumentError: an argument is out of range or not supported (stateful, masks, regularizers, constraints).
        ShapeError: the input is no sequence, or has another number of features than the first.

    Example:
        >>> import numpy as np
        >>> x = np.ones((2, 10, 8))
        >>> LSTM(4)(x).shape
        (2, 4)
        >>> LSTM(4, return_sequences=True)(x).shape
        (2, 10, 4)
    """

    _cell = LSTMCell

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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        cell = {
            "activation": activation,
            "recurrent_activation": recurrent_activation,
            "use_bias": use_bias,
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer,
            "unit_forget_bias": unit_forget_bias,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "seed": seed,
        }
        super().__init__(units, cell=cell, **kwargs)
