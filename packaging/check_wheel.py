"""Whether a wheel is fit to be released: ``python packaging/check_wheel.py pynn_engine-....whl``.

Looked at are its size, what is in it, what it says about itself, and that no file tells where it was built.
"""

import argparse
import re
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

MOST_BYTES = 10_000_000
REQUIRED = {"numpy", "tqdm"}
#: What may lie in a wheel: the package, its metadata, and the libraries that auditwheel and delvewheel put beside it.
TOP_LEVEL = re.compile(r"^(pynn|pynn_engine-[^/]+\.dist-info|pynn_engine\.libs)/")
UNWANTED = re.compile(r"(\.pyx|\.pxd|\.cpp|\.c|\.o|\.pyc|\.orig)$|(^|/)(tests?|build|__pycache__)/")
COMPILED = re.compile(r"\.(so|pyd|dylib|dll)(\.[\d.]+)?$")
#: Folders in which people and machines build.
BUILD_FOLDERS = re.compile(rb"/(?:home|root|tmp|Users|work|builds?|project|opt/_internal)/[\w./+-]+")


def problems_of(path: Path, not_inside: list[str]) -> list[str]:
    """What is wrong with the wheel at ``path``, one sentence each."""
    found = []
    if path.stat().st_size > MOST_BYTES:
        found.append(f"{path.stat().st_size} bytes, more than {MOST_BYTES}")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        found += [f"{name}: does not belong into a wheel" for name in names if not TOP_LEVEL.match(name)]
        found += [f"{name}: needed for building only" for name in names if UNWANTED.search(name)]
        for module in ("pynn/_core", "pynn/data/_batching"):
            if not any(name.startswith(module + ".") and COMPILED.search(name) for name in names):
                found.append(f"{module}: the compiled module is missing")
        for name in filter(COMPILED.search, names):
            found += [f"{name}: names {text}" for text in build_paths(archive.read(name), not_inside)]
        found += problems_of_metadata(archive)
    return found


def build_paths(content: bytes, not_inside: list[str]) -> list[str]:
    """Paths of the machine that compiled ``content``."""
    given = [folder for folder in not_inside if folder.encode() in content]
    return given + sorted({match.decode() for match in BUILD_FOLDERS.findall(content)})


def problems_of_metadata(archive: zipfile.ZipFile) -> list[str]:
    """What is wrong with what the wheel says about itself."""
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(archive.read(name).decode())
    always = [line for line in metadata.get_all("Requires-Dist") or [] if "extra ==" not in line]
    required = {re.split(r"[^\w-]", line)[0] for line in always}
    found = []
    if required != REQUIRED:
        found.append(f"requires {sorted(required)}, expected {sorted(REQUIRED)}")
    if not metadata["License-Expression"] or not metadata.get_all("License-File"):
        found.append("no licence")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--not-inside", action="append", default=[], help="a path that no compiled file may contain")
    options = parser.parse_args()
    found = problems_of(options.wheel, options.not_inside)
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        sys.exit(1)
    print(f"{options.wheel.name}: {options.wheel.stat().st_size / 1e6:.2f} MB, nothing to object to")


if __name__ == "__main__":
    main()
