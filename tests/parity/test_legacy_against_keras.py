"""``ImageDataGenerator`` and its transforms against the class that Keras 3 keeps from older versions."""

import warnings

import numpy as np
import pytest

from pynn.preprocessing import image as ours

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is from older versions of Keras:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Please import .affine_transform:DeprecationWarning"),  # in Keras
]

X = np.random.default_rng(0).integers(0, 256, (10, 6, 9, 3)).astype("float32")
AXES = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
ALL = {
    "rotation_range": 30, "width_shift_range": 0.2, "height_shift_range": 0.1, "shear_range": 10, "zoom_range": 0.2,
    "channel_shift_range": 20.0, "brightness_range": (0.5, 1.5), "horizontal_flip": True, "vertical_flip": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def theirs(keras):
    from keras.src.legacy.preprocessing import image

    return image


TRANSFORMS = [
    {"tx": 2}, {"ty": -3}, {"theta": 30}, {"shear": 20}, {"zx": 0.7}, {"zy": 1.3},
    {"theta": 20, "tx": 1.3, "ty": -2.2, "shear": 10, "zx": 0.8, "zy": 1.2},
]  # fmt: skip


@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_affine_transforms(theirs, transform):
    for mode in ("nearest", "reflect", "wrap", "constant"):
        for order in (0, 1):
            options = {**transform, **AXES, "fill_mode": mode, "cval": 9.0, "order": order}
            expected = theirs.apply_affine_transform(X[0], **options)
            np.testing.assert_allclose(ours.apply_affine_transform(X[0], **options), expected, atol=1e-2)
    first = np.moveaxis(X[0], -1, 0)
    expected = theirs.apply_affine_transform(first, **transform)
    np.testing.assert_allclose(ours.apply_affine_transform(first, **transform), expected, atol=1e-2)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("random_rotation", (30,)), ("random_shift", (0.2, 0.3)), ("random_shear", (20,)), ("random_zoom", ((0.7, 1.3),)),
     ("random_brightness", ((0.5, 1.5),)), ("random_channel_shift", (20.0,))],
)  # fmt: skip
def test_random_functions_draw_the_same(theirs, name, arguments):
    axes = {} if name == "random_brightness" else {"channel_axis": 2} if name == "random_channel_shift" else AXES
    results = []
    for library in (theirs, ours):
        np.random.seed(1)  # noqa: NPY002
        results.append(getattr(library, name)(X[0], *arguments, **axes))
    np.testing.assert_allclose(results[1], results[0], atol=1e-2)


def test_brightness(theirs):
    for x in (X[0], X[0] / 255, X[0] - 100):
        for scale in (True, False):
            expected = theirs.apply_brightness_shift(x, 1.7, scale)
            np.testing.assert_allclose(ours.apply_brightness_shift(x, 1.7, scale), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [ALL, {"width_shift_range": 3, "height_shift_range": [1, -2, 2]}, {"width_shift_range": 2.0}, {"vertical_flip": 1}],
    ids=["all", "whole", "pixels", "flip"],
)
def test_what_is_drawn_and_done(theirs, options):
    one, other = (library.ImageDataGenerator(**options) for library in (theirs, ours))
    for seed in range(5):
        expected, drawn = (maker.get_random_transform(X.shape[1:], seed=seed) for maker in (one, other))
        assert drawn == pytest.approx(expected)
        np.testing.assert_allclose(other.apply_transform(X[0], drawn), one.apply_transform(X[0], drawn), atol=1e-2)


@pytest.mark.parametrize("options", [{}, ALL, {"samplewise_center": True, "rescale": 1 / 255}], ids=["", "all", "own"])
@pytest.mark.parametrize("seed", [3, None])
def test_batches(theirs, options, seed):
    results = []
    for library in (theirs, ours):
        np.random.seed(4)  # noqa: NPY002
        batches = library.ImageDataGenerator(**options).flow(X, np.arange(10), batch_size=4, seed=seed)
        numbered = library.ImageDataGenerator(**options).flow(X, np.arange(10), batch_size=4, seed=seed)
        results.append([next(batches) for _ in range(5)])  # into the next epoch
        for _ in range(2):
            results[-1] += [numbered[i] for i in range(len(numbered))]
            numbered.on_epoch_end()
    for (x, y), (x2, y2) in zip(*results, strict=True):
        np.testing.assert_array_equal(y2, y)
        np.testing.assert_allclose(x2, x, atol=2e-2)


@pytest.mark.parametrize(
    "options",
    [{"featurewise_center": True, "featurewise_std_normalization": True}, {"zca_whitening": True},
     {"zca_whitening": True, "featurewise_std_normalization": True}, {"samplewise_std_normalization": True}],
    ids=str,
)  # fmt: skip
def test_statistics(theirs, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, other = (library.ImageDataGenerator(**options, horizontal_flip=True) for library in (theirs, ours))
    pictures = np.random.default_rng(1).uniform(0, 1, (60, 4, 5, 1)).astype("float32")
    for augment in (False, True):
        for maker in (one, other):
            maker.fit(pictures, augment=augment, rounds=2, seed=1)
        for x in pictures[:2]:
            np.testing.assert_allclose(other.standardize(x.copy()), one.standardize(x.copy()), rtol=1e-3, atol=1e-3)
