"""Pieces of an update that all optimizers share: clipping gradients, undoing a step where it does not count."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from pynn import ops
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable


def mean_weight(beta: float, t: Any) -> Any:
    """``1 - beta**t``: the weight that a running mean which began at 0 has after ``t`` steps.

    Not by the power, which float32 rounds near 1, so that the difference loses five digits, but by
    ``1 - exp(-a) = 2 tanh(a / 2) / (1 + tanh(a / 2))``.
    """
    if not beta:
        return 1.0
    half = ops.tanh(t * (-0.5 * math.log(beta)))
    return 2.0 * half / (1.0 + half)


def clip_by_norm(gradient: Any, norm: float) -> Any:
    """``gradient``, shortened to the length ``norm`` if it is longer."""
    length = ops.sqrt(ops.sum(ops.square(gradient)))
    return gradient * norm / ops.maximum(length, norm)


def clip_by_global_norm(gradients: Sequence[Any], norm: float) -> list[Any]:
    """All ``gradients`` times one number, such that together they are no longer than ``norm``; NaN if one of them is
    not finite."""
    squares = ops.sum(ops.square(gradients[0]))
    for g in gradients[1:]:
        squares = squares + ops.sum(ops.square(g))
    length = ops.sqrt(squares)
    # The difference is 0, or NaN where the length is not finite.
    scale = norm * ops.minimum(1.0 / length, 1.0 / norm) + (length - length)
    return [g * scale for g in gradients]


def keep_where(condition: Any, variables: Sequence[Variable], record: Callable[[], None]) -> None:
    """Record what ``record()`` does to ``variables``, and have it undone in runs in which ``condition`` is false."""
    current = trace.current()
    before: list[Value] = [current.read(v) for v in variables]
    record()
    for variable, old in zip(variables, before, strict=True):
        new = current.read(variable)
        if new is not old:
            variable.assign(ops.where(condition, new, old))
