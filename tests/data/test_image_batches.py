"""ImageBatches: compiled code against its NumPy meaning, and training with it."""

import itertools
import threading

import numpy as np
import pytest

import pynn
from pynn.data import ImageBatches, _batching
from pynn.data.augmentation import Augmentation
from pynn.data.batcher import Batcher
from pynn.data.image_reference import epoch_key, image_rows, mix
from pynn.errors import ArgumentError, DtypeError, ShapeError

WAYS = {
    "as they are": {},
    "normalised": {"mean": (100.0, 110.0, 120.0), "std": 60.0},
    "mirrored": {"flip": True},
    "cropped": {"crop": 3},
    "cropped from a mirrored surrounding": {"crop": 4, "crop_mode": "reflect"},
    "cut out": {"cutout": 5},
    "all": {"flip": True, "crop": 2, "cutout": 4, "mean": 127.5, "std": (50.0, 60.0, 70.0)},
}


def images(rows=70, height=12, width=9, channels=3, dtype="uint8"):
    numbers = np.random.default_rng(3).integers(0, 256, (rows, height, width, channels))
    return numbers.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_batches_equal_the_twin(how, shuffle, dtype):
    x, y = images(dtype=dtype), np.arange(70) % 7
    batches = ImageBatches(x, y, 32, shuffle=shuffle, seed=11, **how)
    for epoch in range(2):
        order = np.random.default_rng([11, epoch]).permutation(70) if shuffle else np.arange(70)
        seen = 0
        for got, labels in batches:
            rows = order[seen : seen + len(got)]
            np.testing.assert_array_equal(got, image_rows(x[rows], epoch_key(11, epoch), seen, Augmentation(**how)))
            np.testing.assert_array_equal(labels, y[rows])
            seen += len(got)
        assert seen == 70


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (40, 64)])
def test_any_size_and_number_of_channels(size, channels):
    x = images(9, *size, channels)
    how = {"flip": True, "crop": min(size) - 1, "crop_mode": "reflect", "cutout": max(size), "std": 9.0}
    (got,) = ImageBatches(x, batch_size=9, seed=2, **how)
    np.testing.assert_array_equal(got, image_rows(x, epoch_key(2, 0), 0, Augmentation(**how)))


