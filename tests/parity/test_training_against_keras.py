"""Training in all its forms, beside Keras: the same data, weights and options must give the same logs and weights."""

import warnings

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables

RNG = np.random.default_rng(4)
X = RNG.normal(size=(22, 5)).astype("float32")
CLASSES = RNG.integers(0, 3, 22)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
TARGET = RNG.normal(size=(22, 1)).astype("float32")
WEIGHTS = RNG.uniform(0.5, 2.0, 22).astype("float32")
STEPS = RNG.normal(size=(22, 6, 5)).astype("float32")
STEP_TARGET = RNG.normal(size=(22, 6, 2)).astype("float32")


def classifier(library):
    return library.Sequential(
        [library.Input((5,)), library.layers.Dense(7, activation="tanh"), library.layers.Dense(3, activation="softmax")]
    )


def regression(library):
    return library.Sequential([library.Input((5,)), library.layers.Dense(1)])


def per_step(library):
    return library.Sequential([library.Input((6, 5)), library.layers.Dense(2)])


def two_outputs(library):
    x = library.Input((5,), name="x")
    h = library.layers.Dense(6, activation="tanh")(x)
    outputs = {
        "a": library.layers.Dense(1, name="a")(h),
        "b": library.layers.Dense(3, activation="softmax", name="b")(h),
    }
    return library.Model(x, outputs)


def listed_outputs(library):
    model = two_outputs(library)
    return library.Model(model.inputs, [model.get_layer("a").output, model.get_layer("b").output])


