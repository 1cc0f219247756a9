"""What products and convolutions do to their result when the fuse pass has given them an activation."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn.reference.activations import sigmoid

_ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda y: np.maximum(y, 0),
    "relu6": lambda y: np.clip(y, 0, 6),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}


def finish(y, bias, activation):
    if bias is not None:
        y = y + bias
    return y if activation == "linear" else _ACTIVATIONS[activation](y)
