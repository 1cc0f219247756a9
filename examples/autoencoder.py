"""Two autoencoders for handwritten digits: one takes noise away, one keeps 32 of 784 numbers.

A bottleneck of linear layers would learn what principal components give: those of the same size are the yardstick.
"""

import numpy as np
from common import draw_rows, options

import pynn as keras
from pynn import layers

args = options(__doc__, epochs=5, code=32, picture="autoencoder.png")
keras.utils.set_random_seed(0)
(x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
x_train, x_test = (x[: args.samples, ..., None].astype("float32") / 255 for x in (x_train, x_test))


def squared_error(a, b):
    return float(np.mean((a - b) ** 2))


# 1. Noise: the network sees the noisy digit, and is asked for the clean one.
rng = np.random.default_rng(0)
noisy_train, noisy_test = (
    np.clip(x + 0.5 * rng.standard_normal(x.shape, "float32"), 0, 1) for x in (x_train, x_test)
)  # fmt: skip
denoiser = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 3, activation="relu", padding="same"),
    layers.MaxPooling2D(padding="same"),
    layers.Conv2D(32, 3, activation="relu", padding="same"),
    layers.MaxPooling2D(padding="same"),
    layers.Conv2DTranspose(32, 3, strides=2, activation="relu", padding="same"),
    layers.Conv2DTranspose(32, 3, strides=2, activation="relu", padding="same"),
    layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
], name="denoiser")  # fmt: skip
denoiser.summary()
denoiser.compile("adam", "binary_crossentropy")
denoiser.fit(noisy_train, x_train, batch_size=128, epochs=args.epochs, validation_data=(noisy_test, x_test), verbose=2)
cleaned = denoiser.predict(noisy_test, verbose=0)
before, after = squared_error(noisy_test, x_test), squared_error(cleaned, x_test)
print(f"squared error of noisy digits {before:.4f}, of cleaned ones {after:.4f}")

# 2. A bottleneck: encoder and decoder are models of their own, and parts of the one that is trained.
encoder = keras.Sequential([
    keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(256, "relu"), layers.Dense(args.code, name="code"),
], name="encoder")  # fmt: skip
decoder = keras.Sequential([
    keras.Input((args.code,)), layers.Dense(256, "relu"), layers.Dense(784, "sigmoid"), layers.Reshape((28, 28, 1)),
], name="decoder")  # fmt: skip
autoencoder = keras.Sequential([encoder, decoder])
autoencoder.compile("adam", "mean_squared_error")
autoencoder.fit(x_train, x_train, batch_size=128, epochs=args.epochs, validation_data=(x_test, x_test), verbose=2)
codes = encoder.predict(x_test, verbose=0)
restored = decoder.predict(codes, verbose=0)

flat_train, flat_test = (x.reshape(len(x), 784) for x in (x_train, x_test))
mean = flat_train.mean(0)
axes = np.linalg.svd((flat_train - mean)[:5000], full_matrices=False)[2][: args.code]
principal = (flat_test - mean) @ axes.T @ axes + mean
print(
    f"squared error from {args.code} numbers: autoencoder {squared_error(restored, x_test):.4f}, "
    f"principal components {squared_error(principal, flat_test):.4f}"
)
draw_rows(
    args.picture, digit=x_test[:10], noisy=noisy_test[:10], cleaned=cleaned[:10],
    from_code=restored[:10], principal_components=principal[:10].reshape(-1, 28, 28),
)  # fmt: skip
