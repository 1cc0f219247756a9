"""The package ``onnx``, which is loaded when a file is read or written."""

from __future__ import annotations

import importlib
from typing import Any


def onnx_package() -> Any:
    """The module ``onnx``.

    Raises:
        ImportError: it is not installed.
    """
    try:
        onnx = importlib.import_module("onnx")
        importlib.import_module("onnx.numpy_helper")
        return onnx
    except ImportError as error:
        raise ImportError("ONNX files need the package onnx: pip install 'pynn-engine[onnx]'") from error
