"""Metrics: values, weights, resetting, lookup by name, what "accuracy" means."""

import numpy as np
import pytest

from pynn import losses, metrics, ops

Y = np.array([[0, 1], [1, 0]], "float32")
P = np.array([[0.3, 0.7], [0.2, 0.8]], "float32")

# Keras 3.15 on JAX: result after (y_true, y_pred), and after the same again with sample_weight = [1, 2, ...]
CASES = [
    ("BinaryAccuracy", [[1], [0], [1], [0]], [[0.6], [0.6], [0.2], [0.1]], 0.5, 0.5),
    ("CategoricalAccuracy", Y, P, 0.5, 0.4),
    ("SparseCategoricalAccuracy", [1, 0], P, 0.5, 0.4),
    ("SparseCategoricalAccuracy", [[1], [0]], P, 0.5, 0.4),
    ("Accuracy", [1, 2, 3], [1, 2, 4], 0.6666667, 0.5555556),
    ("MeanSquaredError", Y, P, 0.365, 0.42),
    ("MeanAbsoluteError", Y, P, 0.55, 0.6),
]


@pytest.mark.parametrize(("name", "y_true", "y_pred", "first", "second"), CASES)
def test_values(name, y_true, y_pred, first, second):
    metric = getattr(metrics, name)()
    metric.update_state(y_true, y_pred)
    assert metric.result() == pytest.approx(first, rel=1e-5)
    metric.update_state(y_true, y_pred, sample_weight=np.arange(len(y_true)) + 1.0)
    assert metric.result() == pytest.approx(second, rel=1e-5)
    metric.reset_state()
    assert metric.result() == 0
    assert metric(y_true, y_pred) == pytest.approx(first, rel=1e-5)


def test_mean_and_sum():
    mean = metrics.Mean()
    mean.update_state([1, 2, 3, 4])
    assert mean.result() == 2.5
    mean.update_state([1, 2], sample_weight=[1, 0])
    assert mean.result() == pytest.approx(2.2)
    mean.update_state(2.2, sample_weight=7.0)  # a scalar with a weight: how the trainer tracks the loss
    assert mean.result() == pytest.approx(2.2)
    total = metrics.Sum()
    total.update_state([1, 2, 3])
    total.update_state([[1, 2], [3, 4]])  # each sample counts with its mean, as in Keras
    assert total.result() == pytest.approx(6 + 1.5 + 3.5)


def test_variables():
    mean = metrics.Mean(name="loss")
    assert [v.path for v in mean.variables] == ["loss/total", "loss/count"]
    assert not any(v.trainable for v in mean.variables)


def test_own_metric():
    class Largest(metrics.Metric):
        def __init__(self, name="largest"):
            super().__init__(name=name)
            self.value = self.add_variable(shape=(), initializer="zeros", name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign_add(ops.sum(y_true * y_pred))

        def result(self):
            return float(self.value)

    metric = Largest()
    metric.update_state(Y, P)
    metric.update_state(y_true=Y, y_pred=P)
    assert metric.result() == pytest.approx(2 * 0.9, rel=1e-5)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "cls"),
    [
        ((None, 1), (None, 1), metrics.BinaryAccuracy),
        ((None,), (None, 1), metrics.BinaryAccuracy),
        ((None,), (None, 10), metrics.SparseCategoricalAccuracy),
        ((None, 1), (None, 10), metrics.SparseCategoricalAccuracy),
        ((None, 7), (None, 7, 10), metrics.SparseCategoricalAccuracy),
        ((None, 10), (None, 10), metrics.CategoricalAccuracy),
    ],
)
def test_what_accuracy_means(y_true, y_pred, cls):
    metric = metrics.resolve_accuracy(None, y_true, y_pred)
    assert type(metric) is cls
    assert metric.name == "accuracy"


def test_what_crossentropy_means():
    loss = losses.SparseCategoricalCrossentropy()
    assert isinstance(metrics.resolve_crossentropy(loss, (None,), (None, 3)), metrics.SparseCategoricalCrossentropy)


def test_get_and_config():
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("accuracy"), metrics.Accuracy)
    metric = metrics.BinaryAccuracy(threshold=0.3)
    # keras.metrics.BinaryAccuracy(threshold=0.3).get_config(), Keras 3.15
    assert metric.get_config() == {"name": "binary_accuracy", "dtype": "float32", "threshold": 0.3}
    assert metrics.deserialize(metrics.serialize(metric)).get_config() == metric.get_config()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.get("acuracy"), ValueError, "unknown metric 'acuracy': did you mean 'accuracy'"),
        (lambda: metrics.get(3), ValueError, "cannot make a metric of 3"),
        (lambda: metrics.Mean(dtype="float16"), TypeError, "dtype must be 'float32'"),
        (lambda: metrics.CategoricalAccuracy().update_state([1, 0], P), ValueError, "categorical_accuracy: y_true"),
        (lambda: metrics.Mean().update_state(["a"]), TypeError, "metric 'mean': values: expected an array of numbers"),
        (lambda: metrics.Mean().update_state([1.0, 2.0], sample_weight=[1, 2, 3]), ValueError, "metric 'mean': sam"),
        (lambda: metrics.Metric().update_state(1), NotImplementedError, "must define update_state"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
