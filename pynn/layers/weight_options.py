"""What a layer's constructor may say about each of its weights: how it begins, its penalty, and what it is held to.

Constructors name these arguments one by one, ``kernel_initializer``, ``bias_regularizer`` ...; what is done with them
is the same for all, and here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pynn import constraints, initializers, regularizers
from pynn.graph.variable import Variable
from pynn.layers.layer import Layer, Shape

#: What can be said, and the package that knows what it means.  The names are also those of ``add_weight``.
_KINDS: dict[str, Any] = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


class WeightOptions(Layer):
    """Base of layers whose constructors take an initializer, a regularizer and a constraint for each weight."""

    #: What the arguments' names begin with.
    roles: ClassVar[tuple[str, ...]] = ("kernel", "bias")

    @classmethod
    def option_names(cls) -> list[str]:
        """``kernel_initializer``, ``bias_initializer``, ``kernel_regularizer`` ..."""
        return [f"{role}_{kind}" for kind in _KINDS for role in cls.roles]

    def _take_options(self, arguments: Mapping[str, Any]) -> None:
        """Keep those of a constructor's arguments that speak of weights, as attributes of the same names."""
        for name in self.option_names():
            setattr(self, name, _package(name).get(arguments[name]))

    def _add_weight_of(self, role: str, shape: Shape, name: str | None = None, **changed: Any) -> Variable:
        """Make a weight as the arguments of its role say; it is called like the role by default."""
        said = {kind: getattr(self, f"{role}_{kind}") for kind in _KINDS}
        return self.add_weight(shape, name=name or role, **{**said, **changed})

    def _options_config(self) -> dict[str, Any]:
        return {name: _package(name).serialize(getattr(self, name)) for name in self.option_names()}


def _package(option: str) -> Any:
    return _KINDS[option.rpartition("_")[2]]
