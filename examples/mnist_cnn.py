"""99 % on MNIST in seconds: a small convolutional network, four epochs, one cycle of the learning rate.

python examples/mnist_cnn.py
"""

import argparse
import os
import time

start = time.perf_counter()

import pynn as keras  # noqa: E402
from pynn import layers  # noqa: E402

BATCH = 128


def build(total_steps):
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ])  # fmt: skip
    rise = total_steps // 5
    fall = max(total_steps - rise, 1)
    rate = keras.optimizers.schedules.CosineDecay(5e-4, fall, 0.01, warmup_target=3e-3, warmup_steps=rise)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--steps", type=int, help="batches in an epoch (all)")
    parser.add_argument("--data", help="a folder with mnist/ (default: PYNN_DATA_DIR, the cache, a download)")
    options = parser.parse_args()
    if options.data:
        os.environ["PYNN_DATA_DIR"] = options.data
    keras.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    batches = keras.data.ImageBatches(
        x_train[..., None], y_train, BATCH, std=255.0, shuffle=True, drop_remainder=True, seed=0
    )
    model = build(options.epochs * (options.steps or len(batches)))
    model.fit(batches, epochs=options.epochs, steps_per_epoch=options.steps, verbose=2)
    _, accuracy = model.evaluate(x_test[..., None].astype("float32") / 255, y_test, 500, verbose=0)
    print(f"test accuracy {accuracy:.2%}, {time.perf_counter() - start:.1f} s from the first import to here")
