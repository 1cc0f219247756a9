"""Batcher and its Cython code against the NumPy twin."""

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn.data import _batching
from pynn.data.batcher import Batcher
from pynn.data.batching_reference import gather
from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.executor.native import NativeProgram
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops.matmul import Matmul

SOURCES = ["uint8", "int8", "uint16", "int16", "int32", "int64", "uint32", "uint64", "bool"]
SOURCES += ["float16", "float32", "float64", ">f4", ">i8"]


def numbers(shape, dtype, seed=0):
    """Numbers that each dtype holds exactly."""
    values = np.random.default_rng(seed).integers(0, 100, shape)
    return (values % 2 if dtype == "bool" else values).astype(dtype)


def assert_epoch(batcher, sources, order, dtypes, one_hot):
    count = len(sources[0]) if order is None else len(order)
    seen = 0
    for step in range(batcher.steps):
        batch = batcher.fill(step)
        rows = min(batcher.batch_size, count - seen)
        assert batcher.rows_in(step) == rows
        for array, source, dtype, depth in zip(batch, sources, dtypes, one_hot, strict=True):
            expected = gather(source, order, seen, rows, dtype, depth)
            assert array.dtype == dtype
            assert array.shape == expected.shape
            np.testing.assert_array_equal(array, expected)
        seen += rows
    assert seen == count


@settings(deadline=None, max_examples=60)
@given(
    source=st.sampled_from(SOURCES),
    target=st.sampled_from(["float32", "int32", "float64", "int64", "uint8"]),
    rows=st.integers(1, 70),
    trailing=st.lists(st.integers(1, 9), max_size=3),
    batch_size=st.integers(1, 80),
    classes=st.sampled_from([None, 2, 100]),
    shuffled=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_batches_equal_the_twin(source, target, rows, trailing, batch_size, classes, shuffled, seed):
    x = numbers((rows, *trailing), source, seed)
    y = numbers((rows,), "int64", seed + 1) % (classes or 50)
    dtypes, one_hot = [target, "float32" if classes else "int32"], [None, classes]
    batcher = Batcher([x, y], dtypes, batch_size, one_hot=one_hot)
    assert_epoch(batcher, [x, y], None, dtypes, one_hot)
    if shuffled:
        order = np.random.default_rng(seed).integers(0, rows, rows + seed % 5)
        batcher.begin_epoch(order)
        assert_epoch(batcher, [x, y], order, dtypes, one_hot)


@pytest.mark.parametrize("source", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("shape", [(100, 3000), (7, 20_000), (5, 6145), (600, 1)])
def test_rows_around_the_size_of_a_task(source, shape):
    x = numbers(shape, source)
    order = np.random.default_rng(0).permutation(len(x))
    batcher = Batcher([x], ["float32"], 300)
    for rows in (None, order):
        batcher.begin_epoch(rows)
        assert_epoch(batcher, [x], rows, ["float32"], [None])


@pytest.mark.parametrize(
    "view", [lambda a: a[:, ::2], lambda a: a[::-1], lambda a: a.transpose(0, 2, 1), np.asfortranarray]
)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "bool"])
def test_arrays_that_are_not_contiguous(view, dtype):
    x = view(numbers((11, 4, 6), dtype))
    order = np.arange(11)[::-1]
    batcher = Batcher([x], ["float32"], 4)
    batcher.begin_epoch(order)
    assert_epoch(batcher, [x], order, ["float32"], [None])


def test_rows_in_order_are_the_users_own_memory():
    x, y = numbers((10, 3), "float32"), numbers((10,), "int64")
    batcher = Batcher([x, y], ["float32", "int32"], 4)
    batch, labels = batcher.fill(1)
    assert np.shares_memory(batch, x)
    assert not np.shares_memory(labels, y)
    assert batcher.task(0) is not None  # the labels are converted
    assert Batcher([x], ["float32"], 4).task(0) is None


def test_read_only_arrays_are_fine():
    x = numbers((10, 3), "uint8")
    x.flags.writeable = False
    assert_epoch(Batcher([x], ["float32"], 4), [x], None, ["float32"], [None])


