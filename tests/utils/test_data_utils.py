"""Data sets of arrays and of folders, images in files, downloads."""

import io
import tarfile
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pynn
from pynn.data import Dataset
from pynn.errors import ArgumentError, CorruptDataError, DataNotFoundError, ShapeError, UnreadableImageError
from pynn.preprocessing.image import smart_resize
from pynn.utils import (
    array_to_img,
    audio_dataset_from_directory,
    get_file,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    save_img,
    split_dataset,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)


def test_splits():
    x, y = np.arange(10), np.arange(10) * 2
    left, right = split_dataset((x, y), left_size=0.7)
    assert [(int(a), int(b)) for a, b in right] == [(7, 14), (8, 16), (9, 18)]
    assert len(left) == 7
    assert [len(d) for d in split_dataset(x, left_size=2, right_size=3)] == [2, 3]
    assert [int(e) for e in split_dataset(x, right_size=3)[1]] == [7, 8, 9]
    one, other = split_dataset(x, left_size=0.5, shuffle=True, seed=1)
    assert sorted(int(e) for d in (one, other) for e in d) == list(range(10))
    assert [int(e) for e in one] == [int(e) for e in split_dataset(x, 0.5, shuffle=True, seed=1)[0]]
    assert [len(d) for d in split_dataset(Dataset.range(4).batch(2), left_size=1)] == [1, 1]
    for arguments, message in [
        ({}, "must be given"),
        ({"left_size": 1.5}, "fraction"),
        ({"left_size": 8, "right_size": 8}, "more than the 10"),
        ({"left_size": 10}, "right part would be empty"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            split_dataset(x, **arguments)


def test_windows_over_series():
    x = np.arange(20)
    batches = list(timeseries_dataset_from_array(x, x * 10, sequence_length=4, sequence_stride=3, sampling_rate=2))
    assert batches[0][0].tolist() == [[i, i + 2, i + 4, i + 6] for i in (0, 3, 6, 9, 12)]
    assert batches[0][1].tolist() == [0, 30, 60, 90, 120]
    part = timeseries_dataset_from_array(x, None, 3, start_index=5, end_index=10, batch_size=2)
    assert [b.tolist() for b in part] == [[[5, 6, 7], [6, 7, 8]], [[7, 8, 9]]]
    shuffled = timeseries_dataset_from_array(x, None, 2, shuffle=True, seed=1, batch_size=None)
    assert sorted(int(w[0]) for w in shuffled) == list(range(19))
    with pytest.raises(ArgumentError, match="sampling_rate must be from 1 to 19"):
        timeseries_dataset_from_array(x, None, 2, sampling_rate=20)


@pytest.fixture
def photos(tmp_path):
    """Five dark and five light images of different sizes, each of one colour."""
    for folder, base in (("dark", 0), ("light", 200)):
        (tmp_path / folder).mkdir()
        for i in range(5):
            save_img(tmp_path / folder / f"{i}.png", np.full((8 + i, 6, 3), base + i, "uint8"), scale=False)
    return tmp_path


def test_images_in_folders(photos, capsys):
    dataset = image_dataset_from_directory(photos, image_size=(4, 5), batch_size=4, shuffle=False)
    assert "Found 10 files belonging to 2 classes." in capsys.readouterr().out
    assert dataset.class_names == ["dark", "light"]
    assert [p.rpartition("/")[2] for p in dataset.file_paths] == [f"{i}.png" for i in range(5)] * 2
    batches = list(dataset)
    assert [b[0].shape for b in batches] == [(4, 4, 5, 3), (4, 4, 5, 3), (2, 4, 5, 3)]
    assert batches[0][0].dtype == np.float32
    assert np.concatenate([y for _, y in batches]).tolist() == [0] * 5 + [1] * 5
    means = np.concatenate([x.mean((1, 2, 3)) for x, _ in batches])
    np.testing.assert_allclose(means, [0, 1, 2, 3, 4, 200, 201, 202, 203, 204], rtol=1e-5)


def test_splits_of_folders_share_nothing(photos):
    arguments = {"validation_split": 0.3, "seed": 7, "verbose": False, "image_size": (2, 2), "label_mode": None}
    train = image_dataset_from_directory(photos, subset="training", **arguments)
    test = image_dataset_from_directory(photos, subset="validation", **arguments)
    both = image_dataset_from_directory(photos, subset="both", **arguments)
    assert [d.file_paths for d in both] == [train.file_paths, test.file_paths]
    assert [len(train.file_paths), len(test.file_paths)] == [7, 3]
    assert not set(train.file_paths) & set(test.file_paths)
    first, second = (np.concatenate(list(train))[:, 0, 0, 0].tolist() for _ in range(2))
    assert sorted(first) == sorted(second)
    assert first != second  # in a new order each time


def test_labels_of_folders(photos):
    def labels(mode, **arguments):
        made = image_dataset_from_directory(photos, label_mode=mode, shuffle=False, verbose=False, **arguments)
        return next(iter(made))[1]

    assert labels("binary").shape == (10, 1)
    assert labels("categorical").tolist() == [[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 5
    assert labels("int", class_names=["light", "dark"]).tolist() == [0] * 5 + [1] * 5
    assert labels("int", labels=list(range(10))).tolist() == list(range(10))
    grey = image_dataset_from_directory(photos, color_mode="grayscale", verbose=False, data_format="channels_first")
    assert grey.element_spec[0].shape == (None, 1, 256, 256)
    for arguments, message in [
        ({"validation_split": 0.2, "subset": "training"}, "give a seed"),
        ({"validation_split": 0.2}, "need each other"),
        ({"class_names": ["other"]}, "the folders of"),
        ({"label_mode": "wrong"}, "label_mode"),
        ({"labels": [1]}, "1 labels for the 10 files"),
        ({"interpolation": "wrong"}, "interpolation"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            image_dataset_from_directory(photos, verbose=False, **arguments)
    with pytest.raises(DataNotFoundError, match="no folder"):
        image_dataset_from_directory(photos / "nowhere")


def test_a_model_learns_from_folders(photos):
    dataset = image_dataset_from_directory(photos, image_size=(4, 4), batch_size=3, seed=1, verbose=False)
    model = pynn.Sequential(
        [pynn.Input((4, 4, 3)), pynn.layers.Rescaling(1 / 255), pynn.layers.Flatten(), pynn.layers.Dense(2)]
    )
    model.compile(
        pynn.optimizers.Adam(0.05), pynn.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    model.fit(dataset, epochs=15, verbose=0)
    assert model.evaluate(dataset, verbose=0)[1] == 1.0


def test_texts_in_folders(tmp_path):
    for folder in ("neg", "pos"):
        (tmp_path / folder).mkdir()
        for i in range(2):
            (tmp_path / folder / f"{i}.txt").write_text(f"{folder} täxt {i}", "utf-8")
    dataset = text_dataset_from_directory(tmp_path, shuffle=False, verbose=False)
    texts, labels = next(iter(dataset))
    assert texts.tolist() == ["neg täxt 0", "neg täxt 1", "pos täxt 0", "pos täxt 1"]
    assert labels.tolist() == [0, 0, 1, 1]
    short = text_dataset_from_directory(tmp_path, shuffle=False, verbose=False, max_length=3, label_mode=None)
    assert next(iter(short)).tolist() == ["neg", "neg", "pos", "pos"]


def test_sounds_in_folders(tmp_path):
    (tmp_path / "a").mkdir()
    for i, length in enumerate((4, 6)):
        with wave.open(str(tmp_path / "a" / f"{i}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(np.full(length, 16384, "<i2").tobytes())
    x, _ = next(iter(audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False)))
    assert x[..., 0].tolist() == [[0.5] * 4 + [0.0] * 2, [0.5] * 6]
    with pytest.raises(CorruptDataError, match="8000 samples a second"):
        list(audio_dataset_from_directory(tmp_path, sampling_rate=16000, verbose=False))


def test_images_in_files(tmp_path):
    x = np.arange(4 * 6 * 3, dtype="uint8").reshape(4, 6, 3)
    save_img(tmp_path / "a.png", x, scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "a.png")), x)
    assert img_to_array(load_img(tmp_path / "a.png", target_size=(2, 3))).shape == (2, 3, 3)
    assert img_to_array(load_img(tmp_path / "a.png", color_mode="grayscale")).shape == (4, 6, 1)
    kept = load_img(io.BytesIO((tmp_path / "a.png").read_bytes()), target_size=(4, 4), keep_aspect_ratio=True)
    np.testing.assert_array_equal(img_to_array(kept), x[:, 1:5])
    assert np.asarray(array_to_img(np.array([[[-1.0], [1.0]]]))).tolist() == [[0, 255]]
    with pytest.raises(ShapeError, match="take one image of a batch"):
        array_to_img(np.ones((1, 2, 2, 3)))
    with pytest.raises(ArgumentError, match="color_mode"):
        load_img(tmp_path / "a.png", color_mode="cmyk")


def test_damaged_images_are_named_and_left_out_if_asked(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for i in range(3):
            save_img(tmp_path / kind / f"{i}.jpg", rng.integers(0, 255, (20, 30, 3)))
    damaged, text = tmp_path / "dog" / "1.jpg", tmp_path / "dog" / "2.jpg"
    damaged.write_bytes(damaged.read_bytes()[:-200])
    text.write_text("no image")
    with pytest.raises(UnreadableImageError, match=r"1\.jpg' \([\d,]+ bytes\): .*truncated.*ignore_errors"):
        load_img(damaged)
    with pytest.raises(OSError, match=r"2\.jpg' \(8 bytes\): no image that Pillow knows"):
        load_img(text)
    images = image_dataset_from_directory(tmp_path, image_size=(8, 8), batch_size=4, shuffle=False, verbose=False)
    with pytest.raises(UnreadableImageError, match=r"1\.jpg"):
        list(images)
    rest = images.ignore_errors()
    assert [y.tolist() for _, y in rest] == [[0, 0, 0, 1]]
    assert rest.class_names == ["cat", "dog"]


def test_resizing_without_distortion():
    x = np.random.default_rng(0).uniform(size=(2, 8, 6, 3)).astype("float32")
    expected = pynn.layers.Resizing(3, 5, crop_to_aspect_ratio=True)(x)
    np.testing.assert_allclose(smart_resize(x, (3, 5)), expected, rtol=1e-5)
    np.testing.assert_allclose(
        smart_resize(x.transpose(0, 3, 1, 2), (3, 5), data_format="channels_first"),
        expected.transpose(0, 3, 1, 2),
        rtol=1e-5,
    )


def test_files_are_downloaded_once_and_checked(tmp_path, capsys):
    source = tmp_path / "source.txt"
    source.write_text("one")
    cache = {"cache_dir": tmp_path / "cache", "origin": source.as_uri()}
    path = get_file(**cache)
    assert path == str(tmp_path / "cache" / "datasets" / "source.txt")
    source.write_text("two")
    assert Path(get_file(**cache)).read_text() == "one"
    assert Path(get_file(**cache, force_download=True)).read_text() == "two"
    md5 = "b8a9f715dbb64fd5c56e7783c6820a61"
    assert get_file(**cache, file_hash=md5) == path
    with pytest.raises(CorruptDataError, match="was not kept"):
        get_file("other", **cache, file_hash="0" * 32)
    assert sorted(p.name for p in (tmp_path / "cache" / "datasets").iterdir()) == ["source.txt"]
    with pytest.raises(DataNotFoundError, match="URL fetch failure"):
        get_file(cache_dir=tmp_path, origin=(tmp_path / "nothing").as_uri())
    with pytest.raises(ArgumentError, match="without folders"):
        get_file("a/b", **cache)


def _archive(tmp_path, kind, name):
    path = tmp_path / f"data.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "content")
    else:
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo(name)
            member.size = 7
            archive.addfile(member, io.BytesIO(b"content"))
    return {"origin": path.as_uri(), "cache_dir": tmp_path / "cache", "extract": True}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_archives_are_unpacked(tmp_path, kind):
    folder = get_file("data", **_archive(tmp_path, kind, "inside/file.txt"))
    assert folder == str(tmp_path / "cache" / "datasets" / "data")
    assert Path(folder, "inside", "file.txt").read_text() == "content"


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("name", ["../outside.txt", "a/../../outside.txt"])
def test_archives_that_would_write_elsewhere_are_refused(tmp_path, kind, name):
    with pytest.raises(CorruptDataError, match="was not unpacked"):
        get_file("data", **_archive(tmp_path, kind, name))
    assert not list(tmp_path.rglob("outside.txt"))
    assert not (tmp_path / "cache" / "datasets" / "data").exists()
