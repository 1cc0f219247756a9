"""What a layer holds: weights, random states, metrics, losses, and the layers inside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, NotBuiltError, ShapeError
from pynn.graph import trace
from pynn.graph.stateless_scope import StatelessScope, collect_loss
from pynn.graph.tensor import Tensor
from pynn.graph.variable import Variable
from pynn.layers.seed_generator import SeedGenerator

if TYPE_CHECKING:
    from pynn.layers.layer import Layer

#: Attributes that hold other layers or variables which are no parts of the layer.
_NOT_PARTS = frozenset(("_weights", "_given", "_calls", "_added_losses", "_order"))


def freezes() -> int:
    """A number that changes whenever any layer or variable is frozen or unfrozen: programs compiled before may use the
    wrong mode (BatchNormalization)."""
    return Variable.freezes


class LayerState:
    """Base of :class:`~pynn.Layer` with all that is found among a layer's attributes."""

    name: str
    built: bool
    _weights: list[Variable]
    _trainable: bool
    _added_losses: list[Any]
    #: Whether a call on arrays has left losses in this layer or in one inside it.
    _holds_losses = False

    # Weights

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if isinstance(value, _HOLDS_PARTS) and name not in _NOT_PARTS and "_weights" in vars(self):
            self._note_order()

    def _note_order(self) -> None:
        """Parts count from when they are first seen: what is appended to a list later comes later, as in Keras."""
        order = vars(self).setdefault("_order", {})
        for part in self._parts_by_attribute():
            order.setdefault(id(part), len(order))

    def _parts(self) -> list[Any]:
        """Variables, layers, metrics and seeds among the attributes, in the order in which they came to the layer."""
        order = vars(self).get("_order", {})
        return sorted(self._parts_by_attribute(), key=lambda part: order.get(id(part), len(order)))

    def _parts_by_attribute(self) -> Iterator[Any]:
        """Variables, layers, metrics and seeds among the attributes, at any depth of lists and dictionaries."""
        yield from self._weights
        stack = list(reversed([v for k, v in vars(self).items() if k not in _NOT_PARTS]))
        while stack:
            item = stack.pop()
            if isinstance(item, Variable | LayerState | SeedGenerator) or is_metric(item):
                yield item
            elif isinstance(item, list | tuple):
                stack.extend(reversed(item))
            elif isinstance(item, dict):
                stack.extend(reversed(list(item.values())))

    def _sublayers(self) -> list[Layer]:
        """The layers directly inside this one, each once."""
        found: dict[int, Any] = {id(p): p for p in self._parts() if isinstance(p, LayerState) and p is not self}
        return list(found.values())

    def _flatten_layers(self) -> list[Layer]:
        """This layer and all layers inside it, each once, outer before inner."""
        found: dict[int, Layer] = {}
        stack: list[Layer] = [self]  # type: ignore[list-item]
        while stack:
            layer = stack.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                stack.extend(reversed(layer._sublayers()))
        return list(found.values())

    def _own_variables(self) -> list[Variable]:
        """Trainable ones first, as in Keras."""
        own = list({id(p): p for p in self._parts() if isinstance(p, Variable)}.values())
        return sorted(own, key=lambda v: not _may_train(v))

    @property
    def weights(self) -> list[Variable]:
        """All weights of the layer and of the layers inside it."""
        found = {id(v): v for layer in self._flatten_layers() for v in layer._own_variables()}
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """The weights and the random states."""
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            seeds = [p.state for p in layer._parts() if isinstance(p, SeedGenerator)]
            found.update((id(v), v) for v in (*layer._own_variables(), *seeds))
        return list(found.values())

    @property
    def trainable_weights(self) -> list[Variable]:
        """What an optimizer changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """What it does not change: frozen weights, moving averages."""
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """``non_trainable_weights`` and the random states."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it also sets the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Variable.freezes += 1
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for v in layer._own_variables():
                v.trainable = bool(value) and _may_train(v)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in the order of ``weights``."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Overwrite all weights; nothing is changed if one does not fit."""
        own = self.weights
        if not isinstance(weights, list | tuple):
            raise ArgumentError(
                f"layer '{self.name}': set_weights() takes a list of arrays, received {type(weights).__name__}"
            )
        arrays = [np.asarray(w) for w in weights]
        if len(arrays) != len(own):
            expected = ", ".join(f"{v.path} {v.shape}" for v in own) or "none: call build() or the layer first"
            raise ShapeError(
                f"layer '{self.name}': set_weights() received {len(arrays)} arrays, expected {len(own)} ({expected})"
            )
        for v, a in zip(own, arrays, strict=True):
            if a.shape != v.shape:
                raise ShapeError(
                    f"layer '{self.name}': set_weights() received shape {a.shape} for '{v.path}', expected {v.shape}"
                )
            if a.dtype.kind not in "fiub":
                raise DtypeError(
                    f"layer '{self.name}': set_weights() received dtype {a.dtype} for '{v.path}', expected numbers"
                )
        for v, a in zip(own, arrays, strict=True):
            v.assign(a)

    def save_own_variables(self, store: Any) -> None:
        """Put the numbers of the layer's own variables, not those of layers inside, into ``store``, as files have them.

        A class that saves something else, or more, overrides this and :meth:`load_own_variables`.

        Args:
            store: takes arrays by name; own variables are called ``"0"``, ``"1"`` ...
        """
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the numbers of the layer's own variables from what :meth:`save_own_variables` filled.

        Raises:
            ShapeError: there are more or fewer of them, or of other shapes.
        """
        own = self._own_variables()
        if len(store.keys()) != len(own):
            raise ShapeError(
                f"layer '{self.name}': the file holds {len(store.keys())} arrays for it, it has {len(own)} variables"
                + ("" if own or self.built else ": build the layer, or call it, before its weights are loaded")
            )
        for i, variable in enumerate(own):
            variable.assign(store[str(i)])

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            NotBuiltError: the layer has no weights yet.
        """
        if not self.built:
            raise NotBuiltError(
                f"layer '{self.name}' is not built, so its weights cannot be counted: "
                f"call it on data or call {self.name}.build(input_shape) first"
            )
        return sum(v.size for v in self.weights)

    # Losses and metrics

    def add_loss(self, loss: Any) -> None:
        """Add a number, or several, to what training minimises: to be called in ``call``, once for each.

        Args:
            loss: a traced value or a number, or a list of them; one that is not a scalar is summed.

        Example:
            >>> import numpy as np, pynn
            >>> class Small(pynn.Layer):
            ...     def call(self, x):
            ...         self.add_loss(0.1 * pynn.ops.sum(pynn.ops.square(x)))
            ...         return x
            >>> layer = Small()
            >>> y = layer(np.ones((2, 5)))
            >>> layer.losses
            [array(1., dtype=float32)]
        """
        for one in loss if isinstance(loss, list | tuple) else [loss]:
            if trace.is_tracing():
                from pynn import ops

                value = trace.as_value(one, "float32" if isinstance(one, int) else None)
                loss_value = ops.sum(value) if value.ndim else value
                trace.current().added_losses.append((self, loss_value))
                collect_loss(loss_value)
            elif isinstance(one, int | float | np.ndarray | np.number):
                self._keep_losses([np.float32(np.sum(one))])
            else:
                raise ArgumentError(
                    f"layer '{self.name}': add_loss takes a number or a traced value, received {one!r}; "
                    "a loss that depends on inputs is added inside call()"
                )

    def _keep_losses(self, numbers: Sequence[Any]) -> None:
        kept = [np.asarray(n, "float32").view(Tensor) for n in numbers]
        self._added_losses.extend(kept)
        self._holds_losses = True
        for number in kept:
            collect_loss(number)

    def _clear_losses(self) -> None:
        """Forget what the last call has added."""
        if trace.is_tracing():
            added = trace.current().added_losses
            if added:
                own = {id(layer) for layer in self._flatten_layers()}
                added[:] = [(layer, value) for layer, value in added if id(layer) not in own]
        elif self._holds_losses:
            self._holds_losses = False
            for layer in self._flatten_layers():
                layer._added_losses.clear()

    @property
    def losses(self) -> list[Any]:
        """What the last call has added by :meth:`add_loss` and activity regularizers, then the penalties on weights.

        Traced values inside a trace, numbers outside of one.
        """
        found: list[Any] = []
        tracing = trace.is_tracing()
        for layer in self._flatten_layers():
            if tracing:
                found += [value for owner, value in trace.current().added_losses if owner is layer]
            else:
                found += layer._added_losses
        return [*found, *self._weight_penalties()]

    def _weight_penalties(self) -> list[Any]:
        return [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]

    @property
    def metrics(self) -> list[Any]:
        """The metrics among the attributes, of layers inside, too."""
        found = {id(p): p for layer in self._flatten_layers() for p in layer._parts() if is_metric(p)}
        return list(found.values())

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of :attr:`metrics`."""
        return [v for metric in self.metrics for v in metric.variables]

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call the layer with these numbers in place of its variables, which keep their own.

        Args:
            trainable_variables, non_trainable_variables: one array (or traced value) for each variable of the two
                lists of that name.
            return_losses: whether :attr:`losses` are the third result.

        Returns:
            The outputs and the new states of the non-trainable variables.
        """
        groups = (
            ("trainable_variables", self.trainable_variables, list(trainable_variables)),
            ("non_trainable_variables", self.non_trainable_variables, list(non_trainable_variables)),
        )
        for name, own, given in groups:
            if len(own) != len(given):
                raise ArgumentError(
                    f"layer '{self.name}': stateless_call() received {len(given)} {name}, expected {len(own)}"
                )
        mapping = [pair for _, own, given in groups for pair in zip(own, given, strict=True)]
        with StatelessScope(mapping) as scope:
            outputs = self(*args, **kwargs)  # type: ignore[operator]
            states = [scope.get_current_value(v) for v in self.non_trainable_variables]
            losses = self.losses if return_losses else None
        return (outputs, states, losses) if return_losses else (outputs, states)


#: What may be a part of a layer, or hold some.
_HOLDS_PARTS = (Variable, LayerState, SeedGenerator, list, tuple, dict)


def is_metric(item: Any) -> bool:
    """Whether it is a metric; their module loads when somebody makes one."""
    base = sys.modules.get("pynn.metrics.base")
    return base is not None and isinstance(item, base.Metric)


def _may_train(variable: Variable) -> bool:
    """Whether a variable trains as long as its layer does; ``variable.trainable`` says whether it does now.

    Noted on the variable before its layer is frozen for the first time, so that unfreezing can bring it back.
    """
    if not hasattr(variable, "_trains_with_its_layer"):
        variable._trains_with_its_layer = variable.trainable  # type: ignore[attr-defined]
    return variable._trains_with_its_layer  # type: ignore[attr-defined]
