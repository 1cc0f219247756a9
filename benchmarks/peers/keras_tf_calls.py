"""Keras on TensorFlow, on little data."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from calls import cases
from protocol import serve


def load():  # type: ignore[no-untyped-def]
    import keras
    import tensorflow as tf

    return {"tensorflow": tf.__version__, "keras": keras.__version__}, cases(keras)


if __name__ == "__main__":
    serve(load)
