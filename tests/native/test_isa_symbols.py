"""No object file of one ISA may define a symbol that the linker could merge with another ISA's copy."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Compiler-made helpers that belong to no namespace.
HARMLESS = re.compile(r"^(DW\.ref\.|_?_?GLOBAL_|\.omp|typeinfo|vtable)")


def kernel_objects():
    return sorted(ROOT.glob("build/*/csrc/CMakeFiles/_core_kernels_*.dir/**/*.o"))


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_kernels_stay_in_their_own_namespace():
    objects = kernel_objects()
    if not objects:
        pytest.skip("the build folder is not beside the tests (installed wheel)")
    for path in objects:
        isa = re.search(r"_core_kernels_(\w+)\.dir", str(path)).group(1)
        out = subprocess.run(["nm", "-C", "--defined-only", path], capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            kind, name = line[17:18], line[19:]
            if kind in "TWVuBD" and not HARMLESS.match(name):
                assert name.startswith(f"pynn::{isa}::"), f"{path.name} ({isa}): {name}"
