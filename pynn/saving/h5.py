"""HDF5 files: arrays by name, written as Keras does; read only where they are plain numbers inside of the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
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


class H5Source:
    """An open HDF5 file (or a group of it) to read from."""

    def __init__(self, group: Any, where: str):
        self._h5py = h5py()
        self._group, self.where = group, where

    def names(self, folder: str) -> list[str]:
        if not folder:
            return list(self._group)
        group = self._find(folder, needed=False)
        return [] if group is None or not isinstance(group, self._h5py.Group) else list(group)

    def spec(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        dataset = self._dataset(name)
        return tuple(dataset.shape), dataset.dtype

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

    def group(self, path: str) -> Any:
        """A group inside, or None."""
        found = self._find(path, needed=False)
        return found if isinstance(found, self._h5py.Group) else None

    def text(self, name: str, group: Any = None) -> str | None:
        """A text attribute, or None."""
        group = self._group if group is None else group
        if name not in group.attrs:
            return None
        self._check_attribute(group, name)
        value = group.attrs[name]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

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
    try:
        return package.File(path, mode)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsFileError(f"{where} is not a readable HDF5 file ({error})") from error
