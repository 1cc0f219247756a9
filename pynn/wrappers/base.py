"""What the wrappers for scikit-learn share: where the model comes from, how it is fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from pynn.errors import ArgumentError
from pynn.models import Model, clone_model
from pynn.models.trainer import NotCompiledError


class ModelEstimator(BaseEstimator):
    """Base of the wrappers.

    Args:
        model: a compiled model, of which each ``fit`` trains a fresh copy; or a function
            ``model(X, y, **model_kwargs)`` that returns a compiled one, where ``X`` and ``y`` tell it the numbers of
            features and outputs.
        warm_start: go on with the weights of the last ``fit``; a model that is given is then not copied.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of ``model.fit``, such as ``epochs``; those of this object's ``fit`` come before them.
    """

    model_: Any
    history_: Any

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ):
        # Only stored, as scikit-learn demands; fit() looks at them.
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Train.  ``kwargs`` are arguments of ``model.fit``."""
        X, y = self._checked(X, y, reset=True)
        return self._train(X, y, sample_weight, bool(self.warm_start), kwargs)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Train for one more epoch."""
        X, y = self._checked(X, y, reset=not hasattr(self, "model_"))
        return self._train(X, y, sample_weight, True, {**kwargs, "epochs": 1})

    @property
    def epoch_(self) -> int:
        """How many epochs the last ``fit`` took."""
        check_is_fitted(self)
        return len(self.history_.epoch)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # weights start at random numbers
        return tags

    def _make_model(self, X: np.ndarray, y: np.ndarray) -> Any:
        where = type(self).__name__
        if isinstance(self.model, Model):
            model = self.model if self.warm_start else _fresh(self.model)
        elif callable(self.model):
            model = self.model(X=X, y=y, **(self.model_kwargs or {}))
            if not isinstance(model, Model):
                raise ArgumentError(f"{where}: the function given as model returned {model!r}, expected a Model")
        else:
            raise ArgumentError(f"{where}: model must be a Model or a function that returns one, got {self.model!r}")
        if not model.compiled:
            raise NotCompiledError(
                f"{where}: model '{model.name}' is not compiled; call model.compile(optimizer, loss) before"
            )
        return model

    def _train(self, X: Any, y: Any, sample_weight: Any, goes_on: bool, given: dict[str, Any]) -> Any:
        """Fit on checked numbers: a new model unless ``goes_on`` and there is one."""
        options = {**(self.fit_kwargs or {}), **given}
        if sample_weight is None:
            sample_weight = options.pop("sample_weight", None)
        if sample_weight is not None:
            options["sample_weight"] = _check_sample_weight(sample_weight, X)
        encoded = self._encode(y)
        model = self.model_ if goes_on and hasattr(self, "model_") else self._make_model(X, encoded)
        self.history_ = model.fit(X, self._targets(encoded, model), **options)
        self.model_ = model
        return self

    def _encode(self, y: np.ndarray) -> np.ndarray:
        """Targets as the function that makes the model sees them: always two axes."""
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _targets(self, encoded: np.ndarray, model: Any) -> np.ndarray:
        """What the model is trained on."""
        return encoded

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, reset=reset, allow_nd=True, multi_output=True, y_numeric=True, dtype="numeric")
        return X, y

    def _outputs(self, X: Any) -> np.ndarray:
        """The model's outputs for ``X``."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, allow_nd=True)
        return np.asarray(self.model_.predict(X, verbose=0))


def _fresh(model: Model) -> Any:
    """The same model with new weights, compiled alike."""
    copied = clone_model(model)
    if model.compiled and not copied.compiled:
        copied.compile_from_config(model.get_compile_config())
    return copied
