"""Processes that come out of one that has computed: forked, spawned, from a fork server; and the parent afterwards."""

import multiprocessing
import os
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import pynn as keras
from pynn import config, layers

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork"),
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),  # JAX's, where comparisons with Keras have loaded it
]
X = np.random.default_rng(0).random((60, 32), "float32")
Y = np.zeros((60, 5), "float32")
DEADLINE = 120


@pytest.fixture(autouse=True)
def modules_of_tests(monkeypatch):
    """A spawned child imports this module by the name that pytest has given it: from the root, which comes last, since
    an installed pynn is the one to test."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[2])])


def network():
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.Input((32,)), layers.Dense(200, activation="tanh"), layers.Dense(5)])
    model.compile("adam", "mse")
    return model


def train(model):
    model.fit(X, Y, shuffle=False, verbose=0)
    return model.get_weights()


def trained_in_child(send):
    """What spawned and forked children do: everything anew."""
    config.set_num_threads(2)
    send.send(train(network()))


def in_child(method, target, *arguments):
    """What ``target(send, *arguments)`` sends from a new process."""
    context = multiprocessing.get_context(method)
    receive, send = context.Pipe(duplex=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: a process with threads was forked
        child = context.Process(target=target, args=(send, *arguments))
        child.start()
    send.close()
    try:
        assert receive.poll(DEADLINE), "the child hangs"
        found = receive.recv()
        child.join(DEADLINE)
        assert child.exitcode == 0
        return found
    finally:
        child.kill()
        child.join()


@pytest.fixture(autouse=True)
def _two_threads():
    config.set_num_threads(2)
    yield
    config.set_num_threads(None)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_and_its_parent_train_alike(method):
    """The parent before, the child, the parent again: each the same bits."""
    expected = train(network())
    for weights in (in_child(method, trained_in_child), train(network()), in_child(method, trained_in_child)):
        for a, b in zip(weights, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def goes_on_with(send, model):
    send.send(train(model))


def test_a_forked_child_goes_on_with_the_parents_model_and_the_parent_does_not_notice():
    model, twin = network(), network()
    train(model)
    train(twin)
    children = [in_child("fork", goes_on_with, model) for _ in range(3)]
    expected = train(twin)
    for weights in (*children, train(model)):
        for a, b in zip(weights, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def grandchild(send, model):
    send.send((in_child("fork", goes_on_with, model), train(model)))


def test_a_forked_child_forks_again():
    model, twin = network(), network()
    train(model)
    train(twin)
    expected = train(twin)
    for weights in in_child("fork", grandchild, model):
        for a, b in zip(weights, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def predicts(send, model):
    send.send(model.predict(X, verbose=0))


def test_a_fork_while_another_thread_trains_and_a_third_compiles():
    """It waits for their step: a lock that somebody else holds would never be released in the child."""
    model, other = network(), network()
    expected = model.predict(X, verbose=0)
    over = threading.Event()

    def trains():
        while not over.is_set():
            other.fit(X, Y, batch_size=7, verbose=0)

    def compiles():
        while not over.is_set():
            layers.Dense(3)(X)

    threads = [threading.Thread(target=work) for work in (trains, compiles)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            np.testing.assert_array_equal(in_child("fork", predicts, model), expected)
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_pool_of_forked_workers():
    model = network()
    expected = model.predict(X, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pool = multiprocessing.get_context("fork").Pool(2, initializer=_take, initargs=(model,))
    with pool:
        for prediction in pool.map_async(_predict, range(6)).get(DEADLINE):
            np.testing.assert_array_equal(prediction, expected)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def _take(model):
    global _model
    _model = model


def _predict(number):
    return _model.predict(X, verbose=0)


def cores(send):
    send.send(config.num_threads())


def pinned(send):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    send.send(config.num_threads())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_worker_that_is_pinned_to_one_core_uses_one_thread(monkeypatch):
    monkeypatch.delenv("PYNN_THREADS", raising=False)
    config.set_num_threads(None)
    assert in_child("fork", cores) == config.num_threads()
    assert in_child("fork", pinned) == 1
