"""Models used from several Python threads at once, and in forked processes."""

import multiprocessing
import sys
import threading
import warnings
from itertools import pairwise

import numpy as np
import pytest

import pynn as keras
from pynn import config, layers

X = np.random.default_rng(0).random((60, 32)).astype("float32")


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((32,)), layers.Dense(200, activation="tanh"), layers.Dense(5)])
    model.compile("sgd", "mse")
    config.set_num_threads(2)
    yield model
    config.set_num_threads(None)


def test_predictions_of_several_threads_do_not_mix(model):
    """All programs share one arena."""
    other = keras.Sequential([keras.Input((32,)), layers.Dense(300, activation="relu"), layers.Dense(7)])
    expected = {m: m.predict(X, batch_size=20, verbose=0) for m in (model, other)}
    wrong = []

    def work(m):
        for _ in range(30):
            if not np.array_equal(m.predict(X, batch_size=20, verbose=0), expected[m]):
                wrong.append(m)

    threads = [threading.Thread(target=work, args=(m,)) for m in (model, other, model)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_model_may_be_used_inside_callbacks_of_another_and_of_its_own(model):
    seen = []

    def look(number, logs):
        seen.append(model.predict(X[:3], verbose=0))

    hooks = keras.callbacks.LambdaCallback(on_train_batch_end=look, on_epoch_end=look)
    y = np.zeros((60, 5))
    model.fit(X, y, batch_size=16, epochs=2, callbacks=[hooks], verbose=0)
    assert len(seen) == 10
    assert all((a != b).any() for a, b in pairwise(seen[:4]))
    np.testing.assert_array_equal(seen[-1], model.predict(X[:3], verbose=0))


def _predict_and_train(model, queue):
    prediction = model.predict(X, verbose=0)
    model.fit(X, np.zeros((60, 5)), shuffle=False, verbose=0)
    queue.put((prediction, model.get_weights()))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # JAX's, where the comparisons with Keras have loaded it
def test_a_forked_process_works_and_gets_the_same_numbers(model):
    """The threads of the parent's programs are not there in the child."""
    expected = model.predict(X, verbose=0)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: a process with threads was forked
        child = context.Process(target=_predict_and_train, args=(model, queue))
        child.start()
    try:
        prediction, weights = queue.get(timeout=300)
    finally:
        child.kill()
        child.join()
    np.testing.assert_array_equal(prediction, expected)
    model.fit(X, np.zeros((60, 5)), shuffle=False, verbose=0)
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
