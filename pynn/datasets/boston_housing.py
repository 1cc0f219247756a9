"""Boston housing: 13 numbers about each of 506 suburbs in the 1970s, and the median price of a house in 1,000 dollars.

One of the 13 columns is built on race; the table is kept for old courses, and ``california_housing`` is the better one.
"""

from __future__ import annotations

from typing import Any

from pynn.datasets._npz import KerasFile, split_table

__all__ = ["load_data"]

_TABLE = KerasFile(
    "Boston housing", "boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
)


def load_data(path: Any = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Any:
    """Load the table.

    Args:
        path: an absolute path to read, or the name of the file in the usual places.
        test_split: the fraction that is for testing.
        seed: of the order.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: float64 ``(404, 13)``, ``(404,)``, ``(102, 13)``, ``(102,)``.
    """
    return split_table(_TABLE, path, test_split, seed)
