"""A user's own layers, losses, metrics and schedules train like the built-in ones."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops

RNG = np.random.default_rng(0)
X = RNG.random((40, 4)).astype("float32")
Y = RNG.random((40, 2)).astype("float32")


def linear(**options):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, kernel_initializer="ones")])
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **options})
    return model


def test_a_loss_written_with_operators():
    def squared(y_true, y_pred):
        return ops.mean((y_true - y_pred) ** 2, axis=-1)

    own, built_in = linear(loss=squared), linear()
    a = own.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"]
    b = built_in.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert a == pytest.approx(b, rel=1e-6)


def test_a_loss_that_compares():
    """An asymmetric loss: too low costs three times as much."""

    def pinball(y_true, y_pred):
        low = y_true > y_pred
        return ops.mean(abs(y_true - y_pred) * (1 + 2 * low), axis=-1)

    model = linear(loss=pinball)
    e = Y - model.predict(X, verbose=0)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(float(np.mean(abs(e) * np.where(e > 0, 3, 1))), rel=1e-5)
    assert model.fit(X, Y, epochs=30, verbose=0).history["loss"][-1] < float(np.mean(abs(e))) / 2


def test_a_loss_class_and_a_metric_function():
    class Quartic(keras.Loss):
        def call(self, y_true, y_pred):
            return ops.mean((y_pred - y_true) ** 4, axis=-1)

    def largest_error(y_true, y_pred):
        return ops.max(abs(y_true - y_pred), axis=-1)

    model = linear(loss=Quartic(), metrics=[largest_error])
    e = model.predict(X, verbose=0) - Y
    loss, metric = model.evaluate(X, Y, batch_size=7, verbose=0)
    assert loss == pytest.approx(float(np.mean(e**4)), rel=1e-5)
    assert metric == pytest.approx(float(np.mean(abs(e).max(-1))), rel=1e-5)
    assert list(model.fit(X, Y, verbose=0).history) == ["largest_error", "loss"]


def test_a_layer_of_layers_with_its_own_weight():
    class Residual(keras.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.Dense(units, activation="tanh")
            self.drop = layers.Dropout(0.5)

        def build(self, input_shape):
            self.inner.build(input_shape)
            self.gain = self.add_weight(shape=(1,), initializer="ones", name="gain")
            self.built = True

        def call(self, x):
            return x + self.drop(self.inner(x)) * self.gain

    model = keras.Sequential([keras.Input((4,)), Residual(4), Residual(4), layers.Dense(2)])
    model.compile("adam", "mse")
    assert model.count_params() == 2 * (20 + 1) + 10
    before = model.get_weights()
    history = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    np.testing.assert_array_equal(model.predict(X, verbose=0), model.predict(X, verbose=0))  # no dropout
    np.testing.assert_allclose(model(X), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    assert (np.asarray(model(X, training=True)) != np.asarray(model(X))).any()


def test_a_learning_rate_schedule_is_asked_before_each_step():
    steps = []

    def schedule(step):
        steps.append(step)
        return 0.1 if step < 2 else 0.0

    model = linear(optimizer=keras.optimizers.SGD(schedule))
    steps.clear()
    model.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    assert steps == [0, 1, 2, 3]
    two = linear()
    for i in (0, 10):
        two.train_on_batch(X[i : i + 10], Y[i : i + 10])
    for a, b in zip(model.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_seed_decides_weights_order_and_dropout():
    def train(seed):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.Dropout(0.5), layers.Dense(2)])
        model.compile("adam", "mse")
        return model.fit(X, Y, epochs=2, batch_size=7, verbose=0).history["loss"]

    assert train(1) == train(1) != train(2)


def test_dropout_draws_anew_in_every_step_and_epoch():
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5), layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = [model.train_on_batch(X, np.zeros(40)) for _ in range(5)]
    assert len(set(losses)) == 5
    assert len({model.test_on_batch(X, np.zeros(40)) for _ in range(3)}) == 1


def test_batch_normalization_learns_its_statistics_in_training_only():
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(momentum=0.5), layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = RNG.normal(3, 2, (400, 4)).astype("float32")
    y = np.zeros((400, 2))
    norm = model.layers[0]
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), np.zeros(4))
    model.fit(x, y, batch_size=400, epochs=20, verbose=0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), x.mean(0), rtol=1e-3)
    np.testing.assert_allclose(norm.moving_variance.numpy(), x.var(0), rtol=1e-2)


@pytest.mark.parametrize("asks", [True, False])
def test_training_reaches_models_that_ask_for_it(asks):
    """As in Keras 3: dropout inside a model whose ``call`` has no argument ``training`` does nothing in ``fit``."""

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.drop = layers.Dropout(0.5, seed=1)
            self.out = layers.Dense(1, kernel_initializer="ones")

        if asks:

            def call(self, x, training=False):
                return self.out(self.drop(x))
        else:

            def call(self, x):
                return self.out(self.drop(x))

    model = Own()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    trained, tested = model.train_on_batch(X, np.zeros(40)), model.test_on_batch(X, np.zeros(40))
    assert (trained != pytest.approx(tested, rel=1e-4)) == asks


def test_a_layer_may_return_its_own_state():
    class Total(keras.Layer):
        def __init__(self):
            super().__init__()
            self.total = self.add_weight(shape=(2,), initializer="zeros", trainable=False)
            self.count = self.add_weight(initializer="zeros", trainable=False)

        def call(self, x):
            self.total.assign_add(ops.sum(x, axis=0))
            return self.total

    layer = Total()
    for n in (1, 2, 3):
        np.testing.assert_array_equal(layer(np.ones((2, 2), "float32")), [2 * n, 2 * n])
    assert layer.total.name != layer.count.name  # unnamed weights are told apart


def test_batches_by_themselves_begin_all_kinds_of_metrics_anew():
    class Both(keras.metrics.Metric):
        """A metric made of metrics, which counts in a way of its own how often it began anew."""

        def __init__(self, name="both"):
            super().__init__(name=name)
            self.inner = keras.metrics.Sum()
            self.resets = 0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.inner.update_state(y_true)

        def result(self):
            return self.inner.result()

    class Counting(Both):
        def reset_state(self):
            super().reset_state()
            self.resets += 1

    both, counting = Both(), Counting("counting")
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[both, counting])
    for rows in (3, 5, 3):  # the second shape is traced when the first one's step has run
        logs = model.train_on_batch(np.ones((rows, 2)), np.ones((rows, 1)), return_dict=True)
        assert logs["both"] == logs["counting"] == rows
    assert counting.resets >= 3
