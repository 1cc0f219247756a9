"""Base of the recurrent layers that make their cell themselves."""

from __future__ import annotations

from typing import Any

from pynn import regularizers
from pynn.errors import ArgumentError
from pynn.layers.recurrent_cell import RecurrentCell
from pynn.layers.rnn import RNN

#: What the config of a cell has and that of its layer says itself.
_OWN = ("name", "trainable", "dtype")


def _of_cell(argument: str) -> Any:
    """An argument of the cell that can be read from the layer, too."""
    return property(lambda layer: getattr(layer.cell, argument), doc=f"``{argument}`` of the cell.")


class RecurrentLayer(RNN):
    """Base of ``LSTM``, ``GRU`` and ``SimpleRNN``: an :class:`RNN` that has its cell's arguments, too."""

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

    def __init__(
        self, cell: RecurrentCell, *, use_cudnn: Any = "auto", activity_regularizer: Any = None, **kwargs: Any
    ):
        kwargs.pop("implementation", None)  # how Keras arranges the products: the results are the same
        super().__init__(cell, activity_regularizer=activity_regularizer, **kwargs)
        if use_cudnn is True:
            raise ArgumentError(f"layer '{self.name}': use_cudnn=True needs a GPU; leave it at 'auto'")
        self.use_cudnn = use_cudnn

    def get_config(self) -> dict[str, Any]:
        of_cell = {key: value for key, value in self.cell.get_config().items() if key not in _OWN}
        penalty = regularizers.serialize(self.activity_regularizer)
        return {**super(RNN, self).get_config(), **self._loop_config(), **of_cell, "activity_regularizer": penalty}


def cell_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """What a layer's further arguments say about its cell, which is called ``name``."""
    return {"name": name, **{key: options[key] for key in ("trainable", "dtype") if key in options}}
