"""What all tests share."""

import os
import warnings

import pytest

import pynn

#: Whoever sets it, as continuous integration does, wants the comparisons with Keras: then it must be there.
KERAS_IS_ASKED_FOR = "KERAS_BACKEND" in os.environ
os.environ.setdefault("KERAS_BACKEND", "jax")


def pytest_addoption(parser):
    parser.addoption(
        "--all-networks",
        action="store_true",
        help="compare what each network of pynn.applications computes with Keras's, at two sizes, with and without top",
    )


@pytest.fixture(scope="session", autouse=True)
def _work_elsewhere(tmp_path_factory):
    """Run in an empty folder: a Python started there finds the installed pynn, not the source folder."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("working_directory"))
    yield
    os.chdir(before)


@pytest.fixture(autouse=True)
def _seeded():
    """Weights, masks and shuffling of a test are the same in each run, alone or after others.

    Keras draws its seeds from Python's ``random``, which this seeds, too.
    """
    pynn.utils.set_random_seed(1234)


@pytest.fixture(scope="session")
def keras():
    """Keras itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras's own imports warn about is not ours to judge
        if KERAS_IS_ASKED_FOR:
            import keras

            return keras
        return pytest.importorskip("keras", reason="Keras is not installed: pip install '.[parity]'")
