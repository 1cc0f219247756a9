"""Losses beside Keras's: values, gradients, sample weights, masks, reductions, configs."""

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.executor.eager import run_traced
from pynn.graph.autodiff import gradients

# Keras's arrays, not ours, are behind NumPy 2 here.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROWS, STEPS, SPELLING = (7, 4), (5, 3, 4), (4, 8, 4)

#: name, arguments, targets, predictions, shape of the predictions.
LOSSES = [
    *((name, arguments, "numbers", "numbers", shape)
      for name, arguments in (("MeanSquaredError", {}), ("MeanAbsoluteError", {}), ("LogCosh", {}),
                              ("MeanAbsolutePercentageError", {}), ("Huber", {}), ("Huber", {"delta": 0.3}),
                              ("CosineSimilarity", {}), ("CosineSimilarity", {"axis": 1}))
      for shape in (ROWS, STEPS)),
    ("MeanSquaredLogarithmicError", {}, "positive", "positive", ROWS),
    ("Poisson", {}, "counts", "positive", ROWS),
    ("KLDivergence", {}, "probabilities", "probabilities", STEPS),
    ("Hinge", {}, "signs", "numbers", ROWS),
    ("Hinge", {}, "bits", "numbers", STEPS),
    ("SquaredHinge", {}, "bits", "numbers", ROWS),
    ("CategoricalHinge", {}, "one_hot", "numbers", STEPS),
    ("BinaryCrossentropy", {}, "bits", "between", ROWS),
    ("BinaryCrossentropy", {"axis": 1}, "bits", "between", STEPS),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "bits", "numbers", ROWS),
    ("CategoricalCrossentropy", {}, "one_hot", "probabilities", ROWS),
    ("CategoricalCrossentropy", {"axis": 1}, "probabilities", "between", STEPS),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one_hot", "numbers", STEPS),
    ("SparseCategoricalCrossentropy", {}, "classes", "probabilities", ROWS),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "classes", "numbers", STEPS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "classes", "probabilities", STEPS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0, "from_logits": True}, "classes", "numbers", ROWS),
    ("BinaryFocalCrossentropy", {}, "bits", "between", ROWS),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "from_logits": True,
                                 "label_smoothing": 0.1}, "bits", "numbers", STEPS),
    ("CategoricalFocalCrossentropy", {}, "one_hot", "probabilities", ROWS),
    ("CategoricalFocalCrossentropy", {"alpha": 0.5, "gamma": 3.0, "from_logits": True, "label_smoothing": 0.1},
     "one_hot", "numbers", STEPS),
    ("CategoricalGeneralizedCrossEntropy", {}, "classes", "probabilities", ROWS),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "classes", "probabilities", ROWS),
    ("Dice", {}, "bits", "between", STEPS),
    ("Dice", {"axis": (1, 2)}, "bits", "between", STEPS),
    ("Tversky", {"alpha": 0.3, "beta": 0.7}, "bits", "between", ROWS),
    ("Tversky", {"axis": -1}, "bits", "between", ROWS),
    ("Circle", {}, "labels", "unit", ROWS),
    ("Circle", {"gamma": 10.0, "margin": 0.2, "remove_diagonal": False}, "labels", "unit", ROWS),
    ("CTC", {}, "spelling", "numbers", SPELLING),
]  # fmt: skip
PER_SAMPLE = [case for case in LOSSES if case[0] not in ("Dice", "Tversky")]


@pytest.fixture(scope="module")
def batch(draw):
    def make(targets, predictions, shape):
        rng = np.random.default_rng(3)
        return draw(rng, targets, shape), draw(rng, predictions, shape)

    return make


def _ours(loss, y_true, y_pred, weight=None):
    """Value and gradient with respect to the predictions."""

    def step(t, p, *w):
        value = loss(t, p, sample_weight=w[0] if w else None)
        return value, gradients(ops.sum(value), [p])[0]

    return run_traced(step, [y_true, y_pred] if weight is None else [y_true, y_pred, weight])


def _theirs(loss, y_true, y_pred, weight=None):
    import jax

    value = loss(y_true, y_pred, sample_weight=weight)
    return np.asarray(value), np.asarray(jax.grad(lambda p: loss(y_true, p, sample_weight=weight).sum())(y_pred))


