"""Which callbacks run where: files are written and progress is shown by rank 0, decisions are taken on all ranks."""

from __future__ import annotations

from typing import Any

from pynn.callbacks.callback import Callback
from pynn.callbacks.callback_list import flatten_callbacks


def silent(callbacks: Any) -> list[Callback]:
    """The callbacks of a rank other than 0: without those that write (``rank_0_only``), and without a word.

    All ranks have the same logs, so that those who stop a training or change the learning rate do the same everywhere.
    """
    kept = [callback for callback in flatten_callbacks(callbacks) if not callback.rank_0_only]
    for callback in kept:
        if getattr(callback, "verbose", 0):
            callback.verbose = 0  # type: ignore[attr-defined]
    return kept
