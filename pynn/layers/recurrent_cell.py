"""What the cells of LSTM, GRU and SimpleRNN share: arguments, weights, and the two ways to run a whole sequence.

A *cell* holds the weights and knows the formula of one step; the loop around it is :class:`~pynn.layers.RNN`.  Over a
sequence, the input's part of all gates for all steps is one matrix product.  What follows it runs as one op if the cell
has one for its arguments (``whole``), else as a graph of one ``step`` after the other, which takes any activation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from pynn import activations, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.layers.arguments import positive_int
from pynn.layers.layer import Shape
from pynn.layers.seed_generator import SeedGenerator
from pynn.layers.weight_options import WeightOptions
from pynn.utils.arrays import as_float


class RecurrentCell(WeightOptions):
    """Weights and formula of one step.

    ``kernel`` is ``(features, gates * units)``, ``recurrent_kernel`` ``(units, gates * units)``, ``bias``
    ``(gates * units,)``: the gates side by side, in Keras's order.
    """

    roles = ("kernel", "recurrent", "bias")
    #: Blocks of ``units`` columns in the weights.
    gates: ClassVar[int] = 1
    #: Arrays ``(batch, units)`` that one step hands to the next; the first is the output.
    states: ClassVar[int] = 1

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        kwargs.pop("implementation", None)  # how Keras arranges the products: the results are the same
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.units = positive_int(where, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self._take_options(locals())
        self.dropout = dropout_rate(where, "dropout", dropout)
        self.recurrent_dropout = dropout_rate(where, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = SeedGenerator(seed)

    @property
    def state_size(self) -> int | list[int]:
        """Length of the state, or the lengths of all states."""
        return self.units if self.states == 1 else [self.units] * self.states

    @property
    def output_size(self) -> int:
        """Length of the output."""
        return self.units

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Zeros ``(batch_size, units)``, one for each state."""
        return zero_states(self.state_size, batch_size)

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        if features is None:
            raise ShapeError(
                f"layer '{self.name}': the number of features must be known, received {tuple(input_shape)}; "
                "give the model an Input((steps, features))"
            )
        columns = self.gates * self.units
        self.kernel = self._add_weight_of("kernel", (features, columns))
        self.recurrent_kernel = self._add_weight_of("recurrent", (self.units, columns), "recurrent_kernel")
        self.bias = self._make_bias()
        self.built = True

    def _make_bias(self) -> Variable | None:
        if not self.use_bias:
            return None
        return self._add_weight_of("bias", self._bias_shape(), initializer=self._initial_bias)

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _initial_bias(self, shape: Sequence[int], dtype: str) -> Any:
        return self._bias_numbers(shape, dtype)

    def _bias_numbers(self, shape: Any, dtype: Any) -> Any:
        if self.bias_initializer is None:
            raise ArgumentError(f"layer '{self.name}': bias_initializer must not be None")
        return self.bias_initializer(shape, dtype)

    def _input_bias(self) -> Any:
        """What the input's part of the gates has added, or None."""
        return self.bias

    # One step

    def call(self, inputs: Value, states: Any, training: bool = False) -> tuple[Value, Any]:  # type: ignore[override]
        """``(output, new states)`` of one step; the states are a list, or one array if they came as one."""
        several = isinstance(states, list | tuple)
        given = [as_float(trace.as_value(s)) for s in (states if several else [states])]
        x = as_float(inputs)
        n = x.shape[0]
        if len(given) != self.states or any(s.shape != (n, self.units) for s in given):
            raise ShapeError(
                f"layer '{self.name}': states must be {self.states} array(s) of shape {(n, self.units)}, received "
                f"{', '.join(str(s.spec) for s in given) or 'none'}"
            )
        if training and self.dropout:
            x = x * self._dropout_mask(x.shape, self.dropout)
        z = ops.split_steps(ops.reshape(self.project(x), (n, self.gates, self.units)), axis=1)
        dropped = self._state_masks(n, training)
        new = self.step(z, self._dropped(given[0], dropped), given, self._recurrent_kernels())
        return new[0], list(new) if several else new[0]

    def project(self, x: Value) -> Value:
        """The input's part of the gates: ``(..., features)`` -> ``(..., gates * units)``."""
        rows = math.prod(x.shape[:-1])
        z = ops.matmul(ops.reshape(x, (rows, x.shape[-1])), self.kernel)
        bias = self._input_bias()
        if bias is not None:
            z = ops.add(z, bias)
        return ops.reshape(z, (*x.shape[:-1], self.gates * self.units))

    def step(
        self, z: Sequence[Value], h: Sequence[Value], states: Sequence[Value], kernels: Sequence[Value]
    ) -> tuple[Value, ...]:
        """The new states.  Of each gate: ``z``, the input's part ``(batch, units)``; ``h``, the output of the step
        before, maybe with dropout; ``kernels``, the part of the recurrent kernel ``(units, units)``.
        """
        raise NotImplementedError

    # A whole sequence

    def has_whole(self) -> bool:
        """Whether :meth:`whole` computes this cell's formula."""
        return False

    def whole(self, z: Value, states: Sequence[Value], go_backwards: bool, mask: Value | None) -> tuple[Value, ...]:
        """``(sequence, *last states)`` from the input's part of the gates and the initial states, as one op."""
        raise NotImplementedError

    def run(
        self, x: Value, states: Sequence[Value], go_backwards: bool, mask: Value | None, sequence: bool, training: bool
    ) -> tuple[Value | None, list[Value]]:
        """``(outputs of all steps in the order of reading, last states)`` for ``x (batch, steps, features)``.

        ``mask (batch, steps)`` is 0 where the states stay.  Without ``sequence`` the outputs may be None.
        """
        if training and self.dropout:  # one mask for all steps and gates
            x = x * self._dropout_mask((x.shape[0], 1, x.shape[2]), self.dropout)
        z = self.project(x)
        if self.has_whole() and not (training and self.recurrent_dropout):
            outputs, *last = self.whole(z, states, go_backwards, mask)
            return outputs, list(last)
        (n, steps, _), gates = z.shape, self.gates
        by_step = ops.transpose(ops.reshape(z, (n, steps, gates, self.units)), (1, 2, 0, 3))
        parts = ops.split_steps(ops.reshape(by_step, (steps * gates, n, self.units)), axis=0)
        kernels, dropped = self._recurrent_kernels(), self._state_masks(n, training)

        def advance(at: int, states: Sequence[Value]) -> Sequence[Value]:
            of_gates = parts[at * gates : (at + 1) * gates]
            return self.step(of_gates, self._dropped(states[0], dropped), states, kernels)

        return run_steps(advance, steps, states, go_backwards, mask, sequence)

    def _recurrent_kernels(self) -> tuple[Value, ...]:
        """The recurrent kernel's part of each gate."""
        split = (self.units, self.gates, self.units)
        return ops.split_steps(ops.reshape(trace.as_value(self.recurrent_kernel), split), axis=1)

    def _state_masks(self, n: int, training: bool) -> list[Value]:
        """A dropout mask of the output of the step before for each gate, or none."""
        if not (training and self.recurrent_dropout):
            return []
        return [self._dropout_mask((n, self.units), self.recurrent_dropout) for _ in range(self.gates)]

    def _dropped(self, h: Value, masks: Sequence[Value]) -> list[Value]:
        return [h * mask for mask in masks] or [h] * self.gates

    def _dropout_mask(self, shape: Sequence[int], rate: float) -> Value:
        return dropout_mask(shape, rate, self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self._options_config(),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


class GatedCell(RecurrentCell):
    """A cell whose gates have an activation of their own."""

    def __init__(self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", **kwargs: Any):
        super().__init__(units, activation, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)

    def has_whole(self) -> bool:
        return self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
        }


def zero_states(state_size: Any, batch_size: int | None) -> list[Any]:
    """Zeros ``(batch_size, size)`` for each size, in a list."""
    sizes = state_size if isinstance(state_size, list | tuple) else [state_size]
    if batch_size is None:
        raise ArgumentError("get_initial_state: give batch_size, the number of sequences")
    return [_zeros((batch_size, size)) for size in sizes]


def _zeros(shape: tuple[int, ...]) -> Any:
    if trace.is_tracing():
        return ops.broadcast_to(trace.as_value(0.0), shape)
    return np.zeros(shape, "float32")


def run_steps(
    advance: Callable[[int, Sequence[Value]], Sequence[Value]],
    steps: int,
    states: Sequence[Value],
    go_backwards: bool,
    mask: Value | None,
    sequence: bool,
) -> tuple[Value | None, list[Value]]:
    """``(outputs of all steps in the order of reading, last states)``; see :meth:`RecurrentCell.run`.

    ``advance(at, states)`` gives the states after step ``at``, the output first.
    """
    stays = None if mask is None else ops.split_steps(mask, axis=1)
    outputs: list[Value] = []
    for at in range(steps)[:: -1 if go_backwards else 1]:
        new = advance(at, states)
        if stays is not None:
            new = [keep_masked(stays[at], a, b) for a, b in zip(new, states, strict=True)]
        states = new
        outputs.append(states[0])
    return (ops.join_steps(outputs, axis=1) if sequence else None), list(states)


def keep_masked(counts: Value, new: Value, old: Value) -> Value:
    """``new`` in the rows where ``counts (batch,)`` is not 0, ``old`` in the others."""
    return ops.where(ops.reshape(counts, (counts.shape[0], *[1] * (new.ndim - 1))), new, old)


def reverse_steps(x: Value) -> Value:
    """``x`` from its last step to its first; steps are axis 1."""
    return ops.take(x, np.arange(x.shape[1])[::-1].copy(), axis=1)


def dropout_rate(where: str, argument: str, value: Any) -> float:
    """``value`` if it is a number from 0 to below 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ArgumentError(f"{where}: {argument} must be a number from 0 to below 1, received {value!r}")
    return float(value)


def dropout_mask(shape: Sequence[int], rate: float, seed: SeedGenerator) -> Value:
    """0 or ``1 / (1 - rate)`` at each place."""
    ones = ops.broadcast_to(trace.as_value(1.0), shape)
    return ops.dropout(ones, rate, seed.next())
