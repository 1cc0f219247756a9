"""Image layers: chance, seeds, models, inference and errors."""

import numpy as np
import pytest

from pynn import Input, Sequential, layers
from pynn.errors import ArgumentError, ShapeError

RANDOM = {
    "RandomFlip": {},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomRotation": {"factor": 0.2},
    "RandomZoom": {"height_factor": 0.4},
    "RandomContrast": {"factor": 0.5},
    "RandomBrightness": {"factor": 0.3},
    "RandomCrop": {"height": 4, "width": 5},
}


def images(n=8, dtype="float32"):
    return np.random.default_rng(1).integers(60, 200, (n, 9, 11, 2)).astype(dtype)


@pytest.mark.parametrize("name", RANDOM)
def test_seeds_say_what_is_drawn_and_each_call_draws_anew(name):
    x = images()
    one, same, other = (getattr(layers, name)(**RANDOM[name], seed=seed) for seed in (1, 1, 2))
    first, second = (np.array(one(x, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.array(same(x, training=True)), first)
    assert not np.array_equal(np.array(other(x, training=True)), first)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_called_alone_it_augments_and_in_inference_it_does_nothing(name, dtype):
    x = images(dtype=dtype)
    layer = getattr(layers, name)(**RANDOM[name])
    np.testing.assert_array_equal(np.array(layer(x, training=False)), x)
    assert not np.array_equal(np.array(layer(x)), x)
    assert np.array(layer(x)).dtype == np.float32


def test_flips_are_whole_images_half_of_the_time():
    x = images(400)
    for mode, turned in (("horizontal", x[:, :, ::-1]), ("vertical", x[:, ::-1]), (None, x[:, ::-1, ::-1])):
        y = np.array(layers.RandomFlip(**({"mode": mode} if mode else {}), seed=3)(x, training=True))
        kept, flipped = ((y == z).all(axis=(1, 2, 3)) for z in (x, turned))
        assert (kept ^ flipped).all()
        assert 140 < flipped.sum() < 260


def test_crops_are_parts_of_the_images_at_every_place():
    x = np.arange(30.0, dtype="float32").reshape(1, 5, 6, 1)
    layer = layers.RandomCrop(3, 4, seed=1)
    corners = set()
    for _ in range(150):
        y = np.array(layer(x, training=True))[0, :, :, 0]
        top, left = divmod(int(y[0, 0]), 6)
        np.testing.assert_array_equal(y, x[0, top : top + 3, left : left + 4, 0])
        corners.add((top, left))
    assert corners == {(top, left) for top in range(3) for left in range(3)}


def test_contrast_keeps_the_mean_and_brightness_the_differences():
    x = images()
    y = np.array(layers.RandomContrast((0.5, 0.5), value_range=(-1000, 1000))(x, training=True))
    np.testing.assert_allclose(y.mean(axis=(1, 2)), x.mean(axis=(1, 2)), rtol=1e-4)
    factors = y.std(axis=(1, 2, 3)) / x.std(axis=(1, 2, 3))
    assert 0.5 <= factors.min() < factors.max() <= 1.5
    y = np.array(layers.RandomBrightness(0.2, value_range=(-1000, 1000))(x, training=True)) - x
    np.testing.assert_allclose(y, np.broadcast_to(y[:, :1, :1, :1], y.shape), atol=1e-3)
    assert len(np.unique(y[:, 0, 0, 0].round(3))) == len(x)


def test_in_a_model_it_augments_in_fit_alone():
    x, y = images(32), np.zeros((32, 1), "float32")
    augment = [layers.RandomFlip(seed=1), layers.RandomRotation(0.1, seed=2), layers.RandomZoom(0.2, seed=3)]
    start = [Input((9, 11, 2)), layers.Rescaling(1 / 255)]
    model = Sequential([*start, *augment, layers.Conv2D(3, 3), layers.GlobalAveragePooling2D(), layers.Dense(1)])
    model.compile("sgd", "mse")
    plain = Sequential([*start, *model.layers[4:]])
    np.testing.assert_allclose(model.predict(x, verbose=0), plain.predict(x, verbose=0), rtol=1e-5)
    state = augment[0].seed_generator.state.numpy().copy()
    losses = model.fit(x, y, epochs=3, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert not np.array_equal(augment[0].seed_generator.state.numpy(), state)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.RandomFlip("diagonal"), ArgumentError, "mode must be 'horizontal' or 'vertical'"),
        (lambda: layers.RandomRotation(2.0), ArgumentError, "factor must be a number or a pair of numbers"),
        (lambda: layers.RandomZoom((0.1, 0.2, 0.3)), ArgumentError, "height_factor must be"),
        (lambda: layers.RandomZoom(0.1, fill_mode="mirror"), ArgumentError, "fill_mode must be .* received 'mirror'"),
        (lambda: layers.RandomContrast(-0.1), ArgumentError, "from 0 to 1"),
        (lambda: layers.RandomBrightness(0.1, value_range=255), ArgumentError, "value_range must be a pair"),
        (lambda: layers.Resizing(0, 4), ArgumentError, "height must be a positive integer"),
        (lambda: layers.Resizing(3, 4, interpolation="area"), ArgumentError, "interpolation must be"),
        (lambda: layers.Resizing(3, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ArgumentError, "only one"),
        (lambda: layers.Rescaling("half"), ArgumentError, "scale must be a number or a list"),
        (lambda: layers.CenterCrop(2, 2)(np.ones((4, 4))), ShapeError, "expected an image .height, width, channels."),
    ],
)  # fmt: skip
def test_errors_name_the_argument(make, error, message):
    with pytest.raises(error, match=message):
        make()
