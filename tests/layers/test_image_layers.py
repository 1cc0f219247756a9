"""Image layers: chance, seeds, models, inference and errors."""

import numpy as np
import pytest

import pynn
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
    "RandomHue": {"factor": 0.5},
    "RandomSaturation": {"factor": (0.2, 0.9)},
    "RandomSharpness": {"factor": 1.0},
    "RandomColorJitter": {"brightness_factor": 0.2, "hue_factor": 0.3},
    "RandomGrayscale": {"factor": 0.5},
    "RandomErasing": {"factor": (1.0, 1.0)},
    "RandomGaussianBlur": {"factor": (1.0, 1.0)},
    "RandomShear": {"x_factor": 0.3, "y_factor": 0.2},
    "CutMix": {},
    "MixUp": {},
}


def images(n=8, dtype="float32"):
    return np.random.default_rng(1).integers(60, 200, (n, 9, 11, 3)).astype(dtype)


#: Where uint8 stays uint8: always, or in inference; others give float32.
WHOLE = ["RandomBrightness", "RandomGrayscale"]
WHOLE_IN_INFERENCE = [
    *WHOLE, "RandomHue", "RandomSaturation", "RandomColorJitter", "RandomCrop", "RandomContrast", "MixUp",
]  # fmt: skip


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
    same, other = np.array(layer(x, training=False)), np.array(layer(x))
    np.testing.assert_array_equal(same, x)
    assert not np.array_equal(other, x)
    assert same.dtype == (dtype if name in WHOLE_IN_INFERENCE else "float32")
    assert other.dtype == (dtype if name in WHOLE else "float32")


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


def test_hues_turn_by_the_factor_to_either_side():
    x = np.tile(np.float32([200, 0, 0]), (64, 1, 1, 1))
    y = np.array(layers.RandomHue((2 / 3, 2 / 3), seed=1)(x, training=True))[:, 0, 0].round(3)  # a third of a turn
    colours, counts = np.unique(y, axis=0, return_counts=True)
    np.testing.assert_allclose(colours, [[0, 0, 200], [0, 200, 0]], atol=1e-2)
    assert 16 < counts[0] < 48


def test_every_image_has_its_own_factor():
    x = np.tile(images(1), (6, 1, 1, 1))
    for name, arguments in RANDOM.items():
        if name not in ("RandomCrop", "RandomGaussianBlur", "RandomFlip", "RandomGrayscale", "CutMix", "MixUp"):
            y = np.array(getattr(layers, name)(**arguments, seed=1)(x, training=True)).reshape(6, -1)
            assert len(np.unique(y, axis=0)) == 6, name


@pytest.mark.parametrize("name", ["RandomGrayscale", "RandomErasing", "RandomGaussianBlur"])
def test_a_share_of_the_images_is_changed(name):
    x = np.tile(images(1), (300, 1, 1, 1))
    probability = 0.7 if name == "RandomGrayscale" else (0.7, 0.7)
    y = np.array(getattr(layers, name)(probability, seed=1)(x, training=True))
    assert 180 < (y != x).any(axis=(1, 2, 3)).sum() < 240
    never = 0.0 if name == "RandomGrayscale" else (0.0, 0.0)
    np.testing.assert_array_equal(np.array(getattr(layers, name)(never)(x, training=True)), x)


def test_erased_patches_are_rectangles_of_the_given_size_anywhere():
    x = np.full((200, 20, 30, 2), 100, "float32")
    y = np.array(layers.RandomErasing((1.0, 1.0), scale=(0.3, 0.3), fill_value=[7.0, 300.0], seed=1)(x, training=True))
    erased = (y[..., 0] == 7) & (y[..., 1] == 255)  # kept within value_range
    np.testing.assert_array_equal(y[~erased], 100)
    heights, widths = erased.any(2).sum(1), erased.any(1).sum(1)
    np.testing.assert_array_equal(erased.sum(axis=(1, 2)), heights * widths)
    assert set(heights) == {10, 11}  # sqrt(0.3) * 20 = 10.95
    assert set(widths) == {16, 17}
    assert erased.any(axis=(0, 2))[1:].all()
    assert erased.any(axis=(0, 1))[1:].all()
    assert erased.mean(axis=0)[9:11, 14:16].min() > 0.9
    noise = np.array(layers.RandomErasing((1.0, 1.0), scale=(1.0, 1.0), seed=1)(x, training=True))
    assert noise.min() == 0
    assert noise.max() == 255
    assert len(np.unique(noise)) > 1000


def test_cutmix_mixes_labels_as_much_as_pixels():
    n = 60
    x = np.broadcast_to(np.arange(n, dtype="float32")[:, None, None, None], (n, 40, 50, 1)).copy()
    mixed = layers.CutMix(seed=1)({"images": x, "labels": np.eye(n), "segmentation_masks": x}, training=True)
    y, labels = np.array(mixed["images"]), np.array(mixed["labels"])
    np.testing.assert_array_equal(np.array(mixed["segmentation_masks"]), y)
    np.testing.assert_allclose(labels.sum(-1), 1, rtol=1e-5)
    shares = np.stack([(y == k).mean(axis=(1, 2, 3)) for k in range(n)], -1)
    np.testing.assert_allclose(labels, shares, atol=0.05)
    assert (labels.max(-1) < 0.9).sum() > n / 3


