"""Gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pynn import ops
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.constructor import named_arguments
from pynn.layers.recurrent import RecurrentLayer
from pynn.layers.recurrent_cell import GatedCell


class GRUCell(GatedCell):
    """One step of :class:`GRU`, whose arguments it has: a cell for :class:`RNN`.

    Called on ``(inputs (batch, features), [h])`` it gives ``(h, [h])``.  Where it is called by hand, each call draws
    dropout of its own; in a layer it is the same in all steps.  Gates: update, reset, candidate.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.RNN(layers.GRUCell(4))(np.ones((2, 5, 3))).shape
        (2, 4)
    """

    gates: ClassVar[int] = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**named_arguments(locals(), without=("reset_after",)))
        self.reset_after = bool(reset_after)

    def _bias_shape(self) -> tuple[int, ...]:
        # With reset_after the product of the state has a bias of its own: the reset gate scales it.
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _biases(self) -> tuple[Value | None, Value | None]:
        """The biases of the input's and of the state's part."""
        if self.bias is None:
            return None, None
        if not self.reset_after:
            return trace.as_value(self.bias), None
        of_input, of_state = ops.split_steps(self.bias, axis=0)
        return of_input, of_state

    def _input_bias(self) -> Any:
        return self._biases()[0]

    def has_whole(self) -> bool:
        return super().has_whole() and self.reset_after

    def whole(self, z: Value, states: Sequence[Value], go_backwards: bool, mask: Value | None) -> tuple[Value, ...]:
        bias = self._biases()[1]
        if bias is None:
            bias = ops.broadcast_to(trace.as_value(0.0, z.dtype), (3 * self.units,))
        return ops.gru(z, self.recurrent_kernel, bias, states[0], go_backwards, mask)

    def step(
        self, z: Sequence[Value], h: Sequence[Value], states: Sequence[Value], kernels: Sequence[Value]
    ) -> tuple[Value, ...]:
        bias = self._biases()[1]
        biases: Sequence[Any] = [0.0] * 3
        if bias is not None:
            biases = ops.split_steps(ops.reshape(bias, (3, self.units)), axis=0)
        gate = self.recurrent_activation
        update = gate(z[0] + (ops.matmul(h[0], kernels[0]) + biases[0]))
        reset = gate(z[1] + (ops.matmul(h[1], kernels[1]) + biases[1]))
        if self.reset_after:
            inner = reset * (ops.matmul(h[2], kernels[2]) + biases[2])
        else:
            inner = ops.matmul(reset * h[2], kernels[2])
        candidate = self.activation(z[2] + inner)
        return (update * states[0] + (1.0 - update) * candidate,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reset_after": self.reset_after}


class GRU(RecurrentLayer):
    """Gated recurrent unit (Cho et al., 2014).

    In each step, with ``s = recurrent_activation`` and ``a = activation``::

        z, r = s(x K + b + h R + d)     c = a(x K + b + r * (h R + d))     h = z * h + (1 - z) * c

    and without ``reset_after``: ``c = a(x K + b + (r * h) R)``.

    Args:
        units: length of the output.
        activation, recurrent_activation: names or functions.  The defaults run as one native kernel over all steps;
            others as a graph of all steps one by one, which takes longer to compile and to run.
        use_bias: whether there are biases.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, recurrent_constraint, bias_constraint: applied to the weights after each step of training.
        dropout: fraction of the inputs that training drops, the same in all steps (and for all gates).
        recurrent_dropout: fraction of the state that training drops between steps, the same in all steps; steps then
            run one by one.
        seed: for the same dropout in every run.
        reset_after: where the reset gate applies: after the product with the state (True, the default) or before it
            (False: steps run one by one).
        return_sequences: give the output of every step, not of the last only.
        return_state: give the last state, too.
        go_backwards: read the sequence from its end; the output of every step is in the order of reading.
        stateful, unroll, zero_output_for_mask: see :class:`RNN`.
        use_cudnn, implementation: how Keras computes; accepted without effect, but ``use_cudnn=True`` is an error, as
            it is there without a GPU.

    Call arguments:
        sequences: ``(batch, steps, features)``.
        initial_state: ``(batch, units)``; zeros by default.
        mask: ``(batch, steps)``, false (0) at steps that are skipped: the state stays as it is.

    Shapes:
        ``(batch, steps, features)`` -> ``(batch, units)``, or ``(batch, steps, units)`` with ``return_sequences``.
        ``kernel (features, 3 * units)``, ``recurrent_kernel (units, 3 * units)``, in the order update, reset,
        candidate; ``bias (2, 3 * units)``, the second row for the state, or ``(3 * units,)`` without ``reset_after``.

    Raises:
        ArgumentError: an argument is out of range or not supported.
        ShapeError: the input is no sequence, or has another number of features than the first.

    Example:
        >>> import numpy as np
        >>> GRU(4)(np.ones((2, 10, 8))).shape
        (2, 4)
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        super().__init__(locals(), **kwargs)
