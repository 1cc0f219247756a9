"""Networks trained by loops of one's own: a GAN with two optimizers, a variational autoencoder."""

import numpy as np
import pytest

import pynn
from pynn import layers, ops


def ring(rng, count):
    """Points on a circle of radius 2, a little blurred."""
    angle = rng.uniform(0, 2 * np.pi, count)
    points = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (points + 0.05 * rng.normal(size=points.shape)).astype("float32")


def test_a_gan_with_two_optimizers():
    pynn.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    generator = pynn.Sequential([pynn.Input((4,)), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(2)])
    critic = pynn.Sequential(
        [pynn.Input((2,)), layers.Dense(32, layers.LeakyReLU(0.2)), layers.Dense(32, "tanh"), layers.Dense(1)]
    )
    for_generator, for_critic = pynn.optimizers.Adam(2e-3, beta_1=0.5), pynn.optimizers.Adam(2e-3, beta_1=0.5)
    loss_of = pynn.losses.BinaryCrossentropy(from_logits=True)

    @pynn.jit
    def step(real, noise):
        ones, zeros = np.ones((64, 1), "float32"), np.zeros((64, 1), "float32")
        with pynn.GradientTape() as of_generator, pynn.GradientTape() as of_critic:
            made = generator(noise, training=True)
            told_real, told_made = critic(real, training=True), critic(made, training=True)
            critic_loss = loss_of(ones, told_real) + loss_of(zeros, told_made)
            generator_loss = loss_of(ones, told_made)
        gradients = of_generator.gradient(generator_loss, generator.trainable_variables)
        for_generator.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))
        gradients = of_critic.gradient(critic_loss, critic.trainable_variables)
        for_critic.apply_gradients(zip(gradients, critic.trainable_variables, strict=True))
        return generator_loss, critic_loss

    def distance():
        """How far made points are from the circle, on average."""
        made = generator.predict(rng.normal(size=(500, 4)).astype("float32"), verbose=0)
        return float(np.abs(np.linalg.norm(made, axis=1) - 2).mean())

    before = distance()
    for _ in range(3000):
        losses = step(ring(rng, 64), rng.normal(size=(64, 4)).astype("float32"))
    assert all(np.isfinite(losses))
    assert int(for_generator.iterations) == int(for_critic.iterations) == 3000
    after = distance()
    assert before > 1
    assert after < 0.4


class Sampling(layers.Layer):
    """A draw from the normal distribution that the encoder describes."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = layers.seed_generator.SeedGenerator(5)

    def call(self, inputs):
        mean, log_var = inputs
        noise = ops.random_normal(mean.shape, self.seed_generator.next())
        return mean + ops.exp(0.5 * log_var) * noise


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "op by op"])
def test_a_variational_autoencoder(compiled):
    pynn.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    x = pynn.Input((8,))
    hidden = layers.Dense(16, "tanh")(x)
    mean, log_var = layers.Dense(2)(hidden), layers.Dense(2)(hidden)
    encoder = pynn.Model(x, [mean, log_var, Sampling()([mean, log_var])])
    decoder = pynn.Sequential([pynn.Input((2,)), layers.Dense(16, "tanh"), layers.Dense(8)])
    optimizer = pynn.optimizers.Adam(5e-3)
    tracker = pynn.metrics.Mean(name="loss")

    def step(batch):
        with pynn.GradientTape() as tape:
            mean, log_var, z = encoder(batch, training=True)
            reconstruction = ops.mean(ops.sum(ops.square(batch - decoder(z, training=True)), axis=1))
            divergence = -0.5 * ops.mean(ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=1))
            loss = reconstruction + 0.01 * divergence
        variables = encoder.trainable_weights + decoder.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        tracker.update_state(loss)

    run = pynn.jit(step) if compiled else step
    directions = rng.normal(size=(2, 8)).astype("float32")  # data of two dimensions in eight
    data = rng.normal(size=(256, 2)).astype("float32") @ directions
    losses = []
    for _ in range(150 if compiled else 12):
        tracker.reset_state()
        for i in range(0, 256, 64):
            run(data[i : i + 64])
        losses.append(tracker.result())
    assert losses[-1] < losses[0] * (0.1 if compiled else 0.95)
    steps = int(encoder.layers[-1].seed_generator.state.numpy()[1])
    assert steps == len(losses) * 4  # one draw a step
