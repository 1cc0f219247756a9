"""What ``result`` of a metric computes with, on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.graph.tensor import Tensor


def divide_no_nan(a: Any, b: Any) -> Any:
    """``a / b``, and 0 where ``b`` is 0."""
    if np.ndim(b) == 0:
        return a / b if b else 0.0 * a
    return np.divide(a, b, out=np.zeros(np.shape(b), "float32"), where=np.not_equal(b, 0))


def as_result(x: Any) -> Tensor:
    """Numbers as a float32 tensor."""
    return np.array(x, "float32").view(Tensor)


def as_number(result: Any) -> Any:
    """A result for logs: Python's own number if it has no axes; of each entry of a dictionary."""
    if isinstance(result, dict):
        return {name: as_number(item) for name, item in result.items()}
    return result.item() if isinstance(result, np.ndarray | np.generic) and np.ndim(result) == 0 else result
