"""The comparisons are with exact convolutions: the fast ones round more than they allow."""

import sys
from pathlib import Path

import pytest

import pynn

sys.path.insert(0, str(Path(__file__).parent))  # for onnx_checks


@pytest.fixture(autouse=True)
def exact_convolutions():
    before = pynn.config.conv_precision()
    pynn.config.set_conv_precision("exact")
    yield
    pynn.config.set_conv_precision(before)
