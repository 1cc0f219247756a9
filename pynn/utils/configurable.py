"""What small objects that are described by their constructor's arguments share."""

from __future__ import annotations

from typing import Any

from pynn.graph.refusals import RefusingConstructor


class Configurable(RefusingConstructor):
    """``get_config`` gives the constructor's arguments; objects of equal arguments are equal."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An object with these arguments."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configurable) and type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), repr(self.get_config())))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"
