"""Layers that move or repeat the numbers of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import positive_int
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer


class Permute(Layer):
    """A sample's axes in another order.

    Args:
        dims: which axis comes first, second, ...; counted from 1, the batch axis stays.

    Example:
        >>> import numpy as np
        >>> Permute((2, 1))(np.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    _stateless = True

    def __init__(self, dims: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"layer '{self.name}': dims must be an order of 1..{len(self.dims)} (the batch axis is not counted), "
                f"received {dims!r}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, x: Value) -> Value:
        return ops.transpose(x, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """A vector ``n`` times: ``(batch, features)`` -> ``(batch, n, features)``.

    Example:
        >>> import numpy as np
        >>> RepeatVector(3)(np.ones((2, 4))).shape
        (2, 3, 4)
    """

    _stateless = True

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = positive_int(f"layer '{self.name}'", "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, x: Value) -> Value:
        rows, features = x.shape
        return ops.broadcast_to(ops.reshape(x, (rows, 1, features)), (rows, self.n, features))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
