"""What keeps threads that use models at the same time apart, and what a fork of the process has to wait for.

Programs run one at a time; the C++ runtime sees to that (``csrc/runtime/run_lock.h``).  Tracing and compiling is done
by one thread at a time, too: layers make their weights meanwhile, and threads that ask for the same program should get
one program.  Who needs both locks takes this one first.
"""

from __future__ import annotations

import os
import threading

from pynn import _core, config
from pynn.errors import GraphError

_compiling = threading.RLock()
#: Whether the fork that is under way holds the locks.
_forking = False


def compile_lock() -> threading.RLock:
    """To be held while something is traced and compiled: ``with compile_lock(): ...``.

    Raises:
        GraphError: this thread is in the middle of running a program.
    """
    if _core.runs_here():
        raise GraphError(
            "the NumPy function of an op has called a layer, a model or a function of pynn.ops on arrays; it runs in "
            "the middle of a compiled program, so write it with NumPy"
        )
    return _compiling


def _before_fork() -> None:
    """Wait until no other thread compiles or runs a program: in the child it would never end."""
    global _forking
    if _core.runs_here():  # an op's Python function forks: the child must not go on with pynn anyway
        return
    _compiling.acquire()
    _core.lock_runs()
    _forking = True


def _after_fork() -> None:
    global _forking
    if _forking:
        _forking = False
        _core.unlock_runs()
        _compiling.release()


def _after_fork_in_child() -> None:
    _after_fork()
    config.look_again()  # workers are often pinned to cores of their own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
