"""Losses: values, reductions, weights, lookup by name, checks of targets."""

import numpy as np
import pytest

from pynn import losses, ops

Y = np.array([[0, 1], [1, 0]], "float32")
P = np.array([[0.3, 0.7], [0.2, 0.8]], "float32")
W = np.array([1.0, 3.0], "float32")

# Keras 3.15 on JAX: [sum_over_batch_size, sum, per sample..., weighted by W]
EXPECTED = {
    "MeanSquaredError": (0.365, 0.73, [0.09, 0.64], 1.005),
    "MeanAbsoluteError": (0.55, 1.1, [0.3, 0.8], 1.35),
    "BinaryCrossentropy": (0.9830564, 1.9661129, [0.356675, 1.6094379], 2.5924945),
    "CategoricalCrossentropy": (0.9830564, 1.9661129, [0.356675, 1.6094379], 2.5924945),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_values(name):
    cls = getattr(losses, name)
    mean, total, each, weighted = EXPECTED[name]
    np.testing.assert_allclose(cls()(Y, P), mean, rtol=1e-5)
    np.testing.assert_allclose(cls(reduction="sum")(Y, P), total, rtol=1e-5)
    np.testing.assert_allclose(cls(reduction=None)(Y, P), each, rtol=1e-5)
    np.testing.assert_allclose(cls()(Y, P, sample_weight=W), weighted, rtol=1e-5)
    np.testing.assert_allclose(cls()(Y, P, sample_weight=W[:, None]), weighted, rtol=1e-5)


def test_sparse_and_options():
    # Keras 3.15 on JAX
    sparse = losses.SparseCategoricalCrossentropy()
    np.testing.assert_allclose(sparse([1, 0], P), 0.9830564, rtol=1e-5)
    np.testing.assert_allclose(sparse([[1], [0]], P), 0.9830564, rtol=1e-5)
    from_logits = losses.SparseCategoricalCrossentropy(from_logits=True)
    np.testing.assert_allclose(from_logits([1, 0], P), 0.7752516, rtol=1e-5)
    np.testing.assert_allclose(losses.CategoricalCrossentropy(label_smoothing=0.1)(Y, P), 0.9695815, rtol=1e-5)
    np.testing.assert_allclose(losses.BinaryCrossentropy(label_smoothing=0.1)(Y, P), 0.9695815, rtol=1e-5)
    np.testing.assert_allclose(losses.BinaryCrossentropy(from_logits=True)(Y, P), 0.7566953, rtol=1e-5)


def test_ranks_meet():
    mse = losses.MeanSquaredError()
    np.testing.assert_allclose(mse([1.0, 2.0], [[1.0], [4.0]]), 2.0)
    np.testing.assert_allclose(mse([[1.0], [4.0]], [1.0, 2.0]), 2.0)


def test_functions_give_a_number_per_sample():
    np.testing.assert_allclose(losses.mean_squared_error(Y, P), [0.09, 0.64], rtol=1e-5)
    np.testing.assert_allclose(losses.binary_crossentropy(y_true=Y, y_pred=P, label_smoothing=0.0).shape, (2,))


def test_sums_with_weights_divided_by_their_sum():
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    np.testing.assert_allclose(loss(Y, P, sample_weight=W), (0.09 + 3 * 0.64) / 4, rtol=1e-5)


def test_own_losses():
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            d = ops.abs(y_true - y_pred)
            return ops.mean(d * d * d, axis=-1)

    np.testing.assert_allclose(Cubic()(Y, P), np.mean(np.abs(Y - P) ** 3), rtol=1e-5)
    wrapped = losses.as_loss(lambda y_true, y_pred: ops.mean(ops.abs(y_true - y_pred), axis=-1))
    np.testing.assert_allclose(wrapped(Y, P), 0.55, rtol=1e-5)


@pytest.mark.parametrize("name", ["mse", "MSE", "mean_squared_error"])
def test_get(name):
    assert losses.get(name) is losses.mean_squared_error
    assert isinstance(losses.as_loss(name), losses.MeanSquaredError)


def test_config_round_trip():
    loss = losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    # keras.losses.BinaryCrossentropy(...).get_config(), Keras 3.15
    assert loss.get_config() == {
        "name": "binary_crossentropy",
        "reduction": "sum_over_batch_size",
        "from_logits": True,
        "label_smoothing": 0.1,
        "axis": -1,
    }
    assert losses.deserialize(losses.serialize(loss)).get_config() == loss.get_config()
    sparse = losses.SparseCategoricalCrossentropy()
    assert losses.deserialize(losses.serialize(sparse)).get_config() == sparse.get_config()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: losses.get("msee"), ValueError, "unknown loss 'msee': did you mean 'mse'"),
        (lambda: losses.get("mean_square_error"), ValueError, "did you mean 'mean_squared_error'"),
        (lambda: losses.get(3), ValueError, "cannot make a loss of 3"),
        (lambda: losses.as_loss(None), ValueError, "a loss is needed"),
        (lambda: losses.MeanSquaredError(reduction="foo"), ValueError, "reduction must be one of .* received 'foo'"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), ValueError, "label_smoothing must lie between 0 and 1"),
        (lambda: losses.MeanSquaredError()(np.zeros((2, 3)), np.zeros((2, 4))), ValueError,
         r"mean_squared_error: y_true of shape \(2, 3\) does not fit y_pred of shape \(2, 4\)"),
        (lambda: losses.SparseCategoricalCrossentropy()([[1, 0]], P), ValueError, "expected one class number per row"),
        (lambda: losses.MeanSquaredError()(Y, P, sample_weight=np.ones(3)), ValueError,
         r"sample_weight of shape \(3,\) does not fit values of shape \(2,\)"),
        (lambda: losses.MeanSquaredError()(["a"], P), TypeError, "expected an array of numbers"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("loss", "y", "output", "error", "message"),
    [
        ("mse", [[1.0], [np.nan]], (None, 1), ValueError, r"y contains nan \(first at index \(1, 0\)\)"),
        ("mse", [[1.0], [np.inf]], (None, 1), ValueError, "y contains inf"),
        ("mse", ["cat", "dog"], (None, 1), TypeError, "y must hold numbers"),
        ("mse", np.zeros((4, 3)), (None, 2), ValueError,
         r"y has shape \(batch, 3\), but the model's output has shape \(batch, 2\)"),
        ("mse", np.zeros(4), (None, 10), ValueError, "use the loss 'sparse_categorical_crossentropy'"),
        ("sparse_categorical_crossentropy", [0, 3], (None, 3), ValueError,
         r"y contains class 3, but the model has 3 outputs \(classes 0 to 2\): .* give the last layer 4 units"),
        ("sparse_categorical_crossentropy", [-1, 1], (None, 3), ValueError, "y contains class -1"),
        ("sparse_categorical_crossentropy", [0.5, 1], (None, 3), ValueError, "whole numbers .* received 0.5"),
        ("sparse_categorical_crossentropy", np.eye(3), (None, 3), ValueError,
         "use the loss 'categorical_crossentropy'"),
        ("categorical_crossentropy", [0, 1, 2], (None, 3), ValueError,
         r"use the loss 'sparse_categorical_crossentropy', or to_categorical\(y, 3\)"),
        ("categorical_crossentropy", np.eye(4), (None, 3), ValueError, r"\(batch, 4\).*\(batch, 3\)"),
        ("binary_crossentropy", [-1.0, 1.0], (None, 1), ValueError,
         "between 0 and 1, received numbers from -1.0 to 1.0"),
    ],
)  # fmt: skip
def test_target_errors(loss, y, output, error, message):
    with pytest.raises(error, match=message):
        losses.as_loss(loss).check_targets(np.asarray(y), output)