def _compare(keras, name, arguments, y_true, y_pred, weight=None):
    expected = _theirs(getattr(keras.losses, name)(**arguments), y_true, y_pred, weight)
    found = _ours(getattr(pynn.losses, name)(**arguments), y_true, y_pred, weight)
    for ours, theirs, rtol in zip(found, expected, (1e-5, 1e-4), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-6 * max(1.0, np.abs(theirs).max()))


@pytest.mark.parametrize(("name", "arguments", "targets", "predictions", "shape"), LOSSES, ids=lambda v: str(v))
def test_values_and_gradients(keras, batch, name, arguments, targets, predictions, shape):
    _compare(keras, name, arguments, *batch(targets, predictions, shape))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize(("name", "arguments", "targets", "predictions", "shape"), PER_SAMPLE, ids=lambda v: str(v))
def test_weights_and_reductions(keras, batch, name, arguments, targets, predictions, shape, reduction):
    y_true, y_pred = batch(targets, predictions, shape)
    values = getattr(pynn.losses, name)(**arguments, reduction="none")(y_true, y_pred)
    weight = np.random.default_rng(4).uniform(0.5, 2.0, values.shape).astype("float32")
    weight[1:3] = 0.0
    _compare(keras, name, {**arguments, "reduction": reduction}, y_true, y_pred, weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", None])
def test_masks(keras, batch, reduction, weighted):
    y_true, y_pred = batch("numbers", "numbers", STEPS)
    mask = np.random.default_rng(5).integers(0, 2, STEPS[:2]).astype(bool)
    weight = np.arange(1.0, 6.0, dtype="float32")[:, None] if weighted else None
    theirs = keras.ops.convert_to_tensor(y_pred)
    theirs._keras_mask = keras.ops.convert_to_tensor(mask)
    expected = keras.losses.MeanSquaredError(reduction=reduction)(y_true, theirs, sample_weight=weight)
    ours = pynn.ops.copy(y_pred)
    ours._keras_mask = mask
    found = pynn.losses.MeanSquaredError(reduction=reduction)(y_true, ours, sample_weight=weight)
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-5)


#: Losses of logits and of probabilities: what saturates must not become NaN where Keras's does not.
EXTREMES = [
    (name, arguments, targets, predictions)
    for name, arguments, targets, kinds in (
        ("MeanSquaredError", {}, "numbers", ("huge",)),
        ("MeanAbsoluteError", {}, "numbers", ("huge",)),
        ("MeanAbsolutePercentageError", {}, "bits", ("huge", "bits")),
        ("MeanSquaredLogarithmicError", {}, "positive", ("huge", "bits")),
        ("Huber", {}, "numbers", ("huge",)),
        ("LogCosh", {}, "numbers", ("huge",)),
        ("CosineSimilarity", {}, "numbers", ("huge",)),
        ("Hinge", {}, "signs", ("huge",)),
        ("SquaredHinge", {}, "signs", ("huge",)),
        ("CategoricalHinge", {}, "one_hot", ("huge",)),
        ("KLDivergence", {}, "one_hot", ("huge", "one_hot")),
        ("Poisson", {}, "counts", ("bits",)),
        ("BinaryCrossentropy", {"from_logits": True}, "bits", ("huge",)),
        ("BinaryCrossentropy", {}, "bits", ("bits",)),
        ("CategoricalCrossentropy", {"from_logits": True}, "one_hot", ("huge",)),
        ("CategoricalCrossentropy", {}, "one_hot", ("one_hot",)),
        ("SparseCategoricalCrossentropy", {"from_logits": True}, "classes", ("huge",)),
        ("SparseCategoricalCrossentropy", {}, "classes", ("one_hot",)),
        ("CategoricalFocalCrossentropy", {"from_logits": True}, "one_hot", ("huge",)),
        ("CategoricalFocalCrossentropy", {}, "one_hot", ("one_hot",)),
        ("BinaryFocalCrossentropy", {}, "bits", ("bits",)),
        ("Dice", {}, "bits", ("bits",)),
        ("Tversky", {}, "bits", ("bits",)),
    )
    for predictions in kinds
]


