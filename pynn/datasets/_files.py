"""Where data files come from: ``PYNN_DATA_DIR``, the user cache, a download.  One way for all data sets.

A ``Search`` collects, place by place, why the data set was not there; if it is nowhere, that list is the
error message.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pynn.errors import CorruptDataError, DataNotFoundError

T = TypeVar("T")
Unpack = Callable[[Path], object]

ROUNDS = 2  # how often the list of mirrors is tried
PAUSE = 1.0  # seconds between two rounds


class NotHere(Exception):
    """Said by a reader: this folder does not hold the data set, and why; go on to the next place."""


def roots() -> list[Path]:
    """The folders that may hold data sets, best first.  The first is also where downloads go."""
    found = []
    if os.environ.get("PYNN_DATA_DIR"):
        found.append(Path(os.environ["PYNN_DATA_DIR"]).expanduser())
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found.append(Path(cache) / "pynn" / "datasets")
    return found


class Search:
    """The search for one data set.

    Args:
        name: as a person writes it, ``"CIFAR-10"``.
        folder: its folder inside a root, ``"cifar-10-batches-bin"``.
        files: what belongs into that folder, for the message of last resort.
    """

    def __init__(self, name: str, folder: str, files: Sequence[str]):
        self.name = name
        self.folder = folder
        self.files = files
        self.looked: list[str] = []

    def note(self, where: object, why: object) -> None:
        self.looked.append(f"{where}: {why}")

    def folders(self) -> Iterator[Path]:
        """The data set's folder in each root that exists; roots that do not are noted."""
        if not os.environ.get("PYNN_DATA_DIR"):
            self.note("PYNN_DATA_DIR", "not set")
        for root in roots():
            if root.is_dir():
                yield root / self.folder
            else:
                self.note(root, "no such folder")

    def archive(self, file: str, mirrors: Sequence[str], md5: str, read: Callable[[Path], T], unpack: Unpack) -> T:
        """What ``read`` makes of the data set's folder: where it is found, else where an archive is unpacked.

        Args:
            file: the archive's name.
            mirrors: what comes before the name in its addresses.
            md5: its checksum.
            read: takes a folder; :class:`NotHere` sends the search on.
            unpack: takes the archive.
        """
        for folder in self.folders():
            try:
                return read(folder)
            except NotHere as reason:
                self.note(folder, reason)
        self.download(
            file,
            [mirror + file for mirror in mirrors],
            check=lambda part: check_digest(part, "md5", file_digest(part, "md5"), md5),
            install=unpack,
        )
        return read(roots()[0] / self.folder)

    def download(
        self,
        file: str,
        urls: Sequence[str],
        check: Callable[[Path], object],
        install: Callable[[Path], object],
    ) -> None:
        """Fetch ``file`` from the first of ``urls`` whose content passes ``check``, then ``install`` it.

        The file is complete and checked before it gets its name, so an interrupted download leaves nothing
        behind that a later run could take for data.
        """
        try:
            import pooch
        except ImportError:
            self.note("download", "the package 'pooch' is not installed")
            raise self.not_found() from None
        target = roots()[0] / self.folder
        try:
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".download-", dir=target) as scratch:
                part = Path(scratch) / file
                for attempt in range(ROUNDS):
                    if attempt:
                        time.sleep(PAUSE)
                    for url in urls:
                        try:
                            pooch.HTTPDownloader(progressbar=True)(url, str(part), None)
                            check(part)
                        except (OSError, CorruptDataError) as error:  # requests' exceptions are OSErrors
                            if attempt == ROUNDS - 1:
                                self.note(f"download {url}", _reason(error))
                            continue
                        install(part)
                        return
        except OSError as error:
            self.note(f"download into {target}", error)
        raise self.not_found()

    def not_found(self) -> DataNotFoundError:
        """The error that tells every place looked at, why it failed, and the ways out."""
        places = "\n".join(f"  {i}. {line}" for i, line in enumerate(self.looked, 1))
        return DataNotFoundError(
            f"the data set {self.name} was not found. Looked at:\n{places}\nOne of these helps:\n"
            f"  - set PYNN_DATA_DIR to a folder that contains {self.folder}/ with {', '.join(self.files)}\n"
            f"  - put these files into {roots()[-1] / self.folder}/\n"
            f'  - pip install "pynn-engine[data]" and be online: the files are then downloaded once\n'
            "  - for a first try without files: pynn.datasets.synthetic_digits()"
        )


def check_digest(path: Path, kind: str, digest: str, expected: str) -> None:
    """Raise CorruptDataError unless ``digest`` (of the content of ``path``) is the expected one."""
    if digest != expected:
        raise CorruptDataError(
            f"{path}: the {kind} of its content is {digest}, expected {expected}. The file is damaged "
            f"or another version; delete it and load the data set again"
        )


def file_digest(path: Path, kind: str) -> str:
    """Checksum of a whole file, read in pieces."""
    digest = hashlib.new(kind, usedforsecurity=False)
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    """One line: network libraries wrap "name not known" four times; only the innermost says it shortly."""
    inner: BaseException = error
    while not isinstance(inner, CorruptDataError) and inner.__context__ is not None:
        inner = inner.__context__
    return f"{type(inner).__name__}: {inner}"
