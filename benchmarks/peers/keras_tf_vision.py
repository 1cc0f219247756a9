"""Keras on TensorFlow, its prediction as one graph."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any

from keras_api_nets import build, trainer
from protocol import serve, threads
from vision_case import cases


def load():  # type: ignore[no-untyped-def]
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads())
    tf.config.threading.set_inter_op_parallelism_threads(threads())
    import keras

    def predict(net: Any, x: Any) -> Any:
        model, batch = build(keras, net), tf.constant(x)
        graph = tf.function(lambda images: model(images, training=False))
        return lambda: graph(batch).numpy()

    def train(net: Any, x: Any, y: Any) -> Any:
        model, batch, targets = trainer(keras, net), tf.constant(x), tf.constant(y)
        return lambda: float(model.train_on_batch(batch, targets))

    return {"tensorflow": tf.__version__, "keras": keras.__version__}, cases({"": predict}, {"": train})


if __name__ == "__main__":
    serve(load)
