"""Functions with a gradient of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pynn.errors import ArgumentError
from pynn.graph.ir import Op, Spec, Value
from pynn.graph.symbolic import callable_on_everything
from pynn.graph.trace import as_value
from pynn.graph.variable import Variable
from pynn.utils.structure import flatten, pack


@dataclass(frozen=True)
class CustomGradient(Op):
    """Its first input, output ``index`` of a function of the others, for which ``rule`` gives the gradient."""

    is_view: ClassVar[bool] = True
    rule: Callable[..., Sequence[Value | None]]
    index: int = 0

    def infer(self, *specs: Spec) -> Spec:
        return specs[0]

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None, *self.rule(self.index, g))

    def __str__(self) -> str:
        return f"CustomGradient(index={self.index})"


class custom_gradient:
    """Decorator of a function that says what its gradient is.

    Args:
        f: takes arrays and gives ``(result, gradient)``: ``gradient(upstream)`` gets what arrives at the result
            (one argument for each, if there are several) and gives one gradient for each array among the function's
            positional arguments, None where there is none.  Variables that the function uses without having them as
            arguments get no gradient.

    Example:
        >>> import pynn
        >>> from pynn import ops
        >>> @ops.custom_gradient
        ... def clipped(x):
        ...     return x, lambda upstream: ops.clip(upstream, -1.0, 1.0)
        >>> float(pynn.grad(lambda x: clipped(x) * 100.0)(3.0))
        1.0
    """

    def __init__(self, f: Callable[..., Any]):
        if not callable(f):
            raise ArgumentError(f"custom_gradient: expected a function, received {f!r}")
        functools.update_wrapper(self, f, updated=())

        @functools.wraps(f)
        def traced(*args: Any, **kwargs: Any) -> Any:
            return _call(f, args, kwargs)

        self._everywhere = callable_on_everything(traced)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._everywhere(*args, **kwargs)


def _call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = getattr(function, "__name__", "function")
    values = [as_value(a) if isinstance(a, Value | Variable) or hasattr(a, "__array__") else a for a in args]
    inputs = [v for v in values if isinstance(v, Value)]
    found = function(*values, **kwargs)
    if not isinstance(found, tuple) or len(found) != 2 or not callable(found[1]):
        raise ArgumentError(
            f"custom_gradient: '{name}' must return (result, gradient function), received {type(found).__name__}"
        )
    result, gradient = found
    outputs = [as_value(leaf) for leaf in flatten(result)]

    def rule(index: int, g: Value) -> list[Value | None]:
        """Gradients are linear in what arrives, so each output may be asked for alone."""
        from pynn import ops

        given = gradient(*(g if i == index else ops.zeros_like(y) for i, y in enumerate(outputs)))
        grads = list(given) if isinstance(given, list | tuple) else [given]
        if len(grads) != len(inputs):
            raise ArgumentError(
                f"custom_gradient: the gradient of '{name}' gave {len(grads)} gradients for {len(inputs)} arrays"
            )
        return [None if x is None else as_value(x) for x in grads]

    return pack(result, [CustomGradient(rule, i)(y, *inputs) for i, y in enumerate(outputs)])
