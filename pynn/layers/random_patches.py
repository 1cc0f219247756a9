"""Layers that replace patches of images, and that mix images with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.arguments import one_number
from pynn.layers.image_layer import RandomImageLayer, number_range
from pynn.layers.random_colors import value_pair
from pynn.ops.random import draw
from pynn.utils.arrays import as_float


def patches(layer: RandomImageLayer, x: Value, share_down: Value, share_across: Value) -> Value:
    """Which pixels ``(n, h, w, 1)`` lie in a patch at a random place of each image.

    Args:
        layer: whose random numbers are drawn.
        share_down, share_across: of the height and of the width, ``(n, 1, 1, 1)`` each.
    """
    n, h, w = x.shape[:3]
    inside = None
    for length, share, axes in ((h, share_down, (1, h, 1, 1)), (w, share_across, (1, 1, w, 1))):
        size = share * float(length)
        start = layer.draw((n, 1, 1, 1), 0.0, 1.0) * (float(length) - size)
        at = as_value(np.arange(length, dtype="float32").reshape(axes))
        between = ops.logical_and(ops.greater_equal(at, start), ops.less(at, start + size))
        inside = between if inside is None else ops.logical_and(inside, between)
    assert inside is not None
    return inside


class RandomErasing(RandomImageLayer):
    """While training, replaces a patch of images, at a random place of each, by noise or by a number.

    Z. Zhong et al., "Random Erasing Data Augmentation" (2017).

    Args:
        factor: (lower, upper) of the probability that an image has a patch, from 0 to 1; one number f is (0, f).
        scale: (lower, upper), from 0 to 1: height and width of the patch are the image's, times the square roots of
            two numbers from this range; one number s is (0, s).
        fill_value: what is in the patch: a number, one for each channel, or None for normal noise.
        value_range: (lowest, highest) of a pixel.
        seed: for the same patches in every run.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> erased = RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=7.0)(np.ones((2, 4, 4, 3)), training=True)
        >>> bool((erased == 7).all())
        True
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.factor = number_range(where, "factor", factor, 0, 1, lowest=0)
        self.scale = number_range(where, "scale", scale, 0, 1, lowest=0)
        for number in fill_value if isinstance(fill_value, list | tuple) else [fill_value]:
            if number is not None:
                one_number(where, "fill_value", number)
        self.fill_value = fill_value
        self.value_range = value_pair(where, value_range)

    def decide(self, x: Value) -> tuple[Value, Value]:
        n = x.shape[0]
        shares = (ops.sqrt(self.draw((n, 1, 1, 1), *self.scale)) for _ in range(2))
        inside = ops.logical_and(patches(self, x, *shares), self.chosen(n, self.factor))
        return inside, ops.clip(self._filling(x), *self.value_range)

    def _filling(self, x: Value) -> Value:
        if self.fill_value is None:
            return ops.random_normal(x.shape, self.seed_generator.next()) * float(self.value_range[1])
        filling = np.asarray(self.fill_value, "float32")
        if filling.ndim and len(filling) != x.shape[-1]:
            raise ShapeError(
                f"layer '{self.name}': fill_value has {len(filling)} numbers, the images {x.shape[-1]} channels"
            )
        return as_value(filling)

    def augment(self, x: Value, decided: Any) -> Value:
        inside, filling = decided
        return ops.where(inside, filling, x)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }


class _Mixing(RandomImageLayer):
    """Base of layers that mix each image of a batch with another one of it, and their labels in the same measure.

    What is decided begins with ``order``, who is mixed with whom, and ``share``, ``(n,)``: how much of itself stays.
    """

    def partners(self, n: int) -> Value:
        """All numbers below ``n`` in random order."""
        return ops.argsort(self.draw((n,), 0.0, 1.0))

    def beta(self, n: int, concentration: Any) -> Value:
        """Numbers from 0 to 1, ``(n,)``; the smaller the concentration, the nearer to 0 or 1."""
        return draw("beta", (n,), self.seed_generator.next(), concentration, concentration)

    def transform_labels(self, labels: Value, decided: Any) -> Value:
        if decided is None:
            return labels
        if labels.ndim < 2:
            raise ShapeError(
                f"layer '{self.name}': labels must be one row of numbers for each image, as parts of two are added, "
                f"received shape {labels.shape}; make rows of class numbers with keras.utils.to_categorical"
            )
        order, share = decided[:2]
        labels, share = as_float(labels), ops.reshape(share, (-1, *[1] * (labels.ndim - 1)))
        return labels * share + ops.take(labels, order, 0) * (1.0 - share)


class CutMix(_Mixing):
    """While training, puts a patch of another image of the batch onto each image, and mixes their labels likewise.

    S. Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features" (2019): the
    share of its own that an image keeps is drawn from a beta distribution.

    Args:
        factor: (lower, upper) of both parameters of the distribution, from 0 to 1; one number f is (0, f).
        seed: for the same patches in every run.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Shapes:
        ``{"images": (batch, h, w, c), "labels": (batch, classes)}``, the same comes out; or images alone.

    Example:
        >>> parts = {"images": np.ones((4, 8, 8, 3)), "labels": np.eye(4)}
        >>> mixed = CutMix()(parts, training=True)
        >>> mixed["labels"].sum(-1)
        array([1., 1., 1., 1.], dtype=float32)
    """

    def __init__(self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = number_range(f"layer '{self.name}'", "factor", factor, 0, 1, lowest=0)

    def decide(self, x: Value) -> tuple[Value, Value, Value]:
        n = x.shape[0]
        share = self.beta(n, ops.maximum(self.draw((n,), *self.factor), 1e-6))
        side = ops.sqrt(ops.reshape(1.0 - share, (n, 1, 1, 1)))
        return self.partners(n), share, patches(self, x, side, side)

    def augment(self, x: Value, decided: Any) -> Value:
        order, _, inside = decided
        return ops.where(inside, ops.take(x, order, 0), x)

    def augment_masks(self, masks: Value, decided: Any) -> Value:
        return self.augment(masks, decided)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class MixUp(_Mixing):
    """While training, adds another image of the batch to each image, a random share of both, and so their labels.

    H. Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2017).

    Args:
        alpha: both parameters of the beta distribution of the shares, above 0; small numbers mix little.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        seed: for the same shares in every run.

    Shapes:
        ``{"images": (batch, h, w, c), "labels": (batch, classes)}``, the same comes out; or images alone.

    Example:
        >>> images = np.arange(4.0).reshape(4, 1, 1, 1)
        >>> mixed = MixUp(1.0)({"images": images, "labels": np.eye(4)}, training=True)
        >>> np.allclose(mixed["labels"] @ np.arange(4), mixed["images"][:, 0, 0, 0])
        True
    """

    _floats_in_inference = False

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.alpha = one_number(where, "alpha", alpha)
        if alpha <= 0:
            raise ArgumentError(f"{where}: alpha must be above 0, received {alpha!r}")

    def decide(self, x: Value) -> tuple[Value, Value]:
        n = x.shape[0]
        return self.partners(n), self.beta(n, float(self.alpha))

    def augment(self, x: Value, decided: Any) -> Value:
        order, share = decided
        share = ops.reshape(share, (-1, 1, 1, 1))
        return x * share + ops.take(x, order, 0) * (1.0 - share)

    def augment_masks(self, masks: Value, decided: Any) -> Value:
        raise ArgumentError(
            f"layer '{self.name}': segmentation_masks are classes and cannot be mixed; take them out of the "
            "dictionary, or use CutMix"
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
