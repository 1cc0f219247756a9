"""What layers, ops and ``predict`` give outside a trace: a NumPy array that also answers to ``.numpy()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn.graph import trace


class Tensor(np.ndarray):
    """A NumPy array with the one method that Keras scripts call on results.

    Results of arithmetic stay tensors, those without axes included, so that ``loss.numpy()`` works wherever the number
    came from.

    Example:
        >>> from pynn import ops
        >>> total = ops.sum([1.0, 2.0])
        >>> total.numpy()
        array(3., dtype=float32)
        >>> bool((total / 2).numpy() == 1.5)
        True
    """

    #: Which steps count (``layers/masks.py``); on results of layers only, as in Keras.
    _keras_mask: Any = None

    def numpy(self) -> np.ndarray:
        """The same memory as a plain NumPy array."""
        return self.view(np.ndarray)

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        return array.view(Tensor)

    def __round__(self, ndigits: int | None = None) -> Any:
        return np.round(self.numpy(), ndigits or 0).view(Tensor)

    def __repr__(self) -> str:
        return repr(self.numpy())


def _operator(method: str, name: str, swapped: bool) -> Callable[..., Any]:
    plain = getattr(np.ndarray, method)

    def operator(self: Tensor, *others: Any) -> Any:
        if not trace.watches():
            return plain(self, *others)
        from pynn import ops

        return getattr(ops, name)(*others, self) if swapped else getattr(ops, name)(self, *others)

    operator.__name__ = method
    return operator


def _record_operators() -> None:
    """While a gradient tape watches tensors, Python's operators on them are ops; else they stay NumPy's."""
    two = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power", "matmul": "matmul"}
    for method, name in two.items():
        setattr(Tensor, f"__{method}__", _operator(f"__{method}__", name, swapped=False))
        setattr(Tensor, f"__r{method}__", _operator(f"__r{method}__", name, swapped=True))
        # x += 1 must not change the numbers that a tape remembers.
        setattr(Tensor, f"__i{method}__", _operator(f"__i{method}__", name, swapped=False))
    for method, name in {"neg": "negative", "abs": "absolute", "getitem": "get_item"}.items():
        setattr(Tensor, f"__{method}__", _operator(f"__{method}__", name, swapped=False))


_record_operators()
