"""A fuzzer for files that somebody else made: ``python tests/fuzz/files.py --cases 100000 --seed 1``.

Each case takes a good file of one of the formats below, spoils it by a few edits (of bytes, and of the JSON, archive
members, HDF5 objects and array headers that the format is made of) and reads it.  The file is read, or refused with one
of pynn's errors, which says why; then nothing is half-loaded.  Findings are: every other exception, a killed process,
reading that takes more than seconds or more memory than the file may need, a write outside of the temporary folder, a
program that is started, an import, a network connection, a weight that changed though the file was refused.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy as np
from harness import Finding
from mutations import (
    array_edit,
    bytes_edit,
    edit_bytes,
    edit_h5,
    edit_json,
    edit_member,
    edit_npy,
    edit_safetensors,
    edit_zip,
    h5_edit,
    json_edit,
    zip_edit,
)
from values import Draw

import pynn
from pynn import layers, saving
from pynn.errors import PynnError

#: Seconds of CPU that reading one small file may take.
SLOW = 10
#: Format -> kinds of edits that fit it, and how a spoiled file is read.
FORMATS: dict[str, tuple[tuple[str, ...], Callable[[Path], Any]]] = {}
#: Format -> name and content of a good file.
GOOD: dict[str, tuple[str, bytes]] = {}


def format_of(name: str, *edits: str) -> Callable[[Callable[[Path], Any]], Callable[[Path], Any]]:
    def enter(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
        FORMATS[name] = edits, read
        return read

    return enter


EDITS: dict[str, Callable[[Draw], dict[str, Any]]] = {
    "bytes": bytes_edit, "json": json_edit, "zip": zip_edit, "h5": h5_edit, "npy": array_edit,
}  # fmt: skip


def strategy(only: str | None = None) -> Any:
    from hypothesis import strategies as st

    names = [only] if only else sorted(FORMATS)

    @st.composite
    def cases(draw: Callable[[Any], Any]) -> dict[str, Any]:
        d = Draw(draw)
        name = d.choice(names)
        kinds = FORMATS[name][0]
        return {"name": name, "edits": [EDITS[d.choice(kinds)](d) for _ in range(d.choice((1, 1, 2, 3)))]}

    return cases()


# ---- the formats -------------------------------------------------------------------------------------------------


def small_model() -> Any:
    """With a branch, a recurrent and a convolutional layer, batch normalization's averages, and strings as assets."""
    image = layers.Input((4, 4, 2), name="image")
    steps = layers.Input((3, 2), name="steps")
    a = layers.Flatten(name="flat")(layers.BatchNormalization(name="norm")(layers.Conv2D(2, 2, name="conv")(image)))
    b = layers.LSTM(2, name="lstm")(steps)
    model = pynn.Model(
        [image, steps], layers.Dense(2, activation="relu", name="out")(layers.Concatenate(name="c")([a, b]))
    )
    model.compile(pynn.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.train_on_batch([np.ones((2, 4, 4, 2)), np.ones((2, 3, 2))], np.ones((2, 2)))
    return model


def feature_space() -> Any:
    """Keeps vocabularies in files of its own."""
    space = pynn.utils.FeatureSpace({"a": "integer_categorical", "b": "float_normalized"}, output_mode="concat")
    space.adapt(pynn.data.Dataset.from_tensor_slices({"a": np.array([1, 2, 3]), "b": np.array([0.1, 0.2, 0.3])}))
    return space


@format_of("keras", "bytes", "zip", "json", "json", "h5")
@format_of("keras with assets", "zip", "json")
@format_of("pickle", "bytes", "zip", "json", "h5")
@format_of("legacy h5", "bytes", "h5", "h5")
def read_model(path: Path) -> Any:
    if path.suffix == ".pickle":
        from pynn.saving.pickling import _restored

        return _restored(path.read_bytes(), {})
    return saving.load_model(path)


@format_of("keras folder", "json", "h5")
def read_folder(path: Path) -> Any:
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)  # our own seeds, edited inside of their members only
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    try:
        return saving.load_model(folder)
    finally:
        import shutil

        shutil.rmtree(folder)


