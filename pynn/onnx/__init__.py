"""ONNX files: models for other runtimes, and models from other frameworks.

Needs the package onnx: ``pip install 'pynn-engine[onnx]'``.
"""

from __future__ import annotations

from pynn.onnx.exporting import to_proto as to_proto

__all__ = ["to_proto"]
