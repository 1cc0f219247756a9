"""A generative adversarial network on handwritten digits: two models, two optimizers, one ``train_step``."""

import numpy as np
from common import draw_rows, options

import pynn as keras
from pynn import layers, ops

args = options(__doc__, epochs=15, noise=64, picture="gan.png")
keras.utils.set_random_seed(0)
(images, _), _ = keras.datasets.mnist.load_data()
images = images[: args.samples, ..., None].astype("float32") / 255

discriminator = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv2D(64, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dropout(0.3),
    layers.Dense(1),
], name="discriminator")  # fmt: skip
generator = keras.Sequential([
    keras.Input((args.noise,)),
    layers.Dense(7 * 7 * 64),
    layers.BatchNormalization(),
    layers.ReLU(),
    layers.Reshape((7, 7, 64)),
    layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
    layers.BatchNormalization(),
    layers.ReLU(),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
], name="generator")  # fmt: skip


class GAN(keras.Model):
    """The discriminator learns to tell real pictures (1) from drawn ones (0), the generator to be taken for real."""

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.draws = keras.random.SeedGenerator(1)
        self.means = {name: keras.metrics.Mean(name=name) for name in ("discriminator_loss", "generator_loss")}

    def compile(self, discriminator_optimizer, generator_optimizer):
        super().compile()
        self.optimizers = (discriminator_optimizer, generator_optimizer)
        self.loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self):
        return list(self.means.values())

    def learn(self, name, optimizer, tape, loss, weights):
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.means[name].update_state(loss)

    def train_step(self, real):
        noise = keras.random.normal((ops.shape(real)[0], args.noise), seed=self.draws)
        with keras.GradientTape() as tape:
            opinions = [self.discriminator(x, training=True) for x in (real, self.generator(noise, training=True))]
            loss = sum(
                self.loss_of(make(o), o) for make, o in zip((ops.ones_like, ops.zeros_like), opinions, strict=True)
            )
        self.learn("discriminator_loss", self.optimizers[0], tape, loss, self.discriminator.trainable_weights)
        with keras.GradientTape() as tape:
            opinion = self.discriminator(self.generator(noise, training=True), training=True)
            loss = self.loss_of(ops.ones_like(opinion), opinion)
        self.learn("generator_loss", self.optimizers[1], tape, loss, self.generator.trainable_weights)
        return {name: mean.result() for name, mean in self.means.items()}


gan = GAN(discriminator, generator)
gan.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5))
gan.fit(images, batch_size=128, epochs=args.epochs, verbose=2)
pictures = generator.predict(np.random.default_rng(0).standard_normal((40, args.noise)).astype("float32"), verbose=0)
draw_rows(args.picture, **{f"row_{i + 1}": pictures[10 * i : 10 * i + 10] for i in range(4)})
