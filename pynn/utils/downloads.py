"""Files from the network, kept in a folder, checked, and unpacked with care."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from pynn.errors import ArgumentError, CorruptDataError, DataNotFoundError
from pynn.utils.progbar import Progbar

#: Archives that unpack to more than this many times their own size, and more than a gigabyte, are refused.
MAX_RATIO = 1000
_PIECE = 1 << 20


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """The path of a file that is downloaded once, and unpacked if you wish.

    Args:
        fname: its name; by default the last part of ``origin``.  With ``extract`` a name without a dot is that of
            the folder to unpack into.
        origin: the address: http, https, ftp or file.
        untar: the older word for ``extract``.
        md5_hash: the older way to give ``file_hash``.
        file_hash: the expected checksum; a file that has another one is never used.
        cache_subdir: a folder inside ``cache_dir``, or an absolute path.
        hash_algorithm: ``"md5"``, ``"sha256"``, or ``"auto"``: what the length of ``file_hash`` says.
        extract: unpack a ``.tar`` (also compressed) or ``.zip`` archive, and return the folder's path.
        archive_format: ``"tar"``, ``"zip"``, a list of them, ``"auto"`` for both, or None for none.
        cache_dir: by default ``$KERAS_HOME`` or ``~/.keras``, where Keras looks, too.
        force_download: download even if the file is there.

    Raises:
        DataNotFoundError: the download failed.
        CorruptDataError: a checksum that differs, or an archive that would write outside of its folder.
    """
    if not origin:
        raise ArgumentError("get_file: origin, the address of the file, must be given")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = _folder(cache_dir, cache_subdir)
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name or name in (".", ".."):
        raise ArgumentError(f"get_file: the address {origin!r} has no file name; give one as fname")
    if os.sep in name:
        raise ArgumentError(
            f"get_file: fname must be a name without folders, received {name!r}; cache_dir and cache_subdir say where"
        )
    unpacked = None
    target = folder / name
    if extract or untar:
        if fname and "." in name:
            unpacked = folder / f"{name[: name.find('.')]}_extracted"
        else:
            target, unpacked = folder / f"{name}_archive", folder / name
    new = force_download or not target.exists()
    if not new and file_hash is not None and _digest(target, file_hash, hash_algorithm) != file_hash.lower():
        print(f"{target} has not the expected checksum and is downloaded again")
        new = True
    if new:
        _download(origin, target, file_hash, hash_algorithm)
    if unpacked is None:
        return str(target)
    if new or not unpacked.is_dir():
        _unpack(target, unpacked, "tar" if untar and not extract else archive_format)
    return str(unpacked)


def _folder(cache_dir: Any, cache_subdir: str) -> Path:
    base = Path(cache_dir or os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    folder = base / cache_subdir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / ".keras" / cache_subdir
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(path: Path, expected: str, algorithm: str) -> str:
    if algorithm == "auto":
        algorithm = "sha256" if len(expected) == 64 else "md5"
    if algorithm not in ("md5", "sha256"):
        raise ArgumentError(f"get_file: hash_algorithm must be 'md5', 'sha256' or 'auto', received {algorithm!r}")
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _download(origin: str, target: Path, file_hash: str | None, algorithm: str) -> None:
    """Complete and checked before it gets its name: what is interrupted leaves nothing behind."""
    print(f"Downloading data from {origin}")
    handle, name = tempfile.mkstemp(prefix=".download-", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, urllib.request.urlopen(origin) as stream:
            size = stream.headers.get("Content-Length")
            total = int(size) if size else None
            bar, done = Progbar(total), 0
            while piece := stream.read(_PIECE):
                out.write(piece)
                done += len(piece)
                bar.update(done)
        if total is not None and done != total:
            raise DataNotFoundError(f"get_file: {origin} ended after {done} of {total} bytes; try again")
        if file_hash is not None and (found := _digest(part, file_hash, algorithm)) != file_hash.lower():
            raise CorruptDataError(
                f"get_file: the file from {origin} has the checksum {found}, expected {file_hash}; it was not kept"
            )
        part.replace(target)
    except urllib.error.HTTPError as error:
        raise DataNotFoundError(f"get_file: URL fetch failure on {origin}: {error.code} -- {error.reason}") from None
    except (urllib.error.URLError, ValueError) as error:
        if isinstance(error, CorruptDataError):
            raise
        reason = getattr(error, "reason", error)
        raise DataNotFoundError(
            f"get_file: URL fetch failure on {origin}: {reason}; if this machine is offline, put the file at {target}"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _unpack(archive: Path, target: Path, archive_format: Any) -> None:
    """Into a folder beside, which gets its name when it is complete."""
    kinds = ["tar", "zip"] if archive_format == "auto" else archive_format or []
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if set(kinds) - {"tar", "zip"}:
        raise ArgumentError(f"get_file: archive_format must be 'tar', 'zip', 'auto' or None, received {kinds}")
    scratch = Path(tempfile.mkdtemp(prefix=".extract-", dir=target.parent))
    try:
        if "tar" in kinds and tarfile.is_tarfile(archive):
            _untar(archive, scratch)
        elif "zip" in kinds and zipfile.is_zipfile(archive):
            _unzip(archive, scratch)
        else:
            return  # as in Keras, what is no archive stays as it is
        scratch.chmod(0o755)
        if target.is_dir():
            shutil.rmtree(target)
        scratch.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refuse(archive: Path, why: str) -> CorruptDataError:
    return CorruptDataError(f"get_file: {archive} was not unpacked: {why}")


def _check_size(archive: Path, total: int) -> None:
    if total > max(1 << 30, MAX_RATIO * archive.stat().st_size):
        raise _refuse(archive, f"it would fill {total} bytes, far more than an archive of its size should")


def _untar(archive: Path, target: Path) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise _refuse(
            archive, "this version of Python cannot unpack tar files safely; update it, or unpack it yourself"
        )
    try:
        with tarfile.open(archive) as tar:
            _check_size(archive, sum(member.size for member in tar))
            tar.extractall(target, filter="data")
    except (CorruptDataError, MemoryError):
        raise
    except Exception as error:  # damaged archives end in any
        raise _refuse(archive, str(error)) from None


def _unzip(archive: Path, target: Path) -> None:
    try:
        _unzip_checked(archive, target)
    except (CorruptDataError, MemoryError):
        raise
    except Exception as error:
        raise _refuse(archive, str(error)) from None


def _unzip_checked(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as source:
        members = source.infolist()
        _check_size(archive, sum(member.file_size for member in members))
        for member in members:
            path = PurePosixPath(member.filename)
            link = stat.S_ISLNK(member.external_attr >> 16)
            if path.is_absolute() or ".." in path.parts or "\\" in member.filename or link or member.flag_bits & 1:
                raise _refuse(archive, f"its member {member.filename!r} is a link, encrypted, or outside of the folder")
            place = target.joinpath(*path.parts)
            if member.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with source.open(member) as inside, open(place, "xb") as out:
                shutil.copyfileobj(inside, out)
