"""ONNX files: models for other runtimes, and models from other frameworks.

Needs the package onnx: ``pip install 'pynn-engine[onnx]'``.
"""

from __future__ import annotations

from pynn.onnx.exporting import export as export
from pynn.onnx.exporting import to_proto as to_proto
from pynn.onnx.importing import load as load

__all__ = ["export", "load", "to_proto"]
