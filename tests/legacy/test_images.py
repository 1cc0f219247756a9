"""``ImageDataGenerator``: changes of pictures, batches from arrays, folders and tables."""

import numpy as np
import pytest

import pynn
from pynn.errors import ArgumentError, ShapeError
from pynn.preprocessing import image
from pynn.preprocessing.image import ImageDataGenerator, apply_affine_transform

pytestmark = pytest.mark.filterwarnings("ignore:.*is from older versions of Keras:DeprecationWarning")

X = np.random.default_rng(0).integers(0, 256, (10, 6, 8, 3)).astype("float32")
Y = np.arange(10) % 2
LAST = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}


def test_moves_turns_and_scales():
    x = X[0]
    np.testing.assert_allclose(apply_affine_transform(x, tx=2, **LAST)[:, :6], x[:, 2:])
    np.testing.assert_allclose(apply_affine_transform(x, ty=-3, **LAST)[3:], x[:-3])
    square = x[:, :6]
    np.testing.assert_allclose(apply_affine_transform(square, theta=90, **LAST), np.rot90(square), atol=1e-3)
    doubled = apply_affine_transform(square, zx=0.5, zy=0.5, **LAST)
    near = np.array([0.25, 0.75])  # half a pixel from the middle (2.5, 2.5) becomes a quarter: (2.75, 2.75)
    np.testing.assert_allclose(doubled[3, 3], np.einsum("ijc,i,j->c", square[2:4, 2:4], near, near), rtol=1e-5)
    wide = apply_affine_transform(x, zx=0.5, **LAST)  # columns alone
    np.testing.assert_allclose(wide[:, 3], x[:, 2] * 0.25 + x[:, 3] * 0.75, rtol=1e-5)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("nearest", [3, 4, 4, 4]), ("constant", [3, 4, -1, -1]), ("reflect", [3, 4, 4, 3]), ("wrap", [3, 4, 2, 3])],
)
def test_what_is_outside(mode, expected):
    x = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1)
    result = apply_affine_transform(x, tx=2, fill_mode=mode, cval=-1, **LAST)
    np.testing.assert_allclose(result[0, :, 0], expected)


def test_colours():
    x = X[0]
    shifted = image.apply_channel_shift(x, 30, 2)
    np.testing.assert_allclose(shifted, np.clip(x + 30, x.min(), x.max()))
    darker = image.apply_brightness_shift(x, 0.5, scale=False)
    np.testing.assert_allclose(darker, np.floor(x / 2))


def test_batches_of_an_epoch_hold_each_picture_once():
    batches = ImageDataGenerator().flow(X, np.arange(10), batch_size=4, seed=1)
    assert len(batches) == 3
    seen = [next(batches) for _ in range(3)]
    assert sorted(np.concatenate([y for _, y in seen])) == list(range(10))
    for x, y in seen:
        np.testing.assert_array_equal(x, X[y])
    second = np.concatenate([next(batches)[1] for _ in range(3)])
    assert sorted(second) == list(range(10))
    assert second.tolist() != np.concatenate([y for _, y in seen]).tolist()


