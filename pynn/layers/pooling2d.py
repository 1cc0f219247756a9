"""What the two pooling layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.layers.arguments import channels_last, choice, pair
from pynn.layers.conv2d import IMAGE_SPEC
from pynn.layers.layer import Layer


class Pooling2D(Layer):
    """Base of layers that reduce each window of an image, channel by channel, to one number."""

    _stateless = True

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        where = f"layer '{self.name}'"
        self.pool_size = pair(where, "pool_size", pool_size)
        self.strides = self.pool_size if strides is None else pair(where, "strides", strides)
        self.padding = choice(where, "padding", padding, ("valid", "same"))
        self.data_format = channels_last(where, data_format)
        self.input_spec = IMAGE_SPEC

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }
