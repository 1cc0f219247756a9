"""A generative adversarial network: two models, two optimizers, one ``train_step`` with TensorFlow's gradient tape.

Runs with Keras on TensorFlow (``KERAS_BACKEND=tensorflow python gan.py``) and with pynn (``python -m pynn.compat
gan.py``), with equal results.  The noise comes with the data, so that two libraries can be compared.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

LATENT = 6

discriminator = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        layers.Conv2D(4, kernel_size=4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(8, kernel_size=4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ],
    name="discriminator",
)
generator = keras.Sequential(
    [
        keras.Input(shape=(LATENT,)),
        layers.Dense(2 * 2 * 8),
        layers.Reshape((2, 2, 8)),
        layers.Conv2DTranspose(8, kernel_size=4, strides=2, padding="same"),
        layers.BatchNormalization(),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2DTranspose(4, kernel_size=4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(1, kernel_size=5, padding="same", activation="sigmoid"),
    ],
    name="generator",
)
discriminator.summary()
generator.summary()


class GAN(keras.Model):
    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss_metric, self.g_loss_metric]

    def train_step(self, data):
        real_images, noise = data
        batch_size = tf.shape(real_images)[0]

        # The discriminator tells real pictures (0) from made ones (1).
        generated_images = self.generator(noise)
        combined_images = tf.concat([generated_images, real_images], axis=0)
        labels = tf.concat([tf.ones((batch_size, 1)), tf.zeros((batch_size, 1))], axis=0)
        with tf.GradientTape() as tape:
            predictions = self.discriminator(combined_images)
            d_loss = self.loss_fn(labels, predictions)
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))

        # The generator wants its pictures taken for real; the discriminator's weights stay.
        misleading_labels = tf.zeros((batch_size, 1))
        with tf.GradientTape() as tape:
            predictions = self.discriminator(self.generator(noise, training=True))
            g_loss = self.loss_fn(misleading_labels, predictions)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))

        self.d_loss_metric.update_state(d_loss)
        self.g_loss_metric.update_state(g_loss)
        return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}


class Monitor(keras.callbacks.Callback):
    """Draws a few pictures after each epoch."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise

    def on_epoch_end(self, epoch, logs=None):
        pictures = self.model.generator(self.noise)
        pictures = pictures * 255
        print("epoch", epoch, pictures.numpy().shape, float(pictures.numpy().mean()))


rng = np.random.default_rng(0)
for model in (discriminator, generator):
    for weight in model.trainable_weights:
        if "kernel" in weight.path:
            weight.assign(0.2 * rng.standard_normal(weight.shape))
images = rng.random((48, 8, 8, 1)).astype("float32") ** 2
noise = rng.standard_normal((48, LATENT)).astype("float32")

gan = GAN(discriminator=discriminator, generator=generator)
gan.compile(
    d_optimizer=keras.optimizers.Adam(learning_rate=0.001, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(learning_rate=0.002, beta_1=0.5),
    loss_fn=keras.losses.BinaryCrossentropy(),
)
history = gan.fit(images, noise, epochs=3, batch_size=12, shuffle=False, verbose=0, callbacks=[Monitor(noise[:3])])
print("history", history.history)
print("steps", int(gan.d_optimizer.iterations), int(gan.g_optimizer.iterations))
