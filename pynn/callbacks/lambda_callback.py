"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn.callbacks.callback import Callback
from pynn.errors import ArgumentError

Hook = Callable[..., Any]


class LambdaCallback(Callback):
    """A small callback without a class of its own.

    Args:
        on_epoch_begin, on_epoch_end: called with ``(epoch, logs)``.
        on_train_begin, on_train_end: called with ``(logs)``.
        on_train_batch_begin, on_train_batch_end: called with ``(batch, logs=logs)``.
        **kwargs: any other method of ``Callback``.

    Example:

    >>> import pynn
    >>> show = pynn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Hook | None = None,
        on_epoch_end: Hook | None = None,
        on_train_begin: Hook | None = None,
        on_train_end: Hook | None = None,
        on_train_batch_begin: Hook | None = None,
        on_train_batch_end: Hook | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in hooks.items():
            if function is None:
                continue
            if name.startswith("on_") and not hasattr(Callback, name):
                known = ", ".join(hook for hook in vars(Callback) if hook.startswith("on_"))
                raise ArgumentError(f"LambdaCallback got {name}, which nobody calls; the hooks are: {known}")
            setattr(self, name, function)