@pytest.mark.parametrize(
    ("loss", "y", "output"),
    [
        ("mse", np.zeros(4), (None, 1)),
        ("mse", np.zeros((4, 1)), (None, 1)),
        ("mse", np.zeros((4, 2, 3)), (None, 2, 3)),
        ("sparse_categorical_crossentropy", np.array([0, 1, 2]), (None, 3)),
        ("sparse_categorical_crossentropy", np.array([[0], [2]], "uint8"), (None, 3)),
        ("sparse_categorical_crossentropy", np.array([0.0, 2.0]), (None, 3)),
        ("sparse_categorical_crossentropy", np.zeros((4, 7), int), (None, 7, 3)),
        ("categorical_crossentropy", np.eye(3), (None, 3)),
        ("binary_crossentropy", np.array([0, 1, 1]), (None, 1)),
        ("binary_crossentropy", np.array([True, False]), (None, 1)),
    ],
)
def test_good_targets(loss, y, output):
    losses.as_loss(loss).check_targets(y, output)


def test_function_losses_check_targets_too():
    wrapped = losses.LossFunctionWrapper(losses.get("mse"))
    with pytest.raises(ValueError, match="but the model's output has shape"):
        wrapped.check_targets(np.zeros((4, 3)), (None, 2), argument="validation_y")


