"""Models as estimators of scikit-learn: in pipelines, grid searches and cross-validation.

Needs scikit-learn 1.6 or later: ``pip install 'pynn-engine[sklearn]'``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynn.wrappers.classifier import SKLearnClassifier as SKLearnClassifier
    from pynn.wrappers.regressor import SKLearnRegressor as SKLearnRegressor
    from pynn.wrappers.transformer import SKLearnTransformer as SKLearnTransformer

_HOMES = {
    "SKLearnClassifier": "pynn.wrappers.classifier",
    "SKLearnRegressor": "pynn.wrappers.regressor",
    "SKLearnTransformer": "pynn.wrappers.transformer",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        raise ImportError(
            f"pynn.wrappers.{name} needs scikit-learn 1.6 or later: pip install 'pynn-engine[sklearn]'"
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
