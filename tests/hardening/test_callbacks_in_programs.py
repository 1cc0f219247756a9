"""Ops without a kernel: their NumPy functions are Python code in the middle of a native step."""

import gc
import signal

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.errors import GraphError


def test_an_interrupt_waits_for_the_end_of_the_step(calls_python, numbers, meaning_of_cumsum):
    """The step before and the step after, nothing in between: the optimizer's update comes after the function."""
    x, y = numbers
    calls_python.train_on_batch(x, y)
    twin = keras.models.clone_model(calls_python)
    twin.compile("adam", "mse")
    twin.train_on_batch(x, y)
    twin.set_weights(calls_python.get_weights())
    for variable, other in zip(twin.optimizer.variables, calls_python.optimizer.variables, strict=True):
        variable.assign(other.numpy())
    calls = []

    def interrupted_once(before, x, **options):
        calls.append(x.shape)
        if len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
        return before(x, **options)

    meaning_of_cumsum(interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        calls_python.train_on_batch(x, y)
    assert len(calls) >= 2  # the function was called again, and so was that of its gradient
    twin.train_on_batch(x, y)
    assert int(calls_python.optimizer.iterations) == 2
    for a, b in zip(calls_python.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_who_insists_is_obeyed(calls_python, numbers, meaning_of_cumsum):
    def interrupted_always(before, x, **options):
        raise KeyboardInterrupt

    calls_python.predict_on_batch(numbers[0])
    meaning_of_cumsum(interrupted_always)
    with pytest.raises(KeyboardInterrupt):
        calls_python.predict_on_batch(numbers[0])


def test_an_error_comes_out_and_the_model_goes_on(calls_python, numbers, meaning_of_cumsum):
    expected = calls_python.predict_on_batch(numbers[0])
    fails = [True]

    def sometimes(before, x, **options):
        if fails[0]:
            raise OverflowError("too much")
        return before(x, **options)

    meaning_of_cumsum(sometimes)
    with pytest.raises(OverflowError, match="too much"):
        calls_python.predict_on_batch(numbers[0])
    fails[0] = False
    np.testing.assert_array_equal(calls_python.predict_on_batch(numbers[0]), expected)


def test_arrays_that_the_function_keeps_stay_readable(calls_python, numbers, meaning_of_cumsum):
    """They lie in the arena, which moves when a larger program comes."""
    kept = []

    def keeps(before, x, **options):
        kept.append(x)
        return before(x, **options)

    meaning_of_cumsum(keeps)
    calls_python.predict_on_batch(numbers[0])
    del calls_python
    gc.collect()
    large = keras.Sequential([keras.Input((300,)), layers.Dense(3000, "tanh"), layers.Dense(1)])
    large.predict(np.ones((500, 300), "float32"), batch_size=500, verbose=0)
    assert kept[0].shape == (40, 8)
    assert kept[0].sum() is not None  # whatever is there now, it is there


def test_inputs_are_not_the_functions_to_change(calls_python, numbers, meaning_of_cumsum):
    def spoils(before, x, **options):
        x[...] = 0
        return x

    meaning_of_cumsum(spoils)
    with pytest.raises(ValueError, match="read-only"):
        calls_python.predict_on_batch(numbers[0])


@pytest.mark.parametrize("inside", [lambda x: ops.exp(x), lambda x: layers.Dense(3)(x)], ids=["an op", "a layer"])
def test_programs_do_not_run_inside_programs(calls_python, numbers, meaning_of_cumsum, inside):
    ops.exp(np.zeros((40, 8), "float32"))  # compiled already: the run itself is refused, too

    def nested(before, x, **options):
        return before(np.asarray(inside(np.asarray(x))), **options)

    meaning_of_cumsum(nested)
    with pytest.raises((GraphError, RuntimeError), match="NumPy function of an op"):
        calls_python.predict_on_batch(numbers[0])
