"""What ``pad_sequences`` refuses, and what comes out at the edges."""

import numpy as np
import pytest

from pynn.errors import ArgumentError, ShapeError
from pynn.utils import pad_sequences

LISTS = [[1], [2, 3], [], [4, 5, 6]]


def test_errors():
    with pytest.raises(ArgumentError, match="padding must be 'pre' or 'post', received 'left'"):
        pad_sequences(LISTS, padding="left")
    with pytest.raises(ArgumentError, match="must be a list of lists, received 3 at 1"):
        pad_sequences([[1], 3])
    with pytest.raises(ArgumentError, match="does not fit dtype int32"):
        pad_sequences(LISTS, value="x")
    with pytest.raises(ShapeError, match="all items must have one shape"):
        pad_sequences([[[1, 2]], [[3]]])


def test_nothing_to_pad():
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([[], []]).shape == (2, 0)
    np.testing.assert_array_equal(pad_sequences([[], [1]], maxlen=2), [[0, 0], [0, 1]])
