"""Settings, most of them from the environment; read when used, so tests and scripts may change them.

========================  ===========================================================================
``PYNN_THREADS``          threads of a native program (default: the cores this process may use, or fewer if
                          ``OMP_NUM_THREADS`` says so)
``PYNN_ISA``              ``generic``, ``avx2``, ``avx512``; on ARM ``neon`` (default: the best this CPU runs)
``PYNN_EXECUTOR``         ``native`` (default) or ``reference`` (every op by its NumPy meaning)
``PYNN_CHECK=1``          verify the graph between passes
``PYNN_SHOW``             ``passes``, ``kernels`` or both, comma-separated: print what the compiler does
``PYNN_DISTRIBUTE=mpi``   train in all processes that ``mpiexec`` starts (``pynn.distribute``)
``PYNN_PROFILE=1``        time every instruction and print tables to stderr when the process ends
``PYNN_DATA_DIR``         where data sets are looked for first
``KERAS_MAX_EPOCHS``      ``fit`` ends after so many epochs, whatever it is told: to try a script out
``KERAS_MAX_STEPS_PER_EPOCH``  the same for the batches of an epoch
========================  ===========================================================================

The functions of ``keras.config`` are here, too; they are written in ``settings.py``.
"""

from __future__ import annotations

import math
import os
from functools import cache

from pynn.errors import ArgumentError
from pynn.settings import backend as backend
from pynn.settings import disable_flash_attention as disable_flash_attention
from pynn.settings import disable_interactive_logging as disable_interactive_logging
from pynn.settings import disable_traceback_filtering as disable_traceback_filtering
from pynn.settings import dtype_policy as dtype_policy
from pynn.settings import enable_flash_attention as enable_flash_attention
from pynn.settings import enable_interactive_logging as enable_interactive_logging
from pynn.settings import enable_traceback_filtering as enable_traceback_filtering
from pynn.settings import enable_unsafe_deserialization as enable_unsafe_deserialization
from pynn.settings import epsilon as epsilon
from pynn.settings import floatx as floatx
from pynn.settings import image_data_format as image_data_format
from pynn.settings import is_flash_attention_enabled as is_flash_attention_enabled
from pynn.settings import is_interactive_logging_enabled as is_interactive_logging_enabled
from pynn.settings import is_nnx_enabled as is_nnx_enabled
from pynn.settings import is_traceback_filtering_enabled as is_traceback_filtering_enabled
from pynn.settings import is_unsafe_deserialization_enabled as is_unsafe_deserialization_enabled
from pynn.settings import set_backend as set_backend
from pynn.settings import set_dtype_policy as set_dtype_policy
from pynn.settings import set_epsilon as set_epsilon
from pynn.settings import set_floatx as set_floatx
from pynn.settings import set_image_data_format as set_image_data_format
from pynn.utils.cgroups import cpu_quota

_threads: int | None = None
_conv_precision = "fast"
_max_epochs: int | None = None
_max_steps_per_epoch: int | None = None


@cache
def usable_cores() -> int:
    """Cores this process may use: its affinity mask, cut down to the container's CPU quota; read once."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    quota = cpu_quota()
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))


@cache
def _default_threads() -> int:
    """The usable cores, or fewer if OMP_NUM_THREADS asks for fewer, as it does of all OpenMP programs."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(usable_cores(), int(first)) if first.isdigit() and int(first) else usable_cores()


def look_again() -> None:
    """Read affinity, quota and OMP_NUM_THREADS anew: a forked process does, since workers are often pinned."""
    usable_cores.cache_clear()
    _default_threads.cache_clear()


def num_threads() -> int:
    """Threads a native program uses: ``set_num_threads``, else ``PYNN_THREADS``, else the usable cores or, if fewer,
    ``OMP_NUM_THREADS``.  Inside ``threadpoolctl.threadpool_limits`` it uses no more than that allows.

    Example:
        >>> from pynn import config
        >>> config.set_num_threads(2)
        >>> config.num_threads()
        2
        >>> config.set_num_threads(None)
    """
    if _threads is not None:
        return _threads
    text = os.environ.get("PYNN_THREADS", "").strip()
    if not text:
        return _default_threads()
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise ArgumentError(f"PYNN_THREADS: expected a whole number from 1 to 1024, received {text!r}")
    return int(text)


