"""fit, evaluate, predict and the one-batch methods: what they take, when things happen, what they return."""

from functools import cache

import numpy as np
import pytest

import pynn as keras
from pynn import config, layers
from pynn.callbacks import Callback, EarlyStopping, LambdaCallback

RNG = np.random.default_rng(1)
X = RNG.random((50, 6)).astype("float32")
Y = RNG.integers(0, 3, 50)


def make(loss="sparse_categorical_crossentropy", metrics=("accuracy",), optimizer=None):
    """A small model that begins with the same weights each time."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="tanh"), layers.Dense(3)])
    rng = np.random.default_rng(2)
    model.set_weights([rng.standard_normal(w.shape) * 0.5 for w in model.weights])
    if loss == "sparse_categorical_crossentropy":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer or keras.optimizers.SGD(0.1), loss=loss, metrics=list(metrics))
    return model


def assert_same_weights(a, b, **tolerance):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        if tolerance:
            np.testing.assert_allclose(x, y, **tolerance)
        else:
            np.testing.assert_array_equal(x, y)


# ---- History ---------------------------------------------------------------------------------------------------


def test_history_has_keras_names_in_keras_order():
    history = make().fit(X, Y, epochs=3, batch_size=16, validation_data=(X, Y), verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(len(v) == 3 and all(type(n) is float for n in v) for v in history.history.values())
    assert history.epoch == [0, 1, 2]
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 4}


def test_history_without_metrics_is_the_loss():
    model = make(metrics=())
    history = model.fit(X, Y, verbose=0)
    assert list(history.history) == ["loss"]
    assert model.history is history


def test_several_metrics():
    model = make("mse", ["mae", keras.metrics.MeanSquaredError(name="again")])
    y = RNG.random((50, 3))
    history = model.fit(X, y, batch_size=50, verbose=0, validation_split=0.2)
    assert list(history.history) == ["again", "loss", "mae", "val_again", "val_loss", "val_mae"]
    assert history.history["again"] == pytest.approx(history.history["loss"])


def test_validation_freq():
    history = make().fit(X, Y, epochs=5, validation_data=(X, Y), validation_freq=2, verbose=0)
    assert len(history.history["loss"]) == 5
    assert len(history.history["val_loss"]) == 2


# ---- what the numbers are --------------------------------------------------------------------------------------


def test_the_loss_of_an_epoch_weighs_batches_by_their_size():
    model = make(optimizer=keras.optimizers.SGD(0.0))  # weights stay: the epoch's loss is that of all samples
    whole = model.evaluate(X, Y, batch_size=50, verbose=0, return_dict=True)
    parts = model.fit(X, Y, batch_size=16, verbose=0).history  # 16 + 16 + 16 + 2
    assert parts["loss"] == pytest.approx([whole["loss"]], rel=1e-5)
    assert parts["accuracy"] == pytest.approx([whole["accuracy"]], rel=1e-6)
    assert list(whole) == ["accuracy", "loss"]  # by name, as in Keras
    assert model.evaluate(X, Y, batch_size=7, verbose=0) == pytest.approx([whole["loss"], whole["accuracy"]], rel=1e-5)


def test_one_step_by_hand():
    model = make("mse", ())
    w1, b1, w2, b2 = model.get_weights()
    y = RNG.random((50, 3)).astype("float32")
    model.fit(X, y, batch_size=50, shuffle=False, verbose=0)
    h = np.tanh(X @ w1 + b1)
    g = 2 * (h @ w2 + b2 - y) / y.size
    gh = g @ w2.T * (1 - h * h)
    expected = [w1 - 0.1 * X.T @ gh, b1 - 0.1 * gh.sum(0), w2 - 0.1 * h.T @ g, b2 - 0.1 * g.sum(0)]
    for got, want in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_fit_is_train_on_batch_batch_by_batch():
    a, b = make(), make()
    a.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    for _ in range(2):
        for i in range(0, 50, 16):
            b.train_on_batch(X[i : i + 16], Y[i : i + 16])
    assert_same_weights(a, b)


def test_one_batch_methods_return_this_batch():
    model = make()
    assert model.test_on_batch(X, Y) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)
    first = model.train_on_batch(X, Y, return_dict=True)
    assert list(first) == ["accuracy", "loss"]  # by name, as in Keras
    assert model.train_on_batch(X, Y)[0] < first["loss"]
    assert make(metrics=()).train_on_batch(X, Y) == pytest.approx(first["loss"])
    np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X, batch_size=50, verbose=0))
    assert set(model.test_on_batch(X, Y, return_dict=True)) == {"loss", "accuracy"}


def test_predict_puts_batches_together():
    model = make()
    w1, b1, w2, b2 = model.get_weights()
    expected = np.tanh(X @ w1 + b1) @ w2 + b2
    for batch_size in (1, 7, 25, 50, 1000):
        got = model.predict(X, batch_size=batch_size, verbose=0)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_results_of_predict_are_the_users_own():
    """No later call may write into an array that was handed out."""
    model = make()
    first = model.predict(X[:4], verbose=0)
    kept = first.copy()
    model.predict(X[4:8], verbose=0)
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_array_equal(model.predict(X[:4], verbose=0), kept)


def test_evaluate_and_predict_change_nothing():
    model = make()
    before = model.get_weights()
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert int(model.optimizer.iterations) == 0
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# ---- data ------------------------------------------------------------------------------------------------------


def as_dataframe_like(array):
    class Frame:
        def to_numpy(self):
            return array

    return Frame()


FORMS = {
    "lists": (X.tolist(), Y.tolist()),
    "float64": (X.astype("float64"), Y.astype("int64")),
    "fortran order": (np.asfortranarray(X), Y),
    "every other row": (np.repeat(X, 2, axis=0)[::2], np.repeat(Y, 2)[::2]),
    "backwards twice": (X[::-1].copy()[::-1], Y[::-1].copy()[::-1]),
    "transposed": (np.ascontiguousarray(X.T).T, Y),
    "big endian": (X.astype(">f4"), Y.astype(">i4")),
    "labels in a column": (X, Y[:, None]),
    "labels as floats": (X, Y.astype("float32")),
    "labels in uint8": (X, Y.astype("uint8")),
    "read-only": (np.frombuffer(X.tobytes(), "float32").reshape(X.shape), Y),
    "frames": (as_dataframe_like(X), as_dataframe_like(Y)),
    "tuple of rows": (tuple(X), tuple(Y)),
}


def trained_on(x, y, shuffle):
    keras.utils.set_random_seed(3)
    model = make()
    model.fit(x, y, batch_size=25, epochs=2, shuffle=shuffle, verbose=0)
    return model


@cache
def trained_on_plain_data(shuffle):
    return trained_on(X, Y, shuffle)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_data_trains_the_same(form, shuffle):
    expected, model = trained_on_plain_data(shuffle), trained_on(*FORMS[form], shuffle)
    assert_same_weights(expected, model)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_data_gives_the_same_results(form):
    x, y = FORMS[form]
    model = trained_on_plain_data(False)
    assert model.evaluate(x, y, verbose=0) == model.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool", "float16"])
def test_other_numbers_mean_the_same_as_floats(dtype):
    pixels = (RNG.random((50, 6)) * 3).astype(dtype)
    a, b = make(), make()
    a.fit(pixels, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    b.fit(pixels.astype("float32"), Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    assert_same_weights(a, b)
    np.testing.assert_array_equal(a.predict(pixels, verbose=0), a.predict(pixels.astype("float32"), verbose=0))


def test_the_users_arrays_are_only_read():
    x, y = X.copy(), Y.copy()
    make().fit(x, y, epochs=2, verbose=0)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize("batch_size", [1, 16, 49, 50, 51, 10**6])
def test_every_sample_is_used_once_per_epoch(batch_size):
    """A linear model under SGD(0) on weighted samples: the loss adds all weights up, whatever the batches."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.arange(50, dtype="float32")[:, None]
    history = model.fit(x, np.zeros(50), batch_size=batch_size, epochs=2, verbose=0)
    assert history.history["loss"] == pytest.approx([float((x**2).mean())] * 2, rel=1e-5)
    assert history.params["steps"] == -(-50 // batch_size)


def test_validation_split_takes_the_last_rows_before_shuffling():
    """All training targets are 0 and all of the held out rows 1: not one of them may get into training."""
    y = np.concatenate([np.zeros(40), np.ones(10)])
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    history = model.fit(X, y, validation_split=0.2, epochs=2, verbose=0).history
    assert history["loss"] == [0, 0]
    assert history["val_loss"] == [1, 1]
    a, b = make(), make()
    first = a.fit(X, Y, validation_split=0.2, epochs=2, shuffle=False, verbose=0).history
    second = b.fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:]), epochs=2, shuffle=False, verbose=0).history
    assert first == second