def test_the_same_seed_changes_alike():
    options = {"rotation_range": 40, "width_shift_range": 0.2, "zoom_range": 0.3, "horizontal_flip": True}
    a, b = (next(ImageDataGenerator(**options).flow(X, batch_size=10, seed=3)) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    c = next(ImageDataGenerator(**options).flow(X, batch_size=10, seed=4))
    assert not np.array_equal(a, c)


def test_what_is_drawn_lies_in_the_ranges():
    maker = ImageDataGenerator(
        rotation_range=10, width_shift_range=0.5, height_shift_range=2.0, shear_range=5, zoom_range=[0.5, 2],
        channel_shift_range=7, brightness_range=(0.2, 0.9), horizontal_flip=True, vertical_flip=True,
    )  # fmt: skip
    drawn = [maker.get_random_transform((6, 8, 3), seed=i) for i in range(200)]
    for name, low, high in (
        ("theta", -10, 10), ("tx", -2, 2), ("ty", -4, 4), ("shear", -5, 5), ("zx", 0.5, 2), ("zy", 0.5, 2),
        ("channel_shift_intensity", -7, 7), ("brightness", 0.2, 0.9),
    ):  # fmt: skip
        values = [d[name] for d in drawn]
        assert low <= min(values) < low + (high - low) / 5, name
        assert high - (high - low) / 3 < max(values) <= high, name
    assert 60 < sum(d["flip_horizontal"] for d in drawn) < 140
    assert 60 < sum(d["flip_vertical"] for d in drawn) < 140


def test_standardizing():
    maker = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    with pytest.raises(ArgumentError, match="call fit"):
        maker.standardize(X[0])
    maker.fit(X)
    y = maker.standardize(X)
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(y.std((0, 1, 2)), 1, atol=1e-4)
    each = ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True).standardize(X[0])
    np.testing.assert_allclose([each.mean(), each.std()], [0, 1], atol=1e-4)
    steps = ImageDataGenerator(rescale=0.5, preprocessing_function=lambda x: x + 2)
    np.testing.assert_allclose(steps.standardize(X[0]), (X[0] + 2) / 2)


def test_whitened_pictures_are_uncorrelated():
    x = np.random.default_rng(1).normal(size=(200, 2, 2, 1)).cumsum(1)
    maker = ImageDataGenerator(featurewise_center=True, zca_whitening=True)
    maker.fit(x)
    flat = maker.standardize(x).reshape(200, 4)
    np.testing.assert_allclose(flat.T @ flat / 200, np.eye(4), atol=1e-2)


def test_channels_first():
    maker = ImageDataGenerator(data_format="channels_first", height_shift_range=[2])
    x = np.moveaxis(X[:1], -1, 1)
    (moved,) = next(maker.flow(x, batch_size=1, seed=0))
    left = np.allclose(moved[..., :6], x[0][..., 2:])
    assert left or np.allclose(moved[..., 2:], x[0][..., :6])


def test_subsets_weights_and_further_inputs():
    maker = ImageDataGenerator(validation_split=0.4)
    assert maker.flow(X, Y, subset="validation").n == 4
    np.testing.assert_array_equal(maker.flow(X, Y, subset="training", shuffle=False, batch_size=6)[0][0], X[4:])
    _, _, w = ImageDataGenerator().flow(X, Y, sample_weight=np.arange(10), shuffle=False, batch_size=3)[1]
    np.testing.assert_array_equal(w, [3, 4, 5])
    (_, more), _ = ImageDataGenerator().flow((X, np.arange(10)), Y, shuffle=False, batch_size=3)[0]
    np.testing.assert_array_equal(more, [0, 1, 2])
    with pytest.raises(ArgumentError, match="different classes"):
        maker.flow(X, np.arange(10), subset="training")
    assert maker.flow(X, np.arange(10), subset="training", ignore_class_split=True).n == 6


