"""The base of all models: a layer made of layers, with weights, training and prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pynn.errors import ArgumentError, NotBuiltError
from pynn.graph.variable import Variable
from pynn.layers.layer import Layer, freezes
from pynn.models.trainer import Trainer


class Model(Trainer, Layer):
    """Layers put together.  Build one with :class:`~pynn.Sequential`.

    What it does is documented on the methods: ``compile``, ``fit``, ``evaluate``, ``predict``, ``summary``,
    ``save_weights``, ``load_weights``.
    """

    output_shape: Any

    def __init__(self, *, name: str | None = None, trainable: bool = True, **kwargs: Any):
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._input_shape: tuple[int | None, ...] | None = None
        self._signature: tuple[int, tuple[bool, ...]] | None = None
        self._init_trainer()

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return []

    @property
    def weights(self) -> list[Variable]:
        """All layers' weights, layer by layer."""
        return [w for layer in self.layers for w in layer.weights]

    @property
    def variables(self) -> list[Variable]:
        """Weights, and state that is not a weight (seed generators)."""
        return [v for layer in self.layers for v in layer.variables]

    @property
    def trainable_weights(self) -> list[Variable]:
        return [w for layer in self.layers for w in layer.trainable_weights] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        if self.trainable:
            return [w for layer in self.layers for w in layer.non_trainable_weights]
        return self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    def _trainable_signature(self) -> tuple[bool, ...]:
        """Which layers, at any depth, learn: part of a program's cache key.

        Walking through all layers takes longer than a small step, so it is done again only after some layer was
        frozen or unfrozen.
        """
        if self._signature is None or self._signature[0] != freezes():
            self._signature = (freezes(), tuple(layer.trainable for layer in self._flatten_layers()))
        return self._signature[1]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that index.

        Raises:
            ArgumentError: there is none, or neither or both arguments were given.
        """
        if (name is None) == (index is None):
            raise ArgumentError(f"model '{self.name}': get_layer takes a name or an index, exactly one of them")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ArgumentError(f"model '{self.name}' has {len(self.layers)} layers, there is no number {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise ArgumentError(f"model '{self.name}' has no layer '{name}'; its layers are: {names}")

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            NotBuiltError: the input shape is not known yet, so no weights exist.
        """
        self._require_built("count_params")
        return sum(w.size for w in self.weights)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise NotBuiltError(
                f"model '{self.name}' has no weights yet, so {what} is not possible: give it an input shape "
                "(Input as the first layer, or build(input_shape)) or fit it first"
            )

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the table of layers with their output shapes and numbers of parameters.

        Args:
            line_length: width of the table; the terminal's, at most 80 or so, by default.
            positions: where the columns end, as fractions of the width.
            print_fn: called with each line instead of ``print``.
            show_trainable: add a column that says which layers learn.
            layer_range: names (or patterns) of the first and the last layer to show.
        """
        from pynn.models.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write all weights to a file: ``*.weights.h5`` (Keras's layout, needs h5py) or ``*.npz`` (NumPy only).

        The file appears whole or not at all: it is written beside its place and renamed.
        """
        from pynn.saving.weights import save_weights

        self._require_built("save_weights")
        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Any) -> None:
        """Read weights that :meth:`save_weights` or Keras's own ``save_weights`` wrote.

        Raises:
            ShapeError: the file does not fit the model; nothing is changed.
        """
        from pynn.saving.weights import load_weights

        self._require_built("load_weights")
        load_weights(self, filepath)
