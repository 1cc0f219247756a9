"""A function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pynn.errors import ArgumentError
from pynn.layers.layer import Layer, refuse_unsupported


class Lambda(Layer):
    """A function, written with operators and ``pynn.ops``, as a layer.

    Args:
        function: of the input (or the list or dictionary of inputs); it may take an argument ``training``.
        output_shape: not needed, as shapes are found by tracing; accepted for compatibility.
        arguments: further arguments for ``function``, by name.

    A layer with weights needs a class of its own: see :class:`~pynn.Layer`.

    Raises:
        ArgumentError: ``function`` is not a function.

    Example:
        >>> import numpy as np
        >>> Lambda(lambda x: x * 2.0)(np.ones((1, 3)))
        array([[2., 2., 2.]], dtype=float32)
    """

    _stateless = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        refuse_unsupported(where, mask=mask)
        if not callable(function):
            raise ArgumentError(f"{where}: function must be a function of the input, received {function!r}")
        self.function = function
        self.arguments = dict(arguments or {})
        self._takes_training = "training" in inspect.signature(function).parameters

    def call(self, inputs: Any, training: bool = False) -> Any:
        if self._takes_training:
            return self.function(inputs, **{"training": training, **self.arguments})
        return self.function(inputs, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        raise ArgumentError(
            f"layer '{self.name}': a function cannot be written into a config; "
            "write a subclass of Layer with the function as its call()"
        )