def test_a_model_learns_from_changed_pictures():
    pynn.utils.set_random_seed(0)
    x = np.zeros((64, 6, 6, 1), "float32")
    y = np.arange(64) % 2
    x[y == 1] = 200
    batches = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, width_shift_range=0.2).flow(x, y, batch_size=16)
    layers = [pynn.layers.Conv2D(2, 3), pynn.layers.Flatten(), pynn.layers.Dense(1, activation="sigmoid")]
    model = pynn.Sequential([pynn.Input((6, 6, 1)), *layers])
    model.compile(pynn.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(batches, epochs=10, validation_data=batches, verbose=0)
    assert history.history["val_accuracy"][-1] == 1
    assert model.predict(batches, verbose=0).shape == (64, 1)


@pytest.fixture
def folder(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for c, name in enumerate(("cats", "dogs")):
        (tmp_path / name).mkdir()
        for i in range(5):
            pillow.fromarray(np.full((7, 9, 3), 100 * c + i, "uint8")).save(tmp_path / name / f"{i}.png")
    (tmp_path / "cats" / "notes.txt").write_text("no picture")
    return tmp_path


def test_folders(folder, capsys):
    maker = ImageDataGenerator(rescale=1 / 255, validation_split=0.2)
    batches = maker.flow_from_directory(folder, (4, 5), batch_size=3, shuffle=False)
    assert capsys.readouterr().out == "Found 10 images belonging to 2 classes.\n"
    assert batches.class_indices == {"cats": 0, "dogs": 1}
    assert batches.classes.tolist() == [0] * 5 + [1] * 5
    x, y = batches[1]
    assert x.shape == (3, 4, 5, 3)
    np.testing.assert_allclose(x[:, 0, 0, 0] * 255, [3, 4, 100], rtol=1e-5)
    np.testing.assert_array_equal(y, [[1, 0], [1, 0], [0, 1]])
    assert maker.flow_from_directory(folder, subset="training").n == 8
    assert maker.flow_from_directory(folder, subset="validation").filenames == ["cats/0.png", "dogs/0.png"]
    grey = maker.flow_from_directory(folder, class_mode="binary", color_mode="grayscale", classes=["dogs", "cats"])
    x, y = next(grey)
    assert x.shape == (10, 256, 256, 1)
    np.testing.assert_array_equal(y, x[:, 0, 0, 0] * 255 < 50)
    assert next(maker.flow_from_directory(folder, class_mode=None)).shape == (10, 256, 256, 3)
    x, same = next(maker.flow_from_directory(folder, class_mode="input"))
    np.testing.assert_array_equal(x, same)


def test_changed_pictures_are_written(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    next(ImageDataGenerator().flow(X, batch_size=2, save_to_dir=out, save_prefix="p", save_format="png"))
    assert len(list(out.glob("p_*.png"))) == 2


def test_tables(folder):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "filename": ["cats/0.png", "dogs/1.png", "cats/9.png", "dogs/2.png"],
            "class": ["cat", "dog", "cat", "dog"],
            "age": [1.0, 2.0, 3.0, 4.0],
            "w": [1.0, 0.5, 1.0, 0.25],
        }
    )
    maker = ImageDataGenerator()
    with pytest.warns(UserWarning, match="1 rows name no image file"):
        batches = maker.flow_from_dataframe(table, folder, shuffle=False, weight_col="w")
    x, y, w = batches[0]
    np.testing.assert_array_equal(y, [[1, 0], [0, 1], [0, 1]])
    np.testing.assert_array_equal(w, [1, 0.5, 0.25])
    np.testing.assert_array_equal(x[:, 0, 0, 0], [0, 101, 102])
    table = table.drop(index=2)
    _, y = maker.flow_from_dataframe(table, folder, y_col="age", class_mode="raw", shuffle=False)[0]
    np.testing.assert_array_equal(y, [1, 2, 4])
    _, y = maker.flow_from_dataframe(table, folder, y_col=["age", "w"], class_mode="multi_output", shuffle=False)[0]
    np.testing.assert_array_equal(y[1], [1, 0.5, 0.25])
    _, y = maker.flow_from_dataframe(table, folder, class_mode="sparse", classes=["dog", "cat"], shuffle=False)[0]
    np.testing.assert_array_equal(y, [1, 0, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zoom_range": [1, 2, 3]}, "zoom_range must be two numbers"),
        ({"brightness_range": 1.0}, "brightness_range must be two numbers"),
        ({"validation_split": 1.2}, "validation_split must be between 0 and 1"),
        ({"data_format": "x"}, "data_format must be"),
        ({"fill_mode": "mirror"}, "fill_mode must be one of"),
        ({"interpolation_order": 3}, "interpolation_order must be 0 or 1"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ArgumentError, match=message):
        ImageDataGenerator(**options)


def test_bad_arrays():
    with pytest.raises(ShapeError, match="x must have four axes"):
        ImageDataGenerator().flow(X[0])
    with pytest.raises(ShapeError, match="x has 10 samples, y has 3"):
        ImageDataGenerator().flow(X, np.arange(3))
    with pytest.raises(ArgumentError, match="subset needs validation_split"):
        ImageDataGenerator().flow(X, Y, subset="training")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        ImageDataGenerator().flow_from_directory("no/such/folder")
