"""Published files of weights: where they are looked for, and how they are downloaded.

Looked for in ``$PYNN_DATA_DIR/models``, in the user's cache (``~/.cache/pynn/models``) and in Keras's own
(``~/.keras/models``).  A download goes to the first of the former two; it is compared with the published hash before
the file gets its name, and an interrupted one goes on where it ended.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pynn.datasets._files import check_digest, file_digest
from pynn.errors import CorruptDataError, DataNotFoundError

_SITE = "https://storage.googleapis.com/tensorflow/keras-applications"


@dataclass(frozen=True)
class WeightFile:
    """One published file.

    Args:
        url: where it is.
        digest: MD5 (or SHA-256) of its content; None where none was published.
        name: of the file on this machine, if it is not that in the address.
    """

    url: str
    digest: str | None = None
    name: str = ""

    @property
    def filename(self) -> str:
        return self.name or self.url.rsplit("/", 1)[1]

    def check(self, path: Path) -> None:
        """Raise CorruptDataError unless the file at ``path`` has the published content."""
        if self.digest is not None:
            kind = "md5" if len(self.digest) == 32 else "sha256"
            check_digest(path, kind, file_digest(path, kind), self.digest)


def published(folder: str, stem: str, hashes: tuple[str | None, str | None]) -> tuple[WeightFile, WeightFile]:
    """The two files of one network, with and without its top."""
    start = f"{_SITE}/{folder}/{stem}_weights_tf_dim_ordering_tf_kernels"
    return WeightFile(f"{start}.h5", hashes[0]), WeightFile(f"{start}_notop.h5", hashes[1])


def at_site(path: str, digest: str | None = None, name: str = "") -> WeightFile:
    """A file by its path below the address where most are."""
    return WeightFile(f"{_SITE}/{path}", digest, name)


def folders() -> list[Path]:
    """Where weights are looked for, best first."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    own = [Path(os.environ["PYNN_DATA_DIR"]).expanduser()] if os.environ.get("PYNN_DATA_DIR") else []
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return [root / "models" for root in (*own, cache / "pynn", keras)]


def find(file: WeightFile) -> Path:
    """The file on this machine; it is downloaded if it is not there yet.

    Raises:
        DataNotFoundError: it is nowhere and could not be downloaded; lists the places.
        CorruptDataError: the file found is not the published one.
    """
    looked: list[str] = []
    for folder in folders():
        path = folder / file.filename
        if path.is_file():
            file.check(path)
            return path
        looked.append(f"{path}: no such file")
    target = folders()[0] / file.filename
    try:
        _download(file, target)
    except ImportError:
        looked.append("download: the package 'pooch' is not installed")
    except (OSError, CorruptDataError) as error:  # requests' exceptions are OSErrors
        looked.append(f"download of {file.url}: {_innermost(error)}")
    else:
        return target
    places = "\n".join(f"  {i}. {line}" for i, line in enumerate(looked, 1))
    raise DataNotFoundError(
        f"the file {file.filename} was not found. Looked at:\n{places}\nOne of these helps:\n"
        f"  - get {file.url} and put it into {target.parent}\n"
        '  - pip install "pynn-engine[data]" and be online: the file is then downloaded once\n'
        "  - weights=None starts from random weights, weights=PATH from a file of yours"
    )


def _download(file: WeightFile, target: Path) -> None:
    """Fetch into ``<name>.part``, check, then rename."""
    import pooch

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    # Without a hash nothing would tell a file whose end does not belong to its start.
    resumed = file.digest is not None and part.is_file()
    for attempt in (resumed, False) if resumed else (False,):
        there = part.stat().st_size if attempt else 0
        headers = {"Range": f"bytes={there}-"} if there else {}
        try:
            with open(part, "ab" if attempt else "wb") as stream:
                pooch.HTTPDownloader(progressbar=True, headers=headers)(file.url, stream, None)
            file.check(part)
        except (OSError, CorruptDataError):
            # A server that cannot continue sends all of it, or refuses: once more from the start.
            if attempt:
                continue
            raise
        os.replace(part, target)
        return


def _innermost(error: BaseException) -> str:
    """One line: network libraries wrap "name not known" four times."""
    while not isinstance(error, CorruptDataError) and error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"
