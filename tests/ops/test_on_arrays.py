"""Functions of ``ops`` called on arrays, outside any trace."""

import numpy as np

import pynn
from pynn import ops
from pynn.executor import eager


def test_arrays_lists_numbers_and_variables():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    np.testing.assert_array_equal(ops.sum(x, axis=0), [4, 6])
    np.testing.assert_array_equal(ops.sum([1.0, 2.0]), 3)
    np.testing.assert_array_equal(ops.add(x, 1.0), x + 1)
    np.testing.assert_array_equal(ops.concatenate([x, x], axis=1), np.hstack([x, x]))
    v = pynn.Variable(x)
    np.testing.assert_array_equal(ops.square(v), x * x)
    v.assign(2 * x)
    np.testing.assert_array_equal(ops.square(v), 4 * x * x)


def test_results_answer_to_numpy():
    total = ops.sum(np.ones((2, 3)))
    for number in (total, total / 2, total.mean()):
        assert isinstance(number, np.ndarray)
        assert type(number.numpy()) is np.ndarray
    assert repr(total) == "array(6., dtype=float32)"


def test_programs_of_a_function_are_bounded():
    function = ops.power.__wrapped__
    for i in range(eager._MOST_PROGRAMS + 5):
        ops.power(2.0, i / 7 + 0.1)
    assert len(eager._programs[function]) == eager._MOST_PROGRAMS
