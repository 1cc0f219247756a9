"""What a layer's ``call`` and ``build`` take, found once per function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pynn.errors import CallError


@dataclass(frozen=True)
class CallSignature:
    """The parameters of ``call`` after ``self``."""

    #: Names that can be given by place or by keyword.
    names: tuple[str, ...]
    #: Whether it takes any number of arguments by place, or any keywords.
    takes_more: bool
    takes_any_keyword: bool
    #: Its own default for ``training``.
    training: Any

    @property
    def takes_training(self) -> bool:
        return "training" in self.names

    def first_by_keyword(self, layer: str, kwargs: dict[str, Any]) -> Any:
        """Take the first argument out of ``kwargs``."""
        name = self.names[0] if self.names else "inputs"
        if name not in kwargs:
            raise CallError(f"layer '{layer}': called without an input; it takes {', '.join(self.names)}")
        return kwargs.pop(name)

    def by_name(
        self, layer: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """All arguments after the first by name, if ``call`` allows it."""
        if not self.takes_any_keyword:
            unknown = [name for name in kwargs if name not in self.names and name != "training"]
            if unknown:
                raise CallError(
                    f"layer '{layer}': call() got an unexpected argument {unknown[0]!r}; "
                    f"it takes {', '.join(self.names)}"
                )
        if self.takes_more or not args:
            return args, kwargs
        names = self.names[1:]
        if len(args) > len(names):
            raise CallError(
                f"layer '{layer}': call() takes {len(self.names)} arguments ({', '.join(self.names)}), "
                f"received {len(args) + 1}"
            )
        twice = [name for name in names[: len(args)] if name in kwargs]
        if twice:
            raise CallError(f"layer '{layer}': call() got two values for the argument {twice[0]!r}")
        return (), {**dict(zip(names, args, strict=False)), **kwargs}


@cache
def call_signature(call: Callable[..., Any]) -> CallSignature:
    """The signature of an unbound ``call``."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    kinds = {p.kind for p in parameters}
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    defaults = {p.name: p.default for p in named if p.default is not p.empty}
    return CallSignature(
        tuple(p.name for p in named),
        inspect.Parameter.VAR_POSITIONAL in kinds,
        inspect.Parameter.VAR_KEYWORD in kinds,
        defaults.get("training"),
    )


@cache
def build_arguments(build: Callable[..., Any]) -> tuple[str, ...]:
    """Names of what an unbound ``build`` takes."""
    return tuple(
        p.name
        for p in list(inspect.signature(build).parameters.values())[1:]
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    )
