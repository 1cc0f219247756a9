"""Image layers against Keras: with a factor (f, f) there is nothing random about what the random ones do."""

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SHAPE = (3, 9, 12, 3)


def images(dtype="float32"):
    return np.random.default_rng(0).integers(0, 256, SHAPE).astype(dtype)


def both(keras, name, arguments, x, **call):
    theirs, ours = (getattr(library.layers, name)(**arguments) for library in (keras, pynn))
    return np.asarray(theirs(x, **call)), np.asarray(ours(x, **call))


def size(h, w, **more):
    return {"height": h, "width": w, **more}


INTERPOLATIONS = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]

FIXED = [
    *(("Resizing", size(h, w, interpolation=i)) for h, w in ((4, 5), (20, 17)) for i in INTERPOLATIONS),
    *(("Resizing", size(4, 5, interpolation=i, antialias=True)) for i in INTERPOLATIONS[1:]),
    ("Resizing", size(5, 5, crop_to_aspect_ratio=True)),
    ("Resizing", size(16, 4, crop_to_aspect_ratio=True)),
    ("Resizing", size(12, 12, pad_to_aspect_ratio=True, fill_value=7.0)),
    ("Resizing", size(4, 16, pad_to_aspect_ratio=True)),
    ("CenterCrop", size(4, 7)),
    ("CenterCrop", size(5, 12)),
    ("CenterCrop", size(11, 6)),
    ("Rescaling", {"scale": 1 / 255}),
    ("Rescaling", {"scale": [1.0, 2.0, 3.0], "offset": [0.5, 0.0, -0.5]}),
]


@pytest.mark.parametrize(("name", "arguments"), FIXED, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_fixed(keras, name, arguments, dtype):
    expected, ours = both(keras, name, arguments, images(dtype))
    assert ours.dtype == expected.dtype
    if expected.dtype == np.uint8:  # a half may be rounded up or down
        assert np.abs(ours.astype(int) - expected).max() <= 1
        assert (ours != expected).mean() < 0.02
    else:
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=2e-3)


def fixed(**more):
    return [{**more, "fill_mode": f, "interpolation": i} for f in ("reflect", "wrap", "nearest", "constant") for i in
            ("bilinear", "nearest")]  # fmt: skip


RANDOM = [
    *(("RandomTranslation", a) for a in fixed(height_factor=(0.3, 0.3), width_factor=(-0.55, -0.55), fill_value=9.0)),
    *(("RandomRotation", a) for a in fixed(factor=(0.11, 0.11), fill_value=9.0)),
    *(("RandomZoom", a) for a in fixed(height_factor=(0.43, 0.43))),
    ("RandomZoom", {"height_factor": (-0.31, -0.31), "width_factor": (0.22, 0.22)}),
    ("RandomBrightness", {"factor": (0.2, 0.2)}),
    ("RandomBrightness", {"factor": (-0.3, -0.3), "value_range": (10, 200)}),
    ("RandomContrast", {"factor": (0.0, 0.0)}),
    ("RandomCrop", size(9, 7)),
    ("RandomCrop", size(14, 6)),
    ("RandomHue", {"factor": (1.0, 1.0)}),
    ("RandomHue", {"factor": (1.0, 1.0), "value_range": (-20, 300)}),
    ("RandomSaturation", {"factor": (0.2, 0.2)}),
    ("RandomSaturation", {"factor": (0.8, 0.8)}),
    ("RandomSaturation", {"factor": (0.8, 0.8), "value_range": (0, 1)}),
    ("RandomSharpness", {"factor": (0.2, 0.2)}),
    ("RandomSharpness", {"factor": (0.9, 0.9), "value_range": (20, 200)}),
    ("RandomGrayscale", {"factor": 1.0}),
    ("RandomErasing", {"factor": (1.0, 1.0), "scale": (1.0, 1.0), "fill_value": 7.0}),
    ("RandomErasing", {"factor": (0.0, 0.0)}),
    ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.8, 0.8), "kernel_size": (3, 5)}),
    ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.0, 0.0), "value_range": (20, 200)}),
    ("RandomShear", {}),
    ("RandomColorJitter", {"brightness_factor": (0.1, 0.1), "contrast_factor": (0.0, 0.0),
                           "saturation_factor": (0.6, 0.6), "hue_factor": (1.0, 1.0)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), RANDOM, ids=str)
def test_random_without_chance(keras, name, arguments):
    x = images()
    expected, ours = both(keras, name, arguments, x, training=True)
    off = ~np.isclose(ours, expected, rtol=1e-4, atol=2e-2)
    # Where rounding decides which pixel is nearest, single pixels may differ.
    assert off.mean() <= (0.02 if arguments.get("interpolation") == "nearest" else 0), ours[off][:5]
    expected, ours = both(keras, name, arguments, x, training=False)
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("RandomHue", {"factor": (0.3, 0.3)}), ("RandomShear", {"x_factor": (0.3, 0.3), "fill_mode": "constant"}),
     ("RandomShear", {"x_factor": (0.2, 0.2), "y_factor": (0.1, 0.1), "fill_mode": "nearest"})],
    ids=str,
)  # fmt: skip
def test_either_of_two_sides(keras, name, arguments):
    x = np.repeat(images()[:1], 24, axis=0)
    expected, ours = both(keras, name, arguments, x, training=True)
    sides = np.unique(expected.reshape(24, -1).round(1), axis=0)
    found = np.unique(ours.reshape(24, -1).round(1), axis=0)
    assert len(sides) == 2
    near = np.abs(sides[:, None] - found[None]).max(-1) < 0.21
    assert near.any(0).all()
    assert near.any(1).all()


