"""Which process this is, for scripts: ``if pynn.distribute.rank() == 0: print(...)``."""

from __future__ import annotations

from pynn import config
from pynn.distribute.communicator import communicator


def rank() -> int:
    """The number of this process, from 0; 0 where nothing is distributed.

    Example:
        >>> import pynn
        >>> pynn.distribute.rank()
        0
    """
    return communicator().rank if _is_distributed() else 0


def size() -> int:
    """How many processes train together; 1 where nothing is distributed.

    Example:
        >>> import pynn
        >>> pynn.distribute.size()
        1
    """
    return communicator().size if _is_distributed() else 1


def barrier() -> None:
    """Wait until all processes are here: before reading what rank 0 has written, for example.

    Example:
        >>> import pynn
        >>> pynn.distribute.barrier()
    """
    if size() > 1:
        communicator().barrier()


def _is_distributed() -> bool:
    """Whether anybody asked for it: a question does not initialise MPI."""
    return config.distribute() or communicator.cache_info().currsize > 0
