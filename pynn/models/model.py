"""The base of all models: a layer made of layers, with weights, training and prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pynn.errors import ArgumentError, NotBuiltError
from pynn.graph import symbolic
from pynn.graph.symbolic import KerasTensor
from pynn.layers.input_layer import Input
from pynn.layers.layer import Layer, freezes
from pynn.layers.masks import set_masks
from pynn.legacy.generator_methods import GeneratorMethods
from pynn.models.call_graph import CallGraph
from pynn.models.columns import arrange
from pynn.models.saveable import Saveable
from pynn.models.state_trees import StateTrees
from pynn.models.trainer import Trainer
from pynn.utils.structure import flatten, map_structure, pack


class Model(Trainer, StateTrees, Saveable, GeneratorMethods, Layer):
    """Layers put together, trained and used as one.

    Args:
        inputs: one :func:`~pynn.Input` or a list or dictionary of them; symbolic outputs of other models' layers, too.
        outputs: what layers and ops made of them: one symbolic tensor, or a list or dictionary.
        name: the model's name.

    Without ``inputs`` and ``outputs`` it is the base of your own models: a subclass makes its layers in ``__init__``
    and uses them in ``call(self, inputs, training=False)``.  As in Keras 3, training passes ``training=True`` only to a
    ``call`` that has this argument: without it, dropout does nothing and batch normalization uses its moving averages
    in ``fit``, too.  For a plain stack of layers there is :class:`~pynn.Sequential`.

    Raises:
        ArgumentError: inputs or outputs that are not symbolic tensors, or names used twice.
        GraphError: an output needs an input that is not given.

    Example:
        >>> from pynn import Input, layers
        >>> x = Input((8,), name="x")
        >>> h = layers.Dense(8, activation="relu")(x)
        >>> model = Model(x, layers.Dense(2)(h + x))
        >>> model.output_shape, model.count_params()
        ((None, 2), 90)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Model:
        functional = cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs)
        return super().__new__(Functional if functional else cls, *args, **kwargs)

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, *, trainable: bool = True, **kwargs: Any
    ):
        super().__init__(name=name, trainable=trainable, **kwargs)
        #: What the model takes and gives: structures of symbolic tensors, known once it is built.
        self._inputs: Any = None
        self._outputs: Any = None
        self._graph: CallGraph | None = None
        self._signature: tuple[int, tuple[bool, ...]] | None = None
        self._init_trainer()
        if (inputs is None) != (outputs is None):
            missing = "inputs" if inputs is None else "outputs"
            raise ArgumentError(f"model '{self.name}': {missing} are missing; write Model(inputs, outputs)")
        if inputs is not None:
            self._set_graph(CallGraph(inputs, outputs, self.name))

    def _set_graph(self, graph: CallGraph) -> None:
        for tensor in flatten(graph.inputs):
            if tensor.call is None:
                raise ArgumentError(
                    f"model '{self.name}': the input '{tensor.name}' was not made by Input(...); use that instead of "
                    "KerasTensor(...), or make a pynn.Function of it"
                )
        self._graph = graph
        self._set_ends(graph.inputs, graph.outputs)
        self.built = True

    def _set_ends(self, inputs: Any, outputs: Any) -> None:
        self._inputs, self._outputs = inputs, outputs
        self.output_shape = map_structure(lambda t: t.shape, outputs)

    # What it is made of

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside, in the order of their weights; inputs are layers, too."""
        return self._graph.layers if self._graph is not None else super()._sublayers()

    def _sublayers(self) -> list[Layer]:
        return self.layers

    @property
    def operations(self) -> list[Any]:
        """The layers, and the functions of ``pynn.ops`` between them: what ``summary`` lists."""
        return self._graph.operations if self._graph is not None else self.layers

    @property
    def input(self) -> Any:
        """The symbolic input, or the list or dictionary of them."""
        return self._ends("input")[0]

    @property
    def output(self) -> Any:
        """The symbolic output, or the list or dictionary of them."""
        return self._ends("output")[1]

    @property
    def inputs(self) -> list[KerasTensor]:
        """All symbolic inputs."""
        return flatten(self._ends("inputs")[0])

    @property
    def outputs(self) -> list[KerasTensor]:
        """All symbolic outputs."""
        return flatten(self._ends("outputs")[1])

    @property
    def input_shape(self) -> Any:
        """Shape of the input, batch axis included; a list or dictionary of shapes for several."""
        return map_structure(lambda t: t.shape, self._ends("input_shape")[0])

    @property
    def input_names(self) -> list[str]:
        """The names by which inputs can be given in a dictionary."""
        return _names(self._ends("input_names")[0])

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs, for losses, metrics and targets given in dictionaries, and in logs."""
        return _names(self._ends("output_names")[1])

    def _ends(self, what: str) -> tuple[Any, Any]:
        if self._inputs is None:
            raise NotBuiltError(
                f"model '{self.name}' has no {what} yet: its input shape is unknown; start it with Input(shape), "
                "call build(input_shape), or fit it"
            )
        return self._inputs, self._outputs

    # Building and calling

    def build(self, input_shape: Any = None) -> None:
        """Create all weights for inputs of ``input_shape``, batch axis (usually None) included.

        Args:
            input_shape: for several inputs a list or dictionary of shapes.
        """
        if self._inputs is not None:
            return
        if input_shape is None:
            raise NotBuiltError(f"model '{self.name}': build() needs an input shape, e.g. build((None, 784))")
        self._find_ends(input_shape)

    def build_from_shape(self, shape: Any, others: dict[str, Any] | None = None) -> None:
        if others and not self.built and type(self).build is Model.build:
            self.built = True  # by the call in progress: it has arguments that a call on symbolic inputs would lack
            return
        super().build_from_shape(shape, others)

    def _find_ends(self, input_shape: Any) -> None:
        """Call the model on symbolic inputs: what it takes and gives is known from here on, and all layers are built.

        A ``build`` of a class of one's own, which makes weights only, leaves that to be done.
        """
        inputs = symbolic.map_shapes(lambda shape: Input(batch_shape=shape), input_shape)
        before, self.built = self.built, True  # the call below must not come back here
        try:
            self._set_ends(inputs, symbolic.record(self, (inputs,), {}))
        except BaseException:
            self.built = before
            raise

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self._graph is None:
            raise NotImplementedError(f"model '{self.name}': class {type(self).__name__} must define call()")
        if mask is not None:
            set_masks(inputs, mask)
        return self._graph.run(inputs)

    def _after_call(self, x: Any, y: Any, mask: Any) -> None:
        # The layers inside have handed masks on, or said that they do not.
        super()._after_call(x, y, None if self._graph is not None else mask)

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        if self._graph is not None:
            x = [item for _, item in arrange(x, self._inputs, f"model '{self.name}'")]
            x = pack(self._inputs, x)
        return super().__call__(x, *args, **kwargs)

    # State of all layers

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
        style: str = "keras3",
    ) -> None:
        """Print the table of layers with their output shapes and numbers of parameters.

        Args:
            line_length: width of the table; the terminal's, at most 80 or so, by default.
            positions: where the columns end, as fractions of the width.
            print_fn: called with the text instead of ``print``.
            expand_nested: list the layers of models inside the model, too.
            show_trainable: add a column that says which layers learn.
            layer_range: names (or patterns) of the first and the last layer to show.
            style: ``"classic"`` for the columns without frames that Keras 2 printed.
        """
        from pynn.models.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range, style)


class Functional(Model):
    """What ``Model(inputs, outputs)`` makes."""


def _names(ends: Any) -> list[str]:
    """Keys of a dictionary, else the names of the layers; two outputs of one layer get numbers."""
    if isinstance(ends, dict) and len(flatten(ends)) == len(ends):
        return sorted(ends)
    names: list[str] = []
    for tensor in flatten(ends):
        base = name = tensor.call.operation.name
        while name in names:
            name = f"{base}_{names.count(base) + sum(n.startswith(base + '_') for n in names)}"
        names.append(name)
    return names
