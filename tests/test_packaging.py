"""What a release says about itself, and that packaging/check_wheel.py objects to what it should."""

import importlib.util
import re
import zipfile
from pathlib import Path

import pytest

import pynn

ROOT = Path(__file__).parents[1]
METADATA = """Metadata-Version: 2.4
Name: pynn-engine
Version: 0.1.0
License-Expression: Apache-2.0
License-File: LICENSE
Requires-Dist: numpy>=2.0
Requires-Dist: tqdm>=4.66
Requires-Dist: pooch>=1.8; extra == "data"
"""
GOOD = {
    "pynn/__init__.py": "",
    "pynn/_core.cpython-311-x86_64-linux-gnu.so": "machine code, and /sys/fs/cgroup/cpu.max",
    "pynn/data/_batching.cpython-311-x86_64-linux-gnu.so": "machine code",
    "pynn_engine.libs/libgomp-24e2ab19.so.1.0.0": "machine code",
    "pynn_engine-0.1.0.dist-info/METADATA": METADATA,
}


@pytest.fixture(scope="module")
def check_wheel():
    spec = importlib.util.spec_from_file_location("check_wheel", ROOT / "packaging" / "check_wheel.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(folder, members):
    path = folder / "pynn_engine-0.1.0-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_versions_agree():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE).group(1)
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
    assert pynn.__version__ == version


def test_each_python_with_a_wheel_is_in_the_classifiers():
    text = (ROOT / "pyproject.toml").read_text()
    built = {(major, minor) for major, minor in re.findall(r'"cp(3)(\d+)-\*"', text)}
    named = set(re.findall(r'"Programming Language :: Python :: (3)\.(\d+)"', text))
    assert built == named
    assert len(built) == 5


def test_a_good_wheel_passes(check_wheel, tmp_path):
    assert check_wheel.problems_of(wheel(tmp_path, GOOD), ["/somewhere"]) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"docs/x.txt": ""}, "docs/x.txt: does not belong into a wheel"),
        ({"pynn/data/_batching.pyx": ""}, "pynn/data/_batching.pyx: needed for building only"),
        ({"pynn/_core.cpython-311-x86_64-linux-gnu.so": None}, "pynn/_core: the compiled module is missing"),
        ({"pynn/more.so": "\0/root/pynn/csrc/a.h\0"}, "pynn/more.so: names /root/pynn/csrc/a.h"),
        ({"pynn/more.so": "\0/here/a.h\0"}, "pynn/more.so: names /here"),
        (
            {"pynn_engine-0.1.0.dist-info/METADATA": METADATA + "Requires-Dist: torch\n"},
            "requires ['numpy', 'torch', 'tqdm'], expected ['numpy', 'tqdm']",
        ),
        (
            {"pynn_engine-0.1.0.dist-info/METADATA": METADATA.replace("License-File: LICENSE\n", "")},
            "no licence",
        ),
    ],
)
def test_a_bad_wheel_does_not(check_wheel, tmp_path, changed, problem):
    members = {name: content for name, content in {**GOOD, **changed}.items() if content is not None}
    assert check_wheel.problems_of(wheel(tmp_path, members), ["/here"]) == [problem]


def test_a_large_wheel_does_not(check_wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(check_wheel, "MOST_BYTES", 100)
    [problem] = check_wheel.problems_of(wheel(tmp_path, GOOD), [])
    assert problem.endswith("bytes, more than 100")
