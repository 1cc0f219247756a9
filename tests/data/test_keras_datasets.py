"""Data sets of Keras's server: small files of the same form, in all the places, and files that are refused."""

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from pynn.datasets import boston_housing, california_housing, cifar100, imdb, reuters
from pynn.errors import ArgumentError, CorruptDataError, DataNotFoundError


def _rows(*rows):
    array = np.empty(len(rows), object)
    array[:] = [list(row) for row in rows]
    return array


@pytest.fixture
def reviews(tmp_path):
    path = tmp_path / "small.npz"
    texts = _rows([1, 5], [2, 3, 4], [7], [1, 2, 9, 4])
    labels = np.array([0, 1, 0, 1])
    np.savez(path, x_train=texts, y_train=labels, x_test=texts[:2], y_test=labels[:2])
    return path


def test_reviews(reviews):
    (x, y), (x_test, y_test) = imdb.load_data(reviews)
    order = np.arange(4)
    np.random.RandomState(113).shuffle(order)
    texts = [[1, 5], [2, 3, 4], [7], [1, 2, 9, 4]]
    # The largest number of all is unknown, too, as in Keras.
    assert list(x) == [[1, *(w + 3 if w + 3 < 12 else 2 for w in texts[i])] for i in order]
    assert y.tolist() == [i % 2 for i in order]
    assert (len(x_test), y_test.shape) == (2, (2,))
    (x, y), _ = imdb.load_data(reviews, num_words=6, oov_char=None, start_char=None, index_from=0, seed=1)
    assert sorted(x, key=str) == [[1, 2, 4], [1, 5], [2, 3, 4], []]
    (x, y), _ = imdb.load_data(reviews, maxlen=4, start_char=1)
    assert sorted(map(len, x)) == [2, 3]
    assert len(y) == 2
    with pytest.raises(ArgumentError, match="increase it"):
        imdb.load_data(reviews, maxlen=1)


def test_newswires(tmp_path):
    np.savez(tmp_path / "news.npz", x=_rows(*([i + 1] * 2 for i in range(10))), y=np.arange(10))
    (x, y), (x_test, y_test) = reuters.load_data(tmp_path / "news.npz", num_words=100)
    assert (len(x), len(x_test)) == (8, 2)
    assert all(text == [1, label + 4, label + 4] for text, label in zip([*x, *x_test], [*y, *y_test], strict=True))
    assert len(reuters.get_label_names()) == 46


@pytest.mark.parametrize("module", [boston_housing, california_housing])
def test_tables(tmp_path, module):
    x = np.arange(20.0).reshape(10, 2)
    np.savez(tmp_path / "table.npz", x=x, y=x[:, 0])
    (x_train, y_train), (x_test, y_test) = module.load_data(path=tmp_path / "table.npz", test_split=0.3)
    assert (x_train.shape, x_test.shape) == ((7, 2), (3, 2))
    np.testing.assert_array_equal(np.concatenate([x_train, x_test])[:, 0], np.concatenate([y_train, y_test]))
    assert sorted(np.concatenate([y_train, y_test])) == sorted(x[:, 0])
    with pytest.raises(ArgumentError, match="test_split"):
        module.load_data(path=tmp_path / "table.npz", test_split=1.5)


def test_words(tmp_path):
    (tmp_path / "words.json").write_text(json.dumps({"the": 1}))
    assert imdb.get_word_index(tmp_path / "words.json") == {"the": 1}


def test_files_under_the_usual_name_are_checked(tmp_path, monkeypatch, reviews):
    monkeypatch.setenv("PYNN_DATA_DIR", str(tmp_path))
    (tmp_path / "imdb").mkdir()
    reviews.rename(tmp_path / "imdb" / "imdb.npz")
    with pytest.raises(CorruptDataError, match="sha256"):
        imdb.load_data()
    with pytest.raises(DataNotFoundError, match="no/where"):
        imdb.load_data("/no/where.npz")


def test_pickles_of_anything_else_are_refused(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    array = np.empty(1, object)
    array[0] = Harm()
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive, archive.open("x.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
        stream.write(pickle.dumps(array))
    with pytest.raises(CorruptDataError, match="mkdir, which is refused"):
        reuters.load_data(tmp_path / "bad.npz")
    assert not (tmp_path / "harm").exists()


def test_cifar100(tmp_path, monkeypatch):
    monkeypatch.setenv("PYNN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(cifar100, "FILES", {"train.bin": 3, "test.bin": 2})
    (tmp_path / cifar100.FOLDER).mkdir()
    for file, records in cifar100.FILES.items():
        data = np.zeros((records, 3074), np.uint8)
        data[:, 0], data[:, 1], data[:, 2] = 19, 99, np.arange(records)
        data.tofile(tmp_path / cifar100.FOLDER / file)
    (x, y), (x_test, _) = cifar100.load_data()
    assert (x.shape, y.tolist(), x_test.shape) == ((3, 32, 32, 3), [[99]] * 3, (2, 32, 32, 3))
    assert x[:, 0, 0].tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    assert cifar100.load_data("coarse")[0][1].tolist() == [[19]] * 3
    with pytest.raises(ArgumentError, match="label_mode"):
        cifar100.load_data("other")
    (tmp_path / cifar100.FOLDER / "test.bin").write_bytes(b"1")
    with pytest.raises(CorruptDataError, match="has 1 bytes"):
        cifar100.load_data()
