"""Dropout of whole feature maps."""

from __future__ import annotations

from typing import Any, ClassVar

from pynn.layers.arguments import choice
from pynn.layers.dropout import Dropout
from pynn.layers.input_spec import InputSpec


class SpatialDropout(Dropout):
    """Base: one decision for all positions of a channel."""

    #: Axes between batch and channels.
    rank: ClassVar[int]

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if getattr(self, "data_format", "channels_last") == "channels_first":
            return (*shape[:2], *[1] * self.rank)
        return (shape[0], *[1] * self.rank, shape[-1])

    def get_config(self) -> dict[str, Any]:
        # Keras's constructor takes these and no others, and its config says the dtype in one word.
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class SpatialDropout1D(SpatialDropout):
    """Drops whole features of sequences ``(batch, steps, features)``; else like :class:`~pynn.layers.Dropout`.

    Args:
        rate: fraction to drop, from 0 to 1.
        seed: for the same numbers in every run.

    Example:
        >>> import numpy as np
        >>> y = SpatialDropout1D(0.5, seed=1)(np.ones((1, 3, 20)), training=True)
        >>> bool((y == y[:, :1]).all())
        True
    """

    rank = 1


class _SpatialDropoutOfImages(SpatialDropout):
    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        from pynn import config

        super().__init__(rate, seed, name, dtype, **kwargs)
        self.data_format = choice(
            f"layer '{self.name}'",
            "data_format",
            data_format or config.image_data_format(),
            ("channels_last", "channels_first"),
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout2D(_SpatialDropoutOfImages):
    """Drops whole channels of images; else like :class:`~pynn.layers.Dropout`.

    Args:
        rate: fraction to drop, from 0 to 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: for the same numbers in every run.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.SpatialDropout2D(0.5)(np.ones((1, 4, 4, 3)), training=True).shape
        (1, 4, 4, 3)
    """

    rank = 2


class SpatialDropout3D(_SpatialDropoutOfImages):
    """Drops whole channels of volumes; else like :class:`SpatialDropout2D`.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.SpatialDropout3D(0.5)(np.ones((1, 2, 4, 4, 3)), training=True).shape
        (1, 2, 4, 4, 3)
    """

    rank = 3
