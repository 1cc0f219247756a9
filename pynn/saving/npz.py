"""``.npz`` files: NumPy's own; pickled content is never read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy

from pynn.errors import PynnError
from pynn.saving.archive import Archive
from pynn.saving.errors import WeightsFileError

_LONGEST_HEADER = 4096


def write_npz(file: Any, state: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an open binary file."""
    np.savez(file, **dict(state))  # type: ignore[arg-type]


class NpzSource:
    """An ``.npz`` file to read from; shapes come from the members' headers."""

    def __init__(self, file: Any, where: str):
        self.where = where
        try:
            self._archive = Archive(file, where)
        except zipfile.BadZipFile as error:
            raise WeightsFileError(f"{where} is not a readable .npz file ({error})") from error
        self._keys = [name.removesuffix(".npy") for name in self._archive.names]

    def names(self, folder: str) -> list[str]:
        if not folder:
            return list(self._keys)
        start = f"{folder}/"
        return [key[len(start) :] for key in self._keys if key.startswith(start) and "/" not in key[len(start) :]]

    def spec(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        shape, dtype, _ = self._header(name)
        return shape, dtype

    def _header(self, name: str) -> tuple[tuple[int, ...], np.dtype, int]:
        """Shape, dtype, and where the numbers begin."""
        head = io.BytesIO(self._guarded(f"{name}.npy", _LONGEST_HEADER))
        try:
            version = npy.read_magic(head)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = read(head, max_header_size=_LONGEST_HEADER)
        except Exception as error:  # NumPy parses old headers as Python, with all of the parser's errors
            raise WeightsFileError(f"{self.where} is not a readable .npz file ({name}: {error})") from error
        if fortran and len(shape) > 1:
            return shape, dtype, -head.tell()
        return shape, dtype, head.tell()

    def read(self, name: str) -> np.ndarray:
        shape, dtype, start = self._header(name)
        if dtype.hasobject:
            raise WeightsFileError(
                f"{self.where} is not a readable .npz file ({name}: it holds pickled objects; refused)"
            )
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        content = self._guarded(f"{name}.npy", abs(start) + size + 1)
        if len(content) != abs(start) + size:
            raise WeightsFileError(
                f"{self.where} is not a readable .npz file ({name}: {len(content)} bytes for {size})"
            )
        array = np.frombuffer(content, dtype, offset=abs(start))
        return array.reshape(shape[::-1]).T if start < 0 else array.reshape(shape)

    def _guarded(self, member: str, most: int) -> bytes:
        try:
            return self._archive.read_start(member, most)
        except PynnError:
            raise
        except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError) as error:
            raise WeightsFileError(f"{self.where} is not a readable .npz file ({error})") from error
