"""The base of layers around another layer."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError
from pynn.layers.layer import Layer


class Wrapper(Layer):
    """Base of layers that hold another as ``layer``: ``TimeDistributed``, ``SpectralNormalization`` ...

    Args:
        layer: the layer inside.

    Raises:
        ArgumentError: ``layer`` is not a layer.
    """

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(layer, dict):
            from pynn.layers import deserialize

            layer = deserialize(layer)
        if not isinstance(layer, Layer):
            raise ArgumentError(f"layer '{self.name}': layer must be a layer, received {layer!r}")
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        self.layer.build_from_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        from pynn.layers import serialize

        return {**super().get_config(), "layer": serialize(self.layer)}
