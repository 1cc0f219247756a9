"""Where batches come from: arrays, frames, generators, data sets; and how many of them make an epoch."""

import gc
import itertools
import threading
import tracemalloc

import numpy as np
import pytest

import pynn
from pynn import config, layers
from pynn.errors import ArgumentError, ShapeError
from pynn.models.batches import ArrayBatches
from pynn.models.columns import Columns
from pynn.models.feeding import columns_of

# JAX's, where the comparisons with Keras have loaded it: our workers make batches with NumPy only.
pytestmark = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
RNG = np.random.default_rng(1)
X = RNG.normal(size=(22, 4)).astype("float32")
Y = RNG.normal(size=(22, 1)).astype("float32")


def make():
    pynn.utils.set_random_seed(3)
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(1)])
    model.compile(pynn.optimizers.SGD(0.05), "mse", metrics=["mae"])
    return model


def rows(size=8, count=3):
    for i in range(count):
        yield X[size * i : size * i + size], Y[size * i : size * i + size]


class Rows(pynn.utils.PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.asked, self.epochs = [], []

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.asked.append(index)
        return X[8 * index : 8 * index + 8], Y[8 * index : 8 * index + 8]

    def on_epoch_begin(self):
        self.epochs.append("begin")

    def on_epoch_end(self):
        self.epochs.append("end")


class Loader:
    """As PyTorch's DataLoader: something with a length that can be iterated over again and again."""

    def __len__(self):
        return 3

    def __iter__(self):
        return ([x, y] for x, y in rows())


def trained(*args, **options):
    model = make()
    history = model.fit(*args, verbose=0, shuffle=False, epochs=2, **options).history
    return history, model.get_weights()


FORMS = {
    "a data set": lambda: Rows(),
    "threads": lambda: Rows(workers=3, max_queue_size=2),
    "processes": lambda: Rows(workers=2, use_multiprocessing=True),
    "a loader": Loader,
    "a generator without end": lambda: itertools.cycle(rows()),
    "lists": lambda: [[x.tolist(), y.tolist()] for x, y in rows()].__iter__(),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_sources_of_the_same_batches_train_alike(form):
    want, weights = trained(X, Y, batch_size=8)
    endless = form in ("a generator without end", "lists")
    model = make()
    epochs = 1 if form == "lists" else 2
    history = model.fit(
        FORMS[form](), verbose=0, shuffle=False, epochs=epochs, steps_per_epoch=3 if endless else None
    ).history
    for name, values in want.items():
        assert history[name] == pytest.approx(values[:epochs], rel=1e-6)
    if epochs == 2:
        for a, b in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("form", ["a data set", "threads", "processes", "a loader"])
def test_evaluate_and_predict_take_them_too(form):
    model = make()
    assert model.evaluate(FORMS[form](), verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)
    inputs = (x for x, _ in rows())
    np.testing.assert_array_equal(model.predict(inputs, verbose=0), model.predict(X, verbose=0))
    np.testing.assert_array_equal(model.predict(FORMS[form](), verbose=0, steps=2), model.predict(X[:16], verbose=0))
    history = model.fit(X, Y, verbose=0, epochs=2, validation_data=FORMS[form]()).history
    assert history["val_loss"][1] == pytest.approx(model.evaluate(X, Y, verbose=0)[0], rel=1e-6)


def test_frames():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    want, _ = trained(X, Y)
    columns = {f"c{i}": X[:, i] for i in range(4)}
    for x, y in (
        (pandas.DataFrame(columns), pandas.Series(Y[:, 0])),
        (pandas.DataFrame(columns), pandas.DataFrame({"y": Y[:, 0]})),
        (polars.DataFrame(columns), polars.Series(Y[:, 0])),
    ):
        assert trained(x, y)[0] == want
        assert make().evaluate(x, y, verbose=0) == make().evaluate(X, Y, verbose=0)


def test_a_dictionary_of_columns_of_a_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": X[:, 0], "height": X[:, 1]})
    inputs = {name: pynn.Input((1,), name=name) for name in ("age", "height")}
    model = pynn.Model(inputs, layers.Dense(1)(layers.Concatenate()(list(inputs.values()))))
    model.compile("sgd", "mse")
    given = {"age": frame[["age"]], "height": frame[["height"]]}
    assert model.predict(given, verbose=0).shape == (22, 1)
    assert np.isfinite(model.fit(given, Y, verbose=0).history["loss"][0])


def test_a_data_set_is_told_of_epochs_and_shuffled():
    data = Rows()
    make().fit(data, epochs=20, verbose=0)
    assert data.epochs == ["begin", "end"] * 20
    orders = [tuple(data.asked[i : i + 3]) for i in range(0, 60, 3)]
    assert all(sorted(order) == [0, 1, 2] for order in orders)
    assert len(set(orders)) > 1
    data = Rows()
    make().fit(data, epochs=2, shuffle=False, verbose=0)
    assert data.asked == [0, 1, 2] * 2


def test_workers_make_batches_while_others_are_used():
    together = threading.Barrier(3)

    class Meeting(Rows):
        def __getitem__(self, index):
            together.wait(60)  # an error, unless all three are under way at once
            return super().__getitem__(index)

    data = Meeting(workers=3)
    assert len(list(data)) == 3
    assert sorted(data.asked) == [0, 1, 2]


def test_an_error_in_a_worker_reaches_the_user():
    class Broken(Rows):
        def __getitem__(self, index):
            raise KeyError("no such picture")

    for options in ({}, {"workers": 2}, {"workers": 2, "use_multiprocessing": True}):
        with pytest.raises(KeyError, match="no such picture"):
            make().fit(Broken(**options), verbose=0)


def test_a_data_set_that_forgets_its_super_class():
    class Forgetful(Rows):
        def __init__(self):
            self.asked, self.epochs = [], []

    with pytest.warns(UserWarning, match=r"Forgetful.__init__ should call super\(\).__init__"):
        make().fit(Forgetful(), verbose=0)


def test_an_endless_data_set():
    class Endless(Rows):
        num_batches = None

        def __getitem__(self, index):
            return super().__getitem__(index % 3)

    data = Endless()
    make().fit(data, steps_per_epoch=4, epochs=2, verbose=0)
    assert data.asked == [0, 1, 2, 0, 1, 2, 0, 1]


def test_a_generator_goes_on_where_the_epoch_before_ended():
    drawn = []

    def source():
        for i in itertools.count():
            drawn.append(i)
            yield X[:4] + i, Y[:4]

    make().fit(source(), steps_per_epoch=3, epochs=2, verbose=0)
    assert drawn == [0, 1, 2, 3, 4, 5]  # and none is drawn in vain


def test_a_used_up_generator_ends_the_training():
    model = make()
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model.fit(rows(), epochs=3, verbose=0)
    assert len(history.history["loss"]) == 1
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model.fit(rows(), steps_per_epoch=2, epochs=3, verbose=0)
    assert len(history.history["loss"]) == 2


def test_an_array_with_too_few_batches_warns():
    with pytest.warns(UserWarning, match="ran out of data"):
        make().fit(X, Y, batch_size=8, steps_per_epoch=5, verbose=0)


def test_a_generator_validates():
    model = make()
    source = itertools.cycle(rows())
    history = model.fit(X, Y, validation_data=source, validation_steps=3, epochs=2, verbose=0).history
    assert history["val_loss"][1] == pytest.approx(model.evaluate(X, Y, verbose=0)[0], rel=1e-6)


def test_validation_begins_anew_and_is_made_once(monkeypatch):
    made = []
    original = ArrayBatches.__init__

    def counting(self, columns, *args, **kwargs):
        made.append(len(columns.arrays[0]))
        original(self, columns, *args, **kwargs)

    monkeypatch.setattr(ArrayBatches, "__init__", counting)
    model = make()
    history = model.fit(
        X, Y, epochs=3, validation_data=(X[:9], Y[:9]), validation_batch_size=4, validation_steps=2, verbose=0
    )
    assert made == [22, 9]
    assert history.history["val_loss"][-1] == pytest.approx(model.evaluate(X[:8], Y[:8], verbose=0)[0], rel=1e-6)


def test_shuffling_inside_batches_only():
    columns = Columns()
    columns.x = columns.add("x", np.arange(10), "int32", "x")
    batches = ArrayBatches(columns, 4, "batch")
    for _ in range(3):
        batches.begin_epoch()
        found = []
        while (arrays := batches.next()) is not None:
            found.append(sorted(arrays[0].tolist()))
        assert found == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize("dtype", ["bool", "float32", "int64", "uint8"])
def test_inputs_of_truth_values(dtype):
    """What is not 0 is True."""
    model = pynn.Sequential([pynn.Input((4,), dtype="bool"), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    x = np.array([[1, 0, 1, 2], [0, 0, 0, 0]]).astype(dtype)
    np.testing.assert_array_equal(model.predict(x, verbose=0), [[3], [0]])
    assert model.fit(x, np.array([[1.0], [0.0]]), verbose=0).history["loss"] == [2.0]
    assert model.evaluate(x, np.array([[1.0], [0.0]]), verbose=0) == pytest.approx(model.test_on_batch(x, [[1], [0]]))


def test_weights_of_classes():
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    classes = np.array([0, 1, 2, 1])
    for y in (classes, classes[:, None], classes.astype("float32")):
        columns = columns_of(model, "train", X[:4], y, class_weight={0: 2.0, 1: 0.5})
        assert columns.arrays[-1].tolist() == [2.0, 0.5, 1.0, 0.5]
    model.compile("sgd", "categorical_crossentropy")
    columns = columns_of(model, "train", X[:4], np.eye(3)[classes], class_weight={0: 2.0, 1: 0.5})
    assert columns.arrays[-1].tolist() == [2.0, 0.5, 1.0, 0.5]
    with pytest.raises(ArgumentError, match="class_weight: expected a dictionary of class numbers"):
        model.train_on_batch(X[:4], np.eye(3)[classes], class_weight={"cat": 1.0})


def test_weights_of_classes_and_several_outputs():
    x = pynn.Input((4,))
    model = pynn.Model(x, [layers.Dense(1)(x), layers.Dense(1)(x)])
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="models with a single output"):
        model.fit(X, [Y, Y], class_weight={0: 1.0}, verbose=0)


def test_weights_of_time_steps():
    model = pynn.Sequential([pynn.Input((6, 4)), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((5, 6, 4)), np.zeros((5, 6, 2))
    weights = np.zeros((5, 6))
    assert model.train_on_batch(x, y, weights) == 0.0
    with pytest.raises(
        ShapeError, match=r"one per sample and step, shape \(5, 6\), received an array of shape \(5, 4\)"
    ):
        model.train_on_batch(x, y, np.zeros((5, 4)))


@pytest.fixture
def limits():
    yield
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)


def test_limits_for_trying_a_script_out(monkeypatch, limits):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "2")
    assert config.max_epochs() == 2
    with pytest.warns(UserWarning, match="limits epochs=5 to 2"):
        assert len(make().fit(X, Y, epochs=5, verbose=0).history["loss"]) == 2
    config.set_max_epochs(1)
    with pytest.warns(UserWarning, match="limits epochs=5 to 1"):
        assert len(make().fit(X, Y, epochs=5, verbose=0).history["loss"]) == 1
    config.set_max_epochs(9)
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "1")
    model = make()
    with pytest.warns(UserWarning, match="limits an epoch to 1 steps"):
        assert model.evaluate(X, Y, batch_size=8, verbose=0) == pytest.approx(model.test_on_batch(X[:8], Y[:8]))
    assert model.evaluate(X, Y, batch_size=22, verbose=0)  # that is one step anyway
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "many")
    with pytest.raises(ArgumentError, match="KERAS_MAX_STEPS_PER_EPOCH: expected a whole number"):
        model.fit(X, Y)


@pytest.mark.parametrize(
    ("make_set", "message"),
    [
        (lambda: Rows(workers=-1), "Rows: workers must be a whole number from 0 up, received -1"),
        (lambda: Rows(max_queue_size=0), "Rows: max_queue_size must be a whole number from 1 up"),
    ],
)
def test_wrong_options_of_a_data_set(make_set, message):
    with pytest.raises(ArgumentError, match=message):
        make_set()


def test_stopping_an_evaluation():
    class Stop(pynn.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 1

    model = make()
    found = model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=[Stop()])
    assert found == pytest.approx(model.evaluate(X[:16], Y[:16], verbose=0), rel=1e-6)


def test_many_predictions_of_one_row_leave_nothing_behind():
    """Of memory that Python and NumPy manage; tests/end_to_end/test_memory.py looks at all of it."""
    model = make()
    for _ in range(100):
        model.predict(X[:1], verbose=0)
    programs, plain = len(model._programs), len(model._programs.plain)
    tracemalloc.start()
    try:
        kept = []
        for times in (100, 1000):  # the first fill what is made once
            for _ in range(times):
                model.predict(X[:1], verbose=0)
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert kept[1] - kept[0] < 32_000  # bytes: the smallest object takes 16, one array more than 100
    assert (len(model._programs), len(model._programs.plain)) == (programs, plain)


def test_freezing_a_layer_at_each_step_leaves_nothing_behind():
    model = make()
    for i in range(50):
        model.layers[0].trainable = i % 2 == 0
        before = model.get_weights()
        model.train_on_batch(X, Y)
        assert (model.get_weights()[0] != before[0]).any() == (i % 2 == 0)
    assert len(model._programs) == 2
    assert len(model._programs.plain) == 1
