"""HDF5 files: arrays by name, written as Keras does; read only where they are plain numbers inside of the file."""

from __future__ import annotations

import contextlib
import math
import mmap
import struct
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from pynn.errors import ArgumentError, PynnError, ShapeError
from pynn.saving.errors import WeightsFileError

#: What HDF5 itself brings: deflate, shuffle, Fletcher's sum, and h5py's LZF.
_FILTERS = {1, 2, 3, 32000}
_LONGEST_ATTRIBUTE = 64 * 2**20


def h5py() -> Any:
    """The package, if it is installed."""
    try:
        import h5py
    except ImportError as error:
        raise ArgumentError(
            "*.weights.h5, *.h5 and *.keras files need the package h5py: pip install 'pynn-engine[h5]'; weights can go "
            "to a file whose name ends in .npz or .safetensors without it"
        ) from error
    return h5py


def write_h5(file: Any, state: Mapping[str, np.ndarray], folders: Mapping[str, str]) -> None:
    """Write arrays into an open file, and the folders with the names of the layers they belong to."""
    for folder, name in folders.items():
        group = file.require_group(folder)
        if name:
            group.attrs["name"] = name
    for key, array in state.items():
        file[key] = array


_F = TypeVar("_F", bound=Callable[..., Any])


def _reading(method: _F) -> _F:
    """HDF5 finds damage where it comes across it: whatever it says then, the file cannot be read."""

    @wraps(method)
    def reading(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except PynnError:
            raise
        except Exception as error:  # also a MemoryError: what fits was compared with the model before
            raise WeightsFileError(f"{self.where} is not a readable HDF5 file ({error})") from error

    return reading  # type: ignore[return-value]


class H5Source:
    """An open HDF5 file (or a group of it) to read from."""

    def __init__(self, group: Any, where: str):
        self._h5py = h5py()
        self._group, self.where = group, where

    @_reading
    def names(self, folder: str) -> list[str]:
        group = self._find(folder, needed=False) if folder else self._group
        if not isinstance(group, self._h5py.Group):
            return []
        return [n.decode("utf-8", "replace") if isinstance(n, bytes) else n for n in group]  # bytes: no UTF-8

    @_reading
    def spec(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        dataset = self._dataset(name)
        return tuple(dataset.shape), dataset.dtype

    @_reading
    def read(self, name: str) -> np.ndarray:
        dataset = self._dataset(name)
        return np.asarray(dataset[()])

    def _dataset(self, name: str) -> Any:
        """The data set at ``name``: reached over hard links only, stored inside this file, plain numbers."""
        found = self._find(name)
        if not isinstance(found, self._h5py.Dataset) or found.shape is None or found.is_virtual or found.external:
            raise WeightsFileError(f"{self.where}: '{name}' is not a plain data set of this file; refused")
        filters = found.id.get_create_plist()
        used = {filters.get_filter(i)[0] for i in range(filters.get_nfilters())}
        if used - _FILTERS:
            raise WeightsFileError(
                f"{self.where}: '{name}' is packed by the filters {sorted(used - _FILTERS)}; refused"
            )
        if found.dtype.kind not in "fiub" or found.dtype.hasobject:
            raise WeightsFileError(f"{self.where} holds {found.dtype} for {name}, expected numbers")
        return found

    def _find(self, path: str, needed: bool = True) -> Any:
        at = self._group
        parts = path.split("/")
        for depth, part in enumerate(parts):
            link = at.get(part, getlink=True) if isinstance(at, self._h5py.Group) else None
            if link is None:
                if not needed:
                    return None
                raise ShapeError(f"{self.where} has no '{path}'; it belongs to another model")
            if not isinstance(link, self._h5py.HardLink):
                raise WeightsFileError(
                    f"{self.where}: '{'/'.join(parts[: depth + 1])}' is a link to elsewhere; refused"
                )
            at = at[part]
        return at

    @_reading
    def group(self, path: str) -> Any:
        """A group inside, or None."""
        found = self._find(path, needed=False)
        return found if isinstance(found, self._h5py.Group) else None

    @_reading
    def text(self, name: str, group: Any = None) -> str | None:
        """A text attribute, or None."""
        group = self._group if group is None else group
        if name not in group.attrs:
            return None
        self._check_attribute(group, name)
        value = group.attrs[name]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    @_reading
    def texts(self, name: str, group: Any = None) -> list[str]:
        """A list of texts; Keras spreads a long one over several attributes, ``name0``, ``name1`` ..."""
        group = self._group if group is None else group
        parts = [name] if name in group.attrs else []
        while not parts or parts[-1] != name:
            following = f"{name}{len(parts)}"
            if following not in group.attrs:
                break
            parts.append(following)
        found: list[str] = []
        for part in parts:
            self._check_attribute(group, part)
            for value in np.ravel(group.attrs[part]):
                found.append(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
        return found

    def _check_attribute(self, group: Any, name: str) -> None:
        attribute = group.attrs.get_id(name)
        size = math.prod(attribute.shape or ()) * attribute.dtype.itemsize
        if size > _LONGEST_ATTRIBUTE:
            raise WeightsFileError(f"{self.where}: the attribute '{name}' has {size} bytes; refused")


def open_h5(path: Any, where: str, mode: str = "r") -> Any:
    """The file at ``path`` (or a binary file object), or an error that says it is none."""
    package = h5py()
    if mode == "r":
        _check_heaps(path, where)
    try:
        return package.File(path, mode)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsFileError(f"{where} is not a readable HDF5 file ({error})") from error


_HEAP = b"GCOL\x01\x00\x00\x00"


def _check_heaps(path: Any, where: str) -> None:
    """Refuse collections of texts ("global heaps") whose objects reach out of them: HDF5 walks those forever.

    A collection is its signature, version and length, then objects: number, count of references, 4 bytes of nothing,
    and the length of what follows, which is filled up to a multiple of 8; number 0 is the rest that is free, and its
    length is all of it.
    Source: HDF5 File Format Specification 3.0, III.E.
    """
    with contextlib.ExitStack() as stack:
        if hasattr(path, "read"):
            path.seek(0)
            content: Any = path.read()
            path.seek(0)
        else:
            try:
                file = stack.enter_context(open(path, "rb"))
                content = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            except (OSError, ValueError) as error:  # an empty file cannot be mapped
                raise WeightsFileError(f"{where} is not a readable HDF5 file ({error})") from error
        at = content.find(_HEAP)
        while at >= 0:
            (length,) = struct.unpack("<Q", content[at + 8 : at + 16].ljust(8, b"\0"))
            place, end = at + 16, at + length
            while end - place >= 16 and end <= len(content):
                number, _, size = struct.unpack("<HH4xQ", content[place : place + 16])
                if number == 0 and size == end - place:
                    break
                if number == 0 or size > end - place - 16:
                    raise WeightsFileError(f"{where}: the text at byte {place} has no possible length; refused")
                place += 16 + size + -size % 8
            at = content.find(_HEAP, at + 1)
