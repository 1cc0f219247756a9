"""A function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pynn.errors import ArgumentError
from pynn.layers.layer import Layer
from pynn.saving.serialization import deserialize_keras_object, serialize_keras_object


class Lambda(Layer):
    """A function, written with operators and ``pynn.ops``, as a layer.

    Args:
        function: of the input (or the list or dictionary of inputs); it may take arguments ``training`` and ``mask``.
        output_shape: not needed, as shapes are found by tracing; it is kept for ``get_config``.
        mask: the output's mask, or a function of the inputs and their masks that gives it.
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
        if not callable(function):
            raise ArgumentError(f"layer '{self.name}': function must be a function of the input, received {function!r}")
        self.function = function
        if not isinstance(arguments, Mapping | None):
            raise ArgumentError(f"layer '{self.name}': arguments must be a dictionary, received {arguments!r}")
        if mask is not None and not callable(mask) and not hasattr(mask, "shape"):
            raise ArgumentError(f"layer '{self.name}': mask must be a function, an array or None, received {mask!r}")
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        taken = inspect.signature(function).parameters
        self._takes = [name for name in ("training", "mask") if name in taken and name not in self.arguments]

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        offered = {"training": training, "mask": mask}
        return self.function(inputs, **{name: offered[name] for name in self._takes}, **self.arguments)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """What ``mask`` says."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """As Keras's: functions by name, lambdas as code, which is read with ``safe_mode=False`` only."""
        config = {**super().get_config(), "function": serialize_keras_object(self.function)}
        if self._output_shape is not None:
            config["output_shape"] = _serialized(self._output_shape)
        if self.mask is not None:
            config["mask"] = serialize_keras_object(self.mask)
        config["arguments"] = serialize_keras_object(self.arguments)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        functions = ("function", "output_shape", "mask", "arguments")
        made = {name: deserialize_keras_object(config[name]) for name in functions if config.get(name) is not None}
        return cls(**{**config, **made})


def _serialized(shape: Any) -> Any:
    return serialize_keras_object(shape) if callable(shape) else shape
