"""Inputs with mean 0 and variance 1, as data say that they should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float

Shape = Sequence[int | None]

#: Keras's epsilon: below it a deviation counts as that much.
_LEAST = 1e-7


class Normalization(Layer):
    """``(x - mean) / sqrt(variance)``, with the mean and variance that :meth:`adapt` finds in data, or given ones.

    Args:
        axis: axes that have a mean for each place; all others share it.  -1, the default: one for each feature.
            None: one for all.
        mean, variance: given instead of :meth:`adapt`; numbers, or as many as there are places.
        invert: compute ``x * sqrt(variance) + mean`` instead.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt(np.array([[0.0, 7.0], [2.0, 9.0]], "float32"))
        >>> layer(np.array([[1.0, 9.0]], "float32"))
        array([[0., 1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.axis = () if axis is None else (int(axis),) if isinstance(axis, int) else tuple(int(a) for a in axis)
        if (mean is None) != (variance is None):
            raise ArgumentError(f"{where}: mean and variance must be given together")
        self.input_mean = mean.tolist() if isinstance(mean, np.ndarray | np.generic) else mean
        self.input_variance = variance.tolist() if isinstance(variance, np.ndarray | np.generic) else variance
        if np.shape(mean) != np.shape(variance) or (mean is not None and np.ndim(mean) > len(self.axis)):
            raise ShapeError(
                f"{where}: mean and variance must have one shape of at most {len(self.axis)} axes (the axes of "
                f"axis={self.axis}), received {np.shape(mean)} and {np.shape(variance)}"
            )
        self.invert = bool(invert)

    def build(self, input_shape: Shape) -> None:
        where, rank = f"layer '{self.name}'", len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ShapeError(f"{where}: axis={self.axis} is outside of an input of shape {tuple(input_shape)}")
        self._kept = tuple(sorted(a % rank for a in self.axis))
        if any(input_shape[a] is None for a in self._kept):
            raise ShapeError(
                f"{where}: the length of the axes {self._kept} must be known, received {tuple(input_shape)}"
            )
        shape = tuple(int(input_shape[a] or 0) for a in self._kept)
        self._shape = shape
        self._broadcast = tuple(int(input_shape[a] or 0) if a in self._kept else 1 for a in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
        self.built = True

    @property
    def mean(self) -> Any:
        """The mean, in a shape that goes with inputs; None before the layer knows it."""
        return self._numbers("mean")

    @property
    def variance(self) -> Any:
        """The variance, in a shape that goes with inputs; None before the layer knows it."""
        return self._numbers("variance")

    def _numbers(self, kind: str) -> Any:
        if not self.built:
            return None
        given = self.input_mean if kind == "mean" else self.input_variance
        if given is None:
            return getattr(self, f"adapt_{kind}").numpy().reshape(self._broadcast)
        return np.broadcast_to(np.asarray(given, "float32"), self._shape).reshape(self._broadcast)

    def adapt(self, data: Any) -> None:
        """Find the mean and variance of data, in place of those found before.

        Args:
            data: an array; or a data set, a PyDataset or another iterable of batches ``x`` or ``(x, ...)``.

        Raises:
            ShapeError: it does not fit the shape that the layer was built for.
        """
        where = f"layer '{self.name}': adapt()"
        if self.input_mean is not None:
            raise ArgumentError(f"{where}: the layer was given its mean and variance")
        total: Any = None
        for batch in _batches(data, where):
            if not self.built:
                self.build_from_shape(batch.shape)
            if len(batch.shape) != len(self._broadcast) or any(
                batch.shape[a] != self._broadcast[a] for a in self._kept
            ):
                raise ShapeError(f"{where}: the layer expects {self._shape} at axes {self._kept}, got {batch.shape}")
            axes = tuple(a for a in range(batch.ndim) if a not in self._kept)
            x = batch.astype("float64")
            now = int(np.prod([batch.shape[a] for a in axes], dtype=int)), x.mean(axes), x.var(axes)
            total = now if total is None else _together(total, now)
        if total is None:
            raise ArgumentError(f"{where}: there is no data")
        self.adapt_mean.assign(total[1].astype("float32"))
        self.adapt_variance.assign(total[2].astype("float32"))

    def call(self, x: Value) -> Value:
        x = as_float(x)
        if self.input_mean is None:
            mean = ops.reshape(as_value(self.adapt_mean), self._broadcast)
            variance = ops.reshape(as_value(self.adapt_variance), self._broadcast)
        else:
            mean, variance = as_value(self.mean, x.dtype), as_value(self.variance, x.dtype)
        deviation = ops.maximum(ops.sqrt(variance), _LEAST)
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": self.input_mean,
            "variance": self.input_variance,
        }


def _batches(data: Any, where: str) -> Iterator[np.ndarray]:
    if isinstance(data, np.ndarray) or hasattr(data, "to_numpy") or hasattr(data, "__array__"):
        yield _numeric(data, where)
        return
    if not hasattr(data, "__iter__"):
        raise TypeError(f"{where}: expected an array or batches, received {type(data).__name__}")
    for batch in data:
        x = batch[0] if isinstance(batch, tuple | list) else batch
        if not hasattr(x, "shape"):
            raise TypeError(f"{where}: expected batches that are arrays, received {type(x).__name__}; use numpy.array")
        array = _numeric(x, where)
        # Single numbers, not batches of them: features are on the last axis.
        yield array[:, None] if array.ndim == 1 and not isinstance(data, list) else array


def _numeric(x: Any, where: str) -> np.ndarray:
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"{where}: expected numbers, received dtype {array.dtype}")
    return array


def _together(a: tuple[int, Any, Any], b: tuple[int, Any, Any]) -> tuple[int, Any, Any]:
    """Count, mean and variance of both (Chan, Golub and LeVeque 1979)."""
    n = a[0] + b[0]
    difference = b[1] - a[1]
    mean = a[1] + difference * (b[0] / n)
    return n, mean, (a[0] * a[2] + b[0] * b[2] + difference**2 * (a[0] * b[0] / n)) / n
