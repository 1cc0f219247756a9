"""A model that is a plain stack of layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, NotBuiltError
from pynn.graph.ir import Value
from pynn.layers.input_layer import InputLayer
from pynn.layers.layer import Layer
from pynn.models.model import Model


class Sequential(Model):
    """Layers one after the other, each with one input and one output.

    Args:
        layers: layers in order; the first may be an :func:`~pynn.layers.Input`.  Without an input shape the model
            is built when it first sees data.
        name: the model's name.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> model = Sequential([layers.Input((3,)), layers.Dense(2, kernel_initializer="ones")])
        >>> model.predict(np.ones((1, 3), "float32"), verbose=0)
        array([[3., 3.]], dtype=float32)
    """

    def __init__(self, layers: Sequence[Any] | None = None, *, trainable: bool = True, name: str | None = None):
        super().__init__(name=name, trainable=trainable)
        self._stack: list[Layer] = []
        self._declared_shape: tuple[int | None, ...] | None = None
        if isinstance(layers, Layer) or not isinstance(layers, (Iterable, type(None))):
            raise ArgumentError(
                f"Sequential: layers must be a list of layers, received {layers!r}; write Sequential([...])"
            )
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_build()

    @property
    def layers(self) -> list[Layer]:
        """The layers without the input declaration."""
        return list(self._stack)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise ArgumentError(f"model '{self.name}': `layers` is read-only; use add() and pop()")

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Raises:
            ArgumentError: not a layer, an input declaration after other layers, or a name used twice.
        """
        if isinstance(layer, InputLayer):
            if self._stack or self._declared_shape is not None:
                raise ArgumentError(
                    f"model '{self.name}': an Input can only come first; it already has "
                    f"{len(self._stack)} layers{'' if self._declared_shape is None else ' and an input shape'}"
                )
            self._declared_shape = tuple(layer.batch_shape)
            return
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"model '{self.name}': expected a layer, received {layer!r} ({type(layer).__name__})"
                + ("; did you forget the parentheses?" if isinstance(layer, type) else "")
            )
        if any(other.name == layer.name for other in self._stack):
            raise ArgumentError(
                f"model '{self.name}': all layers need different names; two are called '{layer.name}': "
                "give one a name= of its own"
            )
        if not self._stack and self._declared_shape is None:
            self._declared_shape = getattr(layer, "_legacy_input_shape", None)
        self._stack.append(layer)
        if rebuild:
            self._changed()
            self._maybe_build()

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer."""
        if not self._stack:
            raise ArgumentError(f"model '{self.name}': there is no layer to remove")
        layer = self._stack.pop()
        if rebuild:
            self._changed()
            self._maybe_build()
        return layer

    def _changed(self) -> None:
        self.built = False
        self._signature = None
        self._programs.clear()

    def _maybe_build(self) -> None:
        if self._stack and self._declared_shape is not None:
            self.build(self._declared_shape)

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Create all weights for inputs of ``input_shape`` (with the batch axis first, usually None)."""
        shape = tuple(input_shape) if input_shape is not None else self._declared_shape
        if shape is None:
            raise NotBuiltError(
                f"model '{self.name}' cannot be built yet: its input shape is unknown; start it with "
                "Input(shape), call build(input_shape), or fit it"
            )
        if not self._stack:
            raise NotBuiltError(f"model '{self.name}' has no layers to build: add() some first")
        self._input_shape = shape
        for layer in self._stack:
            if not layer.built:
                layer.build_from_shape(shape)
            shape = layer.output_shape = tuple(layer.compute_output_shape(shape))
        self.output_shape = shape
        self.built = True

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the input, batch axis included."""
        if self._input_shape is None:
            raise NotBuiltError(f"model '{self.name}' has no input shape yet: it was not built")
        return self._input_shape

    def call(self, x: Value, training: bool = False) -> Value:
        for layer in self._stack:
            x = layer(x, training=training)
        return x

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        shape = tuple(input_shape)
        for layer in self._stack:
            shape = tuple(layer.compute_output_shape(shape))
        return shape

    def __len__(self) -> int:
        return len(self._stack)

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"

    def __call__(self, x: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        if not self.built:
            shape = x.shape if isinstance(x, (Value, np.ndarray)) else np.shape(x)
            self.build((None, *shape[1:]))
        return super().__call__(x, *args, training=training, **kwargs)
