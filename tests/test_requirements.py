"""No test is skipped for want of a package: those that tests ask for are in the extra ``test`` of pyproject.toml."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PYPROJECT = TESTS.parent / "pyproject.toml"
#: Name of the package -> name of its module, where they differ (mpich is the library behind mpi4py).
_MODULES = {"mpich": "mpi4py", "scikit-learn": "sklearn", "pillow": "PIL", "pytest-benchmark": "pytest_benchmark"}
#: Asked for by the comparisons with Keras and PyTorch only, which need the extra ``parity`` and PyTorch.
_OF_PARITY = {"keras", "jax", "torch"}


def _modules_of_extra():
    listed = re.search(r"^test = \[(.*?)\]\n", PYPROJECT.read_text(), re.DOTALL | re.MULTILINE).group(1)
    names = re.findall(r'"([a-z0-9-]+)', listed)
    return {_MODULES.get(name, name) for name in names}


@pytest.mark.skipif(not PYPROJECT.exists(), reason="not run from the repository")
def test_optional_packages_of_tests_are_in_the_extra_and_installed():
    asked = set()
    for path in TESTS.rglob("*.py"):
        asked |= set(re.findall(r'importorskip\(\s*"(\w+)', path.read_text()))
    assert {"h5py", "pandas", "polars", "tensorboard"} <= asked  # the pattern finds them
    assert asked - _OF_PARITY - set(sys.stdlib_module_names) <= _modules_of_extra()
    for name in _modules_of_extra():
        if importlib.util.find_spec(name) is None:
            pytest.fail(f"{name} is not installed: pip install '.[test]'")
