"""Steps that the user writes: they are traced whole, and do what pynn's own step does if they say the same."""

import numpy as np
import pytest

import pynn
from pynn import layers, ops
from pynn.errors import ArgumentError, GraphError

RNG = np.random.default_rng(1)
X = RNG.normal(size=(22, 4)).astype("float32")
Y = RNG.normal(size=(22, 1)).astype("float32")
WEIGHTS = RNG.uniform(0.5, 2.0, 22).astype("float32")


def functional(cls=pynn.Model, **options):
    """A small network with a batch normalization and the same weights each time."""
    pynn.utils.set_random_seed(3)
    x = pynn.Input((4,), name="x")
    h = layers.BatchNormalization()(layers.Dense(6, activation="tanh")(x))
    return cls(x, layers.Dense(1)(h), **options)


class ByHand(pynn.Model):
    """The default steps, written out as the guides do."""

    def train_step(self, data):
        x, y, sample_weight = pynn.utils.unpack_x_y_sample_weight(data)
        with pynn.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self.results(y, y_pred, loss, sample_weight)

    def test_step(self, data):
        x, y, sample_weight = pynn.utils.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        return self.results(y, y_pred, self.compute_loss(x, y, y_pred, sample_weight), sample_weight)

    def results(self, y, y_pred, loss, sample_weight):
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=float(y.shape[0]))
            else:
                metric.update_state(y, y_pred, sample_weight=sample_weight)
        return {m.name: m.result() for m in self.metrics}


@pytest.mark.parametrize("sample_weight", [None, WEIGHTS])
def test_the_default_step_written_by_hand(sample_weight):
    logs, weights = [], []
    for cls in (pynn.Model, ByHand):
        model = functional(cls)
        model.compile(pynn.optimizers.Adam(0.01), "mse", metrics=["mae"], weighted_metrics=["mse"])
        options = {"sample_weight": sample_weight, "batch_size": 8, "verbose": 0}
        history = model.fit(X, Y, epochs=3, validation_data=(X, Y), **options).history
        logs.append([*history.values(), model.evaluate(X, Y, **options), model.train_on_batch(X, Y, sample_weight)])
        weights.append(model.get_weights())
    for a, b in zip(*logs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_eager_epoch_begins_with_new_metrics():
    x = pynn.Input((4,))
    pynn.utils.set_random_seed(3)
    model = pynn.Model(x, [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)])
    model.compile(pynn.optimizers.SGD(0.0), "mse", metrics=[["mae"], ["mae"]], run_eagerly=True)
    history = model.fit(X, [Y, Y], epochs=2, verbose=0).history
    assert len(history) == 5
    for values in history.values():
        assert values[0] == pytest.approx(values[1], rel=1e-5)
    want = model.evaluate(X, [Y, Y], verbose=0, return_dict=True)
    assert {name: values[1] for name, values in history.items()} == pytest.approx(want, rel=1e-5)


def test_a_step_is_traced_once_per_signature():
    calls = []

    class Counting(ByHand):
        def train_step(self, data):
            calls.append(data[0].shape)
            return super().train_step(data)

    model = functional(Counting)
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=8, epochs=5, verbose=0)
    assert calls == [(8, 4), (6, 4)]
    model.layers[1].trainable = False
    model.fit(X, Y, batch_size=22, epochs=2, verbose=0)
    model.fit(X, Y, batch_size=8, verbose=0)
    assert calls == [(8, 4), (6, 4), (22, 4), (8, 4), (6, 4)]


