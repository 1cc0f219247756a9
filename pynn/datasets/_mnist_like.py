"""What MNIST and Fashion-MNIST share: four idx files of fixed names and known content."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pynn.datasets._files import NotHere, Search, check_digest, roots
from pynn.datasets._idx import MAX_BYTES, idx_md5, read_idx
from pynn.errors import CorruptDataError

Split = tuple[np.ndarray, np.ndarray]

#: Name of each part in Keras's mnist.npz, in the order in which load_data returns them.
FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True)
class Source:
    """A data set in MNIST's form: name, folder, md5 of each un-gzipped file, where the ``.gz`` are."""

    name: str
    folder: str
    md5: Mapping[str, str]
    mirrors: tuple[str, ...]


def load(source: Source, npz: str | None = None) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)) from where they are found; ``npz``: name of Keras's archive."""
    search = Search(source.name, source.folder, [f"{file}.gz" for file in FILES.values()])
    if npz is not None and os.path.isabs(npz):
        if os.path.exists(npz):
            return _pairs(_read_npz(source, Path(npz)))
        search.note(npz, "no such file")
    for folder in search.folders():
        try:
            return _pairs(_read_folder(source, folder))
        except NotHere as reason:
            search.note(folder, reason)
        if npz is not None and not os.path.isabs(npz):
            for archive in (folder.parent / npz, folder / npz):
                if archive.exists():
                    return _pairs(_read_npz(source, archive))
                search.note(archive, "no such file")
    return _pairs(_download(source, search))


def _find(folder: Path, file: str) -> Path | None:
    for path in (folder / f"{file}.gz", folder / file):
        if path.exists():
            return path
    return None


def _read(source: Source, file: str, path: Path) -> np.ndarray:
    array = read_idx(path)
    check_digest(path, "md5", idx_md5(array), source.md5[file])
    return array


def _read_folder(source: Source, folder: Path) -> dict[str, np.ndarray]:
    if not folder.is_dir():
        raise NotHere("no such folder")
    paths = {part: _find(folder, file) for part, file in FILES.items()}
    missing = [FILES[part] + ".gz" for part, path in paths.items() if path is None]
    if missing:
        raise NotHere(f"the folder lacks {', '.join(missing)}")
    return {part: _read(source, FILES[part], path) for part, path in paths.items() if path is not None}


def _read_npz(source: Source, path: Path) -> dict[str, np.ndarray]:
    """Keras's own archive: headers are checked before anything is allocated, nothing is ever unpickled."""
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for part in FILES:
                with archive.open(f"{part}.npy") as stream:
                    if np.lib.format.read_magic(stream) != (1, 0):
                        raise ValueError(f"'{part}' is not in format 1.0")
                    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
                    count = int(np.prod(shape, dtype=np.float64))
                    if dtype != np.uint8 or fortran or not 0 <= count <= MAX_BYTES:
                        raise ValueError(f"'{part}' has dtype {dtype} and shape {shape}, expected a uint8 data set")
                    data = stream.read(count)
                    arrays[part] = np.frombuffer(bytearray(data), np.uint8).reshape(shape)
    except Exception as error:  # NumPy parses old headers as Python, with all of the parser's errors
        raise CorruptDataError(
            f"{path}: not Keras's archive of {source.name}: {error}. Delete it and try again"
        ) from error
    for part, file in FILES.items():
        check_digest(path, f"md5 (as an idx file) of '{part}', part", idx_md5(arrays[part]), source.md5[file])
    return arrays


def _download(source: Source, search: Search) -> dict[str, np.ndarray]:
    folder = roots()[0] / source.folder
    for file in FILES.values():
        if _find(folder, file) is None:
            archive = f"{file}.gz"
            search.download(
                archive,
                [mirror + archive for mirror in source.mirrors],
                check=partial(_read, source, file),
                install=partial(os.replace, dst=folder / archive),
            )
    return _read_folder(source, folder)


def _pairs(arrays: Mapping[str, np.ndarray]) -> tuple[Split, Split]:
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
