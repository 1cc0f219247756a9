"""A model as a classifier of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from pynn.errors import ArgumentError, ShapeError
from pynn.wrappers.base import ModelEstimator


class SKLearnClassifier(ClassifierMixin, ModelEstimator):
    """A model as a scikit-learn classifier, for labels of any kind.

    The model's last axis is one number for each class: probabilities, or logits if its loss says ``from_logits=True``;
    two classes may also be one number, the probability of the second.  It is trained on one-hot rows, or on the numbers
    of the classes where its loss is sparse or there is one output.

    Args:
        model: a compiled model, of which each ``fit`` trains a fresh copy; or a function
            ``model(X, y, **model_kwargs)`` that returns a compiled one.  ``y`` are one-hot rows there.
        warm_start: go on with the weights of the last ``fit``; a model that is given is then not copied.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of ``model.fit``; those of this object's ``fit`` come before them.

    Attributes:
        classes_: the labels, sorted.
        model_: the fitted model.
        history_: what ``model.fit`` returned.

    Raises:
        ArgumentError: something that is no model, or labels unknown to ``partial_fit``.
        NotCompiledError: a model that is not compiled.

    Example:
        >>> import numpy as np, pynn
        >>> def network(X, y, units):
        ...     hidden = pynn.layers.Dense(units, activation="tanh")
        ...     output = pynn.layers.Dense(y.shape[1], activation="softmax")
        ...     model = pynn.Sequential([pynn.Input(X.shape[1:]), hidden, output])
        ...     model.compile(pynn.optimizers.Adam(0.1), "categorical_crossentropy")
        ...     return model
        >>> X, y = np.array([[-1.0], [-2.0], [1.0], [2.0]]), ["no", "no", "yes", "yes"]
        >>> classifier = SKLearnClassifier(network, model_kwargs={"units": 8}, fit_kwargs={"epochs": 50, "verbose": 0})
        >>> classifier.fit(X, y).predict([[-3.0], [3.0]])
        array(['no', 'yes'], dtype='<U3')
    """

    classes_: np.ndarray

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, class_weight: Any = None, **kwargs: Any
    ) -> SKLearnClassifier:
        """Train.

        Args:
            X: samples.
            y: labels, one for each sample.
            sample_weight: one number for each sample.
            class_weight: ``"balanced"``, or a dictionary from labels (or their indices in ``classes_``) to numbers.
            kwargs: arguments of ``model.fit``.
        """
        X, y = self._checked(X, y, reset=True)
        goes_on = bool(self.warm_start) and hasattr(self, "model_")
        if not goes_on:
            self.classes_ = np.unique(y)
        return self._train_weighted(X, y, sample_weight, class_weight, goes_on, kwargs)

    def partial_fit(  # type: ignore[override]
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, class_weight: Any = None, **kwargs: Any
    ) -> SKLearnClassifier:
        """Train for one more epoch.  ``classes`` are all labels that will ever come, needed in the first call."""
        first = not hasattr(self, "model_")
        X, y = self._checked(X, y, reset=first)
        if first:
            if classes is None:
                raise ArgumentError(
                    "SKLearnClassifier: the first call of partial_fit needs classes, all labels there are"
                )
            self.classes_ = np.unique(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ArgumentError(
                f"SKLearnClassifier: partial_fit knows classes {self.classes_.tolist()}, received {list(classes)!r}"
            )
        return self._train_weighted(X, y, sample_weight, class_weight, True, {**kwargs, "epochs": 1})

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, shape ``(samples, classes)``."""
        outputs = self._outputs(X)
        logits = bool(getattr(_loss(self.model_), "from_logits", False))
        if len(self.classes_) <= 2 and outputs.shape[-1] == 1 and len(self.classes_) > 1:
            second = 1 / (1 + np.exp(-outputs)) if logits else outputs
            return np.concatenate([1 - second, second], axis=-1)
        if outputs.shape[-1] != len(self.classes_):
            raise ShapeError(
                f"SKLearnClassifier: the model has {outputs.shape[-1]} outputs for {len(self.classes_)} classes"
            )
        if logits:
            shifted = np.exp(outputs - outputs.max(-1, keepdims=True))
            return shifted / shifted.sum(-1, keepdims=True)
        return outputs

    def decision_function(self, X: Any) -> np.ndarray:
        """As :meth:`predict_proba`; for two classes one number for each sample, above 0 for the second."""
        probabilities = self.predict_proba(X)
        return probabilities[:, 1] - probabilities[:, 0] if len(self.classes_) == 2 else probabilities

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each sample."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(-1)]

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, reset=reset, allow_nd=True, multi_output=True)
        check_classification_targets(y)
        return X, column_or_1d(y, warn=True)

    def _train_weighted(
        self, X: np.ndarray, y: np.ndarray, sample_weight: Any, class_weight: Any, goes_on: bool, given: dict[str, Any]
    ) -> SKLearnClassifier:
        unknown = sorted(set(y.tolist()) - set(self.classes_.tolist()))
        if unknown:
            raise ArgumentError(
                f"SKLearnClassifier: labels {unknown} are none of the classes known, {self.classes_.tolist()}"
            )
        if class_weight is None:
            class_weight = given.pop("class_weight", None) or (self.fit_kwargs or {}).get("class_weight")
        given["class_weight"] = None  # a weight of each sample from here on
        if class_weight is not None:
            weights = compute_sample_weight(self._by_label(class_weight), y)
            given_weights = (self.fit_kwargs or {}).get("sample_weight") if sample_weight is None else sample_weight
            sample_weight = weights if given_weights is None else weights * _check_sample_weight(given_weights, X)
        return self._train(X, y, sample_weight, goes_on, given)

    def _by_label(self, class_weight: Any) -> Any:
        if not isinstance(class_weight, dict):
            if class_weight != "balanced":
                raise ArgumentError(
                    f"SKLearnClassifier: class_weight must be 'balanced' or a dictionary, received {class_weight!r}"
                )
            return class_weight
        labels = self.classes_.tolist()
        if set(class_weight) <= set(labels):
            return {**dict.fromkeys(labels, 1.0), **class_weight}
        if set(class_weight) <= set(range(len(labels))):  # as Keras has it
            return {label: class_weight.get(i, 1.0) for i, label in enumerate(labels)}
        raise ArgumentError(f"SKLearnClassifier: class_weight has keys {list(class_weight)}, the labels are {labels}")

    def _encode(self, y: np.ndarray) -> np.ndarray:
        return np.eye(len(self.classes_), dtype="float32")[np.searchsorted(self.classes_, y)]

    def _targets(self, encoded: np.ndarray, model: Any) -> np.ndarray:
        loss = _loss(model)
        sparse = "sparse" in str(getattr(loss, "name", getattr(loss, "__name__", loss))).lower()
        one_output = model.built and len(self.classes_) == 2 and model.output_shape[-1] == 1
        return encoded.argmax(-1)[:, None] if sparse or one_output else encoded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # that depends on the model
        return tags


def _loss(model: Any) -> Any:
    return model.loss
