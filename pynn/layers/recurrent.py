"""What recurrent layers share: arguments, weights, initial states, and the two ways to run.

A recurrent layer is a *cell*, which holds the weights and knows the formula, and the loop around it.  The input's part
of all gates for all steps is one matrix product.  What follows it runs as one op over the whole sequence if the cell
has one for its arguments (``whole``), else as a graph of one ``step`` after the other, which takes any activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pynn import activations, initializers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.arguments import positive_int
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape, refuse_unsupported
from pynn.layers.seed_generator import SeedGenerator
from pynn.utils.arrays import as_float
from pynn.utils.naming import snake_case


class RecurrentCell(Layer):
    """Weights and formula of one step.

    ``kernel`` is ``(features, gates * units)``, ``recurrent_kernel`` ``(units, gates * units)``, ``bias``
    ``(gates * units,)``: the gates side by side, in Keras's order.
    """

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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.units = positive_int(where, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.dropout = _rate(where, "dropout", dropout)
        self.recurrent_dropout = _rate(where, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        if features is None:
            raise ShapeError(
                f"layer '{self.name}': the number of features must be known, received {tuple(input_shape)}; "
                "give the model an Input((steps, features))"
            )
        columns = self.gates * self.units
        self.kernel = self.add_weight((features, columns), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, columns), self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias = self.add_weight(self._bias_shape(), self._initial_bias, name="bias") if self.use_bias else None
        self.built = True

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _initial_bias(self, shape: Sequence[int], dtype: str) -> Any:
        return self.bias_initializer(shape, dtype)

    def _input_bias(self) -> Any:
        """What the input's part of the gates has added, or None."""
        return self.bias

    def project(self, x: Value) -> Value:
        """The input's part of the gates: ``(batch, steps, features)`` -> ``(batch, steps, gates * units)``."""
        n, steps, features = x.shape
        z = ops.matmul(ops.reshape(x, (n * steps, features)), self.kernel)
        bias = self._input_bias()
        if bias is not None:
            z = ops.add(z, bias)
        return ops.reshape(z, (n, steps, self.gates * self.units))

    def has_whole(self) -> bool:
        """Whether :meth:`whole` computes this cell's formula."""
        return False

    def whole(self, z: Value, states: Sequence[Value], go_backwards: bool) -> tuple[Value, ...]:
        """``(sequence, *last states)`` from the input's part of the gates and the initial states, as one op."""
        raise NotImplementedError

    def step(
        self, z: Sequence[Value], h: Sequence[Value], states: Sequence[Value], kernels: Sequence[Value]
    ) -> tuple[Value, ...]:
        """The new states.  Of each gate: ``z``, the input's part ``(batch, units)``; ``h``, the output of the step
        before, maybe with dropout; ``kernels``, the part of the recurrent kernel ``(units, units)``.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": None,
            "recurrent_regularizer": None,
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "recurrent_constraint": None,
            "bias_constraint": None,
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


class RecurrentLayer(Layer):
    """Base of ``LSTM``, ``GRU`` and ``SimpleRNN``: runs a cell over the steps of a sequence."""

    _cell: ClassVar[type[RecurrentCell]]

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        use_cudnn: Any = "auto",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        name: str | None = None,
        trainable: bool = True,
        cell: dict[str, Any],
        **kwargs: Any,
    ):
        kwargs.pop("implementation", None)  # how Keras arranges the products: the results are the same
        super().__init__(name=name, trainable=trainable, activity_regularizer=activity_regularizer, **kwargs)
        where = f"layer '{self.name}'"
        refuse_unsupported(
            where,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            zero_output_for_mask=zero_output_for_mask or None,
            use_cudnn=True if use_cudnn is True else None,
        )
        if stateful:
            raise ArgumentError(
                f"{where}: stateful=True is not supported; use return_state=True and hand the states on with "
                "initial_state="
            )
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = False
        self.unroll = bool(unroll)
        cell_name = f"{self.name}/{snake_case(type(self).__name__)}_cell"
        self.cell = self._cell(units, name=cell_name, trainable=trainable, **cell)
        self.input_spec = InputSpec(ndim=3, hint="sequences are (batch, steps, features)")

    @property
    def units(self) -> int:
        """Length of the output."""
        return self.cell.units

    def build(self, input_shape: Shape) -> None:
        self.cell.build_from_shape((None, input_shape[-1]))
        self.input_spec = InputSpec(ndim=3, axes={-1: input_shape[-1]}, hint="sequences are (batch, steps, features)")
        self.built = True

    def compute_output_shape(self, input_shape: Shape) -> Any:
        batch, steps = tuple(input_shape)[:2]
        state = (batch, self.units)
        output = (batch, steps, self.units) if self.return_sequences else state
        return (output, *[state] * self.cell.states) if self.return_state else output

    def call(self, sequences: Value, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        if mask is not None:
            raise ArgumentError(
                f"layer '{self.name}': masks are not supported; leave mask out, and pad sequences at their beginning"
            )
        x = as_float(sequences)
        if x.shape[1] == 0:
            raise ShapeError(f"layer '{self.name}': expected sequences of at least one step, received {x.spec}")
        states = self._initial_states(x, initial_state)
        cell = self.cell
        if training and cell.dropout:  # one mask for all steps and gates
            mask_shape = (x.shape[0], 1, x.shape[2])
            x = x * _dropout_mask(mask_shape, cell.dropout, cell)
        z = cell.project(x)
        if cell.has_whole() and not (training and cell.recurrent_dropout):
            sequence, *states = cell.whole(z, states, self.go_backwards)
        else:
            sequence, *states = self._unrolled(z, states, training)
        output = sequence if self.return_sequences else states[0]
        return (output, *states) if self.return_state else output

    def _initial_states(self, x: Value, given: Any) -> list[Value]:
        cell, shape = self.cell, (x.shape[0], self.cell.units)
        if given is None:
            return [ops.broadcast_to(trace.as_value(0.0, x.dtype), shape)] * cell.states
        states = [trace.as_value(s) for s in (given if isinstance(given, list | tuple) else [given])]
        if len(states) != cell.states or any(s.shape != shape for s in states):
            raise ShapeError(
                f"layer '{self.name}': initial_state must be {cell.states} array(s) of shape {shape}, received "
                f"{', '.join(str(s.spec) for s in states) or 'none'}"
            )
        return [as_float(s) for s in states]

    def _unrolled(self, z: Value, states: Sequence[Value], training: bool) -> list[Value]:
        """The steps one after the other; a sequence is only put together if somebody wants it."""
        cell = self.cell
        (n, steps, _), gates, units = z.shape, cell.gates, cell.units
        by_step = ops.transpose(ops.reshape(z, (n, steps, gates, units)), (1, 2, 0, 3))
        parts = ops.split_steps(ops.reshape(by_step, (steps * gates, n, units)), axis=0)
        kernels = ops.split_steps(ops.reshape(trace.as_value(cell.recurrent_kernel), (units, gates, units)), axis=1)
        masks: list[Value] = []
        if training and cell.recurrent_dropout:  # one mask for each gate, the same in all steps
            masks = [_dropout_mask((n, units), cell.recurrent_dropout, cell) for _ in range(gates)]
        outputs: list[Value] = []
        for step in range(steps)[:: -1 if self.go_backwards else 1]:
            h = [states[0] * mask for mask in masks] or [states[0]] * gates
            states = cell.step(parts[step * gates : (step + 1) * gates], h, states, kernels)
            outputs.append(states[0])
        sequence = ops.join_steps(outputs, axis=1) if self.return_sequences else outputs[-1]
        return [sequence, *states]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": False,
            **self.cell.get_config(),
        }


def _rate(where: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ArgumentError(f"{where}: {argument} must be a number from 0 to below 1, received {value!r}")
    return float(value)


def _dropout_mask(shape: Sequence[int], rate: float, cell: RecurrentCell) -> Value:
    """0 or ``1 / (1 - rate)`` at each place."""
    ones = ops.broadcast_to(trace.as_value(1.0), shape)
    return ops.dropout(ones, rate, cell.seed_generator.next())