# ---- the course's numbers, and what Keras has no word on ---------------------------------------------------------


def test_the_course():
    """What the slides work out by hand."""
    digit = np.eye(10, dtype="float32")[1]
    outputs = np.array([0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4], "float32")
    np.testing.assert_allclose(10 * losses.mean_squared_error(digit, outputs), 0.7901, rtol=1e-5)
    house = losses.MeanSquaredError()([90.0, 110.0, 110.0], [70.0, 130.0, 100.0])
    np.testing.assert_allclose(house, 300.0)
    np.testing.assert_allclose(losses.MeanAbsoluteError()([0.0, 0, 0], [5.0, 22.0, 20.0]), 47 / 3, rtol=1e-6)
    each = losses.BinaryCrossentropy(reduction=None)([[1.0], [1.0], [1.0]], [[0.7], [0.3], [0.9]])
    np.testing.assert_allclose(each / np.log(10), [0.155, 0.523, 0.046], atol=5e-4)  # logarithms to base 10
    np.testing.assert_allclose(losses.Hinge(reduction=None)([[1.0], [-1.0]], [[0.3], [0.3]]), [0.7, 1.3], rtol=1e-6)


@pytest.mark.parametrize("delta", [0.5, 1.0, 20.0])
def test_pseudo_huber(delta):
    r = np.array([[0.0, 1e-4, 0.3, -2.0, 50.0, 1e4]])
    exact = (delta**2 * (np.sqrt(1 + (r / delta) ** 2) - 1)).mean()
    np.testing.assert_allclose(losses.PseudoHuber(delta)(np.zeros_like(r), r), exact, rtol=1e-5)
    tiny = losses.PseudoHuber(delta)([[0.0]], [[1e-5]])  # sqrt(1 + 1e-10) would be 1
    np.testing.assert_allclose(tiny, 0.5e-10, rtol=1e-4)
    assert losses.get("pseudo_huber") is losses.pseudo_huber
    assert losses.deserialize(losses.serialize(losses.PseudoHuber(delta))).get_config()["delta"] == delta


def test_options_survive_configs():
    """Keras's configs lose these two."""
    for loss in (
        losses.Huber(delta=0.3),
        losses.CosineSimilarity(axis=0),
        losses.SparseCategoricalCrossentropy(axis=1),
    ):
        again = losses.deserialize(losses.serialize(loss))
        assert again.kwargs == loss.kwargs
    wrapped = losses.LossFunctionWrapper(losses.huber, name="own", delta=0.5)
    again = losses.LossFunctionWrapper.from_config(wrapped.get_config())
    np.testing.assert_allclose(again([[0.0]], [[2.0]]), wrapped([[0.0]], [[2.0]]))


