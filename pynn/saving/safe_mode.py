"""Whether code inside of configs may be run: an argument of the call that loads, and of nothing else."""

from __future__ import annotations

import contextvars
from types import TracebackType

from pynn import settings

_SAFE: contextvars.ContextVar[bool] = contextvars.ContextVar("safe_mode", default=True)


def in_safe_mode() -> bool:
    """Whether lambdas inside of configs are refused: yes, outside of a call with ``safe_mode=False``.

    ``config.enable_unsafe_deserialization()`` is the same for the whole process.
    """
    return _SAFE.get() and not settings.is_unsafe_deserialization_enabled()


class SafeModeScope:
    """What is deserialized within the block follows ``safe_mode``; None leaves it as it is."""

    def __init__(self, safe_mode: bool | None):
        self.safe_mode = safe_mode
        self._token: contextvars.Token[bool] | None = None

    def __enter__(self) -> None:
        if self.safe_mode is not None:
            self._token = _SAFE.set(bool(self.safe_mode))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _SAFE.reset(self._token)
            self._token = None