def test_known_numbers():
    """SplitMix64 as published: the first numbers of seed 1234567."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    states = np.uint64(1234567) + np.arange(1, 4, dtype=np.uint64) * golden
    assert mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_what_is_done_to_an_image():
    """Every result is a piece of the padded image, maybe mirrored; all pieces occur, and half are mirrored."""
    x = np.repeat(images(1, 6, 6, 1), 4000, axis=0)
    (got,) = ImageBatches(x, batch_size=4000, flip=True, crop=1, seed=0)
    padded = np.pad(x[0].astype("float32"), ((1, 1), (1, 1), (0, 0)))
    pieces = [padded[i : i + 6, j : j + 6] for i in range(3) for j in range(3)]
    counts = [(got == piece).all((1, 2, 3)).sum() for p in pieces for piece in (p, p[:, ::-1])]
    assert sum(counts) == 4000
    assert min(counts) > 4000 / 18 * 0.7
    assert abs(sum(counts[::2]) - 2000) < 200


def test_cutout_is_a_square_of_zeros():
    x = np.ones((300, 16, 16, 3), np.float32)
    (got,) = ImageBatches(x, batch_size=300, cutout=6, seed=0)
    zeros = (np.asarray(got) == 0).all(-1).sum((1, 2))
    assert zeros.max() == 36
    assert zeros.min() < 36  # squares are cut off at the edge


def test_epochs_differ_and_a_seed_repeats_them():
    x = images()
    first, second = (ImageBatches(x, batch_size=70, flip=True, crop=3, shuffle=True, seed=4) for _ in range(2))
    epochs = [np.asarray(next(iter(first))) for _ in range(3)]
    assert not np.array_equal(epochs[0], epochs[1])
    second.epoch = 2
    np.testing.assert_array_equal(next(iter(second)), epochs[2])
    pynn.utils.set_random_seed(9)
    a = ImageBatches(x, batch_size=70, crop=3)
    pynn.utils.set_random_seed(9)
    b = ImageBatches(x, batch_size=70, crop=3)
    np.testing.assert_array_equal(next(iter(a)), next(iter(b)))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_division_of_the_work_gives_the_same(threads):
    x, y = images(200, 32, 32), np.arange(200) % 10
    how = Augmentation(flip=True, crop=4, cutout=8, mean=100.0, std=50.0)
    batcher = Batcher([x, y], ["float32", "float32"], 200, one_hot=[None, 10], images=how)
    order = np.random.default_rng(0).permutation(200)
    batcher.begin_epoch(order, key=77)
    expected = [array.copy() for array in batcher.fill(0)]
    np.testing.assert_array_equal(expected[0], image_rows(x[order], 77, 0, how))
    capsule, (got, labels) = batcher.task(0), batcher.buffers(0)
    got[:], labels[:] = -1, -1
    tasks = _batching.run_task(capsule, 0, 0)
    edges = np.linspace(0, tasks, threads + 1).astype(int)
    workers = [
        threading.Thread(target=_batching.run_task, args=(capsule, int(begin), int(end)))
        for begin, end in itertools.pairwise(edges)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    np.testing.assert_array_equal(got, expected[0])
    np.testing.assert_array_equal(labels, expected[1])


def test_batches_of_an_iteration_stay_as_they_are():
    batches = list(ImageBatches(images(), batch_size=10))
    np.testing.assert_array_equal(np.concatenate(batches), images().astype("float32"))


def test_lengths_and_specs():
    x, y = images(), np.arange(70)
    assert len(ImageBatches(x, y, 32)) == 3
    assert [len(b) for b in ImageBatches(x, batch_size=32, drop_remainder=True)] == [32, 32]
    x_spec, y_spec = ImageBatches(x, y, 32, one_hot=70).element_spec
    assert (x_spec.shape, x_spec.dtype, y_spec.shape, y_spec.dtype) == (
        (None, 12, 9, 3), "float32", (None, 70), "float32",
    )  # fmt: skip
    assert ImageBatches(x, batch_size=35).element_spec.shape == (35, 12, 9, 3)


def test_a_pipeline_goes_on_from_it():
    batches = ImageBatches(images(), np.arange(70), 32, seed=0).map(lambda x, y: (x * 2, y)).take(1)
    ((x, y),) = batches
    np.testing.assert_array_equal(x, images()[:32] * 2.0)
    assert y.tolist() == list(range(32))


def network():
    pynn.utils.set_random_seed(5)
    model = pynn.Sequential([
        pynn.Input((12, 9, 3)), pynn.layers.Conv2D(4, 3, activation="relu"), pynn.layers.GlobalMaxPooling2D(),
        pynn.layers.Dense(7),
    ])  # fmt: skip
    loss = pynn.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(pynn.optimizers.SGD(0.01), loss)
    return model


def make_batches(**more):
    return ImageBatches(
        images(), np.arange(70) % 7, 16, flip=True, crop=2, std=255.0, one_hot=7, shuffle=True, seed=3, **more
    )


def test_fit_sees_what_an_iteration_gives():
    """Threads of the step make the batches of ``fit``, a thread of its own those of an iteration."""
    by_fit, by_hand = network(), network()
    losses = by_fit.fit(make_batches(), epochs=3, verbose=0).history["loss"]
    batches = make_batches()
    for _ in range(3):
        for x, y in batches:
            by_hand.train_on_batch(x, y)
    for a, b in zip(by_fit.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert losses[2] < losses[0]


def test_fit_with_steps_per_epoch_goes_on_within_the_data():
    asked, whole = network(), network()
    batches = make_batches()
    asked.fit(batches, epochs=5, steps_per_epoch=1, verbose=0)
    assert batches.epoch == 1
    whole.fit(make_batches(), epochs=1, verbose=0)
    for a, b in zip(asked.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def small_training(epochs, **arguments):
    x, y = images(20), np.arange(20) % 3
    pynn.utils.set_random_seed(1)
    model = pynn.Sequential([pynn.Input(x.shape[1:]), pynn.layers.Flatten(), pynn.layers.Dense(3)])
    model.compile("sgd", pynn.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = ImageBatches(x, y, 8, flip=True, crop=2, std=255, shuffle=True, seed=4)
    history = model.fit(batches, epochs=epochs, verbose=0, **arguments)
    return history.history["loss"], model.get_weights(), batches.epoch


def test_an_interrupted_training_comes_to_the_same_images(tmp_path):
    whole, weights, _ = small_training(5)
    backup = {"callbacks": [pynn.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)]}
    begun, _, _ = small_training(2, **backup)
    rest, resumed, epoch = small_training(5, **backup)  # all things made anew, as after a restart
    assert begun + rest == whole
    assert epoch == 5
    for a, b in zip(weights, resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_resume_counts_batches_where_epochs_are_not_whole():
    batches = ImageBatches(images(20), None, 5)
    batches.resume_at(3)
    assert batches.epoch == 3
    batches.resume_at(6, steps=2)
    assert batches.epoch == 3


def test_evaluate_and_validation():
    model = network()
    history = model.fit(make_batches(), validation_data=make_batches(), epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2
    assert np.isfinite(model.evaluate(make_batches(), verbose=0))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": np.zeros((5, 8, 8), np.uint8)}, ShapeError, r"received shape \(5, 8, 8\); for gray images"),
        ({"x": np.zeros((5, 8, 8, 3))}, DtypeError, "uint8 or float32, received float64"),
        ({"y": np.arange(4)}, ShapeError, "'x' 5, 'y' 4"),
        ({"y": np.arange(5), "one_hot": 3}, ArgumentError, "labels from 0 to 4, but one_hot=3"),
        ({"one_hot": 3}, ArgumentError, "one_hot=3 needs labels"),
        ({"crop": 8}, ArgumentError, "crop must be a number of pixels from 0 to 7 for images of 8 x 8, received 8"),
        ({"crop_mode": "wrap"}, ArgumentError, "'constant' or 'reflect', received 'wrap'"),
        ({"cutout": -1}, ArgumentError, "cutout must be a number of pixels from 0 to 8"),
        ({"flip": "horizontal"}, ArgumentError, "flip must be True or False, received 'horizontal'"),
        ({"std": 0}, ArgumentError, "std must be a number above 0, or one for each of the 3 channels, received 0"),
        ({"mean": (1, 2)}, ArgumentError, r"each of the 3 channels, received \(1, 2\)"),
        ({"mean": "imagenet"}, ArgumentError, "received 'imagenet'"),
        ({"batch_size": 0}, ArgumentError, "batch_size must be a whole number from 1 up, received 0"),
        ({"batch_size": 6, "drop_remainder": True}, ArgumentError, "5 images are less than one batch of 6"),
        ({"seed": -1}, ArgumentError, "seed must be an integer"),
    ],
)
def test_errors_say_what_is_wrong(arguments, error, message):
    with pytest.raises(error, match=message):
        ImageBatches(**{"x": np.zeros((5, 8, 8, 3), np.uint8)} | arguments)
