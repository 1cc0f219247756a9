"""Strings and numbers to a fixed number of bins, without a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.layers.arguments import choice, positive_int
from pynn.layers.host_layer import HostLayer, encode_indices, string_array
from pynn.utils.hashing import cross_bucket, hash_buckets, salt_pair

_MODES = ("int", "one_hot", "multi_hot", "count")


def _texts(where: str, x: Any) -> np.ndarray:
    """Strings, and numbers as strings; floats lose what is behind the point."""
    array = np.asarray(x)
    if array.dtype.kind in "iufb":
        return array.astype("int64").astype(str)
    return string_array(where, x)


def _bins(texts: np.ndarray, bins: int, salt: list[int] | None) -> np.ndarray:
    unique, places = np.unique(texts, return_inverse=True)
    return hash_buckets(unique.tolist(), bins, salt)[places].reshape(texts.shape)


class Hashing(HostLayer):
    """The hash of each string or number, as a number from 0 to ``num_bins - 1``.

    Args:
        num_bins: how many.
        mask_value: what becomes 0; all others start at 1 then.
        salt: one or two integers for another hash (SipHash; without it FarmHash).
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        sparse: not supported.

    Example:
        >>> Hashing(num_bins=3)([["A"], ["B"], ["C"]]).tolist()
        [[1], [0], [1]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ):
        kwargs.pop("dtype", None)  # of configs: the output's kind follows from output_mode
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.num_bins = positive_int(where, "num_bins", num_bins)
        self.mask_value = mask_value
        self.salt = salt_pair(where, salt)
        self.output_mode = choice(where, "output_mode", output_mode, _MODES)
        if sparse:
            raise ArgumentError(f"{where}: sparse=True is not supported; the rows are dense arrays")
        self.sparse = False

    def call(self, x: Any) -> np.ndarray:
        texts = _texts(f"layer '{self.name}'", x)
        masks = self.mask_value is not None and self.num_bins > 1
        numbers = _bins(texts, self.num_bins - masks, self.salt)
        if masks:
            numbers = np.where(texts == str(self.mask_value), 0, numbers + 1)
        return numbers if self.output_mode == "int" else encode_indices(numbers, self.output_mode, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }


class HashedCrossing(HostLayer):
    """The hash of several features together, for pairs and triples that mean something only together.

    Args:
        num_bins: how many numbers.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: not supported.

    Shapes:
        a list of arrays ``(n,)`` or ``(n, 1)`` -> the same shape, or ``(n, num_bins)``.

    Example:
        >>> HashedCrossing(num_bins=5)((["A", "B", "A"], [101, 101, 101])).tolist()
        [1, 4, 1]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        where = f"layer '{self.name}'"
        self.num_bins = positive_int(where, "num_bins", num_bins)
        self.output_mode = choice(where, "output_mode", output_mode, ("int", "one_hot"))
        if sparse:
            raise ArgumentError(f"{where}: sparse=True is not supported; the rows are dense arrays")
        self.sparse = False

    def call(self, x: Any) -> np.ndarray:
        where = f"layer '{self.name}'"
        if not isinstance(x, list | tuple) or len(x) < 2:
            raise ArgumentError(f"{where}: expected a list of at least two features, received {type(x).__name__}")
        columns = [np.asarray(column) for column in x]
        if any(column.dtype.kind == "f" for column in columns):
            raise DtypeError(f"{where}: expected strings or whole numbers, received floats")
        if len({column.shape for column in columns}) > 1:
            raise ShapeError(f"{where}: features must have one shape, received {[c.shape for c in columns]}")
        columns = [column if column.dtype.kind in "iub" else string_array(where, column) for column in columns]
        rows = zip(*(column.reshape(-1).tolist() for column in columns), strict=True)
        numbers = np.array([cross_bucket(row, self.num_bins) for row in rows], "int64").reshape(columns[0].shape)
        return numbers if self.output_mode == "int" else encode_indices(numbers, "one_hot", self.num_bins)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }
