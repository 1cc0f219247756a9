"""Metrics beside Keras's: several batches, sample weights, masks, configs, names."""

import inspect

import numpy as np
import pytest

import pynn

# Keras's arrays, not ours, are behind NumPy 2 here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning"),
]

ROWS, STEPS, PIXELS = (7, 4), (5, 3, 4), (2, 4, 5)

#: name, arguments, targets, predictions, shape of the predictions.
METRICS = [
    ("BinaryAccuracy", {}, "bits", "between", ROWS),
    ("BinaryAccuracy", {"threshold": 0.3}, "bits", "between", STEPS),
    ("CategoricalAccuracy", {}, "one_hot", "probabilities", ROWS),
    ("SparseCategoricalAccuracy", {}, "classes", "probabilities", STEPS),
    ("TopKCategoricalAccuracy", {"k": 2}, "one_hot", "probabilities", STEPS),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "classes", "probabilities", STEPS),
    ("SparseTopKCategoricalAccuracy", {}, "classes", "bits", ROWS),
    ("Accuracy", {}, "bits", "bits", ROWS),
    ("MeanSquaredError", {}, "numbers", "numbers", STEPS),
    ("RootMeanSquaredError", {}, "numbers", "numbers", STEPS),
    ("MeanAbsoluteError", {}, "numbers", "numbers", ROWS),
    ("MeanAbsolutePercentageError", {}, "numbers", "numbers", ROWS),
    ("MeanSquaredLogarithmicError", {}, "positive", "positive", ROWS),
    ("LogCoshError", {}, "numbers", "numbers", ROWS),
    ("CosineSimilarity", {}, "numbers", "numbers", STEPS),
    ("CosineSimilarity", {"axis": 1}, "numbers", "numbers", ROWS),
    ("PearsonCorrelation", {}, "numbers", "numbers", ROWS),
    ("ConcordanceCorrelation", {}, "numbers", "numbers", ROWS),
    ("Hinge", {}, "signs", "numbers", ROWS),
    ("SquaredHinge", {}, "bits", "numbers", ROWS),
    ("CategoricalHinge", {}, "one_hot", "numbers", ROWS),
    ("KLDivergence", {}, "probabilities", "probabilities", ROWS),
    ("Poisson", {}, "counts", "positive", ROWS),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "bits", "numbers", ROWS),
    ("CategoricalCrossentropy", {}, "one_hot", "probabilities", ROWS),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "classes", "numbers", STEPS),
    *((name, arguments, "bits", "between", ROWS)
      for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
      for arguments in ({}, {"thresholds": [0.2, 0.6, 0.7]})),
    *((name, arguments, "bits", "between", ROWS)
      for name in ("Precision", "Recall")
      for arguments in ({}, {"thresholds": 0.3}, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, {"top_k": 2},
                        {"class_id": 1}, {"top_k": 3, "class_id": 2, "thresholds": [0.4, 0.1]})),
    *(("AUC", {"curve": curve, "summation_method": method, "num_thresholds": 30}, "bits", "between", ROWS)
      for curve in ("ROC", "PR", "PRGAIN") for method in ("interpolation", "minoring", "majoring")),
    ("AUC", {}, "bits", "between", ROWS),
    ("AUC", {"thresholds": [0.9, 0.1, 0.3]}, "bits", "between", ROWS),
    ("AUC", {"from_logits": True, "num_thresholds": 11}, "bits", "numbers", ROWS),
    ("AUC", {"multi_label": True}, "bits", "between", ROWS),
    ("AUC", {"multi_label": True, "num_labels": 4, "curve": "PR", "thresholds": [0.2, 0.5]}, "bits", "between", ROWS),
    ("AUC", {"multi_label": True, "num_labels": 4, "label_weights": [0.1, 0.2, 0.3, 0.4]}, "bits", "between", ROWS),
    ("AUC", {"label_weights": [0.1, 0.2, 0.3, 0.4]}, "bits", "between", ROWS),
    ("SensitivityAtSpecificity", {"specificity": 0.6}, "bits", "between", ROWS),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 1}, "bits", "between", ROWS),
    ("PrecisionAtRecall", {"recall": 0.4, "num_thresholds": 20}, "bits", "between", ROWS),
    ("RecallAtPrecision", {"precision": 0.5, "class_id": 1}, "bits", "between", ROWS),
    *(("FBetaScore", {"average": average, "beta": 2.0, "threshold": 0.4}, "bits", "between", ROWS)
      for average in (None, "micro", "macro", "weighted")),
    *(("F1Score", {"average": average}, "one_hot", "probabilities", ROWS)
      for average in (None, "micro", "macro", "weighted")),
    *(("R2Score", {"class_aggregation": aggregation}, "numbers", "numbers", ROWS)
      for aggregation in (None, "uniform_average", "variance_weighted_average")),
    ("R2Score", {"num_regressors": 2}, "numbers", "numbers", ROWS),
    ("BinaryIoU", {"target_class_ids": [0], "threshold": 0.3}, "bits", "between", PIXELS),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, "few", "few", PIXELS),
    ("MeanIoU", {"num_classes": 3}, "few", "few", PIXELS),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1}, "few", "few", PIXELS),
    ("OneHotIoU", {"num_classes": 5, "target_class_ids": [1, 3]}, "one_hot", "probabilities", PIXELS),
    ("OneHotMeanIoU", {"num_classes": 5, "sparse_y_pred": False}, "one_hot", "probabilities", PIXELS),
]  # fmt: skip
IDS = [f"{case[0]}-{case[1]}" for case in METRICS]
#: Keras keeps counts of pixels as whole numbers, so that the fractions of weights are lost.
WHOLE = {"BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"}


def _pair(keras, name, arguments):
    return tuple(getattr(library.metrics, name)(**arguments) for library in (keras, pynn))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "arguments", "targets", "predictions", "shape"), METRICS, ids=IDS)
def test_values(keras, draw, name, arguments, targets, predictions, shape, weighted):
    rng = np.random.default_rng(5)
    theirs, ours = _pair(keras, name, arguments)
    for _ in range(3):
        y_true, y_pred = draw(rng, targets, shape), draw(rng, predictions, shape)
        weight = None
        if weighted:
            per = shape[:1] if name not in WHOLE else np.shape(y_pred)[:2] if "OneHot" in name else np.shape(y_pred)
            weight = rng.integers(1, 4, per).astype("int32") if name in WHOLE else rng.uniform(0.5, 2, per)
        theirs.update_state(y_true, y_pred, sample_weight=weight)
        ours.update_state(y_true, y_pred, sample_weight=weight)
        np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=2e-5, atol=1e-6)
    if name not in ("AUC", "FBetaScore", "F1Score", "R2Score"):
        assert [v.path for v in ours.variables] == [v.path.replace(theirs.name, ours.name) for v in theirs.variables]
    theirs.reset_state()
    ours.reset_state()
    y_true, y_pred = draw(rng, targets, shape), draw(rng, predictions, shape)
    np.testing.assert_allclose(ours(y_true, y_pred), np.asarray(theirs(y_true, y_pred)), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "arguments", "targets", "predictions", "shape"), METRICS, ids=IDS)
