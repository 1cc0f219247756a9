"""``compile(run_eagerly=True)``: the same results, and numbers that Python code can look at."""

import numpy as np
import pytest

import pynn
from pynn import layers, ops

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 6)).astype("float32"), RNG.integers(0, 3, 20)


def make(run_eagerly):
    pynn.utils.set_random_seed(5)
    model = pynn.Sequential(
        [
            pynn.Input((6,)),
            layers.Dense(8, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        pynn.optimizers.Adam(lambda step: 0.01 / (1 + step)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        run_eagerly=run_eagerly,
    )
    return model


def test_the_same_as_compiled():
    one, two = make(False), make(True)
    histories = []
    for model in (one, two):
        pynn.utils.set_random_seed(7)
        history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, validation_data=(X, Y))
        histories.append(history.history)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-4, err_msg=name)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5, err_msg=a.path)
    np.testing.assert_allclose(two.predict(X, verbose=0), one.predict(X, verbose=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(two.evaluate(X, Y, verbose=0), one.evaluate(X, Y, verbose=0), rtol=1e-4)
    assert two.train_on_batch(X, Y) == pytest.approx(one.train_on_batch(X, Y), rel=1e-4)


def test_python_code_sees_numbers():
    seen = []

    class Careful(layers.Layer):
        def call(self, x):
            seen.append(float(ops.max(x)))
            if ops.max(x) > 1e6:
                raise ArithmeticError("too large")
            return x * 2

    def loss(y_true, y_pred):
        error = ops.mean(ops.square(y_true - y_pred))
        seen.append(error.numpy())
        return error

    class Model(pynn.Model):
        def __init__(self):
            super().__init__()
            self.careful, self.dense = Careful(), layers.Dense(1)

        def call(self, x):
            return self.dense(self.careful(x))

        def train_step(self, data):
            logs = super().train_step(data)
            seen.append(float(logs["loss"]))
            return logs

    model = Model()
    model.compile("sgd", loss, run_eagerly=True)
    x, y = np.array([[1.0], [2.0]], "float32"), np.array([[1.0], [3.0]], "float32")
    model.fit(x, y, epochs=2, batch_size=2, verbose=0, shuffle=False)
    assert seen[:2] == [0, 0]  # two trials with zeros found the shapes
    assert len(seen) == 8  # then, in each step: the largest number, the loss, the logs
    assert seen[2] == seen[5] == 2
    assert seen[3] == pytest.approx(seen[4])
    assert seen[6] < seen[3]
    with pytest.raises(ArithmeticError, match="too large"):
        model.predict(np.array([[1e7]], "float32"), verbose=0)


def test_switching_it_on_and_off():
    model = make(False)
    expected = model.predict(X, verbose=0)
    model.run_eagerly = True
    assert model.train_on_batch(X, Y)[0] > 0
    assert len(model._programs) == 1  # the prediction's
    model.set_weights(make(False).get_weights())
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-4, atol=1e-6)
    model.run_eagerly = False
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def test_values_that_are_kept_hold_no_graph():
    kept = []

    class Model(pynn.Model):
        def call(self, x):
            kept.append(x * 2)
            return kept[-1]

    model = Model()
    model.compile(run_eagerly=True, loss="mse", optimizer="sgd")
    model.predict(np.ones((4, 2), "float32"), batch_size=2, verbose=0)
    assert all(v.node is None for v in kept)
    assert len(kept) == 4  # two of them to find the shapes
    assert kept[2].numpy().tolist() == [[2, 2]] * 2


def test_finding_shapes_changes_no_state():
    class Model(pynn.Model):
        def __init__(self):
            super().__init__()
            self.norm, self.dropout = layers.BatchNormalization(), layers.Dropout(0.5, seed=3)

        def call(self, x):
            y = self.dropout(self.norm(x, training=True), training=True)
            print(f"{ops.sum(y):.1f}")
            return y

    model = Model()
    model.run_eagerly = True
    model.build((None, 4))
    assert model.norm.moving_variance.numpy().tolist() == [1, 1, 1, 1]
    assert model.dropout.seed_generator.state.numpy().tolist() == [3, 0]
