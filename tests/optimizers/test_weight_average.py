"""The running mean of the weights: when it replaces them, and when they change places."""

import numpy as np
import pytest

import pynn
from pynn import callbacks, optimizers

X = np.random.default_rng(0).standard_normal((12, 3)).astype("float32")


def _model(optimizer=None, seed=0):
    pynn.utils.set_random_seed(seed)
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2)])
    model.compile(optimizer or optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    return model


def _fit(model, *several, **arguments):
    arguments = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(X, X[:, :2], callbacks=list(several), **arguments)


def _by_hand(steps):
    """Weights after each of these many steps, and their means."""
    model = _model(optimizers.SGD(0.1))
    average, weights, averages = np.zeros((3, 2)), [], []
    for i in range(steps):
        rows = slice(4 * (i % 3), 4 * (i % 3) + 4)
        model.train_on_batch(X[rows], X[rows, :2])
        weights.append(model.get_weights()[0])
        average = weights[-1] if i == 0 else 0.5 * average + 0.5 * weights[-1]
        averages.append(average)
    return weights, averages


class Raise(callbacks.Callback):
    """Ends the training in its second step, or before its first epoch."""

    def __init__(self, error, at_once=False):
        super().__init__()
        self.error, self.at_once = error, at_once

    def on_epoch_begin(self, epoch, logs=None):
        if self.at_once:
            raise self.error

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            raise self.error


class Note(callbacks.Callback):
    """Notes the kernel whenever something begins or ends."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    def _note(self, name):
        self.seen.setdefault(name, []).append(self.model.get_weights()[0])

    def on_test_begin(self, logs=None):
        self._note("test")

    def on_test_end(self, logs=None):
        self._note("test end")

    def on_epoch_begin(self, epoch, logs=None):
        self._note("epoch")

    def on_epoch_end(self, epoch, logs=None):
        self._note("epoch end")

    def on_train_end(self, logs=None):
        self._note("train end")

    def on_predict_begin(self, logs=None):
        self._note("predict")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StopIteration(), RuntimeError("no more")], ids=repr)
def test_the_mean_replaces_the_weights_of_an_interrupted_run(error):
    model = _model()
    with pytest.raises(type(error)):
        _fit(model, Raise(error))
    np.testing.assert_allclose(model.get_weights()[0], _by_hand(2)[1][-1], rtol=1e-5, atol=1e-6)


def test_without_a_step_the_weights_stay():
    model = _model()
    start = model.get_weights()[0]
    model.optimizer.ensure_built(model.trainable_variables)
    with pytest.raises(KeyboardInterrupt):
        _fit(model, Raise(KeyboardInterrupt(), at_once=True))
    np.testing.assert_array_equal(model.get_weights()[0], start)
    _fit(model, initial_epoch=2)
    np.testing.assert_array_equal(model.get_weights()[0], start)


@pytest.mark.parametrize("wrap", [False, True])
def test_swap_for_validation(wrap):
    sgd, note = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), Note()
    model = _model(optimizers.LossScaleOptimizer(sgd) if wrap else sgd)
    _fit(model, callbacks.SwapEMAWeights(), note, validation_data=(X, X[:, :2]))
    weights, averages = _by_hand(6)
    expected = {
        "test": [averages[2], averages[5]], "test end": [weights[2], weights[5]],
        "epoch end": [weights[2], weights[5]], "train end": [averages[5]],
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_allclose(note.seen[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    # The means have become the weights, and there is nothing left to exchange.
    np.testing.assert_allclose(sgd._model_variables_moving_average[0].numpy(), model.get_weights()[0])


def test_swap_on_epoch():
    note, model = Note(), _model()
    _fit(model, callbacks.SwapEMAWeights(swap_on_epoch=True), note)
    weights, averages = _by_hand(6)
    np.testing.assert_allclose(note.seen["epoch end"], [averages[2], averages[5]], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(note.seen["epoch"][1], weights[2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[0], averages[5], rtol=1e-5, atol=1e-6)


def test_swap_on_epoch_when_training_stops_early():
    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    model, swap = _model(), callbacks.SwapEMAWeights(swap_on_epoch=True)
    _fit(model, swap, Stop())
    np.testing.assert_allclose(model.get_weights()[0], _by_hand(3)[1][-1], rtol=1e-5, atol=1e-6)
    kept = model.get_weights()[0]
    note = Note()
    _fit(model, swap, note)  # the same callback begins anew
    np.testing.assert_allclose(note.seen["epoch"][0], kept)


def test_swap_for_prediction_and_evaluation():
    model, note = _model(), Note()
    for _ in range(3):
        model.train_on_batch(X[:4], X[:4, :2])
    weights, mean = model.get_weights()[0], model.optimizer._model_variables_moving_average[0].numpy()
    assert not np.allclose(weights, mean)
    swap = callbacks.SwapEMAWeights()
    model.predict(X, verbose=0, callbacks=[swap, note])
    model.evaluate(X, X[:, :2], verbose=0, callbacks=[swap, note])
    np.testing.assert_array_equal(note.seen["predict"], [mean])
    np.testing.assert_array_equal(note.seen["test"], [mean])
    np.testing.assert_array_equal(model.get_weights()[0], weights)


@pytest.mark.parametrize("optimizer", [optimizers.SGD(), optimizers.LossScaleOptimizer(optimizers.SGD())])
def test_an_optimizer_without_means(optimizer):
    with pytest.raises(ValueError, match=r"keeps no running means .* make it with use_ema=True"):
        _fit(_model(optimizer), callbacks.SwapEMAWeights(swap_on_epoch=True))


def test_a_model_that_was_not_compiled():
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2)])
    with pytest.raises(ValueError, match="SwapEMAWeights needs a compiled model"):
        model.predict(X, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
