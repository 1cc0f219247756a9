"""The C++ module believes nothing that it is told: each misuse is an exception, and the process lives on."""

import gc
import threading
import weakref

import numpy as np
import pytest

from pynn import _core
from pynn.executor.native import kernel_params

N = 64
F4, I8 = np.dtype("float32"), np.dtype("int64")


def record(nbytes=4 * N):
    return kernel_params("copy", {"nbytes": nbytes})


def program(instructions=None, slots=((N, F4), (N, F4)), arena_bytes=0, arena=None):
    if instructions is None:
        instructions = [("copy", "copy", record(), [("slot", 0, N, 4)], [("slot", 1, N, 4)])]
    return _core.Program("generic", list(instructions), list(slots), arena or _core.Arena(), arena_bytes)


def copying(source, target, params=None):
    return [("copy", "copy", record() if params is None else params, [source], [target])]


def test_the_program_that_is_misused_below_works():
    x, y = np.arange(N, dtype="float32"), np.zeros(N, "float32")
    program().run([x, y], 2)
    np.testing.assert_array_equal(x, y)


SLOT = ("slot", 0, N, 4)
READ_ONLY = np.zeros(N, "float32")
READ_ONLY.flags.writeable = False
MISALIGNED = np.zeros(4 * N + 4, "uint8")[1:-3].view("float32")

WRONG_OPERANDS = {
    "no such place": ("heap", 0, N, 4),
    "no such slot": ("slot", 2, N, 4),
    "negative slot": ("slot", -1, N, 4),
    "slot beyond 32 bits": ("slot", 2**40, N, 4),
    "larger than its slot": ("slot", 1, N + 1, 4),
    "larger by its items": ("slot", 1, N, 8),
    "negative size": ("slot", 1, -1, 4),
    "size that overflows": ("slot", 1, 2**62, 4),
    "size beyond 64 bits": ("slot", 1, 2**70, 4),
    "items of no size": ("slot", 1, N, 0),
    "items of negative size": ("slot", 1, N, -4),
    "product that overflows to something small": ("slot", 1, 2**61 + 1, 8),
    "behind the arena": ("arena", 4 * N, N, 4),
    "offset that overflows": ("arena", 2**63 - 64, N, 4),
    "negative offset": ("arena", -64, N, 4),
    "offset between lines": ("arena", 4, N, 4),
    "too few fields": ("slot", 1),
    "no tuple": 7,
    "fixed, but no array": ("fixed", [0.0] * N, N, 4),
    "fixed, but None": ("fixed", None, N, 4),
    "fixed and too small": ("fixed", np.zeros(N - 1, "float32"), N, 4),
    "fixed, of other items": ("fixed", np.zeros(N, "float64"), N, 4),
    "fixed, with gaps": ("fixed", np.zeros(2 * N, "float32")[::2], N, 4),
    "fixed, of objects": ("fixed", np.zeros(N, object), N, 8),
    "fixed and read-only": ("fixed", READ_ONLY, N, 4),
    "fixed and not aligned": ("fixed", MISALIGNED, N, 4),
}


@pytest.mark.parametrize("wrong", WRONG_OPERANDS.values(), ids=WRONG_OPERANDS)
def test_wrong_operands(wrong):
    with pytest.raises((ValueError, TypeError, IndexError, RuntimeError)):
        program(copying(SLOT, wrong), arena_bytes=4 * N)


@pytest.mark.parametrize(
    "params",
    [
        np.zeros(0, record().dtype),
        np.zeros(2, record().dtype),
        np.zeros((), "int64"),
        np.zeros((), [("nbytes", "<i4")]),
        b"12345678",
        None,
    ],
    ids=["none", "two", "no record", "other fields", "bytes", "None"],
)
def test_wrong_attributes(params):
    with pytest.raises((ValueError, TypeError)):
        program([("copy", "copy", params, [SLOT], [("slot", 1, N, 4)])])