def test_shuffling_is_a_new_order_per_epoch_that_the_seed_decides():
    def order_of_epochs(seed, shuffle):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
        model.compile(keras.optimizers.SGD(0.0), "mse")
        losses = []
        model.fit(
            np.arange(20.0)[:, None], np.zeros(20), batch_size=1, epochs=2, shuffle=shuffle, verbose=0,
            callbacks=[LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))],
        )  # fmt: skip
        # The epoch's running mean of squares: undone, it gives the sample of each step.
        runs = np.array(losses).reshape(2, 20) * np.arange(1, 21)
        squares = np.maximum(np.diff(runs, axis=1, prepend=0), 0)  # logs are float32: a 0 may come out below
        return np.rint(np.sqrt(squares)).astype(int)

    plain = order_of_epochs(1, False)
    np.testing.assert_array_equal(plain, [np.arange(20)] * 2)
    one, again, other = order_of_epochs(1, True), order_of_epochs(1, True), order_of_epochs(2, True)
    np.testing.assert_array_equal(np.sort(one, axis=1), plain)
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert (one[0] != one[1]).any()


def test_sample_weights_scale_samples():
    keep = Y != 1
    weighted, filtered = make("mse", ()), make("mse", ())
    y = np.eye(3)[Y]
    weighted.fit(X, y, sample_weight=keep.astype("float32"), batch_size=50, shuffle=False, verbose=0)
    # A weight of 0 still counts in the mean's denominator, as in Keras.
    filtered.optimizer.learning_rate = 0.1 * keep.sum() / 50
    filtered.fit(X[keep], y[keep], batch_size=50, shuffle=False, verbose=0)
    assert_same_weights(weighted, filtered, rtol=1e-5, atol=1e-6)
    ones = make()
    ones.fit(X, Y, sample_weight=np.ones(50, "int64"), verbose=0, shuffle=False)
    plain = make()
    plain.fit(X, Y, verbose=0, shuffle=False)
    assert_same_weights(ones, plain, rtol=1e-6, atol=1e-7)
    double = make(metrics=()).evaluate(X, Y, sample_weight=np.full(50, 2.0), verbose=0)
    assert double == pytest.approx(2 * make(metrics=()).evaluate(X, Y, verbose=0), rel=1e-5)


