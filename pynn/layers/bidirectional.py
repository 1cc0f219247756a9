"""A recurrent layer that reads sequences in both directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.layer import Layer, Shape
from pynn.layers.recurrent import RecurrentLayer

_MERGE_MODES = ("concat", "sum", "mul", "ave")


class Bidirectional(Layer):
    """Two recurrent layers over the same sequence, one from each end (Schuster and Paliwal, 1997).

    Args:
        layer: an ``LSTM``, ``GRU`` or ``SimpleRNN``; both directions are new layers with its arguments.
        merge_mode: how the two outputs become one: ``"concat"``, ``"sum"``, ``"mul"`` or ``"ave"``.
        backward_layer: the layer that reads from the end, if it has other arguments.

    Shapes:
        As of ``layer``; the last axis is twice as long with ``"concat"``.

    Raises:
        ArgumentError: ``layer`` is not recurrent, or an argument is not supported (``merge_mode=None``,
            ``return_state``).

    Example:
        >>> from pynn.layers import LSTM
        >>> Bidirectional(LSTM(4))(np.ones((2, 10, 8))).shape
        (2, 8)
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str = "concat",
        weights: Any = None,
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
        if weights is not None:
            raise ArgumentError(f"{where}: weights= is not supported; call set_weights() after the layer is built")
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward", layer.go_backwards)
        if backward_layer is None:
            self.backward_layer = _copy(layer, "backward", True)
        else:
            self.backward_layer = _recurrent(where, "backward_layer", backward_layer)
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(f"{where}: one of the two layers must go backwards and the other not")
        if forward.return_sequences != backward.return_sequences or forward.units != backward.units:
            raise ArgumentError(f"{where}: both layers need the same units and return_sequences")
        if forward.return_state or backward.return_state:
            raise ArgumentError(f"{where}: return_state=True is not supported here; leave it out")
        self.return_sequences = forward.return_sequences
        self.input_spec = layer.input_spec

    def build(self, input_shape: Shape) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            layer.build_from_shape(input_shape)
        self.built = True

    def call(self, sequences: Value, training: bool = False) -> Value:
        a = self.forward_layer(sequences, training=training)
        b = self.backward_layer(sequences, training=training)
        if self.return_sequences:  # in the order of reading: turn it round
            b = ops.take(b, np.arange(b.shape[1])[::-1].copy(), axis=1)
        if self.merge_mode == "sum":
            return a + b
        if self.merge_mode == "mul":
            return a * b
        if self.merge_mode == "ave":
            return (a + b) * 0.5
        pairs = ops.join_steps([a, b], axis=a.ndim - 1)  # (..., 2, units)
        return ops.reshape(pairs, (*a.shape[:-1], 2 * a.shape[-1]))

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        shape = tuple(self.forward_layer.compute_output_shape(input_shape))
        return (*shape[:-1], shape[-1] * 2) if self.merge_mode == "concat" else shape

    def get_config(self) -> dict[str, Any]:
        from pynn.layers import serialize

        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize(self.forward_layer),
            "backward_layer": serialize(self.backward_layer),
        }


def _recurrent(where: str, argument: str, layer: Any) -> RecurrentLayer:
    """``layer``, or the one that a config describes, if it is recurrent."""
    if isinstance(layer, dict):
        from pynn.layers import deserialize

        layer = deserialize(layer)
    if not isinstance(layer, RecurrentLayer):
        raise ArgumentError(f"{where}: {argument} must be an LSTM, GRU or SimpleRNN, received {layer!r}")
    return layer


def _copy(layer: RecurrentLayer, prefix: str, go_backwards: bool) -> RecurrentLayer:
    """A new layer with the same arguments."""
    name = f"{prefix}_{layer.name.removeprefix(f'{prefix}_')}"
    copy: RecurrentLayer = type(layer).from_config({**layer.get_config(), "name": name, "go_backwards": go_backwards})
    return copy
