"""LSTM whose products are convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import choice, image_order, lengths, positive_int
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Shape
from pynn.layers.lstm import LSTMCell
from pynn.layers.recurrent import RecurrentLayer
from pynn.layers.recurrent_cell import run_steps, zero_states
from pynn.utils.arrays import as_float


class ConvLSTMCell(LSTMCell):
    """One step of a :class:`ConvLSTM1D`, ``2D`` or ``3D``: an LSTM cell that convolves its input and its output.

    ``kernel`` is ``(*kernel_size, channels, 4 * filters)``, ``recurrent_kernel`` ``(*kernel_size, filters, 4 *
    filters)``, ``bias`` ``(4 * filters,)``.
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        **kwargs: Any,
    ):
        super().__init__(positive_int("ConvLSTM", "filters", filters), **kwargs)
        where = f"layer '{self.name}'"
        self.rank = rank
        self.filters = self.units
        self.kernel_size = lengths(where, "kernel_size", kernel_size, rank)
        self.strides = lengths(where, "strides", strides, rank)
        self.padding = choice(where, "padding", padding, ("valid", "same"))
        self.data_format = image_order(where, data_format)
        self.dilation_rate = lengths(where, "dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(f"{where}: strides and dilation_rate cannot both be above 1")
        #: Shape of a state without the batch axis, known once the cell is built.
        self.state_shape: tuple[int, ...] | None = None

    @property
    def _channels(self) -> int:
        """The axis of the channels in one step."""
        return 1 if self.data_format == "channels_first" else self.rank + 1

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Zeros of the states' shape, h and c."""
        if self.state_shape is None:
            raise ShapeError(
                f"layer '{self.name}': the shape of its states follows from that of its input: build the layer first"
            )
        flat = zero_states([math.prod(self.state_shape)] * 2, batch_size)
        return [ops.reshape(z, (*z.shape[:1], *self.state_shape)) for z in flat]

    def build(self, input_shape: Shape) -> None:
        where = f"layer '{self.name}'"
        if any(n is None for n in input_shape[1:]):
            raise ShapeError(f"{where}: all lengths of a step must be known, received {tuple(input_shape)}")
        sizes = [int(n or 0) for n in input_shape[1:]]
        channels = sizes.pop(self._channels - 1)
        filters = self.filters
        self.kernel = self._add_weight_of("kernel", (*self.kernel_size, channels, 4 * filters))
        self.recurrent_kernel = self._add_weight_of(
            "recurrent", (*self.kernel_size, filters, 4 * filters), "recurrent_kernel"
        )
        self.bias = self._make_bias()
        self.state_shape = self._state_shape(sizes)
        self.built = True

    def _state_shape(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """Shape of a state for steps of these lengths, without batch and channels."""
        places = []
        for size, window, stride, gap in zip(sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True):
            reach = 0 if self.padding == "same" else (window - 1) * gap
            if size <= reach:
                raise ShapeError(f"layer '{self.name}': a window of {window} does not fit a length of {size}")
            places.append((size - reach - 1) // stride + 1)
        return (self.filters, *places) if self._channels == 1 else (*places, self.filters)

    def call(self, inputs: Value, states: Any, training: bool = False) -> tuple[Value, list[Value]]:  # type: ignore[override]
        """``(output, new states)`` of one step."""
        given = [as_float(s) for s in states]
        x = ops.expand_dims(as_float(inputs), 1)
        _, new = self.run(x, given, False, None, False, training)
        return new[0], new

    def run(
        self, x: Value, states: Sequence[Value], go_backwards: bool, mask: Value | None, sequence: bool, training: bool
    ) -> tuple[Value | None, list[Value]]:
        if training and self.dropout:  # one mask for all steps and gates
            x = x * self._dropout_mask((x.shape[0], 1, *x.shape[2:]), self.dropout)
        (n, steps), inner = x.shape[:2], x.shape[2:]
        z = ops.conv(
            ops.reshape(x, (n * steps, *inner)), self.kernel, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip
        if self.bias is not None:
            along = [4 * self.filters if axis == self._channels else 1 for axis in range(z.ndim)]
            z = z + ops.reshape(self.bias, along)
        parts = ops.split_steps(ops.reshape(z, (n, steps, *z.shape[1:])), axis=1)
        kernels, dropped = self._kernels_of_gates(training), self._masks_of_state(states[0], training)

        def advance(at: int, states: Sequence[Value]) -> Sequence[Value]:
            return self._advance(parts[at], states, kernels, dropped)

        return run_steps(advance, steps, states, go_backwards, mask, sequence)

    def _kernels_of_gates(self, training: bool) -> list[Value]:
        """The recurrent kernel, or its part of each gate where each has dropout of its own."""
        if not (training and self.recurrent_dropout):
            return [ops.reshape(self.recurrent_kernel, self.recurrent_kernel.shape)]
        by_gate = ops.reshape(self.recurrent_kernel, (*self.recurrent_kernel.shape[:-1], 4, self.filters))
        return list(ops.split_steps(by_gate, axis=self.rank + 1))

    def _masks_of_state(self, h: Value, training: bool) -> list[Value]:
        if not (training and self.recurrent_dropout):
            return []
        return [self._dropout_mask(h.shape, self.recurrent_dropout) for _ in range(4)]

    def _advance(
        self, z: Value, states: Sequence[Value], kernels: Sequence[Value], dropped: Sequence[Value]
    ) -> tuple[Value, Value]:
        """The new h and c from the input's part of all gates."""
        h = [states[0] * mask for mask in dropped] or [states[0]]
        products = [ops.conv(x, k, 1, "same", self.data_format) for x, k in zip(h, kernels, strict=True)]
        z = z + (products[0] if len(products) == 1 else ops.concatenate(products, self._channels))
        at = self._channels
        gates = ops.split_steps(ops.reshape(z, (*z.shape[:at], 4, self.filters, *z.shape[at + 1 :])), axis=at)
        i, f, o = (self.recurrent_activation(gates[k]) for k in (0, 1, 3))
        c = f * states[1] + i * self.activation(gates[2])
        return o * self.activation(c), c

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["units"]
        return {
            **config,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }


class _ConvLSTM(RecurrentLayer):
    """Base: an LSTM whose products are convolutions; see :class:`ConvLSTM2D`."""

    rank: ClassVar[int]
    cell_class = ConvLSTMCell
    cell: ConvLSTMCell

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        **kwargs: Any,
    ):
        super().__init__({**locals(), "rank": self.rank}, **kwargs)

    def _spec(self, input_shape: Shape = ()) -> InputSpec:
        shape = (None, None, *input_shape[2:]) if input_shape else None
        return InputSpec(shape=shape, ndim=self.rank + 3, hint="sequences are (batch, steps, ..., channels)")

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        batch, steps, *inner = sequences_shape
        inner.pop(self.cell._channels - 1)
        if None in inner:
            raise ShapeError(
                f"layer '{self.name}': all lengths of a step must be known, received {tuple(sequences_shape)}"
            )
        one = self.cell._state_shape([int(n or 0) for n in inner])
        output = (batch, steps, *one) if self.return_sequences else (batch, *one)
        return (output, (batch, *one), (batch, *one)) if self.return_state else output


class ConvLSTM1D(_ConvLSTM):
    """LSTM over sequences of rows, whose products are convolutions (Shi et al., 2015).

    The arguments are those of :class:`ConvLSTM2D`.

    Shapes:
        ``(batch, steps, length, channels)`` -> ``(batch, new length, filters)``.

    Example:
        >>> import numpy as np
        >>> ConvLSTM1D(4, 3)(np.ones((2, 5, 10, 3))).shape
        (2, 8, 4)
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """LSTM over sequences of images, whose products are convolutions (Shi et al., 2015).

    Args:
        filters: number of channels of the output.
        kernel_size: lengths of the window, one number or one for each dimension.
        strides: step of the window over the input.
        padding: ``"valid"`` or ``"same"``, of the convolution of the input; that of the states is always ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        dilation_rate: distance between the taps of the input's window.
        activation, recurrent_activation: names or functions.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        unit_forget_bias: begin with a bias of 1 in the forget gate.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, recurrent_constraint, bias_constraint: applied to the weights after each step of training.
        dropout: fraction of the inputs that training drops, the same in all steps (and for all gates).
        recurrent_dropout: fraction of the states that training drops between steps, the same in all steps.
        seed: for the same dropout in every run.
        return_sequences, return_state, go_backwards, stateful, zero_output_for_mask: see :class:`RNN`.

    Call arguments:
        sequences: ``(batch, steps, height, width, channels)``.
        initial_state: ``[h, c]``, each of the shape of one output; zeros by default.
        mask: ``(batch, steps)``, false (0) at steps that are skipped: the states stay as they are.

    Raises:
        ArgumentError: an argument is out of range.
        ShapeError: the input is of another rank, or a length of a step is not known.

    Shapes:
        ``(batch, steps, height, width, channels)`` -> ``(batch, new height, new width, filters)``, or
        ``(batch, steps, ...)`` with ``return_sequences``.

    Example:
        >>> import numpy as np
        >>> ConvLSTM2D(4, 3, padding="same", return_sequences=True)(np.ones((2, 5, 6, 6, 3))).shape
        (2, 5, 6, 6, 4)
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """LSTM over sequences of volumes, whose products are convolutions (Shi et al., 2015).

    The arguments are those of :class:`ConvLSTM2D`.

    Shapes:
        ``(batch, steps, depth, height, width, channels)`` -> ``(batch, new depth, new height, new width, filters)``.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.ConvLSTM3D(2, 3, padding="same")(np.ones((1, 2, 4, 4, 4, 1))).shape
        (1, 4, 4, 4, 2)
    """

    rank = 3