@pytest.mark.parametrize(
    "arguments",
    [
        {"instructions": [("copy", "no such kernel", record(), [SLOT], [SLOT])]},
        {"instructions": [("copy",)]},
        {"instructions": [None]},
        {"instructions": [("f", len, [], [SLOT], [("slot", 1, N, 4)])]},
        {"instructions": [("f", len, [([N], F4), ([N + 1], F4)], [SLOT], [("slot", 1, N, 4)])]},
        {"instructions": [("f", len, [([N], F4), ([-N], F4)], [SLOT], [("slot", 1, N, 4)])]},
        {"instructions": [("f", len, [([N], F4), ([2**62, 8], F4)], [SLOT], [("slot", 1, N, 4)])]},
        {"instructions": [("f", len, [([N], F4), ([N // 2], np.dtype(object))], [SLOT], [("slot", 1, N // 2, 8)])]},
        {"slots": [(-1, F4), (N, F4)]},
        {"slots": [(2**62, F4), (N, F4)]},
        {"slots": [(N, np.dtype(object)), (N, F4)]},
        {"slots": [(N, np.dtype("S4")), (N, F4)]},
        {"arena_bytes": -1},
        {"arena_bytes": 2**62},
        {"arena": "an arena"},
    ],
)
def test_wrong_programs(arguments):
    with pytest.raises((ValueError, TypeError, IndexError, KeyError, RuntimeError)):
        program(**arguments)


def test_no_arena_and_no_such_instruction_set():
    with pytest.raises((ValueError, TypeError)):
        _core.Program("generic", [], [], None, 0)
    with pytest.raises(ValueError, match="not in this build"):
        _core.Program("z80", [], [], _core.Arena(), 0)


X, Y = np.arange(N, dtype="float32"), np.zeros(N, "float32")
WRONG_ARRAYS = {
    "too few": [X],
    "too many": [X, Y, Y],
    "no array": [X, [0.0] * N],
    "None": [None, Y],
    "other dtype": [X.astype("int32"), Y],
    "other byte order": [X.astype(">f4"), Y],
    "too small": [X, Y[:-1]],
    "too large": [np.zeros(N + 1, "float32"), Y],
    "with gaps": [np.zeros(2 * N, "float32")[::2], Y],
    "backwards": [X, Y[::-1]],
    "one number everywhere": [np.broadcast_to(np.float32(1), (N,)), Y],
    "read-only result": [X, READ_ONLY],
    "misaligned result": [X, MISALIGNED],
}


@pytest.mark.parametrize("arrays", WRONG_ARRAYS.values(), ids=WRONG_ARRAYS)
def test_wrong_arrays(arrays):
    for call in (program().run, program().profile):
        with pytest.raises((ValueError, TypeError)):
            call(list(arrays), 1)


def test_a_misaligned_input_is_read_right():
    source = MISALIGNED.copy().view("uint8")
    buffer = np.zeros(len(source) + 8, "uint8")
    misaligned = buffer[1 : 1 + len(source)].view("float32")
    misaligned[...] = np.arange(N)
    assert not misaligned.flags.aligned
    y = np.zeros(N, "float32")
    program().run([misaligned, y], 1)
    np.testing.assert_array_equal(y, np.arange(N))


@pytest.mark.parametrize("threads", [-5, 0, 3])
def test_any_number_of_threads_is_taken(threads):
    y = np.zeros(N, "float32")
    program().run([X, y], threads)
    np.testing.assert_array_equal(X, y)


def test_only_capsules_of_batches_are_background_work():
    import datetime

    for other in (7, "capsule", datetime.datetime_CAPI):  # the last is a capsule, of something else
        with pytest.raises((ValueError, TypeError)):
            program().run([X, np.zeros(N, "float32")], 1, other)


def test_what_a_program_needs_lives_as_long_as_the_program():
    fixed, arena = np.arange(N, dtype="float32"), _core.Arena()
    alive = weakref.ref(fixed)
    made = program(copying(("fixed", fixed, N, 4), ("slot", 0, N, 4)), slots=[(N, F4)], arena=arena)
    del fixed, arena
    gc.collect()
    np.zeros(10 * N)
    y = np.zeros(N, "float32")
    made.run([y], 1)
    np.testing.assert_array_equal(y, np.arange(N))
    del made
    assert alive() is None


def test_a_list_that_another_thread_empties_meanwhile():
    """The arrays of a run are held by the run."""
    n = 1 << 20
    big = _core.Program(
        "generic",
        [("copy", "copy", record(4 * n), [("slot", 0, n, 4)], [("slot", 1, n, 4)])] * 20,
        [(n, F4), (n, F4)],
        _core.Arena(),
        0,
    )
    for _ in range(10):
        arrays = [np.ones(n, "float32"), np.zeros(n, "float32")]
        thread = threading.Thread(target=big.run, args=(arrays, 2))
        thread.start()
        arrays.clear()
        thread.join()


def test_sizes_that_no_machine_has():
    huge = program(copying(("arena", 0, N, 4), ("slot", 0, N, 4)), slots=[(N, F4)], arena_bytes=1 << 55)
    with pytest.raises(MemoryError):
        huge.run([np.zeros(N, "float32")], 1)
    assert huge.value_bytes == 1 << 55


def test_locks_are_not_taken_twice():
    _core.lock_runs()
    try:
        assert _core.runs_here()
        with pytest.raises(RuntimeError, match="inside another one"):
            program().run([X, np.zeros(N, "float32")], 1)
        with pytest.raises(RuntimeError, match="inside another one"):
            _core.lock_runs()
    finally:
        _core.unlock_runs()
    assert not _core.runs_here()
    with pytest.raises(RuntimeError, match="does not hold"):
        _core.unlock_runs()
