"""Numbers that a traced step returns without computing them: the host reads them when the step has run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn.errors import GraphError


class Later:
    """What ``metric.result()`` gives while a step is traced: its value will be read when the step has run.

    A ``train_step`` returns it, ``return {m.name: m.result() for m in self.metrics}``; to compute with the value inside
    the step, use the metric's variables.
    """

    def __init__(self, name: str, value: Callable[[], Any]):
        self.name = name
        #: Gives the value, after the step.
        self.value = value

    def __repr__(self) -> str:
        return f"<result of metric '{self.name}' after this step>"

    def _not_yet(self, *args: Any) -> Any:
        raise GraphError(
            f"metric '{self.name}': result() is known only when the step has run; return it from train_step or "
            "test_step, or compute with the metric's variables"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _not_yet
    __float__ = __int__ = __bool__ = __array__ = _not_yet
