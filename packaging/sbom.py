"""What a wheel consists of and needs, as CycloneDX 1.6: ``python packaging/sbom.py pynn_engine-....whl -o sbom.json``.

Everything is read from the wheel itself: requirements from its metadata, libraries that lie in it from their files and
from what auditwheel noted, headers that were compiled into it from the line that the native module carries.
"""

import argparse
import hashlib
import json
import re
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

#: A line of pynn._core (csrc/bindings/module.cpp).
HEADERS = re.compile(rb"pynn is built with pybind11 ([\w.]+), ([^\0]+)")
LIBRARY = re.compile(r"^pynn_engine\.libs/((?:lib)?\w+?)-[0-9a-f]+.*\.(?:so|dll)")
LICENSES = {"libgomp": "GPL-3.0-or-later WITH GCC-exception-3.1", "pybind11": "BSD-3-Clause"}


def bill_of(path: Path) -> Bom:
    """The bill of materials of the wheel at ``path``."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        metadata = Parser().parsestr(_read(archive, r"\.dist-info/METADATA$").decode())
        root = _package(metadata, path)
        needed = [
            *map(_requirement, _requirements(metadata)),
            *(_bundled(archive, name) for name in names if LIBRARY.match(name)),
            _headers(_read(archive, r"^pynn/_core\..*(so|pyd)$")),
        ]
    bom = Bom()
    bom.metadata.component = root
    for component in needed:
        bom.components.add(component)
    bom.register_dependency(root, needed)
    return bom


def _read(archive: zipfile.ZipFile, pattern: str) -> bytes:
    [name] = [name for name in archive.namelist() if re.search(pattern, name)]
    return archive.read(name)


def _package(metadata: Message, path: Path) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=metadata["Name"],
        version=metadata["Version"],
        description=metadata["Summary"],
        licenses=[LicenseFactory().make_from_string(metadata["License-Expression"])],
        hashes=[_sha256(path.read_bytes())],
        purl=PackageURL(
            "pypi", name=metadata["Name"], version=metadata["Version"], qualifiers={"file_name": path.name}
        ),
        bom_ref=metadata["Name"],
    )


def _requirements(metadata: Message) -> list[str]:
    return [line for line in metadata.get_all("Requires-Dist") or [] if "extra ==" not in line]


def _requirement(line: str) -> Component:
    """A package that pip installs beside this one; which version, the wheel leaves open."""
    name, versions = re.fullmatch(r"([\w.-]+)\s*(.*)", line).groups()
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        scope=ComponentScope.REQUIRED,
        purl=PackageURL("pypi", name=name),
        properties=[Property(name="pynn:requirement", value=versions)],
        bom_ref=name,
    )


def _bundled(archive: zipfile.ZipFile, name: str) -> Component:
    """A library that lies in the wheel."""
    library = LIBRARY.match(name).group(1)
    noted = {part["name"]: part for part in _noted_by_auditwheel(archive)}
    part = noted.get(library) or next((p for n, p in noted.items() if n.startswith(library)), {})
    return Component(
        type=ComponentType.LIBRARY,
        name=library,
        version=part.get("version"),
        scope=ComponentScope.REQUIRED,
        licenses=[LicenseFactory().make_from_string(LICENSES[library])],
        hashes=[_sha256(archive.read(name))],
        purl=PackageURL.from_string(part["purl"]) if "purl" in part else None,
        properties=[Property(name="pynn:file", value=name)],
        bom_ref=library,
    )


def _noted_by_auditwheel(archive: zipfile.ZipFile) -> list[dict]:
    names = [name for name in archive.namelist() if name.endswith("/sboms/auditwheel.cdx.json")]
    return json.loads(archive.read(names[0])).get("components", []) if names else []


def _headers(module: bytes) -> Component:
    """pybind11, whose headers are part of the native module."""
    version, compiler = (text.decode() for text in HEADERS.search(module).groups())
    return Component(
        type=ComponentType.LIBRARY,
        name="pybind11",
        version=version,
        scope=ComponentScope.REQUIRED,
        licenses=[LicenseFactory().make_from_string(LICENSES["pybind11"])],
        purl=PackageURL("pypi", name="pybind11", version=version),
        properties=[Property(name="pynn:compiled-by", value=compiler)],
        bom_ref="pybind11",
    )


def _sha256(content: bytes) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--output", "-o", type=Path, required=True)
    options = parser.parse_args()
    text = JsonV1Dot6(bill_of(options.wheel)).output_as_string(indent=2)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"not valid CycloneDX: {error}")
    options.output.write_text(text + "\n")
    parts = json.loads(text)["components"]
    print(f"{options.output.name}: " + ", ".join(f"{p['name']} {p.get('version', '')}".strip() for p in parts))


if __name__ == "__main__":
    main()
