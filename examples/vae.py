"""A variational autoencoder: learns two numbers for each digit, and draws digits from a grid of such pairs."""

import numpy as np
from common import draw_rows, options

import pynn as keras
from pynn import layers, ops

args = options(__doc__, epochs=10, picture="vae.png")
keras.utils.set_random_seed(0)
(images, labels), _ = keras.datasets.mnist.load_data()
images = images[: args.samples, ..., None].astype("float32") / 255

encoder = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(64, activation="relu"),
    layers.Dense(4, name="mean_and_log_variance"),
], name="encoder")  # fmt: skip
decoder = keras.Sequential([
    keras.Input((2,)),
    layers.Dense(7 * 7 * 64, activation="relu"),
    layers.Reshape((7, 7, 64)),
    layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
], name="decoder")  # fmt: skip


class VariationalAutoencoder(keras.Model):
    """The loss is how badly the picture comes back, and how far the codes are from a standard normal distribution."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.noise = keras.random.SeedGenerator(1)
        self.picture, self.divergence = keras.metrics.Mean(name="picture"), keras.metrics.Mean(name="divergence")

    def call(self, images):
        mean, log_variance = ops.split(self.encoder(images), 2, axis=-1)
        code = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.noise)
        return self.decoder(code), mean, log_variance

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        restored, mean, log_variance = y_pred
        picture = ops.mean(ops.sum(keras.losses.binary_crossentropy(x, restored), axis=(1, 2)))
        divergence = -0.5 * ops.mean(ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=1))
        self.picture.update_state(picture)
        self.divergence.update_state(divergence)
        return picture + divergence


model = VariationalAutoencoder(encoder, decoder)
model.compile("adam")
model.fit(images, batch_size=128, epochs=args.epochs, verbose=2)

codes = encoder.predict(images[:5000], verbose=0)[:, :2]
for digit in range(10):
    middle = codes[labels[:5000][: len(codes)] == digit].mean(0)
    print(f"codes of {digit} lie around ({middle[0]:5.2f}, {middle[1]:5.2f})")
steps = np.linspace(-2, 2, 11)
grid = np.array([[x, y] for y in steps[::2] for x in steps], "float32")
rows = decoder.predict(grid, verbose=0).reshape(6, 11, 28, 28)
draw_rows(args.picture, **{f"{y:.1f}": row for y, row in zip(steps[::2], rows, strict=True)})
