"""Keras on TensorFlow trains the MNIST recipe: single steps in turns, or from beginning to end.

python benchmarks/peers/keras_tf_recipes.py mnist_cnn mnist.npz     # a whole run; the arrays are of recipes.py
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

START = time.perf_counter()
os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")

import numpy as np  # noqa: E402
from protocol import serve, threads  # noqa: E402
from recipe_case import BATCH, EPOCHS, TOTAL_STEPS, cases, drawn_batch, first_weights  # noqa: E402


def start_tensorflow() -> Any:
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads())
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return tensorflow


def build(total: int) -> Any:
    """As in ``examples/mnist_cnn.py``."""
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )
    rise = total // 5
    rate = keras.optimizers.schedules.CosineDecay(5e-4, total - rise, 0.01, warmup_target=3e-3, warmup_steps=rise)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def load():  # type: ignore[no-untyped-def]
    tensorflow = start_tensorflow()
    import keras

    def step_of(name: str, variant: str) -> Callable[[], float]:
        model = build(TOTAL_STEPS)
        model.set_weights(first_weights(name))
        x, y = (tensorflow.constant(array) for array in drawn_batch(name))

        def step() -> float:
            model.reset_metrics()
            return float(model.train_on_batch(x, y)[0])

        return step

    return {"tensorflow": tensorflow.__version__, "keras": keras.__version__}, cases(step_of, ("mnist_cnn",))


def train(name: str, data: dict[str, np.ndarray], epochs: int) -> None:
    """A whole run on these arrays, with ``tf.data``."""
    tensorflow = start_tensorflow()
    import keras

    keras.utils.set_random_seed(0)
    x, y = data["x"], data["y"].astype("int32")
    batches = (
        tensorflow.data.Dataset.from_tensor_slices((x.astype("float32") / 255, y))
        .cache()
        .shuffle(len(x))
        .batch(BATCH[name], drop_remainder=True)
        .prefetch(tensorflow.data.AUTOTUNE)
    )
    model = build(len(x) // BATCH[name] * epochs)
    model.fit(batches, epochs=epochs, verbose=2)
    _, accuracy = model.evaluate(data["x_test"].astype("float32") / 255, data["y_test"], 500, verbose=0)
    print(f"test accuracy {accuracy:.2%}")
    print(f"{time.perf_counter() - START:.1f} s from the first import to here")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        train(sys.argv[1], dict(np.load(sys.argv[2])), int(sys.argv[3]) if len(sys.argv) > 3 else EPOCHS[sys.argv[1]])
    else:
        serve(load)