WHOLE = [
    ("RandomFlip", {}), ("RandomCrop", size(9, 7)), ("RandomHue", {"factor": (1.0, 1.0)}), ("RandomGrayscale", {}),
    ("RandomSharpness", {"factor": 0.5}), ("RandomErasing", {}), ("RandomGaussianBlur", {}), ("RandomShear", {}),
    ("RandomContrast", {"factor": 0.1}), ("RandomBrightness", {"factor": 0.1}), ("RandomColorJitter", {}),
    ("RandomZoom", {"height_factor": 0.1}), ("CenterCrop", size(4, 7)), ("CutMix", {}), ("MixUp", {}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*Explicitly requested dtype:UserWarning")  # of JAX, in MixUp
@pytest.mark.parametrize(("name", "arguments"), WHOLE, ids=str)
def test_kinds_of_numbers(keras, name, arguments):
    for kind in ("uint8", "int32"):
        for training in (True, False):
            expected, ours = both(keras, name, arguments, images(kind), training=training)
            assert (ours.dtype, ours.shape) == (expected.dtype, expected.shape)


def test_whole_numbers_made_brighter_and_grey(keras):
    x = (images("uint8") // 2)[:, :4]  # Keras's own sums wrap around at 256
    for name, arguments in (("RandomBrightness", {"factor": (0.1, 0.1)}), ("RandomGrayscale", {"factor": 1.0})):
        expected, ours = both(keras, name, arguments, x, training=True)
        np.testing.assert_array_equal(ours, expected)


MASKED = [
    ("RandomRotation", {"factor": (0.11, 0.11)}), ("Resizing", size(4, 5)), ("CenterCrop", size(4, 7)),
    ("RandomTranslation", {"height_factor": (0.3, 0.3), "width_factor": (0.1, 0.1), "fill_mode": "constant"}),
    ("RandomContrast", {"factor": 0.2}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), MASKED, ids=str)
def test_segmentation_masks(keras, name, arguments):
    masks = np.random.default_rng(1).integers(0, 5, (*SHAPE[:3], 1)).astype("int32")
    parts = {"images": images(), "segmentation_masks": masks, "labels": np.eye(3, dtype="float32")}
    theirs, ours = (getattr(library.layers, name)(**arguments)(parts, training=True) for library in (keras, pynn))
    assert theirs.keys() == ours.keys()
    expected, moved = np.asarray(theirs["segmentation_masks"]), np.asarray(ours["segmentation_masks"])
    assert moved.dtype == expected.dtype
    assert (moved != expected).mean() < 0.02
    np.testing.assert_array_equal(np.asarray(ours["labels"]), np.asarray(theirs["labels"]))


CONFIGS = [
    *FIXED[:1], *FIXED[-5:], *RANDOM[:1], *RANDOM[-21:-14],
    ("RandomFlip", {}), ("RandomFlip", {"mode": "vertical", "seed": 3}),
    ("RandomRotation", {"factor": 0.2}), ("RandomContrast", {"factor": 0.2}), ("RandomBrightness", {"factor": 0.1}),
    ("RandomZoom", {"height_factor": 0.2, "data_format": "channels_first"}),
    ("RandomHue", {"factor": 0.2}), ("RandomSaturation", {"factor": 0.2}), ("RandomSharpness", {"factor": 0.2}),
    ("RandomGrayscale", {}), ("RandomErasing", {}), ("RandomErasing", {"scale": 0.3, "fill_value": 1.0}),
    ("RandomGaussianBlur", {}), ("RandomGaussianBlur", {"kernel_size": 5, "sigma": 0.5, "seed": 1}),
    ("RandomShear", {"x_factor": 0.2, "y_factor": (0.1, 0.3)}), ("CutMix", {}), ("CutMix", {"factor": (0.2, 0.4)}),
    ("MixUp", {}), ("RandomColorJitter", {"hue_factor": 0.2, "contrast_factor": (0.1, 0.2)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), CONFIGS, ids=str)
def test_configs(keras, name, arguments):
    made = {"seed": 5, **arguments} if name == "RandomCrop" else arguments
    theirs, ours = (getattr(library.layers, name)(**made, name="same").get_config() for library in (keras, pynn))
    for config in (theirs, ours):
        config["dtype"] = config["dtype"]["config"]
    assert ours == theirs
    layer = getattr(pynn.layers, name)
    again = layer.from_config(layer(**made).get_config()).get_config()
    assert {**again, "name": "same", "dtype": theirs["dtype"]} == theirs


@pytest.mark.parametrize(("name", "arguments"), [c for c in FIXED + RANDOM if c[0] != "Rescaling"][::3], ids=str)
def test_channels_first_and_single_images(name, arguments):
    x = images()
    layer = getattr(pynn.layers, name)
    last = np.asarray(layer(**arguments)(x, training=True))
    moved = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    first = np.asarray(layer(**arguments, data_format="channels_first")(moved, training=True))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(layer(**arguments)(x[0], training=True)), last[0], rtol=1e-4, atol=1e-3)
