"""A model as a regressor of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from pynn.wrappers.base import ModelEstimator


class SKLearnRegressor(RegressorMixin, ModelEstimator):
    """A model as a scikit-learn regressor.

    Args:
        model: a compiled model, of which each ``fit`` trains a fresh copy; or a function
            ``model(X, y, **model_kwargs)`` that returns a compiled one.  ``y`` has two axes there, whatever
            ``fit`` was given.
        warm_start: go on with the weights of the last ``fit``; a model that is given is then not copied.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of ``model.fit``; those of this object's ``fit`` come before them.

    Attributes:
        model_: the fitted model.
        history_: what ``model.fit`` returned.

    Raises:
        ArgumentError: something that is no model.
        NotCompiledError: a model that is not compiled.

    Example:
        >>> import numpy as np, pynn
        >>> def linear(X, y):
        ...     model = pynn.Sequential([pynn.Input(X.shape[1:]), pynn.layers.Dense(y.shape[1])])
        ...     model.compile(pynn.optimizers.SGD(0.1), "mse")
        ...     return model
        >>> X = np.array([[0.0], [1.0], [2.0]])
        >>> regressor = SKLearnRegressor(linear, fit_kwargs={"epochs": 200, "verbose": 0})
        >>> np.round(regressor.fit(X, 3 * X[:, 0] + 1).predict([[3.0]]))
        array([10.], dtype=float32)
    """

    def predict(self, X: Any) -> np.ndarray:
        """Shape ``(samples,)``, or ``(samples, outputs)`` if the targets had two axes."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._one_axis and outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    def _encode(self, y: np.ndarray) -> np.ndarray:
        self._one_axis = y.ndim == 1
        return super()._encode(y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # that depends on the model
        tags.target_tags.multi_output = True
        return tags
