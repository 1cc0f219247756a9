"""Ctrl-C: it arrives within about a step, and what it leaves behind is the state after some whole step."""

import _thread
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.graph import trace

RNG = np.random.default_rng(0)
X = RNG.random((256, 20), "float32")
Y = RNG.integers(0, 3, 256)


def network(optimizer="adam", seed=1):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(16, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def states_after_each_step(steps):
    model, states = network(), []
    model.fit(X[:32], Y[:32], epochs=1, batch_size=32, shuffle=False, verbose=0)
    for _ in range(steps):
        states.append(model.get_weights())
        model.fit(X[:32], Y[:32], epochs=1, batch_size=32, shuffle=False, verbose=0)
    return states


def fit_until(model, **interrupt):
    model.fit(X[:32], Y[:32], epochs=10**6, batch_size=32, shuffle=False, verbose=0, **interrupt)


def check_it_goes_on(model, tmp_path):
    """It predicts with the weights it has, trains, saves, and is the same after loading."""
    assert not trace.is_tracing()
    fresh = network()
    fresh.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(X, verbose=0), fresh.predict(X, verbose=0))
    before = int(model.optimizer.iterations)
    model.fit(X, Y, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == before + 8
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_the_weights_are_those_after_a_whole_step(tmp_path):
    """A real SIGINT, from outside, at moments that nobody chose."""
    states = states_after_each_step(2)
    for delay in (0.02, 0.05, 0.11):
        model = network()
        model.fit(X[:32], Y[:32], epochs=1, batch_size=32, shuffle=False, verbose=0)
        model.predict(X, verbose=0)  # weights that were folded and packed must not survive the steps that follow
        sender = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            fit_until(model)
        sender.join()
        steps = int(model.optimizer.iterations) - 1
        assert steps > 0
        twin = network()
        for _ in range(steps + 1):
            twin.train_on_batch(X[:32], Y[:32])
        for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(model.optimizer.variables, twin.optimizer.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(states[0], network_after_one().get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    check_it_goes_on(model, tmp_path)


def network_after_one():
    model = network()
    model.train_on_batch(X[:32], Y[:32])
    return model


def test_it_arrives_within_about_a_step():
    """Steps of some 10 ms; nothing waits for the end of the epoch."""
    model = keras.Sequential([keras.Input((1000,)), layers.Dense(1000, activation="tanh"), layers.Dense(1000)])
    model.compile("sgd", "mse")
    x = np.zeros((512, 1000), "float32")
    start = time.perf_counter()
    model.fit(x, x, batch_size=512, verbose=0)
    start = time.perf_counter()
    model.fit(x, x, batch_size=512, verbose=0)
    step = time.perf_counter() - start
    sent = []

    def send():
        time.sleep(10 * step)
        sent.append(time.perf_counter())
        _thread.interrupt_main()

    sender = threading.Thread(target=send)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, x, batch_size=512, epochs=10**6, verbose=0)
    late = time.perf_counter() - sent[0]
    sender.join()
    assert late < 1 + 5 * step


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end", "on_train_batch_begin", "on_epoch_begin"])
def test_inside_callbacks(hook, tmp_path):
    model = network()
    ended = []

    class Interrupting(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            ended.append(True)

    count = [0]

    def interrupt(self, number, logs=None):
        count[0] += 1
        if count[0] == 3:
            signal.raise_signal(signal.SIGINT)

    setattr(Interrupting, hook, interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=32, epochs=5, verbose=0, callbacks=[Interrupting()])
    assert ended == []  # as in Keras: the training has not come to its end
    check_it_goes_on(model, tmp_path)


@pytest.mark.parametrize("what", ["predict", "evaluate"])
def test_inside_predict_and_evaluate(what, tmp_path):
    model = network()
    many = np.tile(X, (400, 1))
    arguments = (many,) if what == "predict" else (many, np.tile(Y, 400))
    sender = threading.Timer(0.05, _thread.interrupt_main)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        getattr(model, what)(*arguments, batch_size=1, verbose=0)
    sender.join()
    check_it_goes_on(model, tmp_path)


def test_at_any_line_of_compiling_and_training(tmp_path):
    """An interrupt at each of many moments, from building the weights to the second step.

    Lines of ``with`` and ``finally`` blocks that put things back are left out: no Python code can be safe there.
    """
    lines = count_lines(lambda: first_steps(network()))
    assert lines > 10_000
    for moment in np.linspace(1, lines - 1, 20).astype(int):
        model = network()
        interrupted = interrupt_at(int(moment), lambda m=model: first_steps(m))
        assert not trace.is_tracing(), moment
        if interrupted:
            first_steps(model)
        assert len(model.weights) == 8, moment
        assert len(model.optimizer.variables) == 2 + 2 * 6, moment
        steps = int(model.optimizer.iterations)
        assert 2 <= steps <= 4, moment
        fresh = network()
        fresh.set_weights(model.get_weights())
        np.testing.assert_array_equal(model.predict(X, verbose=0), fresh.predict(X, verbose=0), err_msg=str(moment))


def first_steps(model):
    model.fit(X[:64], Y[:64], batch_size=32, verbose=0)


PUTS_BACK = {"__exit__", "__enter__", "suspended", "scope", "layer_scope", "finish", "_mark_changes", "close"}


def walk_lines(action, at_line):
    """``at_line(number)`` before each line of pynn's own code that ``action`` runs."""
    count = 0

    def local(frame, event, argument):
        nonlocal count
        if event == "line":
            count += 1
            at_line(count)
        return local

    def enter(frame, event, argument):
        file = frame.f_code.co_filename
        inside = f"{os.sep}pynn{os.sep}" in file and frame.f_code.co_name not in PUTS_BACK
        return local if inside else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def count_lines(action):
    return walk_lines(action, lambda number: None)


def interrupt_at(moment, action):
    def strike(number):
        if number == moment:
            raise KeyboardInterrupt

    try:
        walk_lines(action, strike)
    except KeyboardInterrupt:
        return True
    return False