def test_buffers_alternate_and_are_aligned():
    batcher = Batcher([numbers((12, 5), "uint8")], ["float32"], 4)
    batcher.begin_epoch(np.arange(12))
    first, second, third = (batcher.fill(step)[0] for step in range(3))
    assert not np.shares_memory(first, second)
    assert np.shares_memory(first, third)
    assert first.ctypes.data % 64 == second.ctypes.data % 64 == 0


def test_an_order_may_repeat_rows_beyond_the_length_of_the_data():
    x = numbers((3, 2), "uint8")
    order = np.array([2, 0, 1, 2, 2, 0, 1, 1, 0, 2])
    batcher = Batcher([x], ["float32"], 8)
    batcher.begin_epoch(order)
    assert batcher.steps == 2
    assert_epoch(batcher, [x], order, ["float32"], [None])


def test_the_order_is_copied():
    x = numbers((6, 2), "uint8")
    order = np.arange(6)
    batcher = Batcher([x], ["float32"], 6)
    batcher.begin_epoch(order)
    order[:] = 10**9
    np.testing.assert_array_equal(batcher.fill(0)[0], x)


def test_tasks_may_be_done_by_several_threads_in_any_grouping():
    x = numbers((700, 784), "uint8")
    y = numbers((700,), "int64") % 10
    order = np.random.default_rng(0).permutation(700)
    batcher = Batcher([x, y], ["float32", "float32"], 512, one_hot=[None, 10])
    batcher.begin_epoch(order)
    capsule = batcher.task(0)
    total = _batching.run_task(capsule, 0, 0)
    assert total > 20
    bounds = [0, 1, 2, 9, total - 3, total]
    threads = [
        threading.Thread(target=_batching.run_task, args=(capsule, begin, end))
        for begin, end in itertools.pairwise(bounds)
    ]
    for thread in reversed(threads):
        thread.start()
    for thread in threads:
        thread.join()
    images, labels = batcher.buffers(0)
    np.testing.assert_array_equal(images, gather(x, order, 0, 512, "float32"))
    np.testing.assert_array_equal(labels, gather(y, order, 0, 512, "float32", 10))


def test_a_capsule_outlives_its_batcher():
    capsule = Batcher([numbers((10, 3), "uint8")], ["float32"], 4).task(1)
    assert _batching.run_task(capsule) == 1


def test_run_task_refuses_other_objects():
    with pytest.raises(ValueError, match="PyCapsule_GetPointer called with invalid PyCapsule object"):
        _batching.run_task(object())


def test_one_hot_stays_inside_its_row_if_labels_change_later():
    y = np.zeros(8, np.int64)
    batcher = Batcher([y], ["float32"], 8, one_hot=[3])
    y[:] = [0, 1, 2, 3, -1, 10**12, -(10**12), 1]
    batch = batcher.fill(0)[0]
    np.testing.assert_array_equal(batch.sum(axis=1), [1, 1, 1, 0, 0, 0, 0, 1])


def test_bool_becomes_zero_and_one():
    x = np.array([[True, False], [False, True]])
    np.testing.assert_array_equal(Batcher([x], ["float32"], 2).fill(0)[0], [[1, 0], [0, 1]])


X = np.zeros((4, 2), np.float32)


