"""A variational autoencoder with a ``train_step`` of its own, written with TensorFlow's gradient tape.

Runs with Keras on TensorFlow (``KERAS_BACKEND=tensorflow python variational_autoencoder.py``) and with pynn
(``python -m pynn.compat variational_autoencoder.py``), with equal results.  The noise comes with the data, so that two
libraries can be compared.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

LATENT = 2


class Sampling(layers.Layer):
    """Draws z from the normal distribution of (mean, log of variance), given standard normal noise."""

    def call(self, inputs):
        z_mean, z_log_var, epsilon = inputs
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


image = keras.Input(shape=(8, 8, 1))
noise = keras.Input(shape=(LATENT,))
h = layers.Conv2D(4, 3, activation="relu", strides=2, padding="same")(image)
h = layers.Conv2D(8, 3, activation="relu", strides=2, padding="same")(h)
h = layers.Dense(8, activation="relu")(layers.Flatten()(h))
z_mean = layers.Dense(LATENT, name="z_mean")(h)
z_log_var = layers.Dense(LATENT, name="z_log_var")(h)
z = Sampling()([z_mean, z_log_var, noise])
encoder = keras.Model([image, noise], [z_mean, z_log_var, z], name="encoder")
encoder.summary(line_length=100)

latent = keras.Input(shape=(LATENT,))
h = layers.Reshape((2, 2, 8))(layers.Dense(2 * 2 * 8, activation="relu")(latent))
h = layers.Conv2DTranspose(8, 3, activation="relu", strides=2, padding="same")(h)
h = layers.Conv2DTranspose(4, 3, activation="relu", strides=2, padding="same")(h)
decoder = keras.Model(latent, layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(h), name="decoder")


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.total_loss_tracker = keras.metrics.Mean(name="total_loss")
        self.reconstruction_loss_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.total_loss_tracker, self.reconstruction_loss_tracker, self.kl_loss_tracker]

    def losses_of(self, data):
        images, epsilon = data
        z_mean, z_log_var, z = self.encoder([images, epsilon])
        reconstruction = self.decoder(z)
        reconstruction_loss = ops.mean(
            ops.sum(keras.losses.binary_crossentropy(images, reconstruction), axis=(1, 2)),
        )
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        return reconstruction_loss + kl_loss, reconstruction_loss, kl_loss

    def track(self, *losses):
        for metric, loss in zip(self.metrics, losses, strict=True):
            metric.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}

    def train_step(self, data):
        with tf.GradientTape() as tape:
            total_loss, reconstruction_loss, kl_loss = self.losses_of(data)
        grads = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        return self.track(total_loss, reconstruction_loss, kl_loss)

    def test_step(self, data):
        return self.track(*self.losses_of(data))


rng = np.random.default_rng(0)
for model in (encoder, decoder):
    model.set_weights([0.3 * rng.standard_normal(w.shape).astype("float32") for w in model.get_weights()])
images = (rng.random((3, 8, 8, 1))[rng.integers(0, 3, 64)] > 0.5).astype("float32")
epsilon = rng.standard_normal((64, LATENT)).astype("float32")

vae = VAE(encoder, decoder)
vae.compile(optimizer=keras.optimizers.Adam(1e-2))
history = vae.fit(images, epsilon, epochs=4, batch_size=16, shuffle=False, verbose=0)
print("history", history.history)
print("evaluate", vae.evaluate(images, epsilon, verbose=0, return_dict=True))
print("means", vae.encoder.predict([images, epsilon], verbose=0)[0][:2])
print("picture", float(np.mean(vae.decoder.predict(np.array([[0.5, -0.5]]), verbose=0))))
