"""Pipelines: what each method gives, in what order, how often it is asked, and how it ends."""

import gc
import threading
import time
import warnings

import numpy as np
import pytest

import pynn
from pynn.data import AUTOTUNE, Dataset, TensorSpec
from pynn.errors import ArgumentError, DtypeError, ShapeError


def numbers(dataset):
    return [np.asarray(e).tolist() for e in dataset]


def test_rows_of_nested_arrays():
    x, y = np.arange(6.0, dtype="float32").reshape(3, 2), np.array(["a", "b", "c"])
    dataset = Dataset.from_tensor_slices(({"x": x, "n": [1, 2, 3]}, y))
    first = next(iter(dataset))
    assert first[0]["x"].numpy().tolist() == [0.0, 1.0]
    assert first[0]["n"].dtype == np.int32
    assert str(first[1]) == "a"
    assert dataset.element_spec == (
        {"x": TensorSpec((2,), "float32"), "n": TensorSpec((), "int32")},
        TensorSpec((), "string"),
    )
    assert len(dataset) == int(dataset.cardinality()) == 3


def test_rows_must_be_equally_many():
    with pytest.raises(ShapeError, match="same number of rows, received shapes"):
        Dataset.from_tensor_slices((np.ones(3), np.ones(4)))
    with pytest.raises(ShapeError, match="from_tensors"):
        Dataset.from_tensor_slices(3.0)
    with pytest.raises(ShapeError, match="pad_sequences"):
        Dataset.from_tensor_slices([[1], [1, 2]])
    with pytest.raises(DtypeError, match="expected arrays, numbers or strings"):
        Dataset.from_tensors(object())