@format_of("json", "json", "json", "bytes")
def read_json(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return None
    return pynn.models.model_from_json(text)


class Target:
    """The model that weights are read into."""

    model: Any = None
    variables: list[Any] = []


@format_of("weights.h5", "bytes", "h5", "h5")
@format_of("legacy weights", "bytes", "h5", "h5")
@format_of("npz", "bytes", "zip", "npy")
@format_of("safetensors", "bytes", "json", "json")
def read_weights(path: Path) -> Any:
    Target.model.load_weights(path)


@format_of("backup", "bytes", "h5", "h5")
def read_backup(path: Path) -> Any:
    folder = path.with_suffix(".folder")
    folder.mkdir(exist_ok=True)
    os.replace(path, folder / "latest.weights.h5")
    callback = pynn.callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    callback.set_model(Target.model)
    callback.on_train_begin()


@format_of("idx", "bytes")
@format_of("idx.gz", "bytes")
def read_idx(path: Path) -> Any:
    from pynn.datasets._idx import read_idx

    return read_idx(path)


@format_of("tar", "bytes", "bytes")
@format_of("zip", "bytes", "zip")
def unpack(path: Path) -> Any:
    from pynn.utils.downloads import _unpack

    target = path.with_suffix(".folder")
    _unpack(path, target, "auto")


@format_of("mnist.npz", "bytes", "zip", "npy")
def read_mnist(path: Path) -> Any:
    from pynn.datasets import _mnist_like, mnist

    _mnist_like.check_digest = lambda *args: None  # a file that its sum would not have kept out
    return _mnist_like._read_npz(mnist.SOURCE, path)


@format_of("imdb.npz", "bytes", "zip", "npy")
def read_imdb(path: Path) -> Any:
    from pynn.datasets import imdb

    return imdb.load_data(str(path))


@format_of("word index", "json", "bytes")
def read_words(path: Path) -> Any:
    from pynn.datasets import imdb

    return imdb.get_word_index(str(path))


@format_of("cifar", "bytes")
def read_cifar(path: Path) -> Any:
    from pynn.datasets import cifar10

    cifar10.RECORDS = 2
    cifar10.SHA1 = {path.name: None}
    return cifar10._read_batches(path.parent, [path.name])


@format_of("png", "bytes")
@format_of("jpeg", "bytes")
@format_of("gif", "bytes")
@format_of("bmp", "bytes")
def read_image(path: Path) -> Any:
    return pynn.utils.img_to_array(pynn.utils.load_img(path))


def good_files() -> dict[str, tuple[str, bytes]]:
    """One small file of each format, by pynn's own writers."""
    pynn.utils.set_random_seed(1)
    model = small_model()
    Target.model = small_model()
    Target.variables = list(Target.model.variables)
    found: dict[str, tuple[str, bytes]] = {}
    with tempfile.TemporaryDirectory() as folder:

        def keep(name: str, file: str, write: Callable[[Path], Any]) -> None:
            path = Path(folder, file)
            write(path)
            found[name] = file, path.read_bytes()

        keep("keras", "m.keras", model.save)
        keep("keras with assets", "t.keras", feature_space().save)
        keep("legacy h5", "m.h5", model.save)
        keep("weights.h5", "w.weights.h5", model.save_weights)
        keep("legacy weights", "w.h5", model.save_weights)
        keep("npz", "w.npz", model.save_weights)
        keep("safetensors", "w.safetensors", model.save_weights)
        keep("mnist.npz", "mnist.npz", _write_mnist)
        keep("imdb.npz", "imdb.npz", _write_imdb)
        for kind in ("png", "jpeg", "gif", "bmp"):
            keep(kind, f"i.{kind}", lambda path: pynn.utils.save_img(path, np.arange(300.0).reshape(10, 10, 3)))
        backup = pynn.callbacks.BackupAndRestore(folder)
        backup.set_model(model)
        backup.on_epoch_end(0)
        found["backup"] = "latest.weights.h5", Path(folder, "latest.weights.h5").read_bytes()
    found["keras folder"] = found["keras"]
    found["zip"] = "a.zip", found["keras"][1]
    found["tar"] = "a.tar", _tar({"a/one.txt": b"1" * 600, "two.txt": b"2"})
    found["pickle"] = "m.pickle", found["keras"][1]
    found["json"] = "m.json", model.to_json().encode()
    found["word index"] = "words.json", b'{"the": 1, "a": 2}'
    idx = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2]) + bytes(12)
    found["idx"], found["idx.gz"] = ("i.idx", idx), ("i.gz", gzip.compress(idx, mtime=0))
    found["cifar"] = "data_batch_1.bin", bytes([1] + [7] * 3072) * 2
    return found


def _tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def _write_mnist(path: Path) -> None:
    from pynn.datasets._mnist_like import FILES

    np.savez(path, **{part: np.zeros((2, 28, 28) if part[0] == "x" else (2,), "uint8") for part in FILES})


def _write_imdb(path: Path) -> None:
    from pynn.datasets._npz import ragged

    rows = ragged([[1, 2, 3], [4, 5]])
    np.savez(path, x_train=rows, y_train=np.array([0, 1]), x_test=rows, y_test=np.array([1, 0]), allow_pickle=True)


# ---- running -----------------------------------------------------------------------------------------------------


