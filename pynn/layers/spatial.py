"""What layers for sequences, images and volumes share: their rank, the order of their axes, and their windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pynn import ops
from pynn.errors import ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import image_order
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape

_WHAT = {
    1: ("sequences", "steps", "for numbers without features add an axis, x[..., None]"),
    2: ("images", "height, width", "for grey images add a channel axis, x[..., None]"),
    3: ("volumes", "depth, height, width", "for volumes of one channel add an axis, x[..., None]"),
}


def spatial_spec(rank: int, data_format: str = "channels_last", channels: int | None = None) -> InputSpec:
    """Arrays of ``rank`` spatial axes, a batch axis and one for the channels."""
    what, axes, advice = _WHAT[rank]
    first = data_format == "channels_first"
    shape = f"(batch, channels, {axes})" if first else f"(batch, {axes}, channels)"
    if first:
        advice = advice.replace("x[..., None]", "x[:, None]")
    return InputSpec(ndim=rank + 2, axes={1 if first else -1: channels}, hint=f"{what} are {shape}; {advice}")


class SpatialLayer(Layer):
    """Base of layers for arrays ``(batch, *sizes, channels)``, or ``(batch, channels, *sizes)``.

    A subclass says its ``rank``, the number of sizes, and defines ``compute``, which sees the channels last always.
    Where two layers with channels first meet, a pass removes the transposes between them.
    """

    rank: ClassVar[int]

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = image_order(f"layer '{self.name}'", data_format)
        self.input_spec = spatial_spec(self.rank, self.data_format)

    @property
    def _channels_first(self) -> bool:
        return self.data_format == "channels_first"

    def _sizes(self, shape: Shape) -> tuple[int | None, ...]:
        """The spatial lengths of an input of this shape."""
        return tuple(shape[2:] if self._channels_first else shape[1:-1])

    def _to_last(self, x: Value) -> Value:
        return ops.transpose(x, (0, *range(2, self.rank + 2), 1)) if self._channels_first else x

    def _from_last(self, y: Value) -> Value:
        spatial = y.ndim == self.rank + 2  # global pooling may have removed the sizes
        return ops.transpose(y, (0, y.ndim - 1, *range(1, y.ndim - 1))) if self._channels_first and spatial else y

    def compute(self, x: Value) -> Value:
        """The layer's formula for ``(batch, *sizes, channels)``."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define compute()")

    def call(self, x: Value) -> Value:
        return self._from_last(self.compute(self._to_last(x)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


def check_window_fits(
    where: str, sizes: Sequence[int | None], window: Sequence[int], padding: str, dilation: Sequence[int] | None = None
) -> None:
    """A "valid" window must not be larger than what it slides over: nothing would come out."""
    if padding != "valid":
        return
    reach = tuple((k - 1) * d + 1 for k, d in zip(window, dilation or (1,) * len(window), strict=True))
    if any(size is not None and size < r for size, r in zip(sizes, reach, strict=True)):
        what = _WHAT[len(window)][0][:-1]
        raise ShapeError(
            f"{where}: the window {reach} is larger than the {what}, received sizes {tuple(sizes)}: the output would "
            "be empty; use padding='same', a smaller window, or fewer pooling layers before it"
        )
