"""``pad_sequences`` beside Keras's."""

import numpy as np
import pytest

from pynn.utils import pad_sequences

LISTS = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize("maxlen", [None, 1, 2, 5])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_same_as_keras(keras, maxlen, padding, truncating):
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating}
    for lists, more in (
        (LISTS, {}),
        (LISTS, {"dtype": "float32", "value": 0.5}),
        ([[[1, 2]], [[3, 4], [5, 6]]], {}),
        ([["a"], ["b", "cd"]], {"dtype": object, "value": "-"}),
    ):
        want, got = (pad(lists, **options, **more) for pad in (keras.utils.pad_sequences, pad_sequences))
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)
