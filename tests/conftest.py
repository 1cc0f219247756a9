"""What all tests share."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _work_elsewhere(tmp_path_factory):
    """Run in an empty folder: a Python started there finds the installed pynn, not the source folder."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("working_directory"))
    yield
    os.chdir(before)
