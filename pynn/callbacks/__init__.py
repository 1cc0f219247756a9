"""Callbacks: what ``fit``, ``evaluate`` and ``predict`` call at each stage; imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynn.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
    from pynn.callbacks.callback import Callback as Callback
    from pynn.callbacks.callback_list import CallbackList as CallbackList
    from pynn.callbacks.csv_logger import CSVLogger as CSVLogger
    from pynn.callbacks.early_stopping import EarlyStopping as EarlyStopping
    from pynn.callbacks.history import History as History
    from pynn.callbacks.lambda_callback import LambdaCallback as LambdaCallback
    from pynn.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
    from pynn.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
    from pynn.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
    from pynn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
    from pynn.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
    from pynn.callbacks.tensorboard import TensorBoard as TensorBoard
    from pynn.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN

_HOMES = {
    "BackupAndRestore": "backup_and_restore",
    "Callback": "callback",
    "CallbackList": "callback_list",
    "CSVLogger": "csv_logger",
    "EarlyStopping": "early_stopping",
    "History": "history",
    "LambdaCallback": "lambda_callback",
    "LearningRateScheduler": "learning_rate_scheduler",
    "ModelCheckpoint": "model_checkpoint",
    "ProgbarLogger": "progbar_logger",
    "ReduceLROnPlateau": "reduce_lr_on_plateau",
    "SwapEMAWeights": "swap_ema_weights",
    "TensorBoard": "tensorboard",
    "TerminateOnNaN": "terminate_on_nan",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
