"""Keras's ``.npz`` archives and the ``.json`` files beside them: found, checked, and read without running anything."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pynn.datasets._files import Search, check_digest, file_digest, roots
from pynn.errors import ArgumentError, CorruptDataError

_SERVER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class KerasFile:
    """A file on Keras's server, and its checksum."""

    name: str
    file: str
    digest: str

    @property
    def kind(self) -> str:
        return "sha256" if len(self.digest) == 64 else "md5"

    def check(self, path: Path) -> None:
        check_digest(path, self.kind, file_digest(path, self.kind), self.digest)

    def find(self, path: Any = None) -> Path:
        """The file: at the given absolute path, or in one of the usual places, or downloaded.

        A file under its usual name must have the usual checksum; one that you name is your own.
        """
        given = os.fspath(path) if path is not None else self.file
        if os.path.isabs(given) or os.path.dirname(given):
            if os.path.exists(given):
                return Path(given)
            raise Search(self.name, "", [given]).not_found()
        search = Search(self.name, Path(self.file).stem, [self.file])
        keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
        for place in (*(p for folder in search.folders() for p in (folder, folder.parent)), keras):
            found = place / given
            if found.exists():
                if given == self.file:
                    self.check(found)
                return found
            search.note(found, "no such file")
        target = roots()[0] / search.folder / self.file
        search.download(self.file, [_SERVER + self.file], self.check, partial(os.replace, dst=target))
        return target

    def arrays(self, path: Any = None) -> dict[str, np.ndarray]:
        """The arrays of an ``.npz`` archive."""
        found = self.find(path)
        try:
            with zipfile.ZipFile(found) as archive:
                members = [name for name in archive.namelist() if name.endswith(".npy")]
                arrays = {name[: -len(".npy")]: _read_array(archive.read(name)) for name in members}
            return _Arrays(arrays, f"{found}: not Keras's archive of {self.name}")
        except CorruptDataError:
            raise
        except Exception as error:  # reading a damaged pickle may end with any
            raise CorruptDataError(f"{found}: not Keras's archive of {self.name}: {error}. Delete it") from error

    def words(self, path: Any = None) -> dict[str, int]:
        """The content of a ``.json`` file."""
        found = self.find(path)
        try:
            words = json.loads(found.read_text("utf-8"))
        except (ValueError, RecursionError) as error:
            raise CorruptDataError(f"{found}: not Keras's {self.file}: {error}. Delete it") from error
        if not isinstance(words, dict) or not all(isinstance(number, int) for number in words.values()):
            raise CorruptDataError(f"{found}: not Keras's {self.file}: expected words and their numbers. Delete it")
        return words


class _Arrays(dict[str, np.ndarray]):
    """The arrays of an archive; one that is not there makes the file a corrupt one."""

    def __init__(self, arrays: dict[str, np.ndarray], where: str):
        super().__init__(arrays)
        self._where = where

    def __missing__(self, name: str) -> np.ndarray:
        raise CorruptDataError(f"{self._where}: it has no '{name}'. Delete it")


class _ArraysOnly(pickle.Unpickler):
    """Rows of different lengths are stored as a pickle: this reads arrays and lists of numbers, and no other object."""

    def find_class(self, module: str, name: str) -> Any:
        known = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype}
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it holds {module}.{name}, which is refused")
        return known[module, name]


def _read_array(data: bytes) -> np.ndarray:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    if header(stream)[2].hasobject:
        return _ArraysOnly(stream).load()
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def shuffled(seed: int, *arrays: np.ndarray) -> list[np.ndarray]:
    """The rows in Keras's order for a seed."""
    order = np.arange(len(arrays[0]))
    np.random.RandomState(seed).shuffle(order)
    return [array[order] for array in arrays]


def split_table(file: KerasFile, path: Any, test_split: float, seed: int, rows: int | None = None) -> Any:
    """``(x_train, y_train), (x_test, y_test)`` of a table of numbers."""
    if not 0 <= test_split < 1:
        raise ArgumentError(f"load_data: test_split must be at least 0 and below 1, received {test_split}")
    arrays = file.arrays(path)
    x, y = shuffled(seed, arrays["x"][:rows], arrays["y"][:rows])
    first = int(len(x) * (1 - test_split))
    return (x[:first], y[:first]), (x[first:], y[first:])


def number_words(
    rows: Any, num_words: int | None, skip_top: int, start_char: int | None, oov_char: int | None, index_from: int
) -> list[list[int]]:
    """Texts of word numbers as Keras gives them: moved by ``index_from``, marked at the start, rare words replaced."""
    if start_char is not None:
        texts = [[start_char, *(w + index_from for w in row)] for row in rows]
    else:
        texts = [[w + index_from for w in row] for row in rows] if index_from else [list(row) for row in rows]
    most = num_words or max(max(row) for row in texts if row)
    if oov_char is not None:
        return [[w if skip_top <= w < most else oov_char for w in row] for row in texts]
    return [[w for w in row if skip_top <= w < most] for row in texts]


def shorter(maxlen: int, start_char: int | None, *arrays: np.ndarray) -> list[np.ndarray]:
    """Rows of texts, first of ``arrays``, that stay shorter than ``maxlen`` with their start mark."""
    mark = 0 if start_char is None else 1
    kept = np.array([len(text) + mark < maxlen for text in arrays[0]], bool)
    return [array[kept] for array in arrays]


def ragged(rows: list[list[int]]) -> np.ndarray:
    """Lists of different lengths in one array of objects."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array
