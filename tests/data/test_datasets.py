"""Data sets from tiny made-up folders: where they are looked for, and what is said about what is wrong."""

import dataclasses
import functools
import gzip
import hashlib
import http.server
import io
import os
import struct
import sys
import tarfile
import threading

import numpy as np
import pytest

import pynn.datasets
from pynn.datasets import _files, _idx, _mnist_like, cifar10, fashion_mnist, mnist
from pynn.errors import CorruptDataError, DataNotFoundError, PynnError

REAL_MNIST = [root / "mnist" for root in _files.roots() if (root / "mnist").is_dir()]


def idx_bytes(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def tiny_arrays(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (5, 4, 4), dtype=np.uint8),
        "y_train": rng.integers(0, 10, 5, dtype=np.uint8),
        "x_test": rng.integers(0, 256, (3, 4, 4), dtype=np.uint8),
        "y_test": rng.integers(0, 10, 3, dtype=np.uint8),
    }


ARRAYS = tiny_arrays()
MD5 = {_mnist_like.FILES[part]: hashlib.md5(idx_bytes(array)).hexdigest() for part, array in ARRAYS.items()}


def write_folder(folder, zipped=True, arrays=ARRAYS):
    folder.mkdir(parents=True)
    for part, file in _mnist_like.FILES.items():
        data = idx_bytes(arrays[part])
        (folder / (file + ".gz" * zipped)).write_bytes(gzip.compress(data) if zipped else data)


def assert_loaded(loaded):
    (x_train, y_train), (x_test, y_test) = loaded
    for name, array in zip(ARRAYS, (x_train, y_train, x_test, y_test), strict=True):
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array, ARRAYS[name])


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """A data directory and a cache of our own, a MNIST of five images, and no network."""
    monkeypatch.setenv("PYNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(_files, "PAUSE", 0.0)
    for module in (mnist, fashion_mnist):
        monkeypatch.setattr(module, "SOURCE", dataclasses.replace(module.SOURCE, md5=MD5, mirrors=()))
    return tmp_path


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("root", ["data", "cache/pynn/datasets"])
@pytest.mark.parametrize(("module", "folder"), [(mnist, "mnist"), (fashion_mnist, "fashion-mnist")])
def test_idx_files_are_found(places, root, module, folder, zipped):
    write_folder(places / root / folder, zipped)
    assert_loaded(module.load_data())


def test_data_dir_comes_before_the_cache(places):
    write_folder(places / "data" / "mnist")
    write_folder(places / "cache/pynn/datasets/mnist", arrays=tiny_arrays(1))
    assert_loaded(mnist.load_data())


def test_without_data_dir_the_home_cache_is_used(places, monkeypatch):
    monkeypatch.delenv("PYNN_DATA_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(places))
    write_folder(places / ".cache/pynn/datasets/mnist")
    assert_loaded(mnist.load_data())


@pytest.mark.parametrize("where", ["data/mnist.npz", "data/mnist/mnist.npz", "cache/pynn/datasets/mnist.npz"])
def test_keras_archive(places, where):
    for folder in ("data", "cache/pynn/datasets"):
        (places / folder / "mnist").mkdir(parents=True)
    np.savez_compressed(places / where, **ARRAYS)
    assert_loaded(mnist.load_data())


def test_keras_archive_by_its_full_path(places):
    np.savez(places / "mine.npz", **ARRAYS)
    assert_loaded(mnist.load_data(path=str(places / "mine.npz")))


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"x_train": ARRAYS["x_train"]}, "no item named 'y_train.npy'"),
        ({**ARRAYS, "x_train": ARRAYS["x_train"] ^ 1}, "mnist.npz: the md5 .* of 'x_train'.* is .*, expected"),
        ({**ARRAYS, "x_train": np.zeros(3)}, r"'x_train' has dtype float64 and shape \(3,\)"),
        ({**ARRAYS, "x_train": np.array([{}], object)}, "'x_train' has dtype object"),
    ],
)
def test_keras_archive_with_other_content(places, arrays, text):
    (places / "data").mkdir()
    np.savez(places / "data/mnist.npz", **arrays)
    with pytest.raises(CorruptDataError, match=text):
        mnist.load_data()


