"""A recurrent layer that reads sequences in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.layer import Layer, Shape
from pynn.layers.recurrent_cell import reverse_steps
from pynn.layers.rnn import RNN

_MERGE_MODES = ("concat", "sum", "mul", "ave", None)
_IN_COMMON = ("stateful", "return_sequences", "return_state")


class Bidirectional(Layer):
    """Two recurrent layers over the same sequence, one from each end (Schuster and Paliwal, 1997).

    Args:
        layer: an ``LSTM``, ``GRU``, ``SimpleRNN``, ``RNN`` or ``ConvLSTM``; the forward direction is a new layer with
            its arguments, and so is the backward one if there is no ``backward_layer``.
        merge_mode: how the two outputs become one: ``"concat"``, ``"sum"``, ``"mul"`` or ``"ave"``; None gives both.
        weights: numbers to begin with, those of the forward layer first.
        backward_layer: the layer that reads from the end, if it has other arguments.

    Call arguments:
        sequences: ``(batch, steps, ...)``.
        initial_state: those of the forward layer, then those of the backward layer, in one list.
        mask: ``(batch, steps)``, false (0) at steps that are skipped.  With ``return_sequences`` the outputs of masked
            steps are 0.

    Shapes:
        As of ``layer``; the last axis is twice as long with ``"concat"``.  With ``return_state`` the states of both
        layers follow, those of the forward layer first.

    Raises:
        ArgumentError: ``layer`` is not recurrent, or the two layers do not fit together.

    Example:
        >>> import numpy as np
        >>> from pynn.layers import LSTM
        >>> Bidirectional(LSTM(4))(np.ones((2, 10, 8))).shape
        (2, 8)
    """

    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        layer = _recurrent(where, "layer", layer)
        if merge_mode not in _MERGE_MODES:
            raise ArgumentError(
                f"{where}: merge_mode must be one of {', '.join(map(repr, _MERGE_MODES))}, received {merge_mode!r}"
            )
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward", layer.go_backwards)
        if backward_layer is None:
            self.backward_layer = _copy(layer, "backward", True)
        else:
            self.backward_layer = _recurrent(where, "backward_layer", backward_layer)
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(f"{where}: one of the two layers must go backwards and the other not")
        for attribute in _IN_COMMON:
            if getattr(forward, attribute) != getattr(backward, attribute):
                raise ArgumentError(
                    f"{where}: both layers need the same {attribute}, received {getattr(forward, attribute)} and "
                    f"{getattr(backward, attribute)}"
                )
        for one in (forward, backward):  # else outputs of padding would be those of different steps
            one.zero_output_for_mask = one.return_sequences
        self.stateful = forward.stateful
        self.return_sequences = forward.return_sequences
        self.return_state = forward.return_state
        self.input_spec = layer.input_spec
        self._weights_to_begin_with = _Kept(weights)

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            layer.build_from_shape(sequences_shape)
        if self._weights_to_begin_with.value is not None:
            self.set_weights(self._weights_to_begin_with.value)
        self.built = True

    def reset_state(self) -> None:
        """Let stateful layers begin with zeros again."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """:meth:`reset_state` under its older name."""
        self.reset_state()

    @property
    def states(self) -> Any:
        """The states that stateful layers keep, those of the forward layer first; None before the first call."""
        if self.forward_layer.states is None:
            return None
        return (*self.forward_layer.states, *self.backward_layer.states)

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to symbolic tensors, traced values, or arrays."""
        self.forward_layer.check_batch(x)
        return super().__call__(x, *args, **kwargs)

    def call(self, sequences: Value, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        halves: Any = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            halves = list(initial_state[:half]), list(initial_state[half:])
        a, b = (
            layer(sequences, initial_state=state, mask=mask, training=training)
            for layer, state in zip((self.forward_layer, self.backward_layer), halves, strict=True)
        )
        states: tuple[Any, ...] = ()
        if self.return_state:
            states, a, b = (*a[1:], *b[1:]), a[0], b[0]
        if self.return_sequences:  # in the order of reading: turn it round
            b = reverse_steps(b)
        output = self._merged(a, b)
        if not self.return_state:
            return output
        return (*output, *states) if self.merge_mode is None else (output, *states)

    def _merged(self, a: Value, b: Value) -> Any:
        if self.merge_mode == "sum":
            return a + b
        if self.merge_mode == "mul":
            return a * b
        if self.merge_mode == "ave":
            return (a + b) * 0.5
        return (a, b) if self.merge_mode is None else ops.concatenate([a, b], axis=-1)

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        shapes = self.forward_layer.compute_output_shape(sequences_shape)
        output, states = (shapes[0], tuple(shapes[1:])) if self.return_state else (shapes, ())
        outputs = [tuple(output)]
        if self.merge_mode == "concat":
            outputs = [(*output[:-1], output[-1] * 2)]
        elif self.merge_mode is None:
            outputs *= 2
        if self.return_state:
            return (*outputs, *states, *states)
        return outputs if self.merge_mode is None else outputs[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output: that of the steps, if all of them are given."""
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        of_output = mask if self.return_sequences else None
        outputs = [of_output, of_output] if self.merge_mode is None else [of_output]
        if self.return_state:
            return [*outputs, *[None] * (2 * len(self.forward_layer.state_size))]
        return outputs if self.merge_mode is None else of_output

    def get_config(self) -> dict[str, Any]:
        from pynn.layers import serialize

        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize(self.forward_layer),
            "backward_layer": serialize(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A layer with the same arguments and new weights."""
        from pynn.layers import deserialize

        inner = ("layer", "backward_layer")
        made = {key: deserialize(config[key], custom_objects) for key in inner if config.get(key) is not None}
        return cls(**{**config, **made})


class _Kept:
    """A value that is not looked through for weights and layers."""

    def __init__(self, value: Any):
        self.value = value


def _recurrent(where: str, argument: str, layer: Any) -> RNN:
    """``layer`` if it is recurrent."""
    if not isinstance(layer, RNN):
        raise ArgumentError(f"{where}: {argument} must be an LSTM, GRU, SimpleRNN, RNN or ConvLSTM, received {layer!r}")
    return layer


def _copy(layer: RNN, prefix: str, go_backwards: bool) -> RNN:
    """A new layer with the same arguments; its cells may be of classes that users wrote."""
    name = f"{prefix}_{layer.name.removeprefix(f'{prefix}_')}"
    config = {**layer.get_config(), "name": name, "go_backwards": go_backwards}
    custom = {type(inner).__name__: type(inner) for inner in layer._flatten_layers()}
    copy: RNN = type(layer).from_config(config, custom)
    return copy
