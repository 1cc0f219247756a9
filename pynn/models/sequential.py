"""A model that is a plain stack of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, NotBuiltError
from pynn.graph.symbolic import KerasTensor
from pynn.layers.input_layer import Input, InputLayer
from pynn.layers.layer import Layer
from pynn.models.call_graph import CallGraph
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
        #: The input, and what each layer gave.
        self._chain: list[KerasTensor] = []
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

    @property
    def operations(self) -> list[Any]:
        return self.layers

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Raises:
            ArgumentError: not a layer, an input declaration after other layers, or a name used twice.
        """
        if isinstance(layer, KerasTensor) and isinstance(layer.call.operation, InputLayer):
            layer = layer.call.operation
        if isinstance(layer, InputLayer):
            if self._stack or self._chain:
                raise ArgumentError(
                    f"model '{self.name}': an Input can only come first; it already has "
                    f"{len(self._stack)} layers{' and an input shape' if self._chain else ''}"
                )
            self._chain = [layer.output]
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
        if not self._stack and not self._chain and layer._legacy_input_shape is not None:
            self._chain = [Input(batch_shape=layer._legacy_input_shape)]
        self._stack.append(layer)
        if rebuild:
            self._changed()
            self._maybe_build()

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer."""
        if not self._stack:
            raise ArgumentError(f"model '{self.name}': there is no layer to remove")
        layer = self._stack.pop()
        del self._chain[len(self._stack) + 1 :]
        if rebuild:
            self._changed()
            self._maybe_build()
        return layer

    def _changed(self) -> None:
        self.built = False
        self._graph = self._inputs = self._outputs = self.output_shape = None
        self._signature = None
        self._programs.clear()

    def _maybe_build(self) -> None:
        if self._stack and self._chain:
            self.build()

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Create all weights for inputs of ``input_shape`` (with the batch axis first, usually None)."""
        if input_shape is not None and (not self._chain or tuple(input_shape) != self._chain[0].shape):
            self._chain = [Input(batch_shape=input_shape)]
        if not self._chain:
            raise NotBuiltError(
                f"model '{self.name}' cannot be built yet: its input shape is unknown; start it with "
                "Input(shape), call build(input_shape), or fit it"
            )
        if not self._stack:
            raise NotBuiltError(f"model '{self.name}' has no layers to build: add() some first")
        for layer in self._stack[len(self._chain) - 1 :]:
            self._chain.append(layer(self._chain[-1]))
        self._set_graph(CallGraph(self._chain[0], self._chain[-1], self.name))

    def __len__(self) -> int:
        return len(self._stack)

    def get_config(self) -> dict[str, Any]:
        from pynn.saving.serialization import serialize_keras_object

        start = [self._chain[0].call.operation] if self._chain else []
        config = {
            **Layer.get_config(self),
            "layers": [serialize_keras_object(layer) for layer in (*start, *self._stack)],
        }
        return {**config, "build_input_shape": self._chain[0].shape} if self._chain else config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        from pynn.saving.legacy_config import deserialize_legacy
        from pynn.saving.serialization import DeserializationError, deserialize_keras_object

        if not isinstance(config.get("layers"), list | tuple):
            raise DeserializationError(f"the config of a Sequential needs a list 'layers'; it has {list(config)}")
        model = cls(name=config.get("name"))
        for entry in config["layers"]:
            legacy = isinstance(entry, Mapping) and "module" not in entry
            model.add(
                (deserialize_legacy if legacy else deserialize_keras_object)(entry, custom_objects), rebuild=False
            )
        shape = config.get("build_input_shape")
        if shape and not model._chain:
            model.build(tuple(shape))
        model._maybe_build()
        return model

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.built:
            self.build((None, *np.shape(x)[1:]) if not hasattr(x, "shape") else (None, *x.shape[1:]))
        return super().__call__(x, *args, **kwargs)
