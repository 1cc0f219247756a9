"""A model's variables as nested dictionaries of numbers, and its loss as a function of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph.stateless_scope import StatelessScope
from pynn.graph.variable import Variable

_KINDS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


class StateTrees:
    """What :class:`~pynn.Model` has for people who keep its state outside of it."""

    name: str
    optimizer: Any

    if TYPE_CHECKING:  # what Model and Trainer add

        @property
        def trainable_variables(self) -> list[Variable]: ...
        @property
        def non_trainable_variables(self) -> list[Variable]: ...
        @property
        def metrics_variables(self) -> list[Variable]: ...
        def compute_loss(self, *args: Any, **kwargs: Any) -> Any: ...

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Copies of all variables, nested by the parts of their paths.

        Args:
            value_format: ``"backend_tensor"`` or ``"numpy_array"``.

        Returns:
            A dictionary of ``trainable_variables``, ``non_trainable_variables``, ``optimizer_variables`` and
            ``metrics_variables``.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(2, name="out")], name="net")
            >>> model.get_state_tree()["trainable_variables"]["net"]["out"]["kernel"].shape
            (4, 2)
        """
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ArgumentError(
                f"get_state_tree: expected value_format='backend_tensor' or 'numpy_array', received {value_format!r}"
            )
        from pynn.graph.tensor import Tensor

        kind = np.ndarray if value_format == "numpy_array" else Tensor
        tree: dict[str, Any] = {}
        for name, variables in self._variables_by_kind().items():
            at = tree[name] = {}
            for variable in variables:
                *folders, last = variable.path.split("/")
                inside: Any = at
                for folder in folders:
                    inside = inside.setdefault(folder, {})
                inside[last] = variable.numpy().view(kind)
        return tree

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Assign what :meth:`get_state_tree` gave, or some of it.

        Raises:
            ArgumentError: a name that the model's variables do not have; nothing is changed.
            ShapeError: numbers of another shape.
        """
        known = self._variables_by_kind()
        found: list[tuple[Variable, Any]] = []
        for kind, tree in state_tree.items():
            if kind not in known:
                raise ArgumentError(f"set_state_tree: unknown name {kind!r}; there are {', '.join(_KINDS)}")
            by_path = {variable.path: variable for variable in known[kind]}
            for path, value in _leaves(tree):
                if path not in by_path:
                    there = ", ".join(by_path) or "none"
                    raise ArgumentError(f"set_state_tree: {kind} have no '{path}'; there are: {there}")
                found.append((by_path[path], np.asarray(value)))
        for variable, value in found:
            variable._check_shape(value.shape)
        for variable, value in found:
            variable.assign(value)

    def _variables_by_kind(self) -> dict[str, list[Variable]]:
        optimizer = [] if self.optimizer is None else self.optimizer.variables
        of = (self.trainable_variables, self.non_trainable_variables, optimizer, self.metrics_variables)
        return dict(zip(_KINDS, of, strict=True))

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """:meth:`compute_loss` with these numbers in place of the variables, which keep their own.

        Returns:
            The loss, and the new ``(trainable_variables, non_trainable_variables, metrics_variables)``.
        """
        given = (trainable_variables, non_trainable_variables, metrics_variables)
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        for name, own, values in zip((_KINDS[0], _KINDS[1], _KINDS[3]), groups, given, strict=True):
            if len(own) != len(values):
                raise ArgumentError(
                    f"model '{self.name}': stateless_compute_loss() received {len(values)} {name}, expected {len(own)}"
                )
        mapping = [pair for own, values in zip(groups, given, strict=True) for pair in zip(own, values, strict=True)]
        with StatelessScope(mapping) as scope:
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=training)
            states = tuple([scope.get_current_value(v) for v in own] for own in groups)
        return loss, states


def _leaves(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        return [(path, tree)]
    return [leaf for key, item in tree.items() for leaf in _leaves(item, f"{path}/{key}".lstrip("/"))]
