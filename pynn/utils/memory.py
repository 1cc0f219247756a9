"""How much memory there is, asked before much is taken: Linux hands out more than it has, and kills who uses it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pynn.utils.cgroups import memory_left

#: Asking takes some 50 microseconds: smaller blocks are just taken.
_WORTH_ASKING = 256 << 20
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def require(nbytes: int, message: Callable[[], str]) -> None:
    """Do nothing if ``nbytes`` can be had.

    Raises:
        MemoryError: they cannot; ``message()`` says what they are for.
    """
    if nbytes < _WORTH_ASKING:
        return
    left = available()
    if left is not None and nbytes > left:
        raise MemoryError(f"{message()} {readable(nbytes)} of memory are needed; {readable(left)} are there.")


def require_numbers(what: str, shape: Sequence[int], dtype: str) -> None:
    """The same for an array of numbers that are made somewhere else first, and copied into it."""
    # NumPy multiplies lengths before it sees that one of them is 0.
    size = math.prod(int(n) or 1 for n in shape) * np.dtype(dtype).itemsize
    require(2 * size, lambda: f"{what} of shape {tuple(shape)}: {readable(size)} of numbers.")


def available() -> int | None:
    """Bytes that this process can still take: of the machine, of its container, of its own limit (``ulimit -v``)."""
    limits = [_machine(), memory_left(), _address_space()]
    return min((limit for limit in limits if limit is not None), default=None)


def readable(nbytes: int) -> str:
    """``"37.3 GB"``, in units of 1024.

    Example:
        >>> readable(40_000_000_000), readable(12)
        ('37.3 GB', '12 bytes')
    """
    size, unit = float(nbytes), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:,.1f} {_UNITS[unit]}" if unit else f"{nbytes} bytes"


def _machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return (kilobytes["MemAvailable"] + kilobytes.get("SwapFree", 0)) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:  # another system: all of its memory is at least a bound
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _address_space() -> int | None:
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return None
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return None
    return max(0, limit - used)
