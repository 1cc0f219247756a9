"""CIFAR-100: 32x32 colour photographs of 100 kinds of things, 500 of each to train and 100 to test (Krizhevsky).

Read from the official *binary* distribution, like CIFAR-10: records of two label bytes and 3 x 32 x 32 image bytes.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np

from pynn.datasets._files import NotHere, Search, roots
from pynn.errors import ArgumentError, CorruptDataError

__all__ = ["load_data"]

Split = tuple[np.ndarray, np.ndarray]

FOLDER = "cifar-100-binary"
RECORD_BYTES = 2 + 3 * 32 * 32
#: Records of each file.
FILES = {"train.bin": 50_000, "test.bin": 10_000}
#: How many labels there are, and at which byte of a record one is.
_LABELS = {"coarse": (20, 0), "fine": (100, 1)}
ARCHIVE = "cifar-100-binary.tar.gz"
ARCHIVE_MD5 = "03b5dce01913d631647c71ecec9e9cb8"
MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """Load CIFAR-100.

    Args:
        label_mode: ``"fine"``: 100 classes; ``"coarse"``: 20 of five each.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 ``(50000, 32, 32, 3)`` and ``(10000, 32, 32, 3)``;
        labels ``(n, 1)``.

    Raises:
        DataNotFoundError: no file and no network; lists the places looked at and the ways out.
        CorruptDataError: a file whose checksum, length or labels are not CIFAR-100's.
    """
    if label_mode not in _LABELS:
        raise ArgumentError(f"load_data: label_mode must be 'fine' or 'coarse', received {label_mode!r}")
    search = Search("CIFAR-100", FOLDER, list(FILES))
    return search.archive(ARCHIVE, MIRRORS, ARCHIVE_MD5, lambda folder: _read_folder(folder, label_mode), _unpack)


def _read_folder(folder: Path, label_mode: str) -> tuple[Split, Split]:
    missing = [file for file in FILES if not (folder / file).exists()]
    if missing:
        raise NotHere(f"the folder lacks {', '.join(missing)}" if folder.is_dir() else "no such folder")
    train, test = (_read(folder / file, records, label_mode) for file, records in FILES.items())
    return train, test


def _read(path: Path, records: int, label_mode: str) -> Split:
    size, expected = path.stat().st_size, records * RECORD_BYTES
    if size != expected:
        raise CorruptDataError(f"{path}: has {size} bytes, expected {expected}; delete it and load the data set again")
    data = np.fromfile(path, np.uint8).reshape(records, RECORD_BYTES)
    classes, at = _LABELS[label_mode]
    y = data[:, at : at + 1].astype("int64")
    if y.max() >= classes:
        raise CorruptDataError(f"{path}: has the label {y.max()}, expected 0 to {classes - 1}; delete it")
    return np.ascontiguousarray(data[:, 2:].reshape(records, 3, 32, 32).transpose(0, 2, 3, 1)), y


def _unpack(archive: Path) -> None:
    """Take the two known files out of the checked archive; their names are ours, never the archive's."""
    with tarfile.open(archive, "r:gz") as tar:
        for file, records in FILES.items():
            member = tar.extractfile(f"{FOLDER}/{file}")
            if member is None:
                raise CorruptDataError(f"{archive}: does not contain {FOLDER}/{file}")
            part = archive.parent / file
            part.write_bytes(member.read(records * RECORD_BYTES + 1))
            os.replace(part, roots()[0] / FOLDER / file)
