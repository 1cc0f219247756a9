"""Keras on TensorFlow; asking for XLA makes LeNet-5 2.6 times slower and the MLP no faster."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_api import cases
from protocol import serve, threads


def load():  # type: ignore[no-untyped-def]
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads())
    tf.config.threading.set_inter_op_parallelism_threads(threads())
    import keras

    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    return versions, cases(keras, tf.constant, {"": {}})


if __name__ == "__main__":
    serve(load)
