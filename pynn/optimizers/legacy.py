"""Optimizers with the arguments of Keras 2: ``lr`` and ``decay``.

Updates are those of :mod:`pynn.optimizers`.  With ``decay`` the rate of step ``t`` is ``lr / (1 + decay * t)``.
"""

from __future__ import annotations

from typing import Any

from pynn.optimizers.adagrad import Adadelta as _Adadelta
from pynn.optimizers.adagrad import Adagrad as _Adagrad
from pynn.optimizers.adam import Adam as _Adam
from pynn.optimizers.adam_relatives import Adamax as _Adamax
from pynn.optimizers.adam_relatives import Nadam as _Nadam
from pynn.optimizers.ftrl import Ftrl as _Ftrl
from pynn.optimizers.optimizer import Optimizer as _Optimizer
from pynn.optimizers.rmsprop import RMSprop as _RMSprop
from pynn.optimizers.schedules import InverseTimeDecay
from pynn.optimizers.sgd import SGD as _SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]


class Optimizer(_Optimizer):
    """Base: takes ``lr`` and ``decay``, has an attribute ``lr``.

    Configs are those of the classes of today, with a schedule where there is a decay, so models can be saved as usual.
    """

    def _old_arguments(self, learning_rate: Any, kwargs: dict[str, Any]) -> Any:
        learning_rate = kwargs.pop("lr", learning_rate)
        decay = kwargs.pop("decay", 0.0)
        if decay and not callable(learning_rate):
            learning_rate = InverseTimeDecay(learning_rate, 1, decay)
        return super()._old_arguments(learning_rate, kwargs)

    @property
    def lr(self) -> Any:
        """The learning rate."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value


class SGD(Optimizer, _SGD):
    """:class:`pynn.optimizers.SGD`."""


class Adam(Optimizer, _Adam):
    """:class:`pynn.optimizers.Adam`."""


class RMSprop(Optimizer, _RMSprop):
    """:class:`pynn.optimizers.RMSprop`."""


class Adagrad(Optimizer, _Adagrad):
    """:class:`pynn.optimizers.Adagrad`."""


class Adadelta(Optimizer, _Adadelta):
    """:class:`pynn.optimizers.Adadelta`."""


class Adamax(Optimizer, _Adamax):
    """:class:`pynn.optimizers.Adamax`."""


class Nadam(Optimizer, _Nadam):
    """:class:`pynn.optimizers.Nadam`."""


class Ftrl(Optimizer, _Ftrl):
    """:class:`pynn.optimizers.Ftrl`."""
