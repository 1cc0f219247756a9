"""California housing: 8 numbers about each of 20,640 districts in 1990, and the median price of a house in dollars."""

from __future__ import annotations

from typing import Any

from pynn.datasets._npz import KerasFile, split_table
from pynn.errors import ArgumentError

__all__ = ["load_data"]

_TABLE = KerasFile(
    "California housing", "california_housing.npz", "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
)


def load_data(
    version: str = "large", path: Any = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Any:
    """Load the table: longitude, latitude, age, rooms, bedrooms, population, households, income.

    Args:
        version: ``"large"``, all districts, or ``"small"``, 600 of them.
        path: an absolute path to read, or the name of the file in the usual places.
        test_split: the fraction that is for testing.
        seed: of the order.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: float32.
    """
    if version not in ("large", "small"):
        raise ArgumentError(f"load_data: version must be 'large' or 'small', received {version!r}")
    return split_table(_TABLE, path, test_split, seed, 600 if version == "small" else None)