def test_keras_archive_that_is_no_archive(places):
    (places / "data").mkdir()
    (places / "data/mnist.npz").write_bytes(b"<html>not found</html>")
    with pytest.raises(CorruptDataError, match=r"mnist\.npz: not Keras's archive of MNIST: .*zip.*Delete it"):
        mnist.load_data()


@pytest.mark.parametrize("zipped", [True, False])
def test_changed_content_is_refused(places, zipped):
    folder = places / "data/mnist"
    write_folder(folder, zipped, {**ARRAYS, "y_test": ARRAYS["y_test"] ^ 1})
    got = hashlib.md5(idx_bytes(ARRAYS["y_test"] ^ 1)).hexdigest()
    with pytest.raises(CorruptDataError) as caught:
        mnist.load_data()
    name = "t10k-labels-idx1-ubyte"
    assert str(caught.value).startswith(f"{folder / name}{'.gz' * zipped}: the md5 of its content is {got}, ")
    assert f"expected {MD5[name]}. The file is damaged or another version; delete it" in str(caught.value)
    assert isinstance(caught.value, (PynnError, ValueError))


GOOD = idx_bytes(ARRAYS["x_test"])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "it begins with nothing, expected 00 00 08"),
        (b"<html>", "it begins with 3c 68 74 6d, expected 00 00 08"),
        (b"\0\0\x0d\1" + GOOD[4:], "its element type is 0x0d, expected 0x08"),
        (b"\0\0\x08\0" + GOOD[4:], "it claims 0 dimensions, expected 1 to 4"),
        (b"\0\0\x08\xff" + GOOD[4:], "it claims 255 dimensions"),
        (GOOD[:9], "it ends inside its header"),
        (b"\0\0\x08\3" + b"\xff" * 12, r"\(4294967295, 4294967295, 4294967295\).*at most 268435456 are read"),
        (b"\0\0\x08\1\x0f\xff\xff\xff", r"\(268435455,\), 268435455 bytes; the file is too short for that"),
        (GOOD + b"x", r"the shape \(3, 4, 4\), 48 bytes; there is more after them"),
        (gzip.compress(GOOD + b"x"), r"the shape \(3, 4, 4\), 48 bytes; there is more after them"),
        (gzip.compress(GOOD[:-1]), r"the shape \(3, 4, 4\), 48 bytes; it ends after 47"),
        (gzip.compress(GOOD)[:-12], "its gzip stream is damaged"),
        (gzip.compress(GOOD)[:-6] + b"\0" * 6, "its gzip stream is damaged"),
        (b"\x1f\x8b" + b"?" * 30, "its gzip stream is damaged"),
        (gzip.compress(b"\0\0\x08\1\x0f\xff\xff\xff"), "the file is too short for that"),
    ],
)
def test_broken_idx_files(tmp_path, content, text):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CorruptDataError, match=f"file: not a usable idx file: .*{text}.* Delete the file"):
        _idx.read_idx(path)


def test_idx_md5_is_that_of_the_file():
    for array in ARRAYS.values():
        assert _idx.idx_md5(array) == hashlib.md5(idx_bytes(array)).hexdigest()


# ------------------------------------------------------------------------------------------------- nowhere


def test_nowhere_and_no_downloader(places, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    folder = places / "cache/pynn/datasets/mnist"
    write_folder(folder)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataNotFoundError) as caught:
        mnist.load_data()
    assert str(caught.value) == (
        "the data set MNIST was not found. Looked at:\n"
        f"  1. {places}/data: no such folder\n"
        f"  2. {folder}: the folder lacks t10k-labels-idx1-ubyte.gz\n"
        f"  3. {places}/cache/pynn/datasets/mnist.npz: no such file\n"
        f"  4. {folder}/mnist.npz: no such file\n"
        "  5. download: the package 'pooch' is not installed\n"
        "One of these helps:\n"
        "  - set PYNN_DATA_DIR to a folder that contains mnist/ with train-images-idx3-ubyte.gz, "
        "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz\n"
        f"  - put these files into {folder}/\n"
        '  - pip install "pynn-engine[data]" and be online: the files are then downloaded once\n'
        "  - for a first try without files: pynn.datasets.synthetic_digits()"
    )
    assert isinstance(caught.value, FileNotFoundError)
    assert isinstance(caught.value, PynnError)


