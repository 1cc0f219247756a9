"""TensorFlow's classes that scripts make objects of: variables, compiled functions, specs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pynn
from pynn.graph import dtypes


class _IsVariable(type):
    def __instancecheck__(cls, instance: Any) -> bool:  # the weights of layers are variables, too
        return isinstance(instance, pynn.Variable)


class Variable(pynn.Variable, metaclass=_IsVariable):
    """``tf.Variable``: a :class:`pynn.Variable` whose arguments come in TensorFlow's order.

    Args:
        initial_value: numbers, or a function without arguments that gives them.
        trainable: whether a tape watches it and an optimizer may change it.
        name: may end in ``:0``.
        dtype: by default that of the numbers.
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ):
        value = initial_value() if callable(initial_value) else initial_value
        super().__init__(
            value,
            dtype=None if dtype is None else dtypes.standardize_dtype(dtype),
            trainable=True if trainable is None else trainable,
            name=None if name is None else name.partition(":")[0].replace("/", "_"),
        )
        self.constraint = constraint

    def value(self) -> Any:
        """Its numbers."""
        return pynn.ops.convert_to_tensor(self)

    read_value = value


def function(func: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``tf.function``: :func:`pynn.jit`, with Python's numbers as part of the signature.

    ``input_signature``, ``jit_compile``, ``reduce_retracing``, ``autograph`` change nothing about results: everything
    is compiled, once per signature.  Python's ``if`` on a tensor is an error; write ``tf.where`` or ``tf.cond``.

    Example:
        >>> @function
        ... def power(x, n):
        ...     for _ in range(n - 1):
        ...         x = x * x
        ...     return x
        >>> float(power(pynn.ops.array(3.0), 2))
        9.0
    """
    unknown = set(options) - {
        "input_signature", "jit_compile", "reduce_retracing", "autograph", "experimental_relax_shapes", "name",
        "experimental_autograph_options", "experimental_attributes", "experimental_compile",
    }  # fmt: skip
    if unknown:
        raise TypeError(f"tf.function has no argument {', '.join(sorted(unknown))}")
    if func is None:
        return functools.partial(function, **options)
    return _Function(func)


class _Function:
    """A compiled function; one :func:`pynn.jit` for each pattern of arguments that are plain Python numbers."""

    def __init__(self, python_function: Callable[..., Any]):
        self.python_function = python_function
        self._jitted: dict[Any, Any] = {}
        functools.update_wrapper(self, python_function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._for(args, kwargs)(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self

        def bound(*args: Any, **kwargs: Any) -> Any:
            return self._for((instance, *args), kwargs).__get__(instance, owner)(*args, **kwargs)

        return bound

    def _for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        numbers = tuple(i for i, arg in enumerate(args) if type(arg) in (int, float))
        names = tuple(sorted(name for name, arg in kwargs.items() if type(arg) in (int, float)))
        if (numbers, names) not in self._jitted:
            self._jitted[numbers, names] = pynn.jit(self.python_function, static_argnums=numbers, static_argnames=names)
        return self._jitted[numbers, names]


class TensorShape(tuple[int | None, ...]):
    """``tf.TensorShape``: a tuple of lengths that has ``as_list``."""

    def as_list(self) -> list[int | None]:
        return list(self)

    @property
    def rank(self) -> int:
        return len(self)


@dataclass(frozen=True)
class TensorSpec:
    """``tf.TensorSpec``: the shape and dtype of tensors to come."""

    shape: Any
    dtype: Any = "float32"
    name: str | None = None
