"""The rules of ARCHITECTURE.md that a machine can hold: which part may import which, and what kernels may include."""

import ast
import pkgutil
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: Lower may not import higher.  Parts that are not listed may import anything.
LEVELS = {
    "errors": 0,
    "reference": 0,
    "graph": 2,
    "ops": 3,
    "executor": 4,
    "data": 4,
    "autodiff": 5,
    "layers": 5,
    "losses": 5,
    "metrics": 5,
    "optimizers": 5,
    "models": 6,
}
#: The passes work with ops and fold constants by their meaning; ops are part of the graph's vocabulary there.
EXEMPT = {ROOT / "pynn" / "graph" / "passes", ROOT / "pynn" / "graph" / "autodiff.py"}


def imports_of(path):
    """(module, is at module level) of every import in a file."""
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node in top
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module, node in top


def files_of(part):
    folder = ROOT / "pynn" / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_reference_imports_numpy_only():
    allowed = {"numpy", "__future__", "math", "typing", "collections"}
    for path in files_of("reference"):
        modules = {m.split(".")[0] for m, _ in imports_of(path)}
        if path.name == "__init__.py":
            modules -= {"importlib", "pkgutil", "collections", "functools", "typing"}
        assert modules - allowed - {"pynn"} == set(), path
        assert all(m.startswith("pynn.reference") for m, _ in imports_of(path) if m.startswith("pynn")), path


@pytest.mark.parametrize("part", sorted(LEVELS))
def test_imports_run_one_way(part):
    for path in files_of(part):
        if any(path == e or e in path.parents for e in EXEMPT):
            continue
        for module, at_top in imports_of(path):
            pieces = module.split(".")
            if pieces[0] != "pynn" or len(pieces) < 2 or not at_top:
                continue
            other = LEVELS.get(pieces[1])
            assert other is None or other <= LEVELS[part], f"{path.relative_to(ROOT)} imports {module}"


def test_kernels_include_only_what_they_may():
    allowed = re.compile(r'#include ("kernels/|"simd/|"pynn/|<math\.h>|<stdint\.h>|<string\.h>)')
    for path in (ROOT / "csrc" / "kernels").iterdir():
        for line in path.read_text().splitlines():
            if line.startswith("#include"):
                assert allowed.match(line), f"{path.name}: {line}"


def test_the_runtime_never_includes_simd():
    for path in (ROOT / "csrc" / "runtime").iterdir():
        assert "simd/" not in path.read_text(), path.name


def test_kernels_hold_no_threads_and_no_allocation():
    forbidden = re.compile(r"#pragma omp|\bmalloc\(|\bnew\b [A-Za-z]|std::|omp_get")
    for path in [*(ROOT / "csrc" / "kernels").iterdir(), *(ROOT / "csrc" / "simd").iterdir()]:
        code = re.sub(r"//.*", "", path.read_text())
        assert not forbidden.search(code), path.name


def test_importing_pynn_loads_no_heavy_module():
    code = (
        "import sys, numpy; import pynn; "
        "print([m for m in ('tqdm', 'matplotlib', 'h5py', 'pooch', 'pynn._core') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_source_folder_says_that_it_is_not_the_installed_package(tmp_path):
    """A Python started in a clone finds the folder `pynn` without its compiled part."""
    (tmp_path / "pynn").mkdir()
    (tmp_path / "pynn" / "__init__.py").write_text((ROOT / "pynn" / "__init__.py").read_text())
    code = "import pynn; from pynn import _core"
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "this is the source folder, not the installed package" in run.stderr
    assert "pip install -e ." in run.stderr


def test_the_package_stays_small():
    """Everything that a wheel installs, unpacked; a packed wheel is smaller still."""
    import pynn
    from pynn import _core
    from pynn.data import _batching

    sources = sum(path.stat().st_size for path in Path(pynn.__file__).parent.rglob("*.py"))
    binaries = sum(Path(module.__file__).stat().st_size for module in (_core, _batching))
    assert sources + binaries < 10_000_000


def pages():
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_files_and_folders_that_pages_name_exist():
    """In backticks, from the root or from any folder below it; the ops of the worked examples are made up."""
    parts = ("pynn", "csrc", "docs", "tests", "examples", "benchmarks", "packaging", ".ci")
    files = [*ROOT.glob("*.*"), *(file for part in parts for file in (ROOT / part).rglob("*") if file.is_file())]
    known = set()
    for file in files:
        steps = file.relative_to(ROOT).parts
        for i in range(len(steps)):
            known.add("/".join(steps[i:]))
            known.update("/".join(steps[i:j]) + "/" for j in range(i + 1, len(steps)))
    named = re.compile(r"`([\w.*-]+(?:/[\w.*-]+)*(?:/|\.(?:py|pyx|cpp|h|def|cmake|md|toml)))`")
    found = [(page, name) for page in pages() for name in named.findall(page.read_text())]
    assert len(found) > 100
    missing = [
        f"{page.relative_to(ROOT)}: {name}"
        for page, name in found
        if name not in known and not any("*" in name and fnmatch(file, name) for file in known)
    ]
    assert [line for line in missing if "discount" not in line] == []


def test_names_that_pages_use_exist():
    """``pynn.x.y`` in backticks."""
    for page in pages():
        for name in re.findall(r"`(pynn(?:\.\w+)+)", page.read_text()):
            if name == "pynn.ops.discounted_sum":  # a worked example
                continue
            assert pkgutil.resolve_name(name) is not None, f"{page.relative_to(ROOT)}: {name}"
