"""The examples in docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import pynn

MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(pynn.__path__, "pynn.")
    if not info.name.rpartition(".")[2].startswith(("_core", "_batching"))
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", ["pynn", *MODULES])
def test_examples(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=FLAGS, report=True)
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples in {name} fail: see the output above"
