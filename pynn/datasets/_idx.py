"""The idx format of MNIST and its relatives: a magic number, the dimensions, then the raw bytes.

    0x00 0x00 0x08 ndim | ndim big-endian uint32 sizes | the elements, unsigned bytes, C order

A file says itself how large it is, so nothing it says is believed before it has been compared with a limit
and with what the file can hold: a broken header must give an error message, not an attempt to allocate 16 GB.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from io import BufferedReader
from pathlib import Path

import numpy as np

from pynn.errors import CorruptDataError

UNSIGNED_BYTE = 0x08
MAX_DIMS = 4
#: Enough for every data set here (train-images: 47 MB), small enough to be harmless.
MAX_BYTES = 256 * 2**20
#: Deflate cannot shrink further than this, so a .gz that promises more is lying.
MAX_GZIP_RATIO = 1032


def read_idx(path: Path, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """The array in an idx file of unsigned bytes, gzipped or not (told by the content, not by the name).

    Raises:
        CorruptDataError: the file is not such a file, is cut short, or has something behind its end.
    """
    on_disk = path.stat().st_size
    with open(path, "rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not zipped:
            return _parse(path, raw, on_disk, max_bytes)
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                return _parse(path, stream, on_disk * MAX_GZIP_RATIO, max_bytes)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise _corrupt(path, f"its gzip stream is damaged ({error})") from error


def _parse(path: Path, stream: BufferedReader | gzip.GzipFile, holds: int, max_bytes: int) -> np.ndarray:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise _corrupt(
            path,
            f"it begins with {magic.hex(' ') or 'nothing'}, expected 00 00 08 and a number of dimensions",
        )
    if magic[2] != UNSIGNED_BYTE:
        raise _corrupt(path, f"its element type is 0x{magic[2]:02x}, expected 0x08 (unsigned bytes)")
    ndim = magic[3]
    if not 1 <= ndim <= MAX_DIMS:
        raise _corrupt(path, f"it claims {ndim} dimensions, expected 1 to {MAX_DIMS}")
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise _corrupt(path, "it ends inside its header")
    shape = struct.unpack(f">{ndim}I", sizes)
    count = math.prod(shape)
    if count > max_bytes:
        raise _corrupt(path, f"its header claims the shape {shape}, {count} bytes; at most {max_bytes} are read")
    if count > holds:
        raise _corrupt(path, f"its header claims the shape {shape}, {count} bytes; the file is too short for that")
    data = np.empty(count, np.uint8)
    view, done = data.data, 0
    while done < count:
        got = stream.readinto(view[done:])
        if not got:
            raise _corrupt(path, f"its header claims the shape {shape}, {count} bytes; it ends after {done}")
        done += got
    if stream.read(1):
        raise _corrupt(path, f"its header claims the shape {shape}, {count} bytes; there is more after them")
    return data.reshape(shape)


def idx_md5(array: np.ndarray) -> str:
    """md5 of the un-gzipped idx file that holds ``array``.

    The archives of one data set differ from mirror to mirror (somebody compressed them again); their content
    does not.  This also checks arrays that came from another container, such as Keras's ``mnist.npz``.
    """
    digest = hashlib.md5(usedforsecurity=False)
    digest.update(bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape))
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _corrupt(path: Path, why: str) -> CorruptDataError:
    return CorruptDataError(f"{path}: not a usable idx file: {why}. Delete the file and load the data set again")
