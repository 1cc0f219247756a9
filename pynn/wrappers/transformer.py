"""A model as a transformer of scikit-learn: its outputs are the features of the next step."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pynn.wrappers.base import ModelEstimator


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ModelEstimator):
    """A model as a scikit-learn transformer, whose ``transform`` gives the model's outputs.

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

    Example:
        >>> import numpy as np, pynn
        >>> model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2), pynn.layers.Dense(3)])
        >>> model.compile("adam", "mse")
        >>> X = np.ones((8, 3))
        >>> SKLearnTransformer(model, fit_kwargs={"verbose": 0}).fit(X, X).transform(X).shape
        (8, 3)
    """

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs for ``X``."""
        return self._outputs(X)

    predict = transform

    @property
    def _n_features_out(self) -> int:
        """For the names of the columns."""
        check_is_fitted(self)
        return self.model_.output_shape[-1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags
