"""Arrays of other libraries: whatever has the array or the DLPack protocol."""

import numpy as np
import pytest

import pynn
from pynn.graph.foreign import as_numpy


class OnlyDlpack:
    """An array that speaks DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnDevice:
    """An array that cannot be brought to NumPy."""

    dtype = "float8"

    def __array__(self, dtype=None, copy=None):
        raise TypeError("it lies on a device.")


def test_dlpack_is_read_without_a_copy():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.shares_memory(as_numpy(OnlyDlpack(array)), array)
    assert pynn.ops.sum(OnlyDlpack(array)) == 15
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2)])
    np.testing.assert_array_equal(model.predict(OnlyDlpack(array), verbose=0), model.predict(array, verbose=0))
    (first, *_) = pynn.data.Dataset.from_tensor_slices(OnlyDlpack(array))
    assert first.numpy().tolist() == [0, 1, 2]


def test_an_array_out_of_reach_is_named():
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2)])
    message = "x: a tests?.*OnDevice of dtype float8 cannot be read .*on a device.; convert it first"
    with pytest.raises(pynn.errors.DtypeError, match=message):
        model.predict(OnDevice(), verbose=0)


def test_variables_speak_dlpack():
    variable = pynn.Variable(np.arange(3, dtype=np.float32))
    copy = np.from_dlpack(variable)
    copy[0] = 7
    assert variable.numpy()[0] == 0
    view = np.from_dlpack(variable, copy=False)
    assert np.shares_memory(view, variable.array)
    assert not view.flags.writeable


def test_results_are_buffers():
    assert memoryview(pynn.ops.ones((2, 3))).shape == (2, 3)
