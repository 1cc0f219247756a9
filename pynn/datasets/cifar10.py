"""CIFAR-10: 32x32 colour photographs of ten kinds of things, 50,000 to train and 10,000 to test (Krizhevsky).

0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.

Read from the official *binary* distribution: records of one label byte and 3 x 32 x 32 image bytes.  The
Python distribution that Keras uses is a pickle, and a pickle from the network can run any code.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np

from pynn.datasets._files import NotHere, Search, check_digest, file_digest, roots
from pynn.errors import CorruptDataError

__all__ = ["load_data"]

Split = tuple[np.ndarray, np.ndarray]

FOLDER = "cifar-10-batches-bin"
RECORDS = 10_000  # in each file
RECORD_BYTES = 1 + 3 * 32 * 32
CLASSES = 10

#: sha1 of each file; those of the training batches are of the official distribution.  For the test batch we
#: know of no published checksum (the official page gives one of the whole archive only, used for downloads),
#: so its length and the range of its labels are checked instead.
SHA1 = {
    "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
    "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
    "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
    "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
    "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
    "test_batch.bin": None,
}
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
MIRRORS = (
    "https://www.cs.toronto.edu/~kriz/",
    "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
)


def load_data() -> tuple[Split, Split]:
    """Load CIFAR-10.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 ``(50000, 32, 32, 3)`` and ``(10000, 32, 32,
        3)``, RGB; labels uint8 ``(50000, 1)`` and ``(10000, 1)``, 0 to 9.

    Raises:
        DataNotFoundError: no file and no network; lists the places looked at and the ways out.
        CorruptDataError: a file whose checksum, length or labels are not CIFAR-10's.
    """
    search = Search("CIFAR-10", FOLDER, list(SHA1))
    return search.archive(ARCHIVE, MIRRORS, ARCHIVE_MD5, _read_folder, _unpack)


def _read_folder(folder: Path) -> tuple[Split, Split]:
    if not folder.is_dir():
        raise NotHere("no such folder")
    missing = [file for file in SHA1 if not (folder / file).exists()]
    if missing:
        raise NotHere(f"the folder lacks {', '.join(missing)}")
    *train, test = SHA1
    return _read_batches(folder, train), _read_batches(folder, [test])


def _read_batches(folder: Path, files: list[str]) -> Split:
    x = np.empty((len(files) * RECORDS, 32, 32, 3), np.uint8)
    y = np.empty((len(files) * RECORDS, 1), np.uint8)
    for i, file in enumerate(files):
        path = folder / file
        size, expected = path.stat().st_size, RECORDS * RECORD_BYTES
        if size != expected:
            raise CorruptDataError(
                f"{path}: has {size} bytes, expected {expected}; delete it and load the data set again"
            )
        sha1 = SHA1[file]
        if sha1 is not None:
            check_digest(path, "sha1", file_digest(path, "sha1"), sha1)
        records = np.fromfile(path, np.uint8).reshape(RECORDS, RECORD_BYTES)
        if records[:, 0].max() >= CLASSES:
            raise CorruptDataError(
                f"{path}: has the label {records[:, 0].max()}, expected 0 to {CLASSES - 1}; delete it and "
                f"load the data set again"
            )
        rows = slice(i * RECORDS, (i + 1) * RECORDS)
        y[rows] = records[:, :1]
        x[rows] = records[:, 1:].reshape(RECORDS, 3, 32, 32).transpose(0, 2, 3, 1)  # CHW -> HWC
    return x, y


def _unpack(archive: Path) -> None:
    """Take the six known files out of the checked archive; their names are ours, never the archive's."""
    target = roots()[0] / FOLDER
    with tarfile.open(archive, "r:gz") as tar:
        for file in SHA1:
            member = tar.extractfile(f"{FOLDER}/{file}")
            if member is None:
                raise CorruptDataError(f"{archive}: does not contain {FOLDER}/{file}")
            part = archive.parent / file
            part.write_bytes(member.read(RECORDS * RECORD_BYTES + 1))
            os.replace(part, target / file)
