"""Numbers as the numbers of the bins that they lie in."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, NotBuiltError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.arguments import choice, positive_int
from pynn.layers.category_encoding import encoded
from pynn.layers.layer import Layer

_MODES = ("int", "one_hot", "multi_hot", "count")


class Discretization(Layer):
    """Which bin each number lies in: bin 0 below the first boundary, and so on; a boundary belongs to the bin above.

    Args:
        bin_boundaries: rising numbers.
        num_bins: how many bins of about equally many numbers :meth:`adapt` shall make, instead.
        epsilon: how precisely, as a fraction of the data; smaller takes more memory.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``, as in ``CategoryEncoding``.
        sparse: not supported.

    Example:
        >>> Discretization([0.0, 1.0])(np.array([[-1.5, 0.0], [0.5, 3.4]]))
        array([[0, 1],
               [1, 2]], dtype=int32)
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, dtype=None if output_mode == "int" else dtype, **kwargs)
        where = f"layer '{self.name}'"
        if (bin_boundaries is None) == (num_bins is None):
            raise ArgumentError(
                f"{where}: give bin_boundaries or num_bins, one of them, received {bin_boundaries!r} and {num_bins!r}"
            )
        self.num_bins = None if num_bins is None else positive_int(where, "num_bins", num_bins)
        if not isinstance(bin_boundaries, list | tuple | np.ndarray | None):
            raise ArgumentError(f"{where}: bin_boundaries must be a list, received {bin_boundaries!r}")
        if any(isinstance(b, list | tuple) or np.ndim(b) for b in (() if bin_boundaries is None else bin_boundaries)):
            raise ArgumentError(f"{where}: bin_boundaries must be a list of numbers, received {bin_boundaries!r}")
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        if self.bin_boundaries and sorted(self.bin_boundaries) != self.bin_boundaries:
            raise ArgumentError(f"{where}: bin_boundaries must rise, received {bin_boundaries!r}")
        if not 0 < epsilon < 1:
            raise ArgumentError(f"{where}: epsilon must lie between 0 and 1, received {epsilon!r}")
        self.epsilon = epsilon
        self.output_mode = choice(where, "output_mode", output_mode, _MODES)
        if sparse:
            raise ArgumentError(f"{where}: sparse=True is not supported; the rows are dense arrays")
        self.sparse = False
        self.reset_state()

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find the boundaries in an array, or in a data set or another iterable of batches.

        Args:
            steps: batches to read, if not all.
        """
        self.reset_state()
        batches = [data] if isinstance(data, np.ndarray) or hasattr(data, "to_numpy") else data
        for number, batch in enumerate(batches):
            if steps is not None and number >= steps:
                break
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data seen so far."""
        self._kept_values, self._kept_weights = np.empty(0), np.empty(0)

    def update_state(self, data: Any) -> None:
        """Look at a batch: what is kept of it are about ``1 / epsilon`` of its numbers, in order, with weights."""
        if self.num_bins is None:
            raise ArgumentError(
                f"layer '{self.name}': cannot adapt a layer that was given bin_boundaries; give num_bins instead"
            )
        values = np.sort(np.asarray(data, "float32").reshape(-1))
        step = max(len(values) * self.epsilon, 1)
        kept = values[int(step - 1) :: int(step)]
        values = np.concatenate([kept, self._kept_values])
        weights = np.concatenate([np.full(len(kept), step), self._kept_weights])
        order = np.argsort(values, kind="stable")
        self._kept_values, self._kept_weights = _compressed(values[order], weights[order], self.epsilon)

    def finalize_state(self) -> None:
        """Make the boundaries of the data seen."""
        if self.num_bins is None or not len(self._kept_values):
            return
        found = _compressed(self._kept_values, self._kept_weights, 1.0 / self.num_bins)[0][:-1]
        self.bin_boundaries = found.astype("float32").tolist()

    def call(self, x: Value) -> Value:
        if self.bin_boundaries is None:
            raise NotBuiltError(f"layer '{self.name}': has no boundaries yet; call adapt() with data first")
        boundaries = as_value(np.asarray(self.bin_boundaries, "float32"))
        above = ops.greater_equal(ops.expand_dims(ops.cast(x, "float32"), -1), boundaries)
        numbers = ops.sum(ops.cast(above, "float32"), axis=-1)
        if self.output_mode == "int":
            return ops.cast(numbers, "int32")
        return encoded(numbers, self.output_mode, len(self.bin_boundaries) + 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Discretization:
        config = dict(config)
        learned = config.pop("bin_boundaries") if config.get("num_bins") is not None else None
        layer = cls(**config)
        if learned is not None:
            layer.bin_boundaries = list(learned)
        return layer


def _compressed(values: np.ndarray, weights: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Sorted values with weights as fewer ones, ``epsilon`` of the whole weight apart."""
    if len(values) * epsilon < 1:
        return values, weights
    at = epsilon + np.arange(0.0, 1.0, epsilon)
    total = weights.cumsum()
    share = total / total[-1]
    return np.interp(at, share, values), np.diff(np.interp(at, share, total), prepend=0)
