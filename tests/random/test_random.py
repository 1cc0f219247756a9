"""Random numbers: the same ones from the same seed, new ones from a generator, of the right distribution."""

import numpy as np
import pytest

import pynn
from pynn import random
from pynn.errors import ArgumentError, DtypeError

N = 20000
DRAWS = {
    "normal": (lambda seed: random.normal((N,), 1.0, 2.0, seed=seed), 1.0, 2.0),
    "uniform": (lambda seed: random.uniform((N,), -1.0, 3.0, seed=seed), 1.0, 4 / 12**0.5),
    # A normal distribution cut off at two deviations has 0.8796 of its deviation left.
    "truncated_normal": (lambda seed: random.truncated_normal((N,), 1.0, 2.0, seed=seed), 1.0, 2 * 0.8796),
    "randint": (lambda seed: random.randint((N,), 2, 12, seed=seed), 6.5, (99 / 12) ** 0.5),
    "gamma": (lambda seed: random.gamma((N,), 4.0, seed=seed), 4.0, 2.0),
    "beta": (lambda seed: random.beta((N,), 2.0, 3.0, seed=seed), 0.4, 0.2),
    "binomial": (lambda seed: random.binomial((N,), 10, 0.3, seed=seed), 3.0, 2.1**0.5),
    "categorical": (
        lambda seed: random.categorical(np.log([[0.5, 0.25, 0.25]]), N, seed=seed), 0.75, (0.25 * 5 - 0.5625) ** 0.5,
    ),
    "dropout": (lambda seed: random.dropout(np.ones(N), 0.25, seed=seed), 1.0, (1 / 3) ** 0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_mean_and_deviation(name):
    draw, mean, deviation = DRAWS[name]
    x = np.asarray(draw(3), "float64")
    assert abs(x.mean() - mean) < 5 * deviation / N**0.5
    assert x.std() == pytest.approx(deviation, rel=0.04)


@pytest.mark.parametrize("name", DRAWS)
def test_seeds(name):
    draw = DRAWS[name][0]
    np.testing.assert_array_equal(draw(5), draw(5))
    assert (draw(5) != draw(6)).any()
    assert (draw(None) != draw(None)).any()
    generator, again = random.SeedGenerator(5), random.SeedGenerator(5)
    first, second = draw(generator), draw(generator)
    assert (first != second).any()
    np.testing.assert_array_equal(first, draw(again))


def test_the_global_seed_decides_what_has_none():
    pynn.utils.set_random_seed(1)
    first = random.normal((5,))
    pynn.utils.set_random_seed(1)
    np.testing.assert_array_equal(first, random.normal((5,)))


@pytest.mark.parametrize("seeded", [True, False])
def test_each_step_of_a_layer_draws_anew(seeded):
    class Noise(pynn.layers.Layer):
        def __init__(self):
            super().__init__()
            self.generator = random.SeedGenerator(3) if seeded else None

        def call(self, x):
            return x + random.normal((4,), seed=self.generator)

    model = pynn.Sequential([pynn.Input((4,)), Noise()])
    x = np.zeros((2, 4), "float32")
    first, second = model.predict(x, verbose=0), model.predict(x, verbose=0)
    np.testing.assert_array_equal(first[0], first[1])
    assert (first != second).all()


def test_limits():
    assert np.abs(random.truncated_normal((N,), seed=1)).max() <= 2
    numbers = random.randint((N,), -2, 3, seed=1)
    assert set(np.unique(numbers)) == {-2, -1, 0, 1, 2}
    assert numbers.dtype == "int32"


def test_shuffle_and_shared_noise():
    x = np.arange(12.0).reshape(3, 4)
    shuffled = random.shuffle(x, axis=1, seed=2)
    np.testing.assert_array_equal(np.sort(shuffled, axis=1), x)
    np.testing.assert_array_equal(shuffled[1] - shuffled[0], [4] * 4)
    dropped = random.dropout(np.ones((50, 4)), 0.5, noise_shape=(None, 1), seed=4)
    assert set(np.unique(dropped.sum(1))) == {0.0, 8.0}


def test_errors():
    with pytest.raises(ArgumentError, match="minval must be less"):
        random.randint((2,), 3, 3)
    with pytest.raises(DtypeError, match="must be a float"):
        random.normal((2,), dtype="int32")
    with pytest.raises(ArgumentError, match="seed must be"):
        random.normal((2,), seed="a")
    with pytest.raises(ArgumentError, match="rate must be in"):
        random.dropout(np.ones(3), 1.5)
