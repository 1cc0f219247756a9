"""Pooling over everything but the batch and the channels."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.spatial import SpatialLayer
from pynn.utils.arrays import as_float


class GlobalPooling(SpatialLayer):
    """Base of layers that reduce each channel to one number."""

    _stateless = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.keepdims = bool(keepdims)

    @property
    def _axes(self) -> tuple[int, ...]:
        """The axes to reduce: no need to move the channels."""
        return tuple(range(2, self.rank + 2) if self._channels_first else range(1, self.rank + 1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "keepdims": self.keepdims}


class GlobalAveragePooling(GlobalPooling):
    """Base of the layers that take the mean."""

    def call(self, x: Value) -> Value:
        return ops.mean(as_float(x), axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling(GlobalPooling):
    """Base of the layers that take the largest number."""

    def call(self, x: Value) -> Value:
        return ops.max(as_float(x), axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each feature over all steps of a sequence, or over those that the mask has.

    Args:
        data_format: ``"channels_last"``, the default, or ``"channels_first"``: ``(batch, c, steps)``.
        keepdims: keep the steps as an axis of length 1.

    Shapes:
        ``(batch, steps, c)`` -> ``(batch, c)``; ``mask`` is ``(batch, steps)``, and what it leaves out counts nothing.

    Example:
        >>> import numpy as np
        >>> GlobalAveragePooling1D()(np.ones((2, 7, 3))).shape
        (2, 3)
    """

    rank = 1
    supports_masking = True

    def call(self, x: Value, mask: Any = None) -> Value:
        if mask is None:
            return super().call(x)
        x = as_float(x)
        (steps,) = self._axes
        taken = ops.expand_dims(ops.cast(mask, x.dtype), 3 - steps)
        total = ops.sum(x * taken, axis=steps, keepdims=self.keepdims)
        return total / ops.sum(taken, axis=steps, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """The steps are gone, and the mask with them."""
        return None


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel over the whole image.

    Args:
        data_format: ``"channels_last"``, the default, or ``"channels_first"``: ``(batch, c, h, w)``.
        keepdims: keep height and width as axes of length 1.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, c)``.

    Example:
        >>> import numpy as np
        >>> GlobalAveragePooling2D()(np.ones((2, 7, 7, 3))).shape
        (2, 3)
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel over the whole volume; arguments as for :class:`GlobalAveragePooling2D`.

    Example:
        >>> import numpy as np
        >>> GlobalAveragePooling3D(keepdims=True)(np.ones((2, 4, 7, 7, 3))).shape
        (2, 1, 1, 1, 3)
    """

    rank = 3


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest number of each feature over all steps; arguments as for :class:`GlobalAveragePooling2D`.

    Example:
        >>> import numpy as np
        >>> GlobalMaxPooling1D()(np.ones((2, 7, 3))).shape
        (2, 3)
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest number of each channel over the whole image; arguments as for :class:`GlobalAveragePooling2D`.

    Example:
        >>> import numpy as np
        >>> GlobalMaxPooling2D()(np.ones((2, 7, 7, 3))).shape
        (2, 3)
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest number of each channel over the whole volume; arguments as for :class:`GlobalAveragePooling2D`.

    Example:
        >>> import numpy as np
        >>> GlobalMaxPooling3D()(np.ones((2, 4, 7, 7, 3))).shape
        (2, 3)
    """

    rank = 3
