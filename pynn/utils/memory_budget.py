"""How much memory the weights of a model that is being loaded may take: a config cannot ask for more than its file
could fill."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from pynn.errors import ArgumentError

_left: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("memory_budget", default=None)


@contextmanager
def memory_budget(size: int) -> Iterator[None]:
    """Within the block, weights of at most ``size`` bytes may be made."""
    token = _left.set([size])
    try:
        yield
    finally:
        _left.reset(token)


def spend(size: int, what: str) -> None:
    """Ask for ``size`` bytes; does nothing outside of a :func:`memory_budget`.

    Raises:
        ArgumentError: they are more than what is left.
    """
    left = _left.get()
    if left is None:
        return
    left[0] -= size
    if left[0] < 0:
        raise ArgumentError(
            f"{what} would take {size} bytes, more than the file that is being loaded could fill; the file is damaged, "
            "or made to exhaust the memory"
        )
