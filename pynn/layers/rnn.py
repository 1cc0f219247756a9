"""The loop over the steps of a sequence, around any cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import symbolic, trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape
from pynn.layers.recurrent_cell import RecurrentCell, keep_masked, reverse_steps
from pynn.layers.stacked_rnn_cells import StackedRNNCells, call_cell, check_cell, initial_state, output_size
from pynn.utils.arrays import as_float
from pynn.utils.structure import flatten, map_structure, pack


class RNN(Layer):
    """Runs a cell over the steps of a sequence; base of ``LSTM``, ``GRU``, ``SimpleRNN`` and ``ConvLSTM``.

    Args:
        cell: ``LSTMCell``, ``GRUCell``, ``SimpleRNNCell``, ``StackedRNNCells``, a list of cells (stacked), or one of
            your own: a layer (or any object) with ``state_size``, a number or a list of numbers, and
            ``call(inputs, states)`` that gives ``(output, new states)``; also, if it likes, ``output_size`` and
            ``get_initial_state(batch_size)``.
        return_sequences: give the output of every step, not of the last only.
        return_state: give the last states, too.
        go_backwards: read the sequence from its end; the output of every step is in the order of reading.
        stateful: begin each batch with the states in which the last one ended, until :meth:`reset_state`.  The batch
            size must be known and always the same: ``Input(batch_shape=...)``.  States move on in ``fit``,
            ``evaluate`` and ``predict``, too (as in Keras on TensorFlow; on JAX they do in calls of the layer only).
        unroll: with a mask: outputs before the first step that counts are 0, as in Keras, where they are the initial
            state otherwise.  It changes nothing else: how steps are computed depends on the cell alone.
        zero_output_for_mask: the output of a masked step is 0, not that of the step before.

    Call arguments:
        sequences: ``(batch, steps, ...)``.
        initial_state: a list of arrays, one for each state; what the cell begins with by default.
        mask: ``(batch, steps)``, false (0) at steps that are skipped: the states stay as they are.

    Shapes:
        ``(batch, steps, ...)`` -> ``(batch, output_size)``, or ``(batch, steps, output_size)`` with
        ``return_sequences``; with ``return_state`` a tuple of that and of the states.

    Raises:
        ArgumentError: ``cell`` is no cell, or a stateful layer does not know its batch size.
        ShapeError: the input is no sequence, or states or mask do not fit it.

    Example:
        >>> from pynn.layers import GRUCell
        >>> RNN(GRUCell(4), return_sequences=True)(np.ones((2, 10, 8))).shape
        (2, 10, 4)
        >>> class Sum(Layer):
        ...     state_size = 3
        ...     def call(self, inputs, states):
        ...         total = states[0] + inputs
        ...         return total, [total]
        >>> RNN(Sum())(np.ones((1, 5, 3))).tolist()
        [[5.0, 5.0, 5.0]]
    """

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        check_cell(f"layer '{self.name}'", cell)
        self.cell = cell
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.unroll = bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self._kept = _KeptStates()
        self.input_spec = self._spec()

    def _spec(self, input_shape: Shape = ()) -> InputSpec:
        """What is demanded of the input; of ``input_shape`` when that is known."""
        axes = {-1: input_shape[-1]} if input_shape else {}
        if isinstance(self.cell, RecurrentCell | StackedRNNCells):
            return InputSpec(ndim=3, axes=axes, hint="sequences are (batch, steps, features)")
        return InputSpec(min_ndim=2, axes=axes, hint="sequences are (batch, steps, ...)")

    @property
    def state_size(self) -> list[Any]:
        """Length of each state."""
        size = self.cell.state_size
        return list(size) if isinstance(size, list | tuple) else [size]

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        if isinstance(self.cell, Layer):
            self.cell.build_from_shape((None, *sequences_shape[2:]))
        self.input_spec = self._spec(sequences_shape)
        self.built = True

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        batch, steps = tuple(sequences_shape)[:2]
        size = output_size(self.cell)
        output = (batch, steps, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return output
        return (
            output,
            *([(batch, n) for n in s] if isinstance(s, list | tuple) else (batch, s) for s in self.state_size),
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output: that of the steps, if all of them are given."""
        of_output = flatten(mask)[0] if self.return_sequences else None
        return [of_output, *(None for _ in self.state_size)] if self.return_state else of_output

    # States

    @property
    def states(self) -> Any:
        """The variables in which a stateful layer keeps its states, in the cell's structure; None before its first
        call."""
        return self._kept.variables

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states the cell begins with: zeros, if it does not say otherwise."""
        return initial_state(self.cell, batch_size)

    def reset_state(self) -> None:
        """Let a stateful layer begin with zeros again."""
        for variable in flatten(self.states or []):
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """:meth:`reset_state` under its older name."""
        self.reset_state()

    def check_batch(self, x: Any) -> None:
        """Raise an ArgumentError if the layer is stateful and the batch size of ``x`` unknown."""
        if self.stateful and symbolic.is_symbolic(x) and x.shape[0] is None:
            raise ArgumentError(
                f"layer '{self.name}': stateful=True needs to know the batch size, received shape {x.shape}; "
                "start the model with Input(batch_shape=(batch, steps, features))"
            )

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to symbolic tensors, traced values, or arrays."""
        self.check_batch(x)
        return super().__call__(x, *args, **kwargs)

    def _first_states(self, x: Value, given: Any) -> list[Any]:
        """The initial states, checked, in the structure of the cell's."""
        begin = self.get_initial_state(x.shape[0])
        if self.stateful:
            if self._kept.variables is None:
                self._kept.variables = map_structure(lambda s: Variable(np.zeros(s.shape), trainable=False), begin)
            for variable, state in zip(flatten(self.states), flatten(begin), strict=True):
                if variable.shape != state.shape:
                    raise ShapeError(
                        f"layer '{self.name}': it is stateful and keeps states of shape {variable.shape}, received "
                        f"{x.shape[0]} sequences, which need {state.shape}; the batch size must stay the same"
                    )
            given = self.states if given is None else given
        if given is None:
            return map_structure(lambda s: as_float(trace.as_value(s)), begin)
        given = list(given) if isinstance(given, list | tuple) else [given]
        states = [as_float(trace.as_value(s)) for s in flatten(given)]
        shapes = [s.shape for s in flatten(begin)]
        if [s.shape for s in states] != shapes:
            raise ShapeError(
                f"layer '{self.name}': initial_state must be {len(shapes)} array(s) of shape "
                f"{', '.join(map(str, dict.fromkeys(shapes)))}, received "
                f"{', '.join(str(s.spec) for s in states) or 'none'}"
            )
        return pack(begin, states)

    # The loop

    def call(self, sequences: Value, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        x = as_float(sequences)
        if x.shape[1] == 0:
            raise ShapeError(f"layer '{self.name}': expected sequences of at least one step, received {x.spec}")
        states = self._first_states(x, initial_state)
        counts = self._mask_of_steps(mask, x)
        wanted = self.return_sequences
        sequence, last, states = self._run(self.cell, x, states, self.go_backwards, counts, wanted, bool(training))
        if self.stateful:
            for variable, state in zip(flatten(self.states), flatten(states), strict=True):
                variable.assign(state)
        if counts is not None and (self.zero_output_for_mask or self.unroll):
            shown = self._shown(counts)
            if wanted:
                sequence = ops.where(ops.reshape(shown, (*shown.shape, *[1] * (sequence.ndim - 2))), sequence, 0.0)
            last = keep_masked(ops.get_item(shown, (slice(None), -1)), last, ops.zeros_like(last))
        output = sequence if wanted else last
        return (output, *states) if self.return_state else output

    def _shown(self, counts: Value) -> Value:
        """Not 0 ``(batch, steps)`` where an output is shown, in the order of reading; the others are 0."""
        read = reverse_steps(counts) if self.go_backwards else counts
        return read if self.zero_output_for_mask else ops.cumsum(read, axis=1)  # unrolled: from the first that counts

    def _mask_of_steps(self, mask: Any, x: Value) -> Value | None:
        """The mask as float ``(batch, steps)``: a step counts if any number of it does."""
        mask = flatten(mask)[0] if isinstance(mask, list | tuple) else mask
        if mask is None:
            return None
        m = trace.as_value(mask)
        if m.ndim < 2 or m.shape[:2] != x.shape[:2]:
            raise ShapeError(
                f"layer '{self.name}': mask must be {x.shape[:2]} for an input {x.spec}, received {m.spec}"
            )
        m = ops.cast(ops.not_equal(m, 0), "float32")
        return m if m.ndim == 2 else ops.max(m, axis=tuple(range(2, m.ndim)))

    def _run(
        self,
        cell: Any,
        x: Value,
        states: list[Any],
        go_backwards: bool,
        mask: Value | None,
        sequence: bool,
        training: bool,
    ) -> tuple[Any, Value, list[Any]]:
        """``(outputs of all steps, last output, last states)``; the outputs only if ``sequence`` says so."""
        if isinstance(cell, RecurrentCell):
            outputs, last = cell.run(x, states, go_backwards, mask, sequence, training)
            return outputs, last[0], last
        if isinstance(cell, StackedRNNCells):
            return self._run_stack(cell, x, states, go_backwards, mask, sequence, training)
        parts = ops.split_steps(x, axis=1)
        counts = None if mask is None else ops.split_steps(mask, axis=1)
        collected: list[Value] = []
        for at in range(len(parts))[:: -1 if go_backwards else 1]:
            output, new = call_cell(cell, parts[at], states, training)
            if counts is not None:
                before = states[-1][0] if isinstance(states[0], list | tuple) else states[0]
                if output.shape != before.shape:
                    raise ShapeError(
                        f"layer '{self.name}': where a step is masked its output is the cell's first state, but the "
                        f"output is {output.spec} and that state {before.spec}; use zero_output_for_mask=True with a "
                        "state of the output's shape in front"
                    )
                output = keep_masked(counts[at], output, before)
                kept = (keep_masked(counts[at], a, b) for a, b in zip(flatten(new), flatten(states), strict=True))
                new = pack(new, kept)
            states = new
            collected.append(output)
        return (ops.join_steps(collected, axis=1) if sequence else None), collected[-1], states

    def _run_stack(
        self,
        stack: StackedRNNCells,
        x: Value,
        states: list[Any],
        go_backwards: bool,
        mask: Value | None,
        sequence: bool,
        training: bool,
    ) -> tuple[Any, Value, list[Any]]:
        """Cell after cell, each over the whole sequence: the same numbers as step after step."""
        last_states = []
        last = x
        for i, (cell, state) in enumerate(zip(stack.cells, states, strict=True)):
            wanted = sequence or i + 1 < len(stack.cells)
            x, last, new = self._run(cell, x, state, go_backwards, mask, wanted, training)
            last_states.append(new)
            if go_backwards:  # what the next cell reads is in the order of reading already
                go_backwards, mask = False, None if mask is None else reverse_steps(mask)
        return x, last, last_states

    # Config

    def _loop_config(self) -> dict[str, Any]:
        return {
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    def get_config(self) -> dict[str, Any]:
        from pynn.layers import serialize

        return {**super().get_config(), **self._loop_config(), "cell": serialize(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A layer with the same arguments and new weights."""
        from pynn.layers import deserialize

        if isinstance(config.get("cell"), dict):
            config = {**config, "cell": deserialize(config["cell"], custom_objects)}
        return cls(**config)


class _KeptStates:
    """Where a stateful layer keeps its states: they are no weights, so they are not found among its attributes."""

    variables: Any = None
