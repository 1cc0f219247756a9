"""The settings of ``keras.config``; public in :mod:`pynn.config`."""

from __future__ import annotations

import sys
from typing import Any

from pynn.errors import ArgumentError

_backend = "pynn"
_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive: bool | None = None
_traceback_filtering = True
_unsafe_deserialization = False
_flash_attention: bool | None = None


def backend() -> str:
    """``"pynn"``: there is one engine.  ``"tensorflow"`` for scripts that run under :mod:`pynn.compat`."""
    return _backend


def set_backend(backend: str) -> None:
    """Only the one that :func:`backend` gives can be set.

    Raises:
        ArgumentError: another name.
    """
    if backend != _backend:
        raise ArgumentError(f"set_backend: pynn is its own backend, received {backend!r}; leave the call out")


def epsilon() -> float:
    """A small number that keeps divisions and logarithms finite: 1e-7, unless set.

    Example:
        >>> from pynn import config
        >>> config.epsilon()
        1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set :func:`epsilon`, for calls on arrays at once; models take it when they are compiled."""
    global _epsilon
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ArgumentError(f"set_epsilon: value must be a number from 0, received {value!r}")
    _epsilon = float(value)


def floatx() -> str:
    """The dtype of weights and results: ``"float32"``.

    Example:
        >>> from pynn import config
        >>> config.floatx()
        'float32'
    """
    return "float32"


def set_floatx(value: str) -> None:
    """Only ``"float32"`` can be set.

    Raises:
        ArgumentError: another dtype.
    """
    if value != "float32":
        raise ArgumentError(
            f"set_floatx: pynn computes in float32, received {value!r}; leave the call out (for a policy such as "
            "'mixed_float16', which is computed in float32, too, there is set_dtype_policy)"
        )


def image_data_format() -> str:
    """Where images have their channels if a layer is not told: ``"channels_last"``, unless set."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set :func:`image_data_format`: ``"channels_last"`` or ``"channels_first"``."""
    global _image_data_format
    folded = str(data_format).lower()
    if folded not in ("channels_last", "channels_first"):
        raise ArgumentError(
            f"set_image_data_format: data_format must be 'channels_last' or 'channels_first', received {data_format!r}"
        )
    _image_data_format = folded


def dtype_policy() -> Any:
    """The policy of layers that are given none."""
    from pynn import dtype_policies

    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made from now on: see :mod:`pynn.dtype_policies`."""
    from pynn import dtype_policies

    dtype_policies.set_dtype_policy(policy)


def enable_interactive_logging() -> None:
    """Progress bars rewrite their line, also where the output is a file."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Progress is written line by line, also in a terminal."""
    global _interactive
    _interactive = False


def interactive_logging() -> bool | None:
    """What was set last; None if nothing was, so that the output decides."""
    return _interactive


def is_interactive_logging_enabled() -> bool:
    """What was set, else whether the output is a terminal."""
    return sys.stdout.isatty() if _interactive is None else _interactive


def enable_traceback_filtering() -> None:
    """Accepted: pynn's tracebacks are short, and never filtered."""
    global _traceback_filtering
    _traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Accepted: tracebacks are complete anyway."""
    global _traceback_filtering
    _traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """What was set last."""
    return _traceback_filtering


def enable_unsafe_deserialization() -> None:
    """Let this process load functions and classes that files name by code: as ``safe_mode=False`` in every call."""
    global _unsafe_deserialization
    _unsafe_deserialization = True


def is_unsafe_deserialization_enabled() -> bool:
    """Whether :func:`enable_unsafe_deserialization` was called."""
    return _unsafe_deserialization


def enable_flash_attention() -> None:
    """Accepted: attention is computed without a matrix of scores wherever nobody asks for it."""
    global _flash_attention
    _flash_attention = True


def disable_flash_attention() -> None:
    """Accepted: results do not depend on it."""
    global _flash_attention
    _flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """What was set last; None if nothing was."""
    return _flash_attention


def is_nnx_enabled() -> bool:
    """False: that is a feature of another backend."""
    return False