def test_batches_and_their_length():
    dataset = Dataset.range(7)
    assert numbers(dataset.batch(3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert numbers(dataset.batch(3, drop_remainder=True)) == [[0, 1, 2], [3, 4, 5]]
    assert [len(dataset.batch(3)), len(dataset.batch(3, drop_remainder=True))] == [3, 2]
    assert dataset.batch(3).element_spec == TensorSpec((None,), "int64")
    assert dataset.batch(3, True).element_spec == TensorSpec((3,), "int64")
    assert numbers(dataset.batch(3).unbatch()) == list(range(7))
    assert numbers(dataset.batch(3).rebatch(5)) == [[0, 1, 2, 3, 4], [5, 6]]
    ragged = Dataset.from_generator(lambda: ([0] * n for n in (1, 2)))
    with pytest.raises(ShapeError, match="padded_batch"):
        list(ragged.batch(2))
    with pytest.raises(ArgumentError, match=r"Dataset\.batch: batch_size must be a whole number from 1 up, received 0"):
        dataset.batch(0)


def test_padded_batches():
    ragged = Dataset.from_generator(lambda: ((np.arange(1, n + 1), n) for n in (1, 3)))
    (x, n), *_ = ragged.padded_batch(2)
    assert x.tolist() == [[1, 0, 0], [1, 2, 3]]
    assert n.tolist() == [1, 3]
    (x, n), *_ = ragged.padded_batch(2, padded_shapes=((5,), ()), padding_values=(-1, 0))
    assert x.tolist() == [[1, -1, -1, -1, -1], [1, 2, 3, -1, -1]]
    with pytest.raises(ShapeError, match="length 3 along axis 0, more than the 2"):
        list(ragged.padded_batch(2, padded_shapes=((2,), ())))
    words = Dataset.from_generator(lambda: iter([["a"], ["b", "cc"]])).padded_batch(2)
    assert next(iter(words)).tolist() == [["a", ""], ["b", "cc"]]


def test_maps_take_the_items_of_a_tuple_and_see_tensors():
    pairs = Dataset.from_tensor_slices((np.arange(3.0), np.arange(3)))
    assert [(float(a), int(b)) for a, b in pairs.map(lambda x, y: (x.numpy() * 2, y + 1))] == [(0, 1), (2, 2), (4, 3)]
    by_key = Dataset.from_tensor_slices({"a": np.arange(3)}).map(lambda e: e["a"] * 10)
    assert numbers(by_key) == [0, 10, 20]


def test_parallel_maps_keep_the_order_and_use_threads():
    seen = set()

    def slow(x):
        seen.add(threading.get_ident())
        time.sleep(0.01 * (5 - int(x) % 5))
        return x * 2

    assert numbers(Dataset.range(20).map(slow, num_parallel_calls=4)) == [2 * i for i in range(20)]
    assert len(seen) > 1
    assert numbers(Dataset.range(3).map(lambda x: x, num_parallel_calls=AUTOTUNE)) == [0, 1, 2]


@pytest.mark.parametrize("build", [
    lambda d, f: d.map(f),
    lambda d, f: d.map(f, num_parallel_calls=2),
    lambda d, f: d.map(f).prefetch(2),
    lambda d, f: d.map(f, num_parallel_calls=2).batch(2).prefetch(1),
])  # fmt: skip
def test_errors_reach_the_consumer(build):
    def fail(x):
        if int(x) == 3:
            raise KeyError("number three")
        return x

    with pytest.raises(KeyError, match="number three"):
        list(build(Dataset.range(6), fail))


@pytest.mark.parametrize("threads", [None, 2])
def test_errors_of_a_map_can_be_ignored(threads):
    def fail(x):
        if int(x) in (0, 3, 7):
            raise KeyError(f"number {int(x)}")
        return x * 10

    mapped = Dataset.range(8).map(fail, num_parallel_calls=threads)
    assert [int(x) for x in mapped.ignore_errors()] == [10, 20, 40, 50, 60]
    batches = mapped.batch(2).prefetch(1).ignore_errors(log_warning=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert [b.tolist() for b in batches] == [[10, 20], [40, 50], [60]]
    assert [str(w.message)[-10:] for w in caught] == ["'number 0'", "'number 3'", "'number 7'"]
    assert mapped.padded_batch(5).ignore_errors().cardinality() == pynn.data.UNKNOWN_CARDINALITY
    with pytest.raises(KeyError, match="number 0"):  # the data set itself is as it was
        list(mapped)
    with pytest.raises(ArgumentError, match="must follow map"):
        Dataset.range(8).ignore_errors()


def _threads():
    return [t for t in threading.enumerate() if t.name.startswith("Dataset")]


def test_prefetching_stops_when_nobody_wants_more():
    iterator = iter(Dataset.range(10**9).map(lambda x: x, num_parallel_calls=2).prefetch(3))
    assert [int(next(iterator)) for _ in range(3)] == [0, 1, 2]
    assert _threads()
    del iterator
    gc.collect()
    assert not _threads()
    assert numbers(Dataset.range(4).prefetch(AUTOTUNE).repeat(2)) == [0, 1, 2, 3] * 2
    assert not _threads()


def test_prefetching_works_ahead():
    made = []
    iterator = iter(Dataset.range(5).map(lambda x: (made.append(int(x)), x)[1]).prefetch(2))
    next(iterator)
    deadline = time.time() + 5
    while len(made) < 3 and time.time() < deadline:
        time.sleep(0.01)
    assert len(made) >= 3


def test_shuffling_is_complete_and_repeatable():
    dataset = Dataset.range(50).shuffle(50, seed=1)
    first, second = numbers(dataset), numbers(dataset)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != list(range(50))
    assert first != second  # anew in each iteration
    again = Dataset.range(50).shuffle(50, seed=1)
    assert [first, second] == [numbers(again), numbers(again)]
    fixed = Dataset.range(50).shuffle(50, seed=1, reshuffle_each_iteration=False)
    assert numbers(fixed) == numbers(fixed) == first
    small = numbers(Dataset.range(50).shuffle(3, seed=1))
    assert sorted(small) == list(range(50))
    assert all(value <= place + 2 for place, value in enumerate(small))  # only the next three are in the buffer


def test_shuffling_follows_the_global_seed():
    pynn.utils.set_random_seed(5)
    first = numbers(Dataset.range(20).shuffle(20))
    pynn.utils.set_random_seed(5)
    assert numbers(Dataset.range(20).shuffle(20)) == first


def test_repeat_take_skip_shard_concatenate_filter():
    dataset = Dataset.range(4)
    assert numbers(dataset.repeat(2)) == [0, 1, 2, 3] * 2
    assert numbers(dataset.repeat().take(6)) == [0, 1, 2, 3, 0, 1]
    assert numbers(dataset.take(-1)) == numbers(dataset)
    assert numbers(dataset.skip(3)) == [3]
    assert numbers(dataset.skip(-1)) == numbers(dataset.repeat(0)) == []
    assert numbers(dataset.shard(2, 1)) == [1, 3]
    assert numbers(dataset.concatenate(Dataset.range(2))) == [0, 1, 2, 3, 0, 1]
    assert numbers(dataset.filter(lambda x: x % 2 == 1)) == [1, 3]
    assert numbers(dataset.take_while(lambda x: x < 2)) == [0, 1]
    assert [(int(i), int(e)) for i, e in dataset.skip(2).enumerate(7)] == [(7, 2), (8, 3)]
    assert numbers(Dataset.range(0).repeat()) == []


@pytest.mark.parametrize(("dataset", "length"), [
    (lambda d: d.repeat(3), 12),
    (lambda d: d.repeat(), -1),
    (lambda d: d.repeat().take(5), 5),
    (lambda d: d.repeat().batch(3), -1),
    (lambda d: d.filter(bool), -2),
    (lambda d: d.skip(9), 0),
    (lambda d: d.shard(3, 0), 2),
    (lambda d: d.concatenate(d.repeat()), -1),
    (lambda d: Dataset.zip(d, d.repeat()), 4),
    (lambda d: Dataset.zip(d, d.filter(bool)), -2),
    (lambda d: d.map(lambda x: x).cache().prefetch(1).shuffle(2), 4),
    (lambda d: d.window(3, 1, drop_remainder=True), 2),
])  # fmt: skip
def test_lengths(dataset, length):
    made = dataset(Dataset.range(4))
    assert int(made.cardinality()) == length
    if length >= 0:
        assert len(made) == len(list(made)) == length
    else:
        with pytest.raises(TypeError, match="infinite" if length == -1 else "unknown"):
            len(made)


def test_caches_are_filled_by_a_whole_reading_only():
    made = []
    dataset = Dataset.range(3).map(lambda x: (made.append(int(x)), x)[1]).cache()
    list(dataset.take(2))
    assert made == [0, 1]
    assert numbers(dataset) == numbers(dataset) == [0, 1, 2]
    assert made == [0, 1, 0, 1, 2]
    with pytest.raises(ArgumentError, match="only memory is supported"):
        dataset.cache("file")


def test_windows_and_interleaving():
    windows = Dataset.range(7).window(3, shift=2, stride=2, drop_remainder=True)
    assert numbers(windows.flat_map(lambda w: w.batch(3))) == [[0, 2, 4], [2, 4, 6]]
    assert [numbers(w) for w in Dataset.range(5).window(2)] == [[0, 1], [2, 3], [4]]
    pairs = Dataset.from_tensor_slices((np.arange(4), np.arange(4) * 10)).window(2)
    assert [(numbers(a), numbers(b)) for a, b in pairs] == [([0, 1], [0, 10]), ([2, 3], [20, 30])]
    rows = Dataset.range(3).interleave(lambda i: Dataset.from_tensors(i).repeat(2), cycle_length=2, block_length=1)
    assert numbers(rows) == [0, 1, 0, 1, 2, 2]


def test_generators_with_signatures():
    signature = (TensorSpec((2,), "float32"), TensorSpec((), "int64"))
    dataset = Dataset.from_generator(lambda: iter([([1, 2], 3)]), output_signature=signature)
    x, y = next(iter(dataset))
    assert (x.dtype, y.dtype, dataset.element_spec) == (np.float32, np.int64, signature)
    typed = Dataset.from_generator(lambda: iter([([1, 2], 3)]), ("float32", "int32"), ((None,), ()))
    assert next(iter(typed))[0].dtype == np.float32
    with pytest.raises(ShapeError, match="shape \\(3,\\), the signature says \\(2,\\)"):
        list(Dataset.from_generator(lambda: iter([([1, 2, 3], 3)]), output_signature=signature))
    with pytest.raises(ArgumentError, match="structure"):
        list(Dataset.from_generator(lambda: iter([[1, 2]]), output_signature={"a": TensorSpec((), "int32")}))
    with pytest.raises(ArgumentError, match="structure"):
        list(Dataset.from_generator(lambda: iter([([1, 2], 3, 4)]), output_signature=signature))
    with pytest.raises(ArgumentError, match="lambda: it"):
        Dataset.from_generator(iter([1]))


def test_specs_of_maps_keep_the_axis_that_varies():
    dataset = Dataset.from_tensor_slices(np.ones((5, 3), "float32")).batch(2).map(lambda x: (x, np.zeros(7)))
    assert dataset.element_spec == (TensorSpec((None, 3), "float32"), TensorSpec((7,), "float64"))


def test_models_learn_from_pipelines():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 3)).astype("float32")
    y = x @ np.array([[1.0], [2.0], [-1.0]], "float32")
    dataset = Dataset.from_tensor_slices((x, y)).cache().shuffle(64, seed=1).batch(10).prefetch(AUTOTUNE)
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(1)])
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    history = model.fit(dataset, validation_data=dataset.take(2), epochs=8, verbose=0)
    assert history.history["loss"][-1] < 0.05 * history.history["loss"][0]
    assert model.predict(dataset, verbose=0).shape == (64, 1)
    assert np.isclose(model.evaluate(dataset, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-4)
    endless = dataset.repeat()
    model.fit(endless, steps_per_epoch=3, epochs=2, verbose=0)


def test_layers_work_inside_maps_and_threads():
    layer = pynn.layers.Rescaling(0.5)
    dataset = Dataset.from_tensor_slices(np.arange(8.0).reshape(4, 2)).map(layer, num_parallel_calls=2).prefetch(1)
    assert numbers(dataset) == [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5], [3.0, 3.5]]
