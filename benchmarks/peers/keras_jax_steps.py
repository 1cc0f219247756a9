"""Keras on JAX."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

from keras_api import cases
from protocol import serve


def load():  # type: ignore[no-untyped-def]
    import jax
    import keras

    versions = {"jax": jax.__version__, "keras": keras.__version__}
    return versions, cases(keras, jax.numpy.asarray, {"": {}})


if __name__ == "__main__":
    serve(load)
