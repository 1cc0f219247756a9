"""Base of the recurrent layers that make their cell themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from pynn import regularizers
from pynn.errors import ArgumentError
from pynn.layers.constructor import constructor_arguments
from pynn.layers.layer import Layer
from pynn.layers.recurrent_cell import RecurrentCell
from pynn.layers.rnn import RNN
from pynn.utils.naming import snake_case

#: What the config of a cell has and that of its layer says itself.
_OWN = ("name", "trainable", "dtype")

#: Arguments in the signatures of layers that are not for their cells.
_OF_LOOP = (
    "activity_regularizer", "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "use_cudnn",
)  # fmt: skip


def _of_cell(argument: str) -> Any:
    """An argument of the cell that can be read from the layer, too."""
    return property(lambda layer: getattr(layer.cell, argument), doc=f"``{argument}`` of the cell.")


class RecurrentLayer(RNN):
    """Base of ``LSTM``, ``GRU`` and ``SimpleRNN``: an :class:`RNN` that has its cell's arguments, too."""

    cell_class: ClassVar[type[RecurrentCell]]
    cell: RecurrentCell

    units = _of_cell("units")
    activation = _of_cell("activation")
    recurrent_activation = _of_cell("recurrent_activation")
    use_bias = _of_cell("use_bias")
    kernel_initializer = _of_cell("kernel_initializer")
    recurrent_initializer = _of_cell("recurrent_initializer")
    bias_initializer = _of_cell("bias_initializer")
    unit_forget_bias = _of_cell("unit_forget_bias")
    kernel_regularizer = _of_cell("kernel_regularizer")
    recurrent_regularizer = _of_cell("recurrent_regularizer")
    bias_regularizer = _of_cell("bias_regularizer")
    kernel_constraint = _of_cell("kernel_constraint")
    recurrent_constraint = _of_cell("recurrent_constraint")
    bias_constraint = _of_cell("bias_constraint")
    dropout = _of_cell("dropout")
    recurrent_dropout = _of_cell("recurrent_dropout")
    reset_after = _of_cell("reset_after")

    def __init__(self, given: Mapping[str, Any], /, **others: Any):
        """``given`` are a subclass's arguments by name: the cell gets those it takes, the loop those of the loop."""
        of_cell = {name: given[name] for name in _own_arguments(self.cell_class) if name in given}  # type: ignore[arg-type]
        of_loop = {**{name: given[name] for name in _OF_LOOP if name in given}, **others}
        of_loop.pop("implementation", None)  # how Keras arranges the products: the results are the same
        use_cudnn = of_loop.pop("use_cudnn", "auto")
        of_both = {name: others[name] for name in ("trainable", "dtype") if name in others}
        cell = self.cell_class(name=snake_case(self.cell_class.__name__), **of_cell, **of_both)
        super().__init__(cell, **of_loop)
        if use_cudnn is True:
            raise ArgumentError(f"layer '{self.name}': use_cudnn=True needs a GPU; leave it at 'auto'")
        self.use_cudnn = use_cudnn

    def get_config(self) -> dict[str, Any]:
        of_cell = {key: value for key, value in self.cell.get_config().items() if key not in _OWN}
        penalty = regularizers.serialize(self.activity_regularizer)
        return {**super(RNN, self).get_config(), **self._loop_config(), **of_cell, "activity_regularizer": penalty}


@cache
def _own_arguments(cell_class: type[RecurrentCell]) -> list[str]:
    """What a cell is given that not every layer is."""
    of_layers = constructor_arguments(Layer)
    return [name for name in constructor_arguments(cell_class) if name not in of_layers]
