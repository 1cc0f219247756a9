"""Metrics: values, weights, resetting, lookup by name, what "accuracy" means."""

import numpy as np
import pytest

from pynn import Sequential, layers, losses, metrics, ops

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


# ---- counts, curves, regions ---------------------------------------------------------------------------------------

BITS = np.array([0, 0, 1, 1, 1], "float32")
SCORES = np.array([0.1, 0.6, 0.4, 0.7, 0.9], "float32")


def test_counts():
    found = {
        name: metrics.get(name)(BITS, SCORES)
        for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
    }
    assert {name: float(count) for name, count in found.items()} == {
        "TruePositives": 2, "FalsePositives": 1, "TrueNegatives": 1, "FalseNegatives": 1,
    }  # fmt: skip
    assert metrics.Precision(thresholds=[0.5, 0.65])(BITS, SCORES).tolist() == pytest.approx([2 / 3, 1])


def test_buckets_count_like_comparisons():
    """The fast way for evenly spaced thresholds and the plain one agree away from the thresholds themselves."""
    rng = np.random.default_rng(0)
    y, p, w = rng.integers(0, 2, 400), rng.uniform(0, 1, 400), rng.uniform(0.5, 2, 400)
    even = [i / 10 for i in range(11)]
    assert metrics.confusion._evenly_spaced(even)
    for cls in (metrics.TruePositives, metrics.FalseNegatives):
        fast = cls(thresholds=even)(y, p, sample_weight=w)
        slow = np.concatenate([cls(thresholds=[t, t])(y, p, sample_weight=w)[:1] for t in even])
        np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=1e-3)


def test_auc_of_ranks():
    """It is the share of pairs that are in order."""
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 2, 300), rng.uniform(0, 1, 300)
    pairs = p[y == 1][:, None] > p[y == 0]
    assert float(metrics.AUC(num_thresholds=5000)(y, p)) == pytest.approx(pairs.mean(), abs=1e-3)


def test_scores_of_classes():
    y = np.array([[1, 0], [0, 1], [1, 0]])
    p = np.array([[0.9, 0.1], [0.8, 0.7], [0.3, 0.4]], "float32")
    assert metrics.F1Score(threshold=0.5)(y, p).tolist() == pytest.approx([0.5, 1.0])
    assert float(metrics.R2Score()([[1.0], [3.0]], [[2.0], [2.0]])) == 0.0
    assert float(metrics.MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1], sample_weight=[0.3, 0.3, 0.3, 0.1])) == pytest.approx(
        (0.3 / 0.9 + 0.1 / 0.7) / 2
    )
    # A class number that is none counts nowhere.
    assert float(metrics.MeanIoU(2)([0, 1, 7, -1], [0, 1, 1, 1])) == 1.0


def test_results_answer_to_numpy():
    for metric in (metrics.Mean(), metrics.AUC(), metrics.MeanIoU(2), metrics.F1Score(), metrics.R2Score()):
        assert metric.result().numpy().dtype == "float32"  # before there was anything to count


def test_attributes_belong_to_the_metric():
    class Spread(metrics.Metric):
        def __init__(self, name="spread"):
            super().__init__(name=name)
            self.mean = metrics.Mean()
            self.largest = self.add_weight(name="largest")

        def update_state(self, values):
            self.mean.update_state(values)
            self.largest.assign(ops.maximum(self.largest, ops.max(values)))

        def result(self):
            return self.largest - self.mean.result()

    spread = Spread()
    assert [v.path for v in spread.variables] == ["spread/largest", "mean/total", "mean/count"]
    assert float(spread([1.0, 2.0, 6.0])) == 3.0
    spread.reset_state()
    assert [float(v) for v in spread.variables] == [0, 0, 0]


def test_stateless():
    mean = metrics.Mean()
    mean.update_state([1.0, 2.0])
    state = mean.stateless_update_state(mean.stateless_reset_state(), [4.0, 8.0])
    assert [float(v) for v in state] == [12, 2]
    assert float(mean.stateless_result(state)) == 6
    assert float(mean.result()) == 1.5


def test_in_a_compiled_step():
    """All at once in one native call, no Python between; the logs hold Python's numbers."""
    names = ("AUC", "Precision", "Recall", "TruePositives", "R2Score", "F1Score", "BinaryIoU")
    model = Sequential([layers.Input((3,)), layers.Dense(2, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[metrics.get(n) for n in names if n != "F1Score"]
                  + [metrics.F1Score(average="macro", threshold=0.5)])  # fmt: skip
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((20, 3)).astype("float32"), rng.integers(0, 2, (20, 2)).astype("float32")
    logs = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    assert all(type(number) is float for number in logs.values())
    p = model.predict(x, verbose=0)
    watched = next(m for m in model.metrics if m.name == "compile_metrics").metrics
    assert len(watched) == len(names)
    for metric in watched:
        again = type(metric).from_config(metric.get_config())
        assert logs[metric.name] == pytest.approx(float(again(y, p)), abs=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(thresholds=1.5), r"Precision: thresholds must lie in \[0, 1\], received 1.5"),
        (lambda: metrics.AUC(curve="roc"), "AUC: curve must be one of ROC, PR, PRGAIN, received 'roc'"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds must be a whole number above 1"),
        (lambda: metrics.AUC(summation_method="x"), "summation_method must be one of"),
        (lambda: metrics.PrecisionAtRecall(1.5), r"PrecisionAtRecall: recall must lie in \[0, 1\], received 1.5"),
        (lambda: metrics.F1Score(average="mean"), "average must be None, 'micro', 'macro' or 'weighted'"),
        (
            lambda: metrics.F1Score()([0, 1], [0.5, 0.5]),
            r"targets and predictions of shape \(batch, classes\)",
        ),
        (lambda: metrics.R2Score(class_aggregation="x"), "class_aggregation must be one of"),
        (lambda: metrics.IoU(2, [2]), r"target_class_ids holds 2, expected classes in \[0, 2\)"),
        (lambda: metrics.AUC(multi_label=True)([0, 1], [0.1, 0.2]), r"multi_label needs predictions \(batch, labels\)"),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), "k must be a whole number of at least 1, received 0"),
        (lambda: metrics.Precision()([[1, 0]], [[0.1, 0.2, 0.3]]), "metric 'precision.*': y_true of shape"),
    ],
)
def test_more_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_iou_ignores_a_class_by_its_number():
    with pytest.raises(ValueError, match=r"MeanIoU: ignore_class must be the number .* received \[\]"):
        metrics.MeanIoU(3, ignore_class=[])
