"""Pooling layers of one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import choice, lengths
from pynn.layers.spatial import SpatialLayer, check_window_fits
from pynn.utils.arrays import as_float


class Pooling(SpatialLayer):
    """Base of layers that reduce each window, channel by channel, to one number."""

    _stateless = True
    reduce: ClassVar[Callable[..., Value]]

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format, name=name, **kwargs)
        where = f"layer '{self.name}'"
        self.pool_size = lengths(where, "pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else lengths(where, "strides", strides, self.rank)
        self.padding = choice(where, "padding", padding, ("valid", "same"))

    def compute(self, x: Value) -> Value:
        check_window_fits(f"layer '{self.name}'", x.shape[1:-1], self.pool_size, self.padding)
        return type(self).reduce(as_float(x), self.pool_size, self.strides, self.padding, "channels_last")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
        }


class MaxPooling(Pooling):
    """Base of the layers that take the largest number; windows of 2 by default."""

    reduce = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling(Pooling):
    """Base of the layers that take the mean."""

    reduce = staticmethod(ops.average_pool)


class MaxPooling1D(MaxPooling):
    """The largest number of each window of a sequence; arguments as for :class:`MaxPooling2D`.

    Shapes:
        ``(batch, steps, c)`` -> ``(batch, positions, c)``.

    Example:
        >>> import numpy as np
        >>> np.asarray(MaxPooling1D(2)(np.arange(6.0)[None, :, None]))[0, :, 0]
        array([1., 3., 5.], dtype=float32)
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest number of each window.

    Args:
        pool_size: the window, one number or (height, width).
        strides: step of the window; its own size by default.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``: ``(batch, c, h, w)``, results too.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, c)``.

    Example:
        >>> import numpy as np
        >>> x = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> np.asarray(MaxPooling2D()(x))[0, :, :, 0]
        array([[ 5.,  7.],
               [13., 15.]], dtype=float32)
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest number of each window of a volume; arguments as for :class:`MaxPooling2D`.

    Shapes:
        ``(batch, d, h, w, c)`` -> ``(batch, od, oh, ow, c)``.

    Example:
        >>> import numpy as np
        >>> MaxPooling3D((1, 2, 2))(np.ones((2, 3, 8, 8, 4))).shape
        (2, 3, 4, 4, 4)
    """

    rank = 3


class AveragePooling1D(AveragePooling):
    """The mean of each window of a sequence; arguments as for :class:`AveragePooling2D`.

    Shapes:
        ``(batch, steps, c)`` -> ``(batch, positions, c)``.

    Example:
        >>> import numpy as np
        >>> np.asarray(AveragePooling1D(2)(np.arange(6.0)[None, :, None]))[0, :, 0]
        array([0.5, 2.5, 4.5], dtype=float32)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """The mean of each window.

    Args:
        pool_size: the window, one number or (height, width).
        strides: step of the window; its own size by default.
        padding: ``"valid"`` or ``"same"``; positions outside are not counted.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``: ``(batch, c, h, w)``, results too.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, c)``.

    Example:
        >>> import numpy as np
        >>> x = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> np.asarray(AveragePooling2D(2)(x))[0, :, :, 0]
        array([[ 2.5,  4.5],
               [10.5, 12.5]], dtype=float32)
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """The mean of each window of a volume; arguments as for :class:`AveragePooling2D`.

    Shapes:
        ``(batch, d, h, w, c)`` -> ``(batch, od, oh, ow, c)``.

    Example:
        >>> import numpy as np
        >>> AveragePooling3D(2)(np.ones((2, 4, 8, 8, 4))).shape
        (2, 2, 4, 4, 4)
    """

    rank = 3


class AdaptivePooling(SpatialLayer):
    """Base of layers whose windows follow from the size of the output."""

    _stateless = True
    reduce: ClassVar[Callable[..., Value]]

    def __init__(self, output_size: int | Sequence[int], data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.output_size = lengths(f"layer '{self.name}'", "output_size", output_size, self.rank)

    def compute(self, x: Value) -> Value:
        return type(self).reduce(as_float(x), self.output_size, "channels_last")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": self.output_size}


class AdaptiveAveragePooling1D(AdaptivePooling):
    """Means of ``output_size`` windows of a sequence, which may overlap and differ in size by one.

    Example:
        >>> import numpy as np
        >>> np.asarray(AdaptiveAveragePooling1D(2)(np.arange(5.0)[None, :, None]))[0, :, 0]
        array([1., 3.], dtype=float32)
    """

    rank = 1
    reduce = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling2D(AdaptivePooling):
    """Means of windows of an image, ``output_size`` (one number or (height, width)) of them.

    Example:
        >>> import numpy as np
        >>> AdaptiveAveragePooling2D((2, 3))(np.ones((2, 7, 7, 4))).shape
        (2, 2, 3, 4)
    """

    rank = 2
    reduce = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling3D(AdaptivePooling):
    """Means of windows of a volume, ``output_size`` (one number or (depth, height, width)) of them.

    Example:
        >>> import numpy as np
        >>> AdaptiveAveragePooling3D(2)(np.ones((2, 3, 4, 5, 4))).shape
        (2, 2, 2, 2, 4)
    """

    rank = 3
    reduce = staticmethod(ops.adaptive_average_pool)


class AdaptiveMaxPooling1D(AdaptivePooling):
    """Maxima of ``output_size`` windows of a sequence, which may overlap and differ in size by one.

    Example:
        >>> import numpy as np
        >>> np.asarray(AdaptiveMaxPooling1D(2)(np.arange(5.0)[None, :, None]))[0, :, 0]
        array([2., 4.], dtype=float32)
    """

    rank = 1
    reduce = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling2D(AdaptivePooling):
    """Maxima of windows of an image, ``output_size`` (one number or (height, width)) of them.

    Example:
        >>> import numpy as np
        >>> AdaptiveMaxPooling2D((2, 3))(np.ones((2, 7, 7, 4))).shape
        (2, 2, 3, 4)
    """

    rank = 2
    reduce = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling3D(AdaptivePooling):
    """Maxima of windows of a volume, ``output_size`` (one number or (depth, height, width)) of them.

    Example:
        >>> import numpy as np
        >>> AdaptiveMaxPooling3D(2)(np.ones((2, 3, 4, 5, 4))).shape
        (2, 2, 2, 2, 4)
    """

    rank = 3
    reduce = staticmethod(ops.adaptive_max_pool)