def test_classes_have_the_signatures_of_their_functions():
    import inspect

    assert str(inspect.signature(losses.Huber)) == (
        "(delta=1.0, reduction='sum_over_batch_size', name='huber_loss', dtype=None)"
    )

    class Mine(losses.Huber):
        def __init__(self, width=2.0):
            super().__init__(delta=width)

    assert str(inspect.signature(Mine)) == "(width=2.0)"
    np.testing.assert_allclose(Mine(0.5)([[0.0]], [[2.0]]), losses.Huber(0.5)([[0.0]], [[2.0]]))
    with pytest.raises(TypeError, match="unexpected keyword argument 'dleta'; it takes"):
        losses.Huber(dleta=1)


def test_ignored_classes_and_axis():
    p = np.array([[[0.1, 0.3], [0.8, 0.5], [0.1, 0.2]]], "float32")  # classes along axis 1
    sparse = losses.SparseCategoricalCrossentropy(axis=1, reduction=None)
    np.testing.assert_allclose(sparse([[1, 0]], p), -np.log([[0.8, 0.3]]), rtol=1e-5)
    ignoring = losses.SparseCategoricalCrossentropy(ignore_class=255)
    np.testing.assert_allclose(ignoring([1, 255], [[0.5, 0.5], [0.5, 0.5]]), np.log(2), rtol=1e-6)
    ignoring.check_targets(np.array([1, 255]), (None, 2))
    with pytest.raises(ValueError, match="contains class 2"):
        ignoring.check_targets(np.array([2, 255]), (None, 2))


def test_masks_leave_entries_out():
    y = ops.reshape([1.0, 2.0, 300.0], (1, 3, 1))
    y._keras_mask = np.array([[True, True, False]])
    np.testing.assert_allclose(losses.MeanSquaredError()(np.zeros((1, 3, 1)), y), 2.5)


def test_circle_takes_references():
    labels, embeddings = np.array([0, 1]), np.array([[0.6, 0.8], [1.0, 0.0]], "float32")
    own = losses.circle(labels, embeddings, remove_diagonal=False)
    given = losses.circle(labels, embeddings, ref_labels=labels, ref_embeddings=embeddings, remove_diagonal=False)
    np.testing.assert_allclose(own, given)


def test_ctc_counts_all_paths():
    """Two steps of three classes: 12 has one path, 1 three of them: 11, 01, 10."""
    even = np.zeros((2, 2, 3), "float32")
    each = losses.CTC(reduction=None)([[1, 2], [1, 0]], even)
    np.testing.assert_allclose(each, [np.log(9), np.log(3)], rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "y", "output", "message"),
    [
        ("hinge", np.array([0, 1, 2]), (None, 1), "must hold -1 and 1 .* received numbers from 0 to 2"),
        ("categorical_hinge", np.array([0, 1, 2]), (None, 3), "looks like class numbers"),
        ("binary_focal_crossentropy", np.array([-1.0, 1.0]), (None, 1), "label the two classes 0 and 1"),
        ("circle", np.eye(3), (None, 8), r"expected one label per sample, \(batch,\)"),
        ("circle", np.array([0.5, 1.0]), (None, 8), "whole numbers"),
        ("ctc", np.array([[1, 2, 3]]), (None, 5, 3), "contains label 3; expected 1 to classes - 1"),
        ("ctc", np.array([[1, 2, 1]]), (None, 2, 3), "a row of 3 labels, but the model gives 2 steps"),
        ("ctc", np.array([1, 2]), (None, 2, 3), r"must have shape \(batch, max_length\)"),
        ("categorical_generalized_cross_entropy", np.array([0, 3]), (None, 3), "contains class 3"),
    ],
)
def test_more_target_errors(loss, y, output, message):
    with pytest.raises(ValueError, match=message):
        losses.as_loss(loss).check_targets(y, output)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Huber(delta=-1), "Huber: delta must be a number above 0, received -1"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.5), r"q must be in the interval \(0, 1\)"),
        (lambda: losses.CategoricalCrossentropy(axis=True), "axis must be of type int"),
        (lambda: losses.ctc([1], [[0.0]]), "ctc: expected targets y_true of shape"),
        (lambda: losses.circle([0, 1], [[1.0, 0.0]]), "circle: expected labels"),
    ],
)
def test_more_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
