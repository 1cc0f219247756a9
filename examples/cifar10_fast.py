"""90 % on CIFAR-10 in a few minutes: a wide and shallow network and one cycle of a large learning rate.

python examples/cifar10_fast.py

The recipe is put together from what made CIFAR-10 fast on large machines (Page, 2019; Jordan, 2024), with a network
for small ones: a first layer that is not trained but decorrelates the pixels of small patches, three blocks of two
convolutions, smoothed labels, and the mean of the answers for an image and its mirror image.
"""

import argparse
import os
import time

import numpy as np

import pynn as keras
from pynn import layers

MEAN, STD = np.float32((125.3, 123.0, 113.9)), np.float32((63.0, 62.1, 66.7))
WIDTHS, BATCH, RATE, DECAY, SMOOTHING = (32, 128, 128), 256, 0.4, 5e-4, 0.1


def whitening(images, window=2):
    """Filters that turn the pixels of a patch into uncorrelated numbers of equal variance, and their negatives."""
    x = (images - MEAN) / STD
    patches = np.lib.stride_tricks.sliding_window_view(x, (window, window), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    values, vectors = np.linalg.eigh(np.cov(patches.reshape(-1, window * window * 3), rowvar=False))
    filters = (vectors / np.sqrt(values + 5e-4)).reshape(window, window, 3, -1)
    return np.concatenate([filters, -filters], axis=-1)


def build(kernel, total_steps):
    decay = keras.regularizers.L2(DECAY)
    model = keras.Sequential([keras.Input((32, 32, 3))])
    model.add(layers.Conv2D(kernel.shape[-1], kernel.shape[:2], use_bias=False, activation="relu", trainable=False))
    model.layers[0].set_weights([kernel])
    for width in WIDTHS:
        for pool in (True, False):
            model.add(layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_regularizer=decay))
            if pool:
                model.add(layers.MaxPooling2D())
            model.add(layers.BatchNormalization(momentum=0.9, scale=False, epsilon=1e-5))
            model.add(layers.ReLU())
    model.add(layers.GlobalMaxPooling2D())
    model.add(layers.Dense(10, use_bias=False, kernel_regularizer=decay))
    model.add(layers.Rescaling(0.125))
    rise = total_steps // 5
    fall = max(total_steps - rise, 1)
    rate = keras.optimizers.schedules.CosineDecay(RATE / 10, fall, warmup_target=RATE, warmup_steps=rise)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING)
    model.compile(keras.optimizers.SGD(rate, 0.9, nesterov=True), loss, metrics=["accuracy"])
    return model


if __name__ == "__main__":
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--steps", type=int, help="batches in an epoch (all)")
    parser.add_argument("--data", help="folder with cifar-10-batches-bin (default: PYNN_DATA_DIR, cache, download)")
    options = parser.parse_args()
    os.environ.update({"PYNN_DATA_DIR": options.data} if options.data else {})
    keras.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    batches = keras.data.ImageBatches(
        x_train, y_train, BATCH, flip=True, crop=2, crop_mode="reflect", mean=MEAN, std=STD,
        one_hot=10, shuffle=True, drop_remainder=True, seed=0,
    )  # fmt: skip
    model = build(whitening(x_train[:2000]), options.epochs * (options.steps or len(batches)))
    model.fit(batches, epochs=options.epochs, steps_per_epoch=options.steps, verbose=2)
    x_test = (x_test - MEAN) / STD
    answers = model.predict(x_test, 500, verbose=0) + model.predict(x_test[:, :, ::-1], 500, verbose=0)
    right = answers.argmax(axis=1) == y_test[:, 0]
    print(f"test accuracy {right[:1000].mean():.2%} on the first 1,000 images, {right.mean():.2%} on all 10,000")
    print(f"{time.perf_counter() - start:.1f} s from data to answers")
