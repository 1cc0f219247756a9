"""The base of layers that change images without weights, and of those that do so at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.arguments import image_order
from pynn.layers.layer import Layer
from pynn.layers.seed_generator import SeedGenerator
from pynn.ops.images import as_batch
from pynn.utils.arrays import as_float


class ImageLayer(Layer):
    """Base of layers for one image or a batch of them, ``(h, w, c)`` or ``(batch, h, w, c)``; of any numbers.

    They also take a dictionary: ``"images"`` and, in step with them, ``"segmentation_masks"`` and ``"labels"``; what
    else is in it comes out as it was.

    A subclass defines ``transform``, which sees a batch of images with the channels last.
    """

    _stateless = True

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = image_order(f"layer '{self.name}'", data_format)

    def accept(self, x: Value, training: bool) -> Value:
        """Images as the layer computes with them: floats, unless a subclass keeps whole numbers whole."""
        return as_float(x)

    def decide(self, x: Value) -> Any:
        """What chance decides for a batch of images, once for them and all that belongs to them."""
        return ()

    def transform(self, x: Value, decided: Any) -> Value:
        """The layer's formula for ``(batch, h, w, c)``; ``decided`` is None in inference."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define transform()")

    def transform_masks(self, masks: Value, decided: Any) -> Value:
        """The same for masks, whose numbers are classes: colours do not change them."""
        return masks

    def transform_labels(self, labels: Value, decided: Any) -> Value:
        """The same for labels, ``(batch, ...)``."""
        return labels

    def call(self, data: Any, training: bool = True) -> Any:
        parts = data if isinstance(data, dict) else {"images": data}
        where = f"layer '{self.name}'"
        if "images" not in parts:
            raise ArgumentError(f"{where}: a dictionary must have the key 'images', received {sorted(parts)}")
        if "bounding_boxes" in parts:
            raise ArgumentError(f"{where}: bounding_boxes are not supported; take them out of the dictionary")
        x, back = self._as_batch(parts["images"])
        x = self.accept(x, training)
        decided = self.decide(x) if training else None
        done = {**parts, "images": back(self.transform(x, decided))}
        if "segmentation_masks" in parts:
            masks, masks_back = self._as_batch(parts["segmentation_masks"])
            done["segmentation_masks"] = masks_back(self.transform_masks(masks, decided))
        if "labels" in parts and parts["images"].ndim == 4:  # a single image has nothing to be mixed with
            done["labels"] = self.transform_labels(parts["labels"], decided)
        return done if isinstance(data, dict) else done["images"]

    def _as_batch(self, x: Value) -> tuple[Value, Callable[[Value], Value]]:
        """Images as a batch with the channels last, and the way back."""
        if x.ndim not in (3, 4):
            raise ShapeError(
                f"layer '{self.name}': expected an image (height, width, channels) or a batch of images, "
                f"received shape {x.shape}"
            )
        return as_batch(self.name, x, self.data_format)

    def _as_input(self, leaf: Any) -> np.ndarray:
        array = np.asarray(leaf)
        keeps = array.dtype.kind in "iub" and array.dtype.itemsize < 8
        return array if keeps else super()._as_input(leaf)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class RandomImageLayer(ImageLayer):
    """Base of layers that change images at random while training, and leave them as they are in inference.

    Called by itself a layer augments, as in Keras; in a model it does so in ``fit`` alone.  A subclass defines
    ``decide`` and ``augment``.
    """

    #: Whether whole numbers become floats in inference, too; as in Keras this differs from layer to layer.
    _floats_in_inference = True

    def __init__(self, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def accept(self, x: Value, training: bool) -> Value:
        return as_float(x) if training or self._floats_in_inference else x

    def augment(self, x: Value, decided: Any) -> Value:
        """The images ``(batch, h, w, c)`` after what was decided."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define augment()")

    def augment_masks(self, masks: Value, decided: Any) -> Value:
        """Their masks."""
        return masks

    def transform(self, x: Value, decided: Any) -> Value:
        return x if decided is None else self.augment(x, decided)

    def transform_masks(self, masks: Value, decided: Any) -> Value:
        return masks if decided is None else self.augment_masks(masks, decided)

    def draw(self, shape: Sequence[int], low: float, high: float) -> Value:
        """New numbers for each step, uniform between ``low`` and ``high``, which may be equal."""
        if low == high:
            return ops.broadcast_to(as_value(float(low)), shape)
        return ops.random_uniform(shape, self.seed_generator.next(), low, high)

    def chosen(self, n: int, probability: tuple[float, float]) -> Value:
        """Which of ``n`` images something shall happen to, ``(n, 1, 1, 1)``; the probability is drawn, too."""
        return ops.less(self.draw((n, 1, 1, 1), 0.0, 1.0), self.draw((n, 1, 1, 1), *probability))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def number_range(
    where: str, argument: str, value: Any, least: float, most: float, lowest: float | None = None
) -> tuple[float, float]:
    """(lower, upper) from a pair, or from one number f for (-f, f), cut off at ``lowest``.

    Raises:
        ArgumentError: it is neither, or numbers are outside of ``least`` .. ``most``.
    """
    several = isinstance(value, list | tuple)
    values = list(value) if several else [value]
    numbers = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values)
    if not numbers or len(values) != (2 if several else 1) or not all(least <= v <= most for v in values):
        raise ArgumentError(
            f"{where}: {argument} must be a number or a pair of numbers from {least} to {most}, received {value!r}"
        )
    if several:
        lower, upper = sorted(values)
        return lower, upper
    return max(-abs(value), -np.inf if lowest is None else lowest), abs(value)
