"""Zip archives that somebody else made: members are read one by one, within bounds, and never unpacked by name."""

from __future__ import annotations

import stat
import zipfile
import zlib
from typing import Any

from pynn.errors import PynnError
from pynn.saving.errors import WeightsFileError

_MOST_MEMBERS = 100_000
#: A member that shrank by more than this holds next to nothing: weights hardly shrink at all.
_MOST_EXPANSION = 1100
_FREE = 16 * 2**20


class Archive:
    """The members of a zip file that may be read.

    Raises:
        WeightsFileError: members twice, encrypted, with absolute or climbing paths, links, or unknown packing.
        zipfile.BadZipFile: it is no zip file.
    """

    def __init__(self, file: Any, where: str):
        self.where = where
        self._zip = zipfile.ZipFile(file)
        infos = self._zip.infolist()
        if len(infos) > _MOST_MEMBERS:
            raise self._refused("the archive", f"has {len(infos)} members")
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            self._check(info)
            if info.filename in self._infos:
                raise self._refused(info.filename, "is there twice")
            self._infos[info.filename] = info

    def _check(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        # orig_filename: zipfile itself turns backslashes into slashes, and cuts names at a zero byte.
        if "\\" in info.orig_filename or "\0" in info.orig_filename or ":" in name.split("/")[0]:
            raise self._refused(name, "has a path that is not plain")
        if name.startswith("/") or ".." in name.split("/"):
            raise self._refused(name, "has a path that leads out of the archive")
        if info.flag_bits & 0x1:
            raise self._refused(name, "is encrypted")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise self._refused(name, "is a symbolic link")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._refused(name, f"is packed by method {info.compress_type}")
        if info.file_size > _FREE and info.file_size > _MOST_EXPANSION * max(1, info.compress_size):
            raise self._refused(name, f"says it has {info.file_size} bytes, of {info.compress_size} packed ones")

    def _refused(self, name: str, why: str) -> WeightsFileError:
        return WeightsFileError(f"{self.where}: the member '{name}' {why}; refused")

    @property
    def names(self) -> list[str]:
        return list(self._infos)

    def size(self, name: str) -> int:
        return self._infos[name].file_size

    def read(self, name: str, most: int) -> bytes:
        """The whole member, if it has at most ``most`` bytes; checks its sum."""
        if name not in self._infos:
            raise WeightsFileError(f"{self.where} has no member '{name}'; it holds: {', '.join(self.names[:8])}")
        if self.size(name) > most:
            raise self._refused(name, f"has {self.size(name)} bytes, more than {most}")
        content = self.read_start(name, most + 1)
        if len(content) > most:
            raise self._refused(name, f"has more than {most} bytes")
        return content

    def read_start(self, name: str, most: int) -> bytes:
        """The member's first ``most`` bytes, or all of it if it has less."""
        try:
            with self._zip.open(self._infos[name]) as member:
                return member.read(most)
        except PynnError:
            raise
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise WeightsFileError(f"{self.where} is not a readable archive ({name}: {error})") from error