def test_configs_go_both_ways(keras, draw, name, arguments, targets, predictions, shape):
    theirs, ours = _pair(keras, name, {**arguments, "name": "own"})
    lost = {"CosineSimilarity": "axis"}.get(name)  # Keras's config does not hold it
    config, expected = {k: v for k, v in ours.get_config().items() if k != lost}, theirs.get_config()
    if arguments.get("label_weights"):  # an array in Keras's config, which it cannot read itself
        np.testing.assert_allclose(config.pop("label_weights"), np.asarray(expected.pop("label_weights")))
        assert config == expected
        return
    assert config == expected
    there = keras.metrics.deserialize(pynn.metrics.serialize(ours))
    here = pynn.metrics.deserialize(keras.metrics.serialize(theirs))
    rng = np.random.default_rng(6)
    y_true, y_pred = draw(rng, targets, shape), draw(rng, predictions, shape)
    np.testing.assert_allclose(np.asarray(there(y_true, y_pred)), ours(y_true, y_pred), rtol=2e-5, atol=1e-6)
    if lost not in arguments:
        np.testing.assert_allclose(here(y_true, y_pred), np.asarray(theirs(y_true, y_pred)), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_masks(keras, draw, weighted):
    rng = np.random.default_rng(7)
    y_true, y_pred = draw(rng, "numbers", STEPS), draw(rng, "numbers", STEPS)
    mask = rng.integers(0, 2, STEPS[:2]).astype(bool)
    weight = np.arange(1.0, 6.0, dtype="float32")[:, None] if weighted else None
    theirs = keras.ops.convert_to_tensor(y_pred)
    theirs._keras_mask = keras.ops.convert_to_tensor(mask)
    ours = y_pred.view(pynn.graph.tensor.Tensor)
    ours._keras_mask = mask
    results = []
    for library, given in ((keras, theirs), (pynn, ours)):
        metric = library.metrics.MeanSquaredError()
        metric.update_state(y_true, given, sample_weight=weight)
        results.append(np.asarray(metric.result()))
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_names_and_signatures(keras):
    for name in dir(keras.metrics):
        theirs = getattr(keras.metrics, name)
        if name.startswith("_") or name in ("get", "serialize", "deserialize") or not callable(theirs):
            continue
        ours = getattr(pynn.metrics, name)
        expected, found = (inspect.signature(f).parameters.values() for f in (theirs, ours))
        assert [(p.name, p.default) for p in found] == [(p.name, p.default) for p in expected], name


@pytest.mark.parametrize(
    "name",
    ["mse", "MSE", "mae", "MAPE", "msle", "bce", "accuracy", "auc", "AUC", "precision", "Recall", "f1_score",
     "r2_score", "mean", "sum", "io_u", "mean_io_u", "true_positives", "kl_divergence", "log_cosh_error", "poisson",
     "hinge",
     "root_mean_squared_error", "top_k_categorical_accuracy", "concordance_correlation", "fbeta_score", "binary_io_u",
     "precision_at_recall", "cosine_similarity"],
)  # fmt: skip
def test_get(keras, name):
    try:
        expected = type(keras.metrics.get(name)).__name__
    except (ValueError, TypeError):  # not a name in Keras, or one that needs arguments
        return
    assert type(pynn.metrics.get(name)).__name__ == expected


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "arguments"),
    [
        ("sparse_top_k_categorical_accuracy", [1, 2], [[1, 0, 2], [0, 1, 2]], {"k": 2, "from_sorted_ids": True}),
        ("sparse_top_k_categorical_accuracy", [0, 2], [[0.5, 0.5, 0.5], [0.5, 0.5, 0.4]], {"k": 2}),
        ("top_k_categorical_accuracy", [[0, 0, 1]], [[0.1, 0.9, 0.8]], {"k": 1}),
        ("pearson_correlation", [[0.0, 1.0, 3.0]], [[1.0, 1.0, 2.0]], {}),
        ("concordance_correlation", [[1.0, 1.0]], [[1.0, 1.0]], {}),
        ("binary_accuracy", [[1.0, 0.0]], [[0.4, 0.4]], {"threshold": 0.3}),
    ],
)
def test_functions(keras, name, y_true, y_pred, arguments):
    y_true, y_pred = np.array(y_true), np.array(y_pred, "float32")
    expected = np.asarray(getattr(keras.metrics, name)(y_true, y_pred, **arguments))
    np.testing.assert_allclose(getattr(pynn.metrics, name)(y_true, y_pred, **arguments), expected, atol=1e-6)


def test_in_fit(keras):
    """Inside the compiled step they give what Keras's give."""
    rng = np.random.default_rng(8)
    x, y = rng.standard_normal((30, 5)).astype("float32"), rng.integers(0, 2, (30, 3)).astype("float32")
    names = ("AUC", "Precision", "TruePositives", "R2Score", "RootMeanSquaredError", "BinaryIoU")
    logs = []
    kernel = rng.standard_normal((5, 3)).astype("float32")
    for library in (keras, pynn):
        model = library.Sequential([library.Input((5,)), library.layers.Dense(3, activation="sigmoid")])
        model.set_weights([kernel, np.zeros(3, "float32")])
        model.compile("sgd", "binary_crossentropy", metrics=[getattr(library.metrics, n)(name=n) for n in names])
        logs.append(model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0).history)
    for name in names:
        np.testing.assert_allclose(logs[1][name], logs[0][name], rtol=1e-4, err_msg=name)
        assert all(type(number) is float for number in logs[1][name])