def pair(keras, make):
    theirs, ours = make(keras), make(pynn)
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def same(theirs, ours, do, rtol=2e-4):
    """``do(model)`` gives equal numbers (by name, or in order) and leaves equal weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns that it does not shuffle generators
        expected = do(theirs)
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "the input ran out of data")  # as with Keras; tests of our own look at it
        found = do(ours)
    if isinstance(expected, dict):
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=rtol, atol=1e-6, err_msg=name)
    else:
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-6)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-5)


FIT = {"verbose": 0, "shuffle": False, "batch_size": 8}
TWO = {"a": TARGET, "b": CLASSES}

# name: (model, compile's arguments, x, y, fit's arguments)
FITS = {
    "plain": (classifier, {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, X, CLASSES, {}),
    "class weights": (
        classifier, {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, X, CLASSES,
        {"class_weight": {0: 1.0, 1: 3.0}}),
    "class weights, one-hot": (
        classifier, {"loss": "categorical_crossentropy", "weighted_metrics": ["accuracy"]}, X, ONE_HOT,
        {"class_weight": {0: 0.5, 2: 3}}),
    "sample weights": (regression, {"loss": "mse"}, X, TARGET, {"sample_weight": WEIGHTS}),
    "weights of one column": (regression, {"loss": "mse"}, X, TARGET, {"sample_weight": WEIGHTS[:, None]}),
    "metrics with and without weights": (
        regression, {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae", "mse"]}, X, TARGET,
        {"sample_weight": WEIGHTS}),
    "weights of time steps": (
        per_step, {"loss": "mse", "weighted_metrics": ["mae"]}, STEPS, STEP_TARGET,
        {"sample_weight": RNG.uniform(0, 1, (22, 6)).astype("float32")}),
    "a weighted loss": (regression, {"loss": "mse", "loss_weights": [0.3]}, X, TARGET, {}),
    "outputs by name": (
        two_outputs,
        {"loss": {"a": "mse", "b": "sparse_categorical_crossentropy"}, "loss_weights": {"a": 0.5, "b": 2.0},
         "metrics": {"a": ["mae"], "b": ["accuracy"]}},
        X, TWO, {}),
    "outputs in order": (
        listed_outputs,
        {"loss": ["mse", "sparse_categorical_crossentropy"], "loss_weights": [0.5, 2.0], "metrics": [["mae"], None]},
        X, [TARGET, CLASSES], {}),
    "one weight for all outputs": (
        two_outputs, {"loss": {"a": "mse", "b": "sparse_categorical_crossentropy"},
                      "weighted_metrics": {"a": ["mae"], "b": []}},
        X, TWO, {"sample_weight": WEIGHTS}),
    "weights of each output": (
        two_outputs,
        {"loss": {"a": "mse", "b": "sparse_categorical_crossentropy"}, "metrics": {"a": ["mae"], "b": ["accuracy"]},
         "weighted_metrics": {"a": ["mae", "mse"], "b": ["accuracy"]}},
        X, TWO, {"sample_weight": {"a": WEIGHTS, "b": WEIGHTS[::-1].copy()}}),
    "validation data": (
        classifier, {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, X, CLASSES,
        {"validation_data": (X[:9] * 2, CLASSES[:9]), "validation_batch_size": 4}),
    "weighted validation": (
        regression, {"loss": "mse", "weighted_metrics": ["mae"]}, X, TARGET,
        {"validation_data": (X, TARGET, WEIGHTS), "validation_steps": 2}),
    "validation split": (
        regression, {"loss": "mse"}, X, TARGET, {"validation_split": 0.3, "sample_weight": WEIGHTS}),
    "validation split and class weights": (
        classifier, {"loss": "sparse_categorical_crossentropy"}, X, CLASSES,
        {"validation_split": 0.3, "class_weight": {0: 1.0, 1: 3.0}}),
    "some validations": (
        regression, {"loss": "mse"}, X, TARGET, {"validation_data": (X, TARGET), "validation_freq": [1, 3]}),
    "steps per epoch": (regression, {"loss": "mse"}, X, TARGET, {"steps_per_epoch": 2, "epochs": 5}),
    "a batch size from the steps": (
        regression, {"loss": "mse"}, X, TARGET, {"steps_per_epoch": 4, "batch_size": None}),
    "initial epoch": (regression, {"loss": "mse"}, X, TARGET, {"initial_epoch": 1}),
    "several steps per execution": (regression, {"loss": "mse", "steps_per_execution": 2}, X, TARGET, {}),
    "a list of rows": (regression, {"loss": "mse"}, X.tolist(), TARGET.tolist(), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_fit(keras, name):
    make, compiled, x, y, options = FITS[name]
    theirs, ours = pair(keras, make)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05, momentum=0.5), **compiled)
    if isinstance(x, list):  # Keras takes no lists of rows
        same(theirs, ours, lambda m: m.fit(np.array(x), np.array(y), **{**FIT, "epochs": 3, **options}).history)
        assert ours.evaluate(x, y, verbose=0) == ours.evaluate(np.array(x), np.array(y), verbose=0)
        return
    same(theirs, ours, lambda m: m.fit(x, y, **{**FIT, "epochs": 3, **options}).history)


@pytest.mark.parametrize("name", ["outputs by name", "outputs in order", "class weights, one-hot", "plain"])
def test_lists_of_results_are_in_keras_order(keras, name):
    make, compiled, x, y, _ = FITS[name]
    theirs, ours = pair(keras, make)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05), **compiled)
    same(theirs, ours, lambda m: m.train_on_batch(x, y))
    same(theirs, ours, lambda m: m.test_on_batch(x, y))
    same(theirs, ours, lambda m: m.evaluate(x, y, verbose=0, batch_size=5))
    same(theirs, ours, lambda m: m.train_on_batch(x, y, return_dict=True))
    assert ours.metrics_names == theirs.metrics_names


def batches(count=3, weighted=False, forever=False):
    while True:
        for i in range(count):
            rows = slice(8 * i, 8 * i + 8)
            yield (X[rows], TARGET[rows], WEIGHTS[rows]) if weighted else (X[rows], TARGET[rows])
        if not forever:
            return


def dataset(library, **options):
    class Rows(library.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            rows = slice(8 * index, 8 * index + 8)
            return X[rows], CLASSES[rows]

    return Rows(**options)


SOURCES = {
    "a generator": (regression, "mse", lambda lib: batches(), {}),
    "a weighted generator": (regression, "mse", lambda lib: batches(weighted=True), {}),
    "a generator without end": (
        regression, "mse", lambda lib: batches(forever=True), {"steps_per_epoch": 4, "epochs": 3}),
    "a data set": (classifier, "sparse_categorical_crossentropy", dataset, {"epochs": 2}),
    # With workers Keras's own order begins at the second batch, since it has looked at the first: it comes last.
    "a data set with workers": (
        classifier, "sparse_categorical_crossentropy",
        lambda lib: dataset(lib, workers=2, max_queue_size=2) if lib is pynn else dataset(lib), {"epochs": 2}),
    "a data set and class weights": (
        classifier, "sparse_categorical_crossentropy", dataset, {"epochs": 2, "class_weight": {1: 4.0}}),
    "steps of a data set": (
        classifier, "sparse_categorical_crossentropy", dataset, {"epochs": 3, "steps_per_epoch": 2}),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_batches_that_come_ready(keras, name):
    make, loss, source, options = SOURCES[name]
    theirs, ours = pair(keras, make)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05), loss)
        model.library = library
    same(theirs, ours, lambda m: m.fit(source(m.library), verbose=0, shuffle=False, **options).history)
    same(theirs, ours, lambda m: m.evaluate(source(m.library), verbose=0, steps=3))
    same(theirs, ours, lambda m: m.predict(source(m.library), verbose=0, steps=3))


def test_passes_over_a_validation_generator(keras):
    """Keras looks at two batches before the first pass, and hands them out again in every pass; pynn goes on."""
    passes = {}
    for library in (keras, pynn):
        model = library.Sequential([library.Input((1,)), library.layers.Dense(1, kernel_initializer="zeros")])
        model.compile(library.optimizers.SGD(0.0), "mae")
        zero = np.zeros((1, 1), "float32")
        numbered = ((zero, zero + i) for i in range(100))  # the loss of a batch is its number
        losses = model.fit(zero, zero, epochs=3, verbose=0, validation_data=numbered, validation_steps=3).history
        passes[library.__name__] = [round(3 * loss) for loss in losses["val_loss"]]
    assert passes["keras"] == [0 + 1 + 2, 0 + 1 + 3, 0 + 1 + 4]
    assert passes["pynn"] == [0 + 1 + 2, 3 + 4 + 5, 6 + 7 + 8]


def masked_wrappers(library):
    layers = library.layers
    x = library.Input((5,), dtype="int32")
    h = layers.TimeDistributed(layers.Dense(4, activation="tanh"))(layers.Embedding(7, 3, mask_zero=True)(x))
    h = layers.Bidirectional(layers.GRU(3, return_sequences=True))(h)
    return library.Model(x, layers.TimeDistributed(layers.Dense(2))(h))


def test_masks_through_wrappers(keras):
    tokens = np.array([[1, 2, 3, 0, 0], [0, 4, 5, 6, 1], [3, 0, 2, 0, 1], [6, 5, 4, 3, 2]], "int32")
    y = RNG.random((4, 5, 2)).astype("float32")
    theirs, ours = pair(keras, masked_wrappers)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05), "mse", weighted_metrics=["mae"])
    same(theirs, ours, lambda m: m.predict(tokens, verbose=0))
    # Of training the loss only: on JAX the predictions lose their mask on the way to Keras's metrics.
    same(theirs, ours, lambda m: m.fit(tokens, y, epochs=3, **FIT).history["loss"])
    same(theirs, ours, lambda m: m.evaluate(tokens, y, verbose=0, return_dict=True))


def test_metrics_of_training_see_masks():
    tokens, y = np.array([[1, 2, 0, 0, 0]], "int32"), RNG.random((1, 5, 2)).astype("float32")
    model = masked_wrappers(pynn)
    model.compile(pynn.optimizers.SGD(0.0), "mse", weighted_metrics=["mae"])
    expected = np.abs(model.predict(tokens, verbose=0) - y)[:, :2].mean()
    assert model.train_on_batch(tokens, y, return_dict=True)["mae"] == pytest.approx(expected, rel=1e-5)


# ---- parts of a step that are the user's own --------------------------------------------------------------------


def own_loss(library):
    class Model(library.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.seen = library.metrics.Mean(name="seen")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = library.ops.mean(library.ops.square(y_pred - y)) * (2.0 if training else 1.0)
            loss = loss + library.ops.mean(library.ops.abs(x)) * library.ops.mean(y_pred) ** 2
            self.seen.update_state(loss)
            return loss

    x = library.Input((5,))
    return Model(x, library.layers.Dense(1)(x))


def test_compute_loss_of_ones_own(keras):
    theirs, ours = pair(keras, own_loss)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05), metrics=["mae"])
    same(theirs, ours, lambda m: m.fit(X, TARGET, epochs=3, **FIT).history)
    same(theirs, ours, lambda m: m.evaluate(X, TARGET, verbose=0, return_dict=True))


def own_metrics(library):
    class Model(library.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.spread.update_state(library.ops.abs(y_pred))
            results["spread"] = self.spread.result()
            return results

    x = library.Input((5,))
    model = Model(x, library.layers.Dense(1)(x))
    model.spread = library.metrics.Mean(name="spread")
    return model


def test_compute_metrics_of_ones_own(keras):
    theirs, ours = pair(keras, own_metrics)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05), "mse", metrics=["mae"])
    same(theirs, ours, lambda m: m.fit(X, TARGET, epochs=3, validation_data=(X, TARGET), **FIT).history)


def own_inputs(library):
    class Model(library.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = library.layers.Dense(3, name="first"), library.layers.Dense(3, name="second")

        def call(self, inputs, training=False):
            left, right = inputs
            total = self.first(left) + self.second(right)
            return {"out": total, "twice": total * 2.0 if training else total}

    return Model()


def test_a_model_by_class_with_several_inputs_and_outputs(keras):
    models = own_inputs(keras), own_inputs(pynn)
    for model, library in zip(models, (keras, pynn), strict=True):
        model.predict((X, X[:, :2]), verbose=0)
        model.compile(library.optimizers.SGD(0.05), {"out": "mse", "twice": "mae"}, loss_weights={"out": 1, "twice": 2})
    theirs, ours = models
    ours.set_weights(theirs.get_weights())
    same(theirs, ours, lambda m: m.fit((X, X[:, :2]), {"out": ONE_HOT, "twice": ONE_HOT}, epochs=2, **FIT).history)
    same(theirs, ours, lambda m: m.predict((X, X[:, :2]), verbose=0)["twice"])


class Seen:
    """Which batches the callbacks heard of."""

    def __new__(cls, library):
        class Callback(library.callbacks.Callback):
            def __init__(self):
                super().__init__()
                self.seen = []

            def on_train_batch_begin(self, batch, logs=None):
                self.seen.append(("begin", batch))

            def on_train_batch_end(self, batch, logs=None):
                self.seen.append(("end", batch, sorted(logs)))

            def on_test_batch_end(self, batch, logs=None):
                self.seen.append(("test", batch, sorted(logs)))

            def on_predict_batch_end(self, batch, logs=None):
                self.seen.append(("predict", batch, logs["outputs"].shape))

        return Callback()


@pytest.mark.parametrize("group", [1, 2, 3, 5])
def test_callbacks_of_grouped_steps(keras, group):
    heard = []
    for library in (keras, pynn):
        model, seen = regression(library), Seen(library)
        model.compile("sgd", "mse", metrics=["mae"], steps_per_execution=group)
        model.fit(X, TARGET, batch_size=4, verbose=0, epochs=2, validation_data=(X, TARGET), callbacks=[seen])
        heard.append(seen.seen)
    assert heard[1] == heard[0]


def test_compile_configs_are_exchanged(keras):
    theirs, ours = pair(keras, regression)
    theirs.compile(keras.optimizers.SGD(0.05, momentum=0.5), keras.losses.MeanSquaredError(), metrics=["mae"])
    ours.compile_from_config(theirs.get_compile_config())
    same(theirs, ours, lambda m: m.fit(X, TARGET, **FIT).history)
    theirs.compile_from_config(ours.get_compile_config())
    again = regression(pynn)
    again.set_weights(ours.get_weights())
    again.compile_from_config(ours.get_compile_config())
    same(theirs, again, lambda m: m.fit(X, TARGET, **FIT).history)
