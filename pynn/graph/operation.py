"""Operations: whatever can be called on symbolic tensors and is then a step of a model.  Layers are operations, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn.errors import ArgumentError, NotBuiltError
from pynn.graph import symbolic
from pynn.graph.refusals import RefusingConstructor
from pynn.graph.symbolic import Call
from pynn.utils.naming import auto_name, snake_case


class Operation(RefusingConstructor):
    """Base of what has a name, a config and a ``call``, and no weights.

    A subclass defines ``call``, written in ``pynn.ops``.  On arrays and traced values it runs as it stands; on symbolic
    tensors it is noted and becomes a step of the models that are made of them.  For something with weights there is
    :class:`~pynn.Layer`.

    Args:
        name: without ``/``; ``my_operation``, ``my_operation_1`` ... if not given.

    Raises:
        ArgumentError: a name that is no string, or has a ``/``.

    Example:
        >>> import numpy as np, pynn
        >>> class Scale(Operation):
        ...     def __init__(self, factor, name=None):
        ...         super().__init__(name=name)
        ...         self.factor = factor
        ...     def call(self, x):
        ...         return x * self.factor
        >>> triple = Scale(3.0, name="triple")
        >>> float(triple(np.float32(2.0)))
        6.0
        >>> triple(pynn.Input((4,))).shape
        (None, 4)
        >>> triple.get_config()
        {'name': 'triple', 'factor': 3.0}
    """

    built = True
    trainable = False
    weights: Any = ()
    #: What errors call it.
    _kind = "operation"

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        operation: Any = super().__new__(cls)
        #: What the constructor was given, for get_config() of classes that do not define it.
        operation._given = (args, kwargs)
        return operation

    def __init__(self, name: str | None = None):
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ArgumentError(f"{type(self).__name__}: name must be a string without '/', received {name!r}")
        self.name = name or auto_name(snake_case(type(self).__name__))
        #: Shape of the last symbolic output: what summary() prints.
        self.output_shape: Any = None
        #: Its uses on symbolic tensors.
        self._calls: list[Call] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if symbolic.is_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The formula, in ``pynn.ops``."""
        raise NotImplementedError(f"{self._kind} '{self.name}': class {type(self).__name__} must define call()")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Note the call on symbolic tensors; gives symbolic outputs."""
        return symbolic.record(self, args, kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that the call would give; no call is noted."""
        return symbolic.output_spec(self, args, kwargs)

    @property
    def input(self) -> Any:
        """The symbolic tensor of the first call, or a list of them."""
        inputs = self._first_call("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self) -> Any:
        """What the first call on a symbolic tensor gave: a new model may start or end there."""
        return self._first_call("output").outputs

    def _first_call(self, what: str) -> Call:
        if not self._calls:
            raise NotBuiltError(
                f"{self._kind} '{self.name}' has no {what}: it was never called on a symbolic tensor; "
                "call it on Input(...) or on another layer's output, or put it into a model that starts with Input"
            )
        return self._calls[0]

    def count_params(self) -> int:
        """Number of weights."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, if they are plain Python objects.

        Raises:
            NotImplementedError: the class was given other objects, and does not define ``get_config``.
        """
        from pynn.layers.constructor import automatic_config  # layers are operations, so theirs loads later

        return {"name": self.name, **automatic_config(self, Operation)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An operation with the same arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class NamedFunction(Operation):
    """A function of ``pynn.ops`` as an operation of a model: it is called like the function."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__(auto_name(function.__name__))
        self.function = function
        #: What ``summary`` shows as the type: ``expand_dims`` is an ``ExpandDims``.
        self.type_name = "".join(part.capitalize() for part in function.__name__.split("_"))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)
