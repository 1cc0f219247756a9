"""The fuzzers, briefly: some hundred new cases each, all that was ever found, and whether they would notice.

Each runs as its own command, since a case may kill the process.  ``python tests/fuzz/ops.py --help`` tells the rest.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("hypothesis")
pytest.importorskip("h5py")
pytest.importorskip("PIL")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="guard pages and limits are Linux's")

HERE = Path(__file__).parent
CASES = {"ops": 1200, "layers": 800, "files": 700}


def run(script, *options, folder=None):
    command = [sys.executable, str(script), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)


@pytest.mark.parametrize("fuzzer", CASES)
def test_new_cases(fuzzer, tmp_path):
    """The same in each run: hypothesis is seeded."""
    done = run(HERE / f"{fuzzer}.py", "--cases", CASES[fuzzer], "--seed", 1, "--jobs", 2, folder=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "0 crashes, 0 findings" in done.stdout


@pytest.mark.parametrize("fuzzer", CASES)
def test_what_was_found_stays_mended(fuzzer, tmp_path):
    done = run(HERE / f"{fuzzer}.py", "--replay", HERE / "corpus" / f"{fuzzer}.jsonl", folder=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def python(code, folder):
    program = f"import sys; sys.path.insert(0, {str(HERE)!r})\n{code}"
    done = run("-c", program, folder=folder)
    return done


def test_all_functions_and_formats_have_cases(tmp_path):
    """What is new in pynn.ops fails here until op_arguments.py says how it is called."""
    code = "from op_arguments import BUILDERS, functions; print(sorted(set(functions()) ^ set(BUILDERS)))"
    assert python(code, tmp_path).stdout.strip() == "[]"


def test_guarded_arrays_kill_who_leaves_them(tmp_path):
    code = (
        "from guarded import guarded; import numpy as np, ctypes\n"
        "a = guarded((5,), 'float32'); a[:] = 1.0\n"
        "print(a.sum(), flush=True)\n"
        "ctypes.memset(a.ctypes.data + {}, 0, 4)"
    )
    inside, outside = (python(code.format(at), tmp_path) for at in (16, 20))
    assert (inside.stdout.strip(), outside.stdout.strip()) == ("5.0", "5.0")
    assert inside.returncode == 0
    assert outside.returncode < 0


PLANTED = '''
"""A fuzzer of functions with planted defects."""
import os, sys, time
sys.path.insert(0, {here!r})
import harness
from hypothesis import strategies as st

def strategy(only=None):
    return st.fixed_dictionaries({{"name": st.sampled_from(["fine", "kills", "raises"]), "number": st.integers(0, 99)}})

def check(case):
    if case["name"] == "kills" and case["number"] in range(60, 65):
        os.kill(os.getpid(), 11)
    if case["name"] == "raises" and case["number"] > 30:
        return harness.unexpected(KeyError("x"), "raises")
    return "fine"

if __name__ == "__main__":
    harness.main(harness.Fuzzer("planted", strategy, check), __file__)
'''


def test_planted_defects_are_found_and_kept(tmp_path):
    script = tmp_path / "planted.py"
    script.write_text(PLANTED.format(here=str(HERE)))
    done = run(script, "--cases", 900, "--findings", "found.jsonl", folder=tmp_path)
    assert done.returncode == 1
    found = {row["kind"]: row["case"] for row in map(json.loads, (tmp_path / "found.jsonl").read_text().splitlines())}
    assert set(found) == {"raises: KeyError in nowhere in pynn", "killed by SIGSEGV: kills"}
    assert found["raises: KeyError in nowhere in pynn"]["number"] == 31  # the smallest
    cases = int(done.stdout.split("planted: ")[1].split()[0])
    assert cases >= 900