def prepare() -> None:
    warnings.simplefilter("ignore")
    pynn.config.set_num_threads(1)
    GOOD.update(good_files())
    if set(GOOD) != set(FORMATS):
        raise RuntimeError(f"formats without a good file: {set(GOOD) ^ set(FORMATS)}")
    for name in FORMATS:
        if isinstance(verdict := check({"name": name, "edits": []}), Finding) or verdict != "read":
            raise RuntimeError(f"the good {name} file: {verdict}")
    for _ in range(2):  # what is loaded lazily, on the ways errors take, too
        for name in FORMATS:
            check({"name": name, "edits": [{"edit": "cut", "at": 0.5}]})
    sys.addaudithook(Watch.hook)
    Watch.on = False


class Watch:
    """What must not happen while a file is read."""

    on = False
    seen: list[str] = []
    _FORBIDDEN = (
        "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "socket.connect",
        "socket.getaddrinfo", "marshal.loads", "urllib.Request", "ctypes.dlopen", "os.symlink", "os.link",
    )  # fmt: skip

    @classmethod
    def hook(cls, event: str, args: Any) -> None:
        if not cls.on:
            return
        if event == "marshal.loads" and "importlib" in sys._getframe(1).f_code.co_filename:
            return  # a module of ours that is loaded when it is needed
        if event in cls._FORBIDDEN:
            cls.seen.append(f"{event} {args!r:.200}")
        elif event == "import" and not str(args[0]).startswith(("pynn", "numpy", "PIL", "h5py", "encodings", "_")):
            if args[0] not in sys.stdlib_module_names and str(args[0]).split(".")[0] not in sys.stdlib_module_names:
                cls.seen.append(f"import {args[0]}")
        elif event == "open" and isinstance(args[0], str | bytes) and isinstance(args[2], int):
            path = os.path.abspath(os.fsdecode(args[0]))
            writes = args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes and not path.startswith((tempfile.gettempdir(), os.getcwd())):
                cls.seen.append(f"write {path}")
        elif event == "pickle.find_class" and str(args[0]).split(".")[0] not in ("numpy", "pynn"):
            cls.seen.append(f"pickle {args}")


def spoiled(name: str, edits: list[dict[str, Any]]) -> bytes:
    content = GOOD[name][1]
    for edit in edits:
        kind = edit["edit"]
        if kind.startswith("json "):
            if name in ("json", "word index"):
                content = edit_json(content, edit)
            elif name == "safetensors":
                content = edit_safetensors(content, edit)
            else:
                content = edit_member(content, "config.json", lambda data, e=edit: edit_json(data, e))
        elif kind.startswith("zip "):
            content = edit_zip(content, edit)
        elif kind.startswith("h5 "):
            if content.startswith(b"PK"):
                content = edit_member(content, "model.weights.h5", lambda data, e=edit: edit_h5(data, e))
            else:
                content = edit_h5(content, edit)
        elif kind == "npy":
            content = edit_npy(content, edit)
        else:
            content = edit_bytes(content, edit)
    return content


def check(case: dict[str, Any]) -> Finding | str:
    name = case["name"]
    file, _ = GOOD[name]
    content = spoiled(name, case["edits"])
    variables = Target.variables if name in WEIGHTS else []
    before = [v.array.copy() for v in variables]
    epoch = getattr(Target.model, "_initial_epoch", None)
    Watch.seen = []
    cpu = time.process_time()
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        path = Path(folder, file)
        path.write_bytes(content)
        Watch.on = True
        try:
            FORMATS[name][1](path)
            verdict: Finding | str = "read"
        except PynnError as error:
            verdict = "refused" if str(error) else Finding(f"{name}: no reason", repr(error))
        except Exception as error:
            verdict = harness.unexpected(error, name)
        finally:
            Watch.on = False
        others = sorted(set(os.listdir(folder)) - {path.name, path.with_suffix(".folder").name})
    if Watch.seen:
        return Finding(f"{name}: it did {Watch.seen[0].split()[0]}", "\n".join(Watch.seen))
    if others:
        return Finding(f"{name}: it wrote files", str(others))
    if time.process_time() - cpu > SLOW:
        return Finding(f"{name}: it took {SLOW} s", f"{time.process_time() - cpu:.0f} s for {len(content)} bytes")
    if verdict != "read" and name in WEIGHTS:
        changed = [v.path for v, a in zip(variables, before, strict=True) if v.array.tobytes() != a.tobytes()]
        if changed or getattr(Target.model, "_initial_epoch", None) != epoch:
            return Finding(f"{name}: half-loaded, then refused", f"{changed}, {verdict}")
    for v, a in zip(variables, before, strict=True):
        v.assign(a)
    return verdict


WEIGHTS = ("weights.h5", "legacy weights", "npz", "safetensors", "backup")
FUZZER = harness.Fuzzer("files", strategy, check, prepare)

if __name__ == "__main__":
    harness.main(FUZZER, __file__)
