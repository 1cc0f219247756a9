"""What a container allows this process, from Linux's control groups (versions 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def cpu_quota() -> float | None:
    """CPUs that the scheduler's quotas allow, or None where there is no limit."""
    found = []
    for folder in _folders("cpu"):
        limit, period = (*_words(folder / "cpu.max"), "", "")[:2]  # version 2: "200000 100000" or "max 100000"
        if not limit:  # version 1
            limit, period = "".join(_words(folder / "cpu.cfs_quota_us")), "".join(_words(folder / "cpu.cfs_period_us"))
        if limit.isdigit() and period.isdigit() and int(limit) and int(period):
            found.append(int(limit) / int(period))
    return min(found, default=None)


def memory_left() -> int | None:
    """Bytes that this process may still take before its memory limit, or None where there is none."""
    found = []
    for folder in _folders("memory"):
        for limit_file, used_file, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = "".join(_words(folder / limit_file)), "".join(_words(folder / used_file))
            if limit.isdigit() and used.isdigit() and int(limit) < 1 << 60:  # version 1 writes a huge number for none
                found.append(int(limit) - int(used) + _statistic(folder, cache))
    return max(0, min(found)) if found else None


def _statistic(folder: Path, name: str) -> int:
    """A line of ``memory.stat``; files in the cache count as used, and are dropped when memory is needed."""
    words = _words(folder / "memory.stat")
    return int(words[words.index(name) + 1]) if name in words[:-1] else 0


def _folders(controller: str) -> Iterator[Path]:
    """This process's group and all above it; limits hold for everything below them."""
    found = [_ROOT, _ROOT / controller]  # what a container sees of its own group
    for line in _text(_OWN).splitlines():
        _, names, path = line.split(":", 2)
        parts = PurePosixPath(path).parts[1:]
        if ".." in parts:  # of a group that cannot be seen from here
            continue
        mounts = []
        if not names:
            mounts = [_ROOT, _ROOT / "unified"]
        elif controller in names.split(","):
            mounts = [_ROOT / names, _ROOT / controller]
        found += [mount.joinpath(*parts[:depth]) for mount in mounts for depth in range(len(parts) + 1)]
    return iter(dict.fromkeys(found))


def _words(file: Path) -> list[str]:
    return _text(file).split()


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
