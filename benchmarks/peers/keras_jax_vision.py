"""Keras on JAX: training only, its predictions are TensorFlow's task here."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

from typing import Any

from keras_api_nets import trainer
from protocol import serve
from vision_case import cases


def load():  # type: ignore[no-untyped-def]
    import jax
    import keras

    def train(net: Any, x: Any, y: Any) -> Any:
        model, batch, targets = trainer(keras, net), jax.numpy.asarray(x), jax.numpy.asarray(y)
        return lambda: float(model.train_on_batch(batch, targets))

    return {"jax": jax.__version__, "keras": keras.__version__}, cases({}, {"": train})


if __name__ == "__main__":
    serve(load)