@pytest.mark.parametrize(("name", "arguments", "targets", "predictions"), EXTREMES, ids=lambda v: str(v))
def test_extremes(keras, batch, name, arguments, targets, predictions):
    y_true, y_pred = batch(targets, predictions, ROWS)
    expected = _theirs(getattr(keras.losses, name)(**arguments), y_true, y_pred)
    value, slope = _ours(getattr(pynn.losses, name)(**arguments), y_true, y_pred)
    assert np.isfinite(value) or not np.isfinite(expected[0])
    assert (np.isfinite(slope) | ~np.isfinite(expected[1])).all()
    np.testing.assert_allclose(value, expected[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "arguments", "targets", "predictions", "shape"), LOSSES, ids=lambda v: str(v))
def test_configs_go_both_ways(keras, batch, name, arguments, targets, predictions, shape):
    """Ours makes the same loss in Keras, and Keras's the same loss here."""
    y_true, y_pred = batch(targets, predictions, shape)
    ours, theirs = (getattr(library.losses, name)(**arguments, name="own") for library in (pynn, keras))
    lost = {"Huber": "delta", "CosineSimilarity": "axis"}.get(name)  # Keras's config does not hold these
    config = {k: v for k, v in ours.get_config().items() if k != lost}
    assert config == theirs.get_config()
    if name != "CategoricalGeneralizedCrossEntropy":  # Keras 3.15 does not read its own config of it either
        there = keras.losses.deserialize(pynn.losses.serialize(ours))
        np.testing.assert_allclose(float(there(y_true, y_pred)), float(theirs(y_true, y_pred)), rtol=1e-6)
    here = pynn.losses.deserialize(keras.losses.serialize(theirs))
    if lost not in arguments:
        np.testing.assert_allclose(float(here(y_true, y_pred)), float(ours(y_true, y_pred)), rtol=1e-6)


def test_names(keras):
    """Every name that Keras knows, with the same thing behind it."""
    for name in dir(keras.losses):
        theirs = getattr(keras.losses, name)
        if name.startswith("_") or name in ("get", "serialize", "deserialize", "Loss") or not callable(theirs):
            continue
        assert type(pynn.losses.get(name)) is type(getattr(pynn.losses, name)) or isinstance(
            pynn.losses.get(name), getattr(pynn.losses, name)
        )
    for name in ("mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "bce", "BCE", "kld", "KLD"):
        assert pynn.losses.get(name).__name__ == keras.losses.get(name).__name__


@pytest.mark.parametrize("name", ["mean_squared_error", "circle", "huber"])
def test_function_configs(keras, name):
    function = getattr(pynn.losses, name)
    assert pynn.losses.serialize(function) == keras.losses.serialize(getattr(keras.losses, name))
    assert pynn.losses.deserialize(keras.losses.serialize(getattr(keras.losses, name))) is function


@pytest.mark.parametrize("weighted", [False, True])
def test_masks_in_fit(keras, weighted):
    """What an Embedding masks counts neither in the loss nor in metrics."""
    rng = np.random.default_rng(9)
    x = rng.integers(0, 3, (12, 5)).astype("int32")
    y = rng.standard_normal((12, 5, 1)).astype("float32")
    weight = rng.uniform(0.5, 2.0, (12, 5)).astype("float32") if weighted else None
    table, kernel = rng.standard_normal((3, 4)).astype("float32"), rng.standard_normal((4, 1)).astype("float32")
    logs, losses = [], []
    for library in (keras, pynn):
        model = library.Sequential(
            [library.Input((5,), dtype="int32"), library.layers.Embedding(3, 4, mask_zero=True),
             library.layers.Dense(1)]
        )  # fmt: skip
        model.set_weights([table, kernel, np.zeros(1, "float32")])
        model.compile(library.optimizers.SGD(0.1), "mse", metrics=["mae"], weighted_metrics=["mape"])
        logs.append(model.evaluate(x, y, sample_weight=weight, batch_size=5, verbose=0, return_dict=True))
        history = model.fit(x, y, sample_weight=weight, epochs=2, batch_size=5, shuffle=False, verbose=0).history
        losses.append(history["loss"])  # metrics of training lose the mask in Keras on JAX
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert set(logs[0]) == set(logs[1])
    for name in logs[0]:
        np.testing.assert_allclose(logs[1][name], logs[0][name], rtol=1e-4, err_msg=name)