@pytest.mark.parametrize(
    ("error", "text", "arrays", "dtypes", "options"),
    [
        (ArgumentError, "needs at least one array", [], [], {}),
        (ArgumentError, "dtypes has 1 entries for 2 arrays", [X, X], ["float32"], {}),
        (ArgumentError, "one_hot has 1 entries for 2 arrays", [X, X], ["float32"] * 2, {"one_hot": [None]}),
        (ArgumentError, r"'x': the target dtype must be one of .*received 'float16'", [X], ["float16"], {}),
        (ShapeError, r"'x': needs at least one row .*received shape \(\)", [np.float32(1)], ["float32"], {}),
        (ShapeError, r"'x': needs at least .*received shape \(0, 3\)", [np.zeros((0, 3))], ["float32"], {}),
        (ShapeError, "same number of rows, received: 'x' 4, 'y' 3", [X, X[:3]], ["float32"] * 2, {}),
        (DtypeError, "'x': needs numbers .*dtype object.*different lengths", [np.array([[1], "a"], object)],
         ["float32"], {}),
        (DtypeError, "'x': needs numbers .*dtype <U1; turn texts", [np.array(["a"])], ["float32"], {}),
        (DtypeError, "'x': needs numbers .*complex128", [np.zeros(3, complex)], ["float32"], {}),
        (DtypeError, "'x': has values from 0 to 4294967296, but int32 holds -2147483648 to 2147483647",
         [np.array([0, 2**32])], ["int32"], {}),
        (DtypeError, "'x': has values from -1 to 2, but uint32 holds", [np.array([-1, 2])], ["uint32"], {}),
        (DtypeError, "'x': has dtype float64 and values that are not whole", [np.array([0.5])], ["int32"], {}),
        (DtypeError, "'x': has dtype float64 and values that are not whole", [np.array([np.nan])], ["int32"], {}),
        (DtypeError, "'x': has values from 0.0 to inf", [np.array([np.inf, 0])], ["int32"], {}),
        (ArgumentError, "'x': has labels from 0 to 3, but one_hot=3 allows 0 to 2", [np.arange(4)], ["float32"],
         {"one_hot": [3]}),
        (ArgumentError, "'x': one-hot rows are float32", [np.arange(4)], ["int32"], {"one_hot": [4]}),
        (DtypeError, "'x': one_hot needs integer labels, received dtype float32", [X[:, 0]], ["float32"],
         {"one_hot": [4]}),
        (ShapeError, r"'x': one_hot needs one label a row.*received \(4, 2\)", [X.astype(int)], ["float32"],
         {"one_hot": [4]}),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(error, text, arrays, dtypes, options):
    with pytest.raises(error, match=text):
        Batcher(arrays, dtypes, 2, names=["x", "y"][: len(arrays)], **options)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, True, None])
def test_batch_size_must_be_a_positive_integer(batch_size):
    with pytest.raises(ArgumentError, match="batch_size must be an integer from 1 up"):
        Batcher([X], ["float32"], batch_size)


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ([0, 4], r"order\[1\] is 4, but the arrays have rows 0 to 3"),
        ([0, 1, -1], r"order\[2\] is -1"),
        ([-(2**63)], r"order\[0\] is -9223372036854775808"),
        ([0.0], "order: must be integer row numbers in one axis, received float64"),
        ([[0]], r"received int64 of shape \(1, 1\)"),
        ([], r"of shape \(0,\)"),
    ],
)
def test_order_is_checked(order, text):
    batcher = Batcher([X], ["float32"], 2)
    with pytest.raises(ArgumentError, match=text):
        batcher.begin_epoch(np.array(order))


def test_step_is_checked():
    batcher = Batcher([X], ["float32"], 2)
    for step in (-1, 2):
        with pytest.raises(ArgumentError, match=f"step must be from 0 to 1, received {step}"):
            batcher.fill(step)


def test_it_prints():
    text = repr(Batcher([numbers((6, 2), "uint8")], ["float32"], 4, names=["x"]))
    assert text == "<Batcher x uint8(6, 2) -> float32; 2 batches of 4>"


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_program_fills_the_next_batch_while_it_runs(threads):
    x, w = numbers((600, 784), "uint8"), numbers((784, 32), "float32")
    order = np.random.default_rng(0).permutation(600)
    batcher = Batcher([x], ["float32"], 200)
    batcher.begin_epoch(order)
    with Trace() as trace:
        graph = trace.finish([Matmul()(trace.input("x", Spec((200, 784))), trace.input("w", Spec((784, 32))))])
    program = NativeProgram(graph, threads=threads)
    batch = batcher.fill(0)[0]
    for step in range(batcher.steps):
        following = batcher.task(step + 1) if step + 1 < batcher.steps else None
        (y,) = program([batch, w], background=following)
        np.testing.assert_array_equal(y, batch @ w)  # whole numbers below 2**24: exact in any order
        if following is not None:
            batch = batcher.buffers(step + 1)[0]
            np.testing.assert_array_equal(batch, gather(x, order, (step + 1) * 200, 200, "float32"))
