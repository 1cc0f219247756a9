"""An optimizer that leaves each weight to one of several others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.variable import Variable
from pynn.optimizers.optimizer import Optimizer


class NoSingleRateError(ArgumentError, AttributeError):
    """The learning rate of several optimizers was asked for, or set."""


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Optimizers by the paths of weights: a key is a path or a pattern of the whole path.

    Args:
        default_optimizer: for weights whose path fits no key.
        optimizer_map: ``{path or pattern: optimizer}``; more may be added as to a dictionary.

    Raises:
        ArgumentError: no optimizer, a key that is there already, or a path that fits several patterns.

    Example:
        >>> from pynn.optimizers import SGD, Adam
        >>> by_path = OptimizerMap(SGD(0.1), {"encoder/.*": Adam()})
        >>> type(by_path["encoder/dense/kernel"]).__name__, type(by_path["dense/kernel"]).__name__
        ('Adam', 'SGD')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        self.default_optimizer = _checked(default_optimizer, "default_optimizer")
        self._optimizers: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __getitem__(self, path: str) -> Optimizer:
        if path in self._optimizers:
            return self._optimizers[path]
        found = [key for key in self._optimizers if re.fullmatch(key, path)]
        if len(found) > 1:
            raise ArgumentError(f"OptimizerMap: '{path}' fits several keys: {', '.join(found)}; expected one")
        return self._optimizers[found[0]] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ArgumentError(f"OptimizerMap: keys are paths or patterns of paths, received {key!r}")
        if key in self._optimizers:
            raise ArgumentError(f"OptimizerMap: the key '{key}' has an optimizer already: delete it first")
        self._optimizers[key] = _checked(optimizer, f"the value of '{key}'")

    def __delitem__(self, key: str) -> None:
        del self._optimizers[key]

    def __len__(self) -> int:
        return len(self._optimizers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def __contains__(self, key: object) -> bool:
        return key in self._optimizers

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer for a weight."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        from pynn.saving.serialization import serialize_keras_object

        own = {"default_optimizer": self.default_optimizer, "optimizer_map": dict(self._optimizers)}
        return {name: serialize_keras_object(value) for name, value in own.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> OptimizerMap:
        """A map with these arguments."""
        from pynn.saving.serialization import deserialize_keras_object

        return cls(**{name: deserialize_keras_object(value, custom_objects) for name, value in config.items()})


class MultiOptimizer(Optimizer):
    """Several optimizers in one: each weight follows the one that it is given to.

    Each keeps its own learning rate, clipping, weight decay and state.  :attr:`optimizers` has them.

    Args:
        optimizer_map: an :class:`OptimizerMap`, or a function that gives the optimizer for a weight; it must give the
            same object for all weights that belong together.
        loss_scale_factor: of all of them, in place of their own.
        name: ``multi_optimizer`` by default.

    Example:
        >>> from pynn.optimizers import SGD, Adam
        >>> a, b = Variable([1.0], name="a"), Variable([1.0], name="b")
        >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.1), {"b": Adam(0.01)}))
        >>> optimizer.apply([[5.0], [5.0]], [a, b])
        >>> a.numpy(), b.numpy()
        (array([0.5], dtype=float32), array([0.99], dtype=float32))
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        if not callable(optimizer_map):
            raise ArgumentError(
                "MultiOptimizer: optimizer_map must be an OptimizerMap or a function that gives the optimizer for a "
                f"weight, received {optimizer_map!r}"
            )
        self._inner: list[Optimizer] | None = None
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        self._inner = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(optimizer)

    def _add(self, optimizer: Optimizer) -> None:
        if not any(known is optimizer for known in self.optimizers):
            optimizer.loss_scale_factor = self.loss_scale_factor
            self.optimizers.append(optimizer)

    @property
    def optimizers(self) -> list[Optimizer]:
        """All of them; those that a function gives are known when the weights are."""
        return [] if self._inner is None else self._inner

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the optimizers."""
        return self._variables + [v for optimizer in self.optimizers for v in optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """There is none: each optimizer has its own."""
        raise NoSingleRateError(
            "MultiOptimizer: its optimizers have a learning rate each, it has none itself: read or set those of "
            "optimizer.optimizers"
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self._inner is not None:
            _ = self.learning_rate  # raises

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            for optimizer, mine in self._groups(variables):
                self._add(optimizer)
                optimizer.ensure_built(mine)
            for optimizer in self.optimizers:
                optimizer.ensure_built([])
        super().build(variables)

    def _groups(self, variables: Sequence[Variable]) -> list[tuple[Optimizer, list[Variable]]]:
        """The optimizers of these variables, each with its own."""
        groups: dict[int, tuple[Optimizer, list[Variable]]] = {}
        for v in variables:
            optimizer = _checked(self.optimizer_map(v), f"what optimizer_map gives for '{v.path}'")
            groups.setdefault(id(optimizer), (optimizer, []))[1].append(v)
        return list(groups.values())

    def _check_known(self, variables: Sequence[Variable]) -> None:
        new = [v for v in variables if not any(v is known for known in self._trainable_variables)]
        for optimizer, mine in self._groups(new):
            optimizer.ensure_built(mine)
        self._trainable_variables.extend(new)

    def _rate(self, stateless: bool = False) -> Any:
        return {id(optimizer): optimizer._rate(stateless) for optimizer in self.optimizers}

    def prepare_step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.prepare_step()

    def _record_step(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        by_variable = {id(v): g for g, v in zip(grads, variables, strict=True)}
        for optimizer in self.optimizers:
            mine = [v for v in variables if any(v is own for own in optimizer._trainable_variables)]
            optimizer._was_traced = True
            if mine:
                optimizer._record_step([by_variable[id(v)] for v in mine], mine, rate[id(optimizer)])
        self._iterations.assign(ops.increment(self._iterations))

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Of those optimizers that are known; see :attr:`optimizers`."""
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        for optimizer in self.optimizers:
            own = optimizer._trainable_variables
            optimizer.finalize_variable_values([v for v in var_list if any(v is known for known in own)])

    def swap_ema_values(self) -> None:
        """Of those optimizers that keep means; at least one must."""
        keeping = [optimizer for optimizer in self.optimizers if optimizer.use_ema]
        if not keeping:
            super().swap_ema_values()  # raises
        for optimizer in keeping:
            optimizer.swap_ema_values()

    def get_config(self) -> dict[str, Any]:
        from pynn.saving.serialization import serialize_keras_object

        return {
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from pynn.saving.serialization import deserialize_keras_object

        return cls(**{**config, "optimizer_map": deserialize_keras_object(config["optimizer_map"], custom_objects)})

    def __repr__(self) -> str:
        return f"<MultiOptimizer name={self.name}, optimizers={self.optimizers}>"


def _checked(optimizer: Any, what: str) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"{what} must be an optimizer, received {optimizer!r}")
    return optimizer