def test_an_unset_data_dir_and_a_missing_archive_are_mentioned(places, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.delenv("PYNN_DATA_DIR")
    with pytest.raises(DataNotFoundError, match=r"1\. /no/x\.npz: no such file\n  2\. PYNN_DATA_DIR: not set\n"):
        mnist.load_data("/no/x.npz")


def test_no_network(places, monkeypatch):
    pytest.importorskip("pooch")
    mirrors = ("http://127.0.0.1:9/a/", "http://127.0.0.1:9/b/")  # port 9 discards; nobody listens
    monkeypatch.setattr(mnist, "SOURCE", dataclasses.replace(mnist.SOURCE, mirrors=mirrors))
    with pytest.raises(DataNotFoundError) as caught:
        mnist.load_data()
    for mirror in mirrors:
        assert f"download {mirror}train-images-idx3-ubyte.gz: ConnectionRefusedError: " in str(caught.value)
    assert os.listdir(places / "data/mnist") == []


# ------------------------------------------------------------------------------------------------ download


@pytest.fixture
def server(tmp_path):
    """A mirror on this machine: (address, its folder)."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()
        thread.join()


def test_download_from_the_first_mirror_with_the_right_content(places, server, monkeypatch):
    pytest.importorskip("pooch")
    address, www = server
    write_folder(www / "damaged", arrays=tiny_arrays(1))
    write_folder(www / "good")
    mirrors = tuple(f"{address}/{folder}/" for folder in ("missing", "damaged", "good"))
    monkeypatch.setattr(mnist, "SOURCE", dataclasses.replace(mnist.SOURCE, mirrors=mirrors))
    assert_loaded(mnist.load_data())
    assert sorted(os.listdir(places / "data/mnist")) == sorted(f"{f}.gz" for f in MD5)  # and nothing else
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert_loaded(mnist.load_data())


def test_download_reports_each_mirror(server, monkeypatch):
    pytest.importorskip("pooch")
    address, www = server
    write_folder(www / "damaged", arrays=tiny_arrays(1))
    mirrors = tuple(f"{address}/{folder}/" for folder in ("missing", "damaged"))
    monkeypatch.setattr(mnist, "SOURCE", dataclasses.replace(mnist.SOURCE, mirrors=mirrors))
    with pytest.raises(DataNotFoundError) as caught:
        mnist.load_data()
    assert "/missing/train-images-idx3-ubyte.gz: HTTPError: 404" in str(caught.value)
    assert "/damaged/train-images-idx3-ubyte.gz: CorruptDataError: " in str(caught.value)


# ------------------------------------------------------------------------------------------------ CIFAR-10

RECORDS = 4


@pytest.fixture
def batches(monkeypatch):
    """CIFAR-10 with four records in a file."""
    rng = np.random.default_rng(0)
    made = {}
    for file in cifar10.SHA1:
        records = rng.integers(0, 256, (RECORDS, cifar10.RECORD_BYTES), dtype=np.uint8)
        records[:, 0] %= 10
        made[file] = records
    sha1 = {file: hashlib.sha1(records).hexdigest() for file, records in made.items()}
    monkeypatch.setattr(cifar10, "RECORDS", RECORDS)
    monkeypatch.setattr(cifar10, "SHA1", {**sha1, "test_batch.bin": None})
    monkeypatch.setattr(cifar10, "MIRRORS", ())
    return made


@pytest.fixture
def cifar_folder(places, batches):
    folder = places / "data/cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for file, records in batches.items():
        (folder / file).write_bytes(records.tobytes())
    return folder


def assert_cifar(loaded, batches):
    (x_train, y_train), (x_test, y_test) = loaded
    assert x_train.shape == (5 * RECORDS, 32, 32, 3)
    assert y_train.shape == (5 * RECORDS, 1)
    assert (x_test.shape, y_test.shape) == ((RECORDS, 32, 32, 3), (RECORDS, 1))
    assert all(a.dtype == np.uint8 and a.flags.c_contiguous for a in (x_train, y_train, x_test, y_test))
    record = batches["data_batch_2.bin"][1]
    assert y_train[RECORDS + 1, 0] == record[0]
    assert x_train[RECORDS + 1, 3, 7, 2] == record[1 + 2 * 1024 + 3 * 32 + 7]
    np.testing.assert_array_equal(y_test[:, 0], batches["test_batch.bin"][:, 0])


def test_cifar10(cifar_folder, batches):
    assert_cifar(cifar10.load_data(), batches)


def test_cifar10_changed_batch(cifar_folder):
    path = cifar_folder / "data_batch_3.bin"
    path.write_bytes(b"\1" + path.read_bytes()[:-1])
    with pytest.raises(CorruptDataError, match=r"data_batch_3\.bin: the sha1 of its content is \w+, expected \w+"):
        cifar10.load_data()


def test_cifar10_short_batch(cifar_folder):
    (cifar_folder / "test_batch.bin").write_bytes(b"abc")
    with pytest.raises(CorruptDataError, match=r"test_batch\.bin: has 3 bytes, expected 12292; delete it"):
        cifar10.load_data()


def test_cifar10_impossible_label(cifar_folder):
    path = cifar_folder / "test_batch.bin"
    path.write_bytes(b"\x0b" + path.read_bytes()[1:])
    with pytest.raises(CorruptDataError, match=r"test_batch\.bin: has the label 11, expected 0 to 9"):
        cifar10.load_data()


def test_cifar10_nowhere(cifar_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    (cifar_folder / "data_batch_1.bin").unlink()
    with pytest.raises(DataNotFoundError, match=r"CIFAR-10 was not .*\n  1\. .*: the folder lacks data_batch_1\.bin"):
        cifar10.load_data()


def test_cifar10_download(places, server, batches, monkeypatch):
    pytest.importorskip("pooch")
    address, www = server
    with tarfile.open(www / cifar10.ARCHIVE, "w:gz") as tar:
        for file, records in batches.items():
            member = tarfile.TarInfo(f"{cifar10.FOLDER}/{file}")
            member.size = records.nbytes
            tar.addfile(member, io.BytesIO(records.tobytes()))
    monkeypatch.setattr(cifar10, "MIRRORS", (f"{address}/",))
    with pytest.raises(DataNotFoundError, match=r"the md5 of its content is \w+, expected c32a1d4a"):
        cifar10.load_data()
    monkeypatch.setattr(cifar10, "ARCHIVE_MD5", _files.file_digest(www / cifar10.ARCHIVE, "md5"))
    assert_cifar(cifar10.load_data(), batches)
    assert sorted(os.listdir(places / "data" / cifar10.FOLDER)) == sorted(batches)


# ---------------------------------------------------------------------------------------------- the module


@pytest.mark.skipif(not REAL_MNIST, reason="MNIST is neither in PYNN_DATA_DIR nor in the cache")
def test_the_real_mnist(monkeypatch):
    monkeypatch.undo()  # the real places and checksums
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert (y_train[:5].tolist(), y_test[:5].tolist()) == ([5, 0, 4, 1, 9], [7, 2, 1, 0, 4])


def test_importing_pynn_datasets_imports_none_of_them():
    import subprocess

    code = "import sys, pynn.datasets; print([m for m in sys.modules if m.startswith('pynn.datasets.')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_module_lists_its_data_sets():
    assert {"mnist", "fashion_mnist", "cifar10", "synthetic_digits"} <= set(dir(pynn.datasets))
    with pytest.raises(AttributeError, match=r"no attribute 'imagenet'; it has .*cifar10, .*fashion_mnist, .*mnist"):
        _ = pynn.datasets.imagenet
