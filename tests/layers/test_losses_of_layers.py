"""Regularizers, constraints, add_loss, activity regularizers: what they give and how they reach training."""

import numpy as np
import pytest

import pynn
from pynn import constraints, layers, ops, regularizers

X = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
Y = np.random.default_rng(1).standard_normal((8, 2)).astype("float32")


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        ("l1", 0.01 * 10),
        ("l2", 0.01 * 30),
        (regularizers.L1L2(1.0, 0.5), 10 + 15),
        (regularizers.l2(0.1), 3.0),
        (ops.sum, 6.0),
        (regularizers.OrthogonalRegularizer(1.0), abs(1 * 3 - 2 * 4) / np.sqrt(5 * 25)),
        (regularizers.OrthogonalRegularizer(1.0, "columns"), abs(1 * -2 + 3 * 4) / np.sqrt(10 * 20)),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_penalties(regularizer, expected):
    x = np.array([[1.0, -2.0], [3.0, 4.0]], "float32")
    assert float(regularizers.get(regularizer)(x)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["l1", "l2", "l1_l2", "orthogonal_regularizer", "L1", "L1L2"])
def test_regularizers_by_name_and_config(name):
    made = regularizers.get(name)
    assert regularizers.deserialize(regularizers.serialize(made)) == made
    assert regularizers.get(regularizers.serialize(made)) == made


@pytest.mark.parametrize("name", ["max_norm", "non_neg", "unit_norm", "min_max_norm", "MaxNorm"])
def test_constraints_by_name_and_config(name):
    made = constraints.get(name)
    assert constraints.deserialize(constraints.serialize(made)) == made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.get("l3"), "unknown regularizer 'l3'"),
        (lambda: regularizers.get(3), "cannot make a regularizer of 3"),
        (lambda: regularizers.L2(-1), "L2: l2 must be a number from 0, received -1"),
        (lambda: regularizers.L1L2(l1="a"), "L1L2: l1 must be a number from 0, received 'a'"),
        (lambda: regularizers.OrthogonalRegularizer(mode="x"), "mode must be 'rows' or 'columns', received 'x'"),
        (lambda: regularizers.OrthogonalRegularizer()(X[0]), r"expected a matrix \(two axes\), received shape \(3,\)"),
        (lambda: constraints.get("big"), "unknown constraint 'big'"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_penalties_are_part_of_the_loss_of_training_and_evaluation():
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, kernel_regularizer="l2", bias_regularizer="l1")])
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    kernel, bias = model.get_weights()
    error = float(np.mean((X @ kernel + bias - Y) ** 2))
    penalty = 0.01 * float(np.sum(kernel**2))
    assert float(sum(model.losses)) == pytest.approx(penalty, rel=1e-5)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(error + penalty, rel=1e-5)
    assert model.train_on_batch(X, Y) == pytest.approx(error + penalty, rel=1e-5)
    gradient = 2 * X.T @ (X @ kernel + bias - Y) / Y.size + 0.02 * kernel
    np.testing.assert_allclose(model.get_weights()[0], kernel - 0.1 * gradient, rtol=1e-4, atol=1e-6)


def test_zeros_have_no_slope_under_l1():
    model = pynn.Sequential([pynn.Input((2,)), layers.Dense(4, bias_regularizer=regularizers.L1(0.5))])
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    bias = np.array([0.0, -0.0, 1.0, -1.0], "float32")
    model.set_weights([np.zeros((2, 4), "float32"), bias])
    model.train_on_batch(np.zeros((1, 2)), bias[None])  # a loss of 0 but for the penalty
    np.testing.assert_allclose(model.get_weights()[1], [0, 0, 0.95, -0.95], rtol=1e-6)


def test_frozen_weights_have_no_penalty():
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, kernel_regularizer="l2")])
    model.layers[0].trainable = False
    assert model.losses == []


def test_constraints_hold_after_each_step():
    model = pynn.Sequential(
        [pynn.Input((3,)), layers.Dense(4, kernel_constraint=constraints.UnitNorm(), bias_constraint="non_neg")]
    )
    model.compile(pynn.optimizers.SGD(0.5), "mse")
    for _ in range(3):
        model.train_on_batch(X, np.ones((8, 4), "float32") * -3)
        kernel, bias = model.get_weights()
        np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1.0, rtol=1e-4)
        assert np.all(bias >= 0)


class Penalised(layers.Layer):
    def call(self, x, training=False):
        if training:
            self.add_loss(0.5 * ops.mean(ops.square(x)))
        return x


def test_add_loss_on_arrays():
    layer = Penalised()
    layer(X, training=True)
    layer(X, training=True)  # a call forgets what the one before has added
    assert [float(v) for v in layer.losses] == pytest.approx([0.5 * np.mean(X**2)])
    layer(X)
    assert layer.losses == []


def test_add_loss_reaches_training_of_every_kind_of_model():
    class Own(pynn.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = Penalised(), layers.Dense(2)

        def call(self, x, training=False):
            return self.second(self.first(x, training=training))

    entrance = pynn.Input((3,))
    functional = pynn.Model(entrance, layers.Dense(2)(Penalised()(entrance)))
    for model in (Own(), functional, pynn.Sequential([pynn.Input((3,)), Penalised(), layers.Dense(2)])):
        model.compile(pynn.optimizers.SGD(0.0), "mse")
        plain = model.evaluate(X, Y, verbose=0)
        assert model.train_on_batch(X, Y) == pytest.approx(plain + 0.5 * np.mean(X**2), rel=1e-5)


def test_the_activity_penalty_is_divided_by_the_number_of_samples():
    layer = layers.Dense(2, activity_regularizer="l2")
    y = layer(X)
    assert [float(v) for v in layer.losses] == pytest.approx([0.01 * float(np.sum(y**2)) / 8])
    assert layer.get_config()["activity_regularizer"]["class_name"] == "L2"


def test_a_bad_loss_is_refused():
    with pytest.raises(ValueError, match=r"layer 'dense.*': add_loss takes a number or a traced value, received 'a'"):
        layers.Dense(2).add_loss("a")