def threads_are_chosen() -> bool:
    """Whether somebody said how many threads there shall be."""
    return _threads is not None or bool(os.environ.get("PYNN_THREADS", "").strip())


def set_num_threads(count: int | None) -> None:
    """Fix the number of threads for this process; None goes back to the environment."""
    global _threads
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 1024):
        raise ArgumentError(f"set_num_threads: count must be a whole number from 1 to 1024 or None, received {count!r}")
    _threads = count


def conv_precision() -> str:
    """Which algorithms convolutions may use: ``"fast"`` (all) or ``"exact"`` (those that round like the plain sum)."""
    return _conv_precision


def set_conv_precision(precision: str) -> None:
    """Choose between speed and the last digits of convolutions; takes effect from the next step on.

    ``"fast"``, the default, allows Winograd tiles of 4 x 4, whose results are off by up to about 2e-5 of the largest
    one; with ``"exact"`` it is about 1e-6, as for the sum written out.

    Example:
        >>> from pynn import config
        >>> config.set_conv_precision("exact")
        >>> config.conv_precision()
        'exact'
        >>> config.set_conv_precision("fast")
    """
    global _conv_precision
    if precision not in ("fast", "exact"):
        raise ArgumentError(f"set_conv_precision: precision must be 'fast' or 'exact', received {precision!r}")
    _conv_precision = precision


def max_epochs() -> int | None:
    """The most epochs that ``fit`` runs: ``set_max_epochs``, else ``KERAS_MAX_EPOCHS``; None: as many as it is told."""
    return _limit("KERAS_MAX_EPOCHS", _max_epochs)


def set_max_epochs(max_epochs: int | None) -> None:
    """Let ``fit`` run at most so many epochs, to try a script out; None takes the limit away."""
    global _max_epochs
    _max_epochs = _checked_limit("set_max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """The most batches in an epoch: ``set_max_steps_per_epoch``, else ``KERAS_MAX_STEPS_PER_EPOCH``; None: all."""
    return _limit("KERAS_MAX_STEPS_PER_EPOCH", _max_steps_per_epoch)


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Let ``fit``, ``evaluate`` and ``predict`` use at most so many batches; None takes the limit away."""
    global _max_steps_per_epoch
    _max_steps_per_epoch = _checked_limit("set_max_steps_per_epoch", max_steps_per_epoch)


def _limit(variable: str, value: int | None) -> int | None:
    text = os.environ.get(variable, "").strip()
    if value is not None or not text:
        return value
    if not text.isdigit() or int(text) < 1:
        raise ArgumentError(f"{variable}: expected a whole number from 1 up, received {text!r}")
    return int(text)


def _checked_limit(where: str, value: int | None) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ArgumentError(f"{where}: expected a whole number from 1 up or None, received {value!r}")
    return value


def executor() -> str:
    """``"native"`` or ``"reference"``."""
    name = os.environ.get("PYNN_EXECUTOR", "").strip() or "native"
    if name not in ("native", "reference"):
        raise ArgumentError(f"PYNN_EXECUTOR: expected 'native' or 'reference', received {name!r}")
    return name


def distribute() -> bool:
    """Whether ``PYNN_DISTRIBUTE`` asks for training in several processes."""
    name = os.environ.get("PYNN_DISTRIBUTE", "").strip()
    if name not in ("", "mpi"):
        raise ArgumentError(f"PYNN_DISTRIBUTE: expected 'mpi' or nothing, received {name!r}")
    return bool(name)


def check() -> bool:
    """Whether graphs are verified between passes."""
    return os.environ.get("PYNN_CHECK", "0").strip() not in ("", "0")


def profiles() -> bool:
    """Whether ``PYNN_PROFILE`` asks for the times of all instructions."""
    return os.environ.get("PYNN_PROFILE", "0").strip() not in ("", "0")


def shows(what: str) -> bool:
    """Whether ``PYNN_SHOW`` asks for ``what`` (``"passes"`` or ``"kernels"``)."""
    asked = {word.strip() for word in os.environ.get("PYNN_SHOW", "").split(",") if word.strip()}
    unknown = asked - {"passes", "kernels"}
    if unknown:
        raise ArgumentError(f"PYNN_SHOW: expected 'passes', 'kernels' or both, received {', '.join(sorted(unknown))!r}")
    return what in asked
