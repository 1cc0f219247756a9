"""``.safetensors`` files: a header of names, dtypes, shapes and places as JSON, then the numbers.

Written from the public description of the format; no package is needed.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn.saving.errors import WeightsFileError

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
           "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1"}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_LONGEST_HEADER = 100_000_000


def write_safetensors(file: Any, state: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an open binary file."""
    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    arrays = {key: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for key, array in state.items()}
    # The widest first, so that every array lies on a multiple of its numbers' width.
    order = sorted(arrays, key=lambda key: (-arrays[key].dtype.itemsize, key))
    end = 0
    for key in order:
        array = arrays[key]
        header[key] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(state[key].shape),
            "data_offsets": [end, end + array.nbytes],
        }
        end += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for key in order:
        file.write(arrays[key].tobytes())


class SafetensorsSource:
    """A ``.safetensors`` file to read from; its header is checked as a whole before anything else is read."""

    def __init__(self, file: Any, where: str):
        self.where = where
        self._file = file
        total = file.seek(0, 2)
        file.seek(0)
        if total < 8:
            raise self._refused("it is shorter than its header's length")
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(_LONGEST_HEADER, total - 8):
            raise self._refused(f"its header is said to have {length} bytes, of {total} in all")
        self._start = 8 + length
        self._specs = self._checked(self._parsed(file.read(length)), total - self._start)

    def _refused(self, why: str) -> WeightsFileError:
        return WeightsFileError(f"{self.where} is not a readable safetensors file ({why})")

    def _parsed(self, text: bytes) -> dict[str, Any]:
        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) < len(pairs):
                raise self._refused("its header gives a name twice")
            return found

        try:
            header = json.loads(text, object_pairs_hook=unique)
        except (ValueError, RecursionError) as error:
            raise self._refused(f"its header is no JSON: {error}") from error
        if not isinstance(header, dict):
            raise self._refused("its header is no dictionary")
        header.pop("__metadata__", None)
        return header

    def _checked(self, header: dict[str, Any], size: int) -> dict[str, tuple[np.dtype, tuple[int, ...], int]]:
        """Name -> dtype, shape, place; the arrays must fill the rest of the file without holes and overlaps."""
        found: dict[str, tuple[np.dtype, tuple[int, ...], int]] = {}
        spans: list[tuple[int, int]] = []
        for name, entry in header.items():
            try:
                dtype, shape, (begin, end) = _DTYPES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
                whole = all(type(n) is int and n >= 0 for n in (*shape, begin, end))
            except (KeyError, TypeError, ValueError) as error:
                raise self._refused(f"the entry of '{name}' is damaged or of an unknown dtype: {error!r}") from error
            if not whole or end - begin != math.prod(shape) * np.dtype(dtype).itemsize or end > size:
                raise self._refused(f"the entry of '{name}' does not fit: {entry}")
            found[name] = (np.dtype(dtype), shape, begin)
            spans.append((begin, end))
        at = 0
        for begin, end in sorted(spans):
            if begin != at:
                raise self._refused("its arrays overlap or leave holes")
            at = end
        if at != size:
            raise self._refused(f"its arrays end at {at}, the file at {size}")
        return found

    def names(self, folder: str) -> list[str]:
        if not folder:
            return list(self._specs)
        start = f"{folder}/"
        return [key[len(start) :] for key in self._specs if key.startswith(start) and "/" not in key[len(start) :]]

    def spec(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        dtype, shape, _ = self._specs[name]
        return shape, dtype

    def read(self, name: str) -> np.ndarray:
        dtype, shape, begin = self._specs[name]
        self._file.seek(self._start + begin)
        content = self._file.read(math.prod(shape) * dtype.itemsize)
        return np.frombuffer(content, dtype).reshape(shape)