def test_mixup_mixes_labels_as_much_as_pixels():
    x = images()
    mixed = layers.MixUp(1.0, seed=1)({"images": x, "labels": np.eye(8), "names": np.arange(8)}, training=True)
    labels = np.array(mixed["labels"])
    np.testing.assert_allclose(np.einsum("ij,jhwc->ihwc", labels, x), np.array(mixed["images"]), rtol=1e-4)
    np.testing.assert_array_equal(np.array(mixed["names"]), np.arange(8))
    assert ((labels > 0).sum(-1) <= 2).all()
    assert (labels.max(-1) < 1).any()
    single = layers.MixUp(1.0)({"images": x[0], "labels": np.eye(8)[0]}, training=True)
    np.testing.assert_allclose(np.array(single["images"]), x[0], rtol=1e-6)
    np.testing.assert_array_equal(np.array(single["labels"]), np.eye(8)[0])


@pytest.mark.parametrize("name", [name for name in RANDOM if name != "MixUp"])  # which refuses masks: see below
def test_dictionaries_keep_images_and_masks_in_step(name):
    x = images()
    masks = (np.arange(9 * 11).reshape(1, 9, 11, 1) + 100 * np.arange(8).reshape(8, 1, 1, 1)).astype("int32")
    layer = getattr(layers, name)(**RANDOM[name], seed=3)
    done = layer({"images": x, "labels": np.eye(8), "segmentation_masks": masks}, training=True)
    y, moved = np.array(done["images"]), np.array(done["segmentation_masks"])
    if name in ("RandomFlip", "RandomCrop", "CutMix"):
        # Each pixel of a mask says which pixel of which image it is.
        moved = moved.astype(int)
        np.testing.assert_array_equal(x.reshape(8, 99, 3)[moved // 100 % 8, moved % 100][..., 0, :], y)
    elif name in ("RandomTranslation", "RandomRotation", "RandomZoom", "RandomShear"):
        assert moved.dtype == np.int32
        alone = getattr(layers, name)(**RANDOM[name], interpolation="nearest", seed=3)
        np.testing.assert_array_equal(np.array(alone(masks, training=True)), moved)
    else:
        np.testing.assert_array_equal(moved, masks)
    plain = layer({"images": x, "labels": np.eye(8), "segmentation_masks": masks}, training=False)
    for key, given in (("images", x), ("labels", np.eye(8)), ("segmentation_masks", masks)):
        np.testing.assert_array_equal(np.array(plain[key]), given)


def test_whole_numbers_are_rounded_not_wrapped():
    x = np.array([[250, 10], [100, 3]], "uint8").reshape(1, 2, 2, 1)
    brighter = np.array(layers.RandomBrightness((0.1, 0.1))(x, training=True))
    np.testing.assert_array_equal(brighter.ravel(), [255, 35, 125, 28])  # 25.5 of 255
    darker = np.array(layers.RandomBrightness((-0.1, -0.1))(x, training=True))
    np.testing.assert_array_equal(darker.ravel(), [225, 0, 75, 0])
    assert np.array(layers.Resizing(1, 1)(x)).tolist() == [[[[91]]]]  # 90.75
    sharp = np.zeros((1, 6, 8, 1), "uint8")
    sharp[:, 3:] = 255
    assert np.array(layers.Resizing(40, 40, interpolation="lanczos3")(sharp)).max() == 255


def test_uint8_pipelines_and_models():
    x, y = images(16, "uint8"), np.eye(4)[np.arange(16) % 4]
    mix, resize = layers.CutMix(seed=1), layers.Resizing(6, 6)
    data = pynn.data.Dataset.from_tensor_slices({"images": x, "labels": y}).batch(8)
    batches = list(data.map(resize).map(lambda parts: mix(parts, training=True)))
    assert [b["images"].shape for b in batches] == [(8, 6, 6, 3)] * 2
    model = Sequential([Input((9, 11, 3), dtype="uint8"), layers.Resizing(6, 6), layers.Conv2D(2, 3), layers.Flatten()])
    expected = model.layers[1](np.array(resize(x)).astype("float32"))
    np.testing.assert_allclose(model.predict(x, verbose=0), np.array(expected).reshape(16, -1), rtol=1e-4, atol=1e-3)


def test_in_a_model_it_augments_in_fit_alone():
    x, y = images(32), np.zeros((32, 1), "float32")
    augment = [layers.RandomFlip(seed=1), layers.RandomRotation(0.1, seed=2), layers.RandomZoom(0.2, seed=3)]
    start = [Input((9, 11, 3)), layers.Rescaling(1 / 255)]
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
        (lambda: layers.RandomHue(1.5), ArgumentError, "factor must be a number or a pair of numbers from 0 to 1"),
        (lambda: layers.RandomHue(0.5)(np.ones((4, 4, 1)), training=True), ShapeError, "images with 3 channels"),
        (lambda: layers.RandomGrayscale(2), ArgumentError, "factor must be a number from 0 to 1"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), ArgumentError, "kernel_size must be odd"),
        (lambda: layers.RandomShear(-0.2), ArgumentError, "x_factor must be"),
        (lambda: layers.RandomErasing(fill_value="noise"), ArgumentError, "fill_value must be a number"),
        (lambda: layers.MixUp(0), ArgumentError, "alpha must be above 0"),
        (lambda: layers.MixUp()({"images": images(), "labels": np.arange(8)}, training=True), ShapeError,
         "one row of numbers for each image.*to_categorical"),
        (lambda: layers.MixUp()({"images": images(), "segmentation_masks": images()}, training=True), ArgumentError,
         "segmentation_masks .* cannot be mixed"),
        (lambda: layers.RandomFlip()({"labels": np.eye(2)}), ArgumentError, "must have the key 'images'"),
        (lambda: layers.RandomFlip()({"images": images(), "bounding_boxes": np.eye(2)}), ArgumentError,
         "bounding_boxes are not supported"),
        (lambda: layers.CenterCrop(2, 2)(np.ones((4, 4))), ShapeError, "expected an image .height, width, channels."),
    ],
)  # fmt: skip
def test_errors_name_the_argument(make, error, message):
    with pytest.raises(error, match=message):
        make()
