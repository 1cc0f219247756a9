"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A path beside ``target`` to write to; it takes ``target``'s place when the block ends without an error.

    A process killed inside the block leaves the old file, or none, never half a new one.
    """
    # The suffix stays: writers such as np.savez append their own to names that lack it.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        with open(beside, "rb+") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)  # mkstemp's 0600 would surprise those who share files
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
