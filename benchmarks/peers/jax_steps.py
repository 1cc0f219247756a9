"""JAX, the step written by hand under ``jit``; epochs as a Python loop, and as one ``scan``."""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from networks import (
    ADAM_BETA1,
    ADAM_BETA2,
    ADAM_EPSILON,
    ADAM_RATE,
    BATCH,
    NETWORKS,
    SGD_RATE,
)
from protocol import Epochs, Steps, serve


def load():  # type: ignore[no-untyped-def]
    import jax
    from jax import lax
    from jax import numpy as jnp

    def mlp_loss(weights, x, y):  # type: ignore[no-untyped-def]
        w1, b1, w2, b2 = weights
        hidden = jax.nn.sigmoid(x @ w1 + b1)
        return jnp.mean((jax.nn.softmax(hidden @ w2 + b2) - y) ** 2)

    def conv(x, w, b, padding):  # type: ignore[no-untyped-def]
        y = lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return jax.nn.relu(y + b)

    def pool(x):  # type: ignore[no-untyped-def]
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def lenet5_loss(weights, x, y):  # type: ignore[no-untyped-def]
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = weights
        x = pool(conv(x, w1, b1, "SAME"))
        x = pool(conv(x, w2, b2, "VALID"))
        x = x.reshape(x.shape[0], -1)
        x = jax.nn.relu(x @ w3 + b3)
        x = jax.nn.relu(x @ w4 + b4)
        log_p = jax.nn.log_softmax(x @ w5 + b5)
        return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))

    def sgd(weights, state, gradients):  # type: ignore[no-untyped-def]
        return [w - SGD_RATE * g for w, g in zip(weights, gradients, strict=True)], state

    def adam(weights, state, gradients):  # type: ignore[no-untyped-def]
        count, first, second = state
        count = count + 1
        rate = ADAM_RATE * jnp.sqrt(1 - ADAM_BETA2**count) / (1 - ADAM_BETA1**count)
        first = [m + (1 - ADAM_BETA1) * (g - m) for m, g in zip(first, gradients, strict=True)]
        second = [v + (1 - ADAM_BETA2) * (g * g - v) for v, g in zip(second, gradients, strict=True)]
        weights = [w - rate * m / (jnp.sqrt(v) + ADAM_EPSILON) for w, m, v in zip(weights, first, second, strict=True)]
        return weights, (count, first, second)

    def prepare(name):  # type: ignore[no-untyped-def]
        weights = [jnp.asarray(w) for w in NETWORKS[name].weights()]
        zeros = [jnp.zeros_like(w) for w in weights]
        if name == "mlp":
            loss, update, state = mlp_loss, sgd, ()
        else:
            loss, update, state = lenet5_loss, adam, (jnp.float32(0), zeros, [jnp.copy(z) for z in zeros])

        def train(carry, x, y):  # type: ignore[no-untyped-def]
            weights, state = carry
            value, gradients = jax.value_and_grad(loss)(weights, x, y)
            return update(weights, state, gradients), value

        return train, (weights, state)

    def step(name):  # type: ignore[no-untyped-def]
        train, carry = prepare(name)
        x, y = (jnp.asarray(array) for array in NETWORKS[name].data(BATCH))
        compiled = jax.jit(train, donate_argnums=0)

        def one() -> float:
            nonlocal carry
            carry, value = compiled(carry, x, y)
            return float(value)

        return Steps(one)

    def fit(name, scan=False):  # type: ignore[no-untyped-def]
        train, carry = prepare(name)
        x, y = (jnp.asarray(array) for array in NETWORKS[name].data())
        key = jax.random.key(0)

        def train_rows(carry, x, y, rows):  # type: ignore[no-untyped-def]
            return train(carry, x[rows], y[rows])

        def train_epoch(carry, x, y, order):  # type: ignore[no-untyped-def]
            return lax.scan(lambda carry, rows: train_rows(carry, x, y, rows), carry, order)

        one_step = jax.jit(train_rows, donate_argnums=0)
        whole_epoch = jax.jit(train_epoch, donate_argnums=0)
        shuffle = jax.jit(lambda key: jax.random.permutation(key, len(x)).reshape(-1, BATCH))

        def epoch() -> float:
            nonlocal carry, key
            key, now = jax.random.split(key)
            order = shuffle(now)
            if scan:
                carry, values = whole_epoch(carry, x, y, order)
                return float(values.mean())
            values = []
            for rows in order:
                carry, value = one_step(carry, x, y, rows)
                values.append(value)
            return float(sum(float(value) for value in values)) / len(values)

        epoch()  # compiles
        return Epochs(epoch, len(x) // BATCH)

    cases = {}
    for name in ("mlp", "lenet5"):
        cases[f"{name}.step"] = lambda name=name: step(name)
        cases[f"{name}.fit"] = lambda name=name: fit(name)
        cases[f"{name}.fit.scan"] = lambda name=name: fit(name, scan=True)
    return {"jax": jax.__version__}, cases


if __name__ == "__main__":
    serve(load)
