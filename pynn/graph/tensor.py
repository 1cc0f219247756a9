"""What layers, ops and ``predict`` give outside a trace: a NumPy array that also answers to ``.numpy()``."""

from __future__ import annotations

from typing import Any

import numpy as np


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

    def __repr__(self) -> str:
        return repr(self.numpy())
