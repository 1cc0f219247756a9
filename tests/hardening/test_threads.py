"""Threads of one process: right numbers, one program for each signature, and an end."""

import threading
import time

import numpy as np
import pytest

import pynn as keras
from pynn import config, layers, ops

X = np.random.default_rng(0).random((60, 32), "float32")
Y = np.zeros((60, 5), "float32")
DEADLINE = 120


@pytest.fixture(autouse=True)
def _two_threads():
    config.set_num_threads(2)
    yield
    config.set_num_threads(None)


def network(seed=3):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((32,)), layers.Dense(200, activation="tanh"), layers.Dense(5)])
    model.compile("adam", "mse")
    return model


def together(*works):
    """Runs all at the same time; raises what one of them raised."""
    errors, begin = [], threading.Barrier(len(works))

    def run(work):
        try:
            begin.wait()
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    end = time.monotonic() + DEADLINE
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


def test_predictions_of_one_model():
    """Each thread with rows of its own, in batches of several sizes."""
    model = network()
    expected = model.predict(X, verbose=0)

    def work(first, batch_size):
        for _ in range(20):
            rows = slice(first, first + 40)
            found = model.predict(X[rows], batch_size=batch_size, verbose=0)
            np.testing.assert_allclose(found, expected[rows], rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(model.predict_on_batch(X), model(X))

    together(*(lambda i=i: work(5 * i, 7 + i) for i in range(4)))


def test_one_program_for_threads_that_ask_at_once():
    for size in range(1, 6):
        model = network()
        together(*[lambda m=model, n=size: m.predict_on_batch(X[:n])] * 4)
        assert len(model._programs) == 1


def test_a_layer_is_built_once_for_threads_that_call_it_first():
    for units in (3, 4, 5):
        layer, model = layers.Dense(units), keras.Sequential([layers.Dense(8), layers.Dense(units)])
        results = []
        together(*[lambda r=results, n=layer, m=model: r.append((n(X), m.predict(X, verbose=0)))] * 4)
        assert len(layer.weights) == 2
        assert len(model.weights) == 4
        for a, b in results[1:]:
            np.testing.assert_array_equal(a, results[0][0])
            np.testing.assert_array_equal(b, results[0][1])


def test_training_beside_predicting():
    """Two models train and one predicts: as if each were alone."""
    alone = [network(seed) for seed in (1, 2)]
    for model in alone:
        model.fit(X, Y, epochs=5, batch_size=8, shuffle=False, verbose=0)
    first, second, third = network(1), network(2), network(3)
    expected = third.predict(X, verbose=0)

    def predicts():
        for _ in range(60):
            np.testing.assert_array_equal(third.predict(X, verbose=0), expected)

    together(
        lambda: first.fit(X, Y, epochs=5, batch_size=8, shuffle=False, verbose=0),
        lambda: second.fit(X, Y, epochs=5, batch_size=8, shuffle=False, verbose=0),
        predicts,
    )
    for model, twin in ((first, alone[0]), (second, alone[1])):
        for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_functions_on_arrays_and_tapes():
    square = keras.jit(lambda x: ops.sum(x * x))

    def work(seed):
        x = np.random.default_rng(seed).random((4 + seed % 3, 6), "float32")
        variable = keras.Variable(x)
        for _ in range(10):
            with keras.GradientTape() as tape:
                loss = ops.sum(variable * variable)
            np.testing.assert_allclose(tape.gradient(loss, variable), 2 * x, rtol=1e-6)
            np.testing.assert_allclose(square(x), (x * x).sum(), rtol=1e-5)
            np.testing.assert_allclose(ops.softmax(x).numpy().sum(axis=1), 1, rtol=1e-5)

    together(*(lambda i=i: work(i) for i in range(5)))


def test_python_in_the_middle_of_programs_that_run_at_the_same_time(calls_python, numbers):
    """Who runs a program waits for Python's lock there; who holds Python's lock may wait for the program."""
    x, _ = numbers
    other = network()
    expected = calls_python.predict(x, verbose=0)

    def predicts():
        for _ in range(40):
            np.testing.assert_array_equal(calls_python.predict(x, verbose=0), expected)

    def compiles():
        for units in range(1, 12):
            layers.Dense(units)(X)

    together(predicts, predicts, compiles, lambda: other.fit(X, Y, epochs=8, batch_size=8, verbose=0))


def test_a_stateless_call_does_not_undo_what_another_thread_trains():
    here, there = network(1), network(2)
    twin = network(2)
    twin.fit(X, Y, epochs=4, shuffle=False, verbose=0)
    over = threading.Event()

    def stateless():
        given = [np.array(v) for v in here.trainable_variables]
        rest = [np.array(v) for v in here.non_trainable_variables]
        while not over.is_set():
            here.stateless_call(given, rest, X)

    def trains():
        there.fit(X, Y, epochs=4, shuffle=False, verbose=0)
        over.set()

    together(stateless, trains)
    for a, b in zip(there.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
