"""Name scopes prefix the paths of what is made inside."""

import pytest

import pynn
from pynn.errors import ArgumentError


def test_paths_of_variables_and_weights():
    with pynn.name_scope("a"), pynn.name_scope("b"):
        layer = pynn.layers.Dense(2, name="d")
        layer.build((None, 3))
        assert pynn.Variable(1.0, name="v").path == "a/b/v"
    assert [w.path for w in layer.weights] == ["a/b/d/kernel", "a/b/d/bias"]
    assert pynn.Variable(1.0, name="v").path == "v"


def test_an_error_inside_ends_the_scope():
    with pytest.raises(KeyError), pynn.name_scope("a"):
        raise KeyError
    assert pynn.Variable(1.0, name="v").path == "v"


@pytest.mark.parametrize("name", ["", "a/b", None, 3])
def test_bad_names(name):
    with pytest.raises(ArgumentError, match="name_scope: name must be a string"):
        pynn.name_scope(name)