def test_logs_may_be_losses_numbers_and_results():
    class Model(pynn.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.tracker = {"mean": pynn.metrics.Mean(name="average")}

        def train_step(self, data):
            x, y = data
            loss = ops.mean(ops.square(self(x) - y))
            self.tracker["mean"].update_state(loss)
            return {"now": loss, "average": self.tracker["mean"].result(), "one": 1, "group": {"twice": loss * 2.0}}

    model = functional(Model)
    model.compile()
    history = model.fit(X, Y, batch_size=11, epochs=2, shuffle=False, verbose=0).history
    last = [
        float(np.mean((model.predict(rows, verbose=0) - y) ** 2)) for rows, y in ((X[:11], Y[:11]), (X[11:], Y[11:]))
    ]
    assert history["average"] == pytest.approx([np.mean(last)] * 2, rel=1e-5)
    assert history["one"] == [1, 1]
    assert history["twice"] == pytest.approx([2 * now for now in history["now"]])
    assert history["now"] == pytest.approx([last[1]] * 2, rel=1e-5)  # the last batch's own
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert set(logs) == {"now", "average", "one", "twice"}
    assert logs["average"] == pytest.approx(logs["now"])  # begun anew


class Gan(pynn.Model):
    """Two optimizers, two networks, no call()."""

    def __init__(self):
        super().__init__()
        self.discriminator = pynn.Sequential([pynn.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
        self.generator = pynn.Sequential([pynn.Input((2,)), layers.Dense(8, activation="relu"), layers.Dense(4)])
        self.d_loss, self.g_loss = pynn.metrics.Mean(name="d_loss"), pynn.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        noise = ops.sin(real[:, :2] * 7.0)
        yes, no = ops.zeros_like(real[:, :1]) + 1.0, ops.zeros_like(real[:, :1])
        fake = self.generator(noise)
        with pynn.GradientTape() as tape:
            guesses = self.discriminator(ops.concatenate([fake, real], axis=0))
            d_loss = self.loss_fn(ops.concatenate([yes, no], axis=0), guesses)
        gradients = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(gradients, self.discriminator.trainable_weights, strict=True))
        with pynn.GradientTape() as tape:
            g_loss = self.loss_fn(no, self.discriminator(self.generator(noise)))
        gradients = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply(gradients, self.generator.trainable_weights)
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def test_two_networks_with_an_optimizer_each():
    gan = Gan()
    rates = []

    def schedule(step):
        rates.append(step)
        return 0.01

    gan.compile(
        pynn.optimizers.Adam(schedule), pynn.optimizers.Adam(0.01), pynn.losses.BinaryCrossentropy(from_logits=True)
    )
    before = gan.get_weights()
    fake = gan.generator(np.sin(X[:, :2] * 7))
    labels = np.repeat([[1.0], [0.0]], 22, axis=0)
    guesses = gan.discriminator(np.concatenate([fake, X]))
    expected = float(gan.loss_fn(labels, guesses))
    assert gan.train_on_batch(X, return_dict=True)["d_loss"] == pytest.approx(expected, rel=1e-5)
    assert list(gan.fit(X, batch_size=11, epochs=3, verbose=0).history) == ["d_loss", "g_loss"]
    assert all((a != b).any() for a, b in zip(before, gan.get_weights(), strict=True))
    assert int(gan.d_optimizer.iterations) == int(gan.g_optimizer.iterations) == 7
    assert rates[-7:] == list(range(7))  # asked before each step


def test_a_test_step_and_a_predict_step():
    class Model(pynn.Model):
        def test_step(self, data):
            x, y = data
            return {"largest": ops.max(ops.abs(self(x) - y))}

        def predict_step(self, data):
            y = self(data, training=False)
            return {"y": y, "rows": (y * 2.0, ops.sum(y, axis=-1))}

    model = functional(Model)
    model.compile("sgd", "mse")
    plain = functional()
    out = plain.predict(X, verbose=0)
    found = model.predict(X, batch_size=8, verbose=0)
    np.testing.assert_array_equal(found["y"], out)
    np.testing.assert_allclose(found["rows"][1], out[:, 0], rtol=1e-6)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(np.abs(out - Y).max(), rel=1e-5)
    assert model.test_on_batch(X, Y, return_dict=True).keys() == {"largest"}
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert list(history) == ["loss", "val_largest"]


def test_data_arrive_in_the_structure_in_which_they_were_given():
    seen = []

    class Model(pynn.Model):
        def train_step(self, data):
            seen.append(data)
            x, y, _ = pynn.utils.unpack_x_y_sample_weight(data)
            return {"loss": ops.sum(x["a"]) + ops.sum(y[1][0])}

    model = Model()
    model.compile()
    ints = np.arange(5)
    total = model.train_on_batch({"a": np.ones((5, 2)), "b": ints}, [ints, (np.ones(5), ints)], WEIGHTS[:5])
    assert total == 15.0
    ((x, y, weight),) = seen
    assert (x["a"].shape, x["b"].dtype, y[0].dtype, y[1][0].dtype, weight.shape) == (
        (5, 2), "int32", "int32", "float32", (5,))  # fmt: skip


def test_losses_of_layers_are_part_of_compute_loss():
    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x) * 0.5)
            return x

    x = pynn.Input((4,))
    model = pynn.Model(x, Penalty()(x))
    model.compile("sgd")
    assert model.evaluate(X, verbose=0, batch_size=22) == pytest.approx(float(X.sum()) * 0.5, rel=1e-4)
    assert model.fit(X, batch_size=22, verbose=0).history["loss"] == pytest.approx([X.sum() * 0.5], rel=1e-4)


def test_metrics_of_layers_and_attributes_are_found():
    class Watching(layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean = pynn.metrics.Mean(name="activity")

        def call(self, x):
            self.mean.update_state(x)
            return x

    x = pynn.Input((4,))
    model = pynn.Model(x, layers.Dense(1)(Watching()(x)))
    model.compile("sgd", "mse")
    logs = model.test_on_batch(X, Y, return_dict=True)
    assert logs["activity"] == pytest.approx(float(X.mean()), abs=1e-6)
    assert model.metrics_names == ["loss", "activity"]


def test_wrong_steps():
    class Nothing(pynn.Model):
        def train_step(self, data):
            return None

    class TooEarly(pynn.Model):
        def train_step(self, data):
            return {"loss": self.metrics[0].result() + 1.0}

    class Number(pynn.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return 3.0

    for cls, error, message in (
        (Nothing, ArgumentError, "train_step returned None, expected a dictionary for the logs"),
        (TooEarly, GraphError, r"metric 'loss': result\(\) is known only when the step has run"),
        (Number, ArgumentError, "compute_loss returned 3.0, expected a traced value"),
    ):
        model = functional(cls)
        model.compile("sgd", "mse")
        with pytest.raises(error, match=message):
            model.fit(X, Y, verbose=0)


def test_a_class_with_its_own_compile_is_not_compiled_from_a_config():
    model = functional()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="compile\\(\\) of its own"):
        Gan().compile_from_config(model.get_compile_config())