# ---- callbacks -------------------------------------------------------------------------------------------------


class Recorder(Callback):
    """Notes which hook was called with what."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end"):
            return lambda *args, **kwargs: self.calls.append((name, *args[:1]) if args else (name,))
        return super().__getattribute__(name)


def test_hooks_come_in_keras_order():
    recorder = Recorder()
    recorder.listens_to = lambda hook: True
    make().fit(X[:20], Y[:20], batch_size=10, validation_data=(X[:5], Y[:5]), callbacks=[recorder], verbose=0)
    names = [call[0] for call in recorder.calls]
    assert names == [
        "on_train_begin", "on_epoch_begin",
        "on_train_batch_begin", "on_train_batch_end", "on_train_batch_begin", "on_train_batch_end",
        "on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end",
        "on_epoch_end", "on_train_end",
    ]  # fmt: skip


def test_lambda_callback_with_batch_hooks_sees_the_running_means():
    seen, begun = [], []
    hooks = LambdaCallback(
        on_train_batch_begin=lambda batch, logs: begun.append(batch),
        on_train_batch_end=lambda batch, logs: seen.append((batch, logs["loss"], logs["accuracy"])),
    )
    model = make(optimizer=keras.optimizers.SGD(0.0))
    history = model.fit(X, Y, batch_size=16, shuffle=False, callbacks=[hooks], verbose=0).history
    assert begun == [0, 1, 2, 3]
    assert [batch for batch, _, _ in seen] == [0, 1, 2, 3]
    assert seen[0][1] == pytest.approx(model.evaluate(X[:16], Y[:16], verbose=0)[0], rel=1e-5)
    assert seen[-1][1:] == pytest.approx((history["loss"][0], history["accuracy"][0]))


def test_early_stopping_stops_and_restores():
    model = make(metrics=())
    weights_by_epoch = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: weights_by_epoch.append(model.get_weights()))
    model.optimizer.learning_rate = 30.0  # too large: the loss of the first epoch stays the best for a while
    stop = EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=40, validation_data=(X, Y), callbacks=[keep, stop], verbose=0, shuffle=False)
    losses = history.history["val_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 40
    assert stop.stopped_epoch == best + 2
    for a, b in zip(model.get_weights(), weights_by_epoch[best], strict=True):
        np.testing.assert_array_equal(a, b)


def test_stop_training_ends_after_the_batch():
    model = make()
    steps = []

    def stop(batch, logs):
        steps.append(batch)
        if batch == 1:
            model.stop_training = True

    history = model.fit(X, Y, batch_size=10, epochs=3, callbacks=[LambdaCallback(on_train_batch_end=stop)], verbose=0)
    assert steps == [0, 1]  # as Keras: the epoch is cut short
    assert history.epoch == [0]
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2  # the wish is forgotten


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end", "on_test_batch_end", "on_epoch_begin"])
@pytest.mark.parametrize(("error", "threads"), [(KeyboardInterrupt, 2), (ValueError, 1)])
def test_an_interrupted_fit_leaves_a_usable_model(hook, error, threads):
    config.set_num_threads(threads)
    try:
        calls = []

        def interrupt(number, logs):
            calls.append(number)
            if len(calls) == 2:
                raise error

        model = make()
        options = {"batch_size": 10, "epochs": 3, "shuffle": True, "validation_split": 0.4}
        with pytest.raises(error):
            model.fit(X, Y, callbacks=[LambdaCallback(**{hook: interrupt})], verbose=0, **options)
        assert np.isfinite(model.predict(X, verbose=0)).all()
        before = model.evaluate(X, Y, verbose=0)[0]
        history = model.fit(X, Y, verbose=0, **options)
        assert history.epoch == [0, 1, 2]
        assert model.evaluate(X, Y, verbose=0)[0] < before + 0.2
    finally:
        config.set_num_threads(None)


def test_an_interrupted_predict_and_evaluate():
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    model = make()
    for hooks, run in (
        ({"on_predict_batch_end": interrupt}, lambda c: model.predict(X, callbacks=c, verbose=1)),
        ({"on_test_batch_end": interrupt}, lambda c: model.evaluate(X, Y, callbacks=c, verbose=1)),
    ):
        with pytest.raises(KeyboardInterrupt):
            run([LambdaCallback(**hooks)])
    assert len(model.predict(X, verbose=0)) == 50


def test_callbacks_may_change_weights_and_learning_rate_between_batches():
    model = make()

    def freeze(batch, logs):
        model.optimizer.learning_rate = 0.0 if batch == 0 else 0.1

    one = make()
    one.train_on_batch(X[:10], Y[:10])
    model.fit(X[:20], Y[:20], batch_size=10, shuffle=False, verbose=0,
              callbacks=[LambdaCallback(on_train_batch_end=freeze)])  # fmt: skip
    assert_same_weights(model, one)


# ---- printing --------------------------------------------------------------------------------------------------


def test_verbose_0_prints_nothing(capfd):
    model = make()
    model.fit(X, Y, epochs=2, validation_split=0.2, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert capfd.readouterr() == ("", "")


def test_verbose_2_is_two_lines_per_epoch(capfd):
    make().fit(X, Y, epochs=2, batch_size=16, validation_data=(X, Y), verbose=2)
    out = capfd.readouterr().out.strip().splitlines()
    assert out[0] == "Epoch 1/2"
    assert out[1].startswith("4/4 - ")
    assert "accuracy: " in out[1]
    assert " - loss: " in out[1]
    assert " - val_loss: " in out[1]
    assert out[2] == "Epoch 2/2"
    assert len(out) == 4


def test_verbose_1_is_a_bar(capfd):
    model = make()
    model.fit(X, Y, epochs=2, batch_size=16, verbose=1)
    text = "".join(capfd.readouterr())
    assert "Epoch 2/2" in text
    assert "4/4" in text
    assert "loss" in text
    model.evaluate(X, Y, verbose=1)
    assert "2/2" in "".join(capfd.readouterr())
    model.predict(X, verbose=1)
    assert "2/2" in "".join(capfd.readouterr())


def test_verbose_auto_works_away_from_a_terminal(capfd):
    history = make().fit(X, Y, epochs=2)
    capfd.readouterr()
    assert len(history.history["loss"]) == 2


# ---- several fits ----------------------------------------------------------------------------------------------


def test_a_second_fit_continues():
    """Momentum, step counter and random states go on where the first fit ended."""
    kinds = (lambda: keras.optimizers.SGD(0.1, momentum=0.9), lambda: keras.optimizers.Adam(0.01))
    for optimizer in kinds:
        once, twice = make(optimizer=optimizer()), make(optimizer=optimizer())
        long = once.fit(X, Y, epochs=4, batch_size=16, shuffle=False, verbose=0).history["loss"]
        short = [
            loss
            for _ in range(2)
            for loss in twice.fit(X, Y, epochs=2, batch_size=16, shuffle=False, verbose=0).history["loss"]
        ]
        assert short == long
        assert_same_weights(once, twice)
        assert int(twice.optimizer.iterations) == 16


def test_initial_epoch():
    history = make().fit(X, Y, epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4]
    assert make().fit(X, Y, epochs=3, initial_epoch=3, verbose=0).history == {}


def test_compiling_again_starts_the_optimizer_afresh():
    model = make(optimizer=keras.optimizers.Adam(0.01))
    model.fit(X, Y, verbose=0)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert int(model.optimizer.iterations) == 0
    assert list(model.fit(X, Y, verbose=0).history) == ["loss"]


# ---- compiling programs ----------------------------------------------------------------------------------------


@pytest.fixture
def compiled_graphs(monkeypatch):
    """The titles of all programs that are compiled."""
    from pynn.models import step

    titles = []
    original = step.compile_graph

    def counting(graph, **options):
        titles.append(options["title"])
        return original(graph, **options)

    monkeypatch.setattr(step, "compile_graph", counting)
    return titles


def test_one_program_per_kind_and_shape(compiled_graphs):
    model = make()
    for rate in (0.1, 0.01, lambda step: 0.1 / (1 + step)):
        model.optimizer.learning_rate = rate
        model.fit(X, Y, batch_size=16, epochs=2, validation_data=(X, Y), validation_batch_size=25, verbose=0)
    assert len(compiled_graphs) == 3, compiled_graphs  # train on 16 and on 2 rows, test on 25
    model.set_weights([w * 0 for w in model.get_weights()])
    model.fit(X, Y, batch_size=16, sample_weight=None, verbose=0)
    config.set_num_threads(1)
    try:
        model.fit(X, Y, batch_size=16, verbose=0)
    finally:
        config.set_num_threads(None)
    assert len(compiled_graphs) == 3
    for _ in range(3):
        model.predict(X, batch_size=25, verbose=0)
    assert len(compiled_graphs) == 4


def test_a_change_of_the_learning_rate_works_without_compiling(compiled_graphs):
    model = make("mse", ())
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    y = np.eye(3)[Y]
    model.train_on_batch(X, y)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.optimizer.learning_rate = 0.1
    model.train_on_batch(X, y)
    reference = make("mse", ())
    reference.train_on_batch(X, y)
    assert_same_weights(model, reference)
    assert len(compiled_graphs) == 2  # one for each of the two models


# ---- frozen layers and weights ---------------------------------------------------------------------------------


def test_a_frozen_layer_does_not_change_and_can_be_thawed():
    model = make()
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    frozen, free = model.layers[0].get_weights(), model.layers[1].get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(frozen, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert all((a != b).any() for a, b in zip(free, model.layers[1].get_weights(), strict=True))
    model.layers[0].trainable = True
    model.fit(X, Y, verbose=0)
    assert all((a != b).any() for a, b in zip(frozen, model.layers[0].get_weights(), strict=True))


def test_a_frozen_model_inside_a_model_does_not_change():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="tanh"), layers.BatchNormalization()])
    model = keras.Sequential([keras.Input((6,)), inner, layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, Y, verbose=0)
    for freeze, thaw in (
        (lambda: setattr(inner, "trainable", False), lambda: setattr(inner, "trainable", True)),
        (lambda: setattr(inner.layers[0], "trainable", False), lambda: setattr(inner.layers[0], "trainable", True)),
    ):
        freeze()
        frozen = [v for layer in inner.layers if not layer.trainable for v in layer.weights]
        before = [v.numpy() for v in frozen]
        assert frozen
        model.fit(X, Y, verbose=0)
        for v, old in zip(frozen, before, strict=True):
            np.testing.assert_array_equal(v.numpy(), old)
        thaw()
        model.fit(X, Y, verbose=0)
        assert all((v.numpy() != old).any() for v, old in zip(frozen, before, strict=True) if v.trainable)


def test_a_wholly_frozen_model_trains_nothing():
    model = make()
    model.trainable = False
    before = model.get_weights()
    assert model.trainable_weights == []
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_added_and_removed_after_training():
    model = make()
    model.fit(X, Y, verbose=0)
    last = model.pop()
    assert model.predict(X, verbose=0).shape == (50, 8)
    model.add(layers.Dense(4))
    assert model.predict(X, verbose=0).shape == (50, 4)
    model.pop()
    model.add(last)
    assert model.fit(X, Y, verbose=0).history["loss"][0] > 0


def test_get_and_set_weights_are_copies():
    model = make()
    weights = model.get_weights()
    kept = [w.copy() for w in weights]
    for w in weights:
        w[...] = 7
    for a, b in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(a, b)
    model.set_weights(weights)
    weights[0][...] = 8
    assert all((w == 7).all() for w in model.get_weights())
    np.testing.assert_allclose(model.predict(np.zeros((1, 6)), verbose=0), np.full((1, 3), 56 * np.tanh(7) + 7), 1e-5)


def test_a_model_without_input_shape_is_built_by_its_first_data():
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert not model.built
    model.fit(X, Y, verbose=0)
    assert model.built
    assert model.input_shape == (None, 6)
    assert keras.Sequential([layers.Dense(2)]).predict(X, verbose=0).shape == (50, 2)
