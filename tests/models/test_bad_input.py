"""What beginners get wrong: each mistake is an error that says which argument, what came, what was expected and
the way out, and the model stays as it was."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.errors import ArgumentError, DtypeError, NotBuiltError, PynnError, ShapeError
from pynn.models.trainer import NotCompiledError

RNG = np.random.default_rng(0)
X = RNG.random((20, 4)).astype("float32")
Y = RNG.integers(0, 3, 20)
ONE_HOT = np.eye(3, dtype="float32")[Y]
IMAGES = np.zeros((5, 8, 8, 1), "float32")
NAN = np.full(20, np.nan)


def dense(loss="sparse_categorical_crossentropy", units=3, activation="softmax", **options):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units, activation=activation)], name="m")
    model.compile(optimizer="sgd", loss=loss, **options)
    return model


def regression():
    return dense("mse", 1, None)


def convolutional(channels=1):
    model = keras.Sequential(
        [keras.Input((8, 8, channels)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)], name="m"
    )
    model.compile(optimizer="sgd", loss="mse")
    return model


def not_compiled():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3)], name="m")


def fit(x=X, y=Y, make=dense, **options):
    return lambda: make().fit(x, y, verbose=0, **options)


def predict(x, make=dense):
    return lambda: make().predict(x, verbose=0)


# (what is done, error, pieces of its message in this order)
CASES = {
    # the shape of x
    "too many axes": (
        fit(X[:, None]), ShapeError, ["x: model 'm'", "(None, 4)", "(20, 1, 4)", "x.reshape(len(x), 4)"]),
    "too few features": (
        fit(X[:, :3]), ShapeError, ["x: model 'm'", "(None, 4)", "(20, 3)", "Input((3,))"]),
    "one sample": (
        predict(X[0]), ShapeError, ["x: model 'm'", "(None, 4)", "(4,)", "one sample", "x[None]"]),
    "one sample to fit": (
        fit(X[0], Y[:1]), ShapeError, ["x: model 'm'", "(None, 4)", "(4,)", "one sample", "x[None]"]),
    "one picture": (
        predict(IMAGES[0], convolutional), ShapeError, ["(None, 8, 8, 1)", "(8, 8, 1)", "x[None]"]),
    "no channel axis": (
        predict(IMAGES[..., 0], convolutional), ShapeError,
        ["(None, 8, 8, 1)", "(5, 8, 8)", "add the channel axis with x[..., None]"]),
    "one picture without channel axis": (
        predict(IMAGES[0, ..., 0], convolutional), ShapeError,
        ["(None, 8, 8, 1)", "(8, 8)", "one sample without a channel axis", "x[None, ..., None]"]),
    "flattened pictures": (
        predict(IMAGES.reshape(5, 64), convolutional), ShapeError, ["(5, 64)", "x.reshape(len(x), 8, 8, 1)"]),
    "channels first": (
        predict(np.zeros((5, 3, 8, 8)), lambda: convolutional(3)), ShapeError,
        ["(None, 8, 8, 3)", "(5, 3, 8, 8)", "np.moveaxis(x, 1, -1)"]),
    "no features at all": (
        predict(np.zeros((3, 0))), ShapeError, ["x: model 'm'", "(None, 4)", "(3, 0)"]),
    "layers without channel axis, not built": (
        predict(IMAGES[..., 0], lambda: keras.Sequential([layers.Conv2D(2, 3, name="c")])), ShapeError,
        ["layer 'c'", "4 axes", "(None, 8, 8)", "x[..., None]"]),
    "calling the model on one sample": (
        lambda: not_compiled()(X[0]), ShapeError, ["at least 2 axes", "(4,)", "add a batch axis, x[None]"]),
    "predict_on_batch": (
        lambda: dense().predict_on_batch(X[:, :2]), ShapeError, ["x: model 'm'", "(None, 4)", "(20, 2)"]),
    # what x holds
    "words": (
        fit(X.astype(str)), DtypeError, ["x: expected an array of numbers", "<U32", "x.astype('float32')"]),
    "words that are no numbers": (
        fit(np.full((20, 4), "red")), DtypeError, ["x:", "<U3", "'red'", "np.unique(x, return_inverse=True)"]),
    "objects": (
        fit(X.astype(object)), DtypeError, ["x: expected an array of numbers", "object", "x.astype('float32')"]),
    "missing entries": (
        fit([[1, 2, 3, None]] * 20), DtypeError, ["x: expected an array of numbers", "None", "drop or fill"]),
    "complex numbers": (
        fit(X.astype(complex)), DtypeError, ["x: expected an array of numbers", "complex128", "np.abs(x)"]),
    "dates": (
        fit(np.zeros((20, 4), "M8[s]")), DtypeError, ["x: expected an array of numbers", "datetime64", "dates"]),
    "masked array": (
        fit(np.ma.masked_array(X, X > 0.5)), DtypeError, ["x:", "masked", "x.filled(0)"]),
    "ragged rows": (
        fit([[1, 2, 3, 4], [1, 2, 3]], [0, 1]), ShapeError, ["x: the rows have different lengths", "pad"]),
    "a dictionary": (
        fit({"a": X}), ArgumentError, ["x: expected an array, or a dictionary with the keys 'input_layer", "with 'a'"]),
    "a generator and targets": (fit(iter([X])), ArgumentError, ["y is given beside x", "list_iterator", "let it give"]),
    "a generator without targets": (fit(iter([X]), None), ArgumentError, ["batch 0 of x: y: targets are missing"]),
    "a generator of wrong shapes": (
        fit(iter([(X, Y), (X[:, :2], Y)]), None), ShapeError, ["batch 1 of x: x: model 'm'", "(None, 4)", "(20, 2)"]),
    "an empty generator": (fit(iter([]), None), ArgumentError, ["x: ", "gave no batch", "a new generator"]),
    "validation_split of a generator": (
        fit(iter([(X, Y)]), None, validation_split=0.2), ArgumentError, ["validation_split", "validation_data"]),
    "class_weight and sample_weight": (
        fit(class_weight={0: 2.0}, sample_weight=np.ones(20)), ArgumentError, ["class_weight and sample_weight"]),
    "class_weight as a list": (fit(class_weight=[1, 2, 3]), ArgumentError, ["class_weight: expected a dictionary"]),
    "steps_per_epoch=0": (fit(steps_per_epoch=0), ArgumentError, ["steps_per_epoch: expected", "received 0"]),
    "a word": (fit("abc"), DtypeError, ["x: expected an array or a list", "received a str"]),
    "a number": (fit(5), ShapeError, ["x: expected an array with one row per sample", "single number 5"]),
    "nothing": (fit(None), DtypeError, ["x: expected an array or a list", "received None"]),
    "empty": (fit(X[:0], Y[:0]), ShapeError, ["x: received an empty array of shape (0, 4)", "at least one sample"]),
    "empty list": (fit([], []), ShapeError, ["x: received an empty array of shape (0,)", "at least one sample"]),
    "predict nothing": (predict(X[:0]), ShapeError, ["x: received an empty array", "at least one sample"]),
    # targets
    "no targets": (fit(X, None), ArgumentError, ["y: targets are missing"]),
    "targets are words": (
        fit(X, np.array(["cat", "dog"] * 10)), DtypeError, ["y:", "<U3", "'cat'", "np.unique(y, return_inverse=True)"]),
    "complex targets": (fit(X, Y.astype(complex)), DtypeError, ["y: expected an array of numbers", "complex128"]),
    "NaN in class numbers": (fit(X, NAN), ArgumentError, ["y contains nan (first at index (0,))", "drop or fill"]),
    "NaN in targets": (fit(X, NAN, regression), ArgumentError, ["y contains nan", "drop or fill"]),
    "infinity in targets": (fit(X, NAN * 0 + np.inf, regression), ArgumentError, ["y contains"]),
    "class 3 of 3": (
        fit(X, Y + 1), ArgumentError, ["y contains class 3", "3 outputs (classes 0 to 2)", "from 0", "4 units"]),
    "class -1": (fit(X, Y - 1), ArgumentError, ["y contains class -1", "3 outputs", "number the classes from 0"]),
    "a huge class number": (fit(X, Y + 2**40), ArgumentError, ["y contains class 1099511627778", "3 outputs"]),
    "half a class": (fit(X, Y + 0.5), ArgumentError, ["y must hold whole numbers", "2.5", "'mse'"]),
    "class out of range in train_on_batch": (
        lambda: dense().train_on_batch(X, Y + 1), ArgumentError, ["y contains class 3", "3 outputs"]),
    "class out of range in test_on_batch": (
        lambda: dense().test_on_batch(X, Y + 1), ArgumentError, ["y contains class 3", "3 outputs"]),
    "class out of range in evaluate": (
        lambda: dense().evaluate(X, Y + 1, verbose=0), ArgumentError, ["y contains class 3", "3 outputs"]),
    "one-hot rows to a sparse loss": (
        fit(X, ONE_HOT), ShapeError, ["y has shape (batch, 3)", "expected (batch,)", "'categorical_crossentropy'"]),
    "class numbers to a one-hot loss": (
        fit(X, Y, lambda: dense("categorical_crossentropy")), ShapeError,
        ["y has shape (batch,)", "(batch, 3)", "'sparse_categorical_crossentropy'", "to_categorical(y, 3)"]),
    "wrong number of classes": (
        fit(X, np.eye(4)[Y], lambda: dense("categorical_crossentropy")), ShapeError,
        ["y has shape (batch, 4)", "output has shape (batch, 3)"]),
    "one number for three outputs": (
        fit(X, Y, lambda: dense("mse")), ShapeError,
        ["y has shape (batch,)", "(batch, 3)", "'sparse_categorical_crossentropy'", "Dense(1)"]),
    "three classes for yes or no": (
        fit(X, Y, lambda: dense("binary_crossentropy", 1, "sigmoid")), ArgumentError,
        ["y must lie between 0 and 1", "from 0 to 2", "0 and 1"]),
    # lengths
    "fewer targets": (fit(X, Y[:10]), ShapeError, ["number of samples", "x has 20, y has 10"]),
    "fewer weights": (
        fit(X, Y, sample_weight=np.ones(3)), ShapeError, ["number of samples", "y has 20, sample_weight has 3"]),
    "weights of two axes": (
        fit(X, Y, sample_weight=np.ones((20, 2))), ShapeError,
        ["sample_weight: expected one number per sample", "(20,)", "(20, 2)"]),
    "NaN weights": (
        fit(X, Y, sample_weight=NAN), ArgumentError, ["sample_weight: contains nan (first at index 0)", "weight 0"]),
    # validation
    "validation_data without targets": (
        fit(validation_data=X), ArgumentError, ["validation_data: expected (x, y)", "ndarray of length 20"]),
    "validation of other lengths": (
        fit(validation_data=(X, Y[:3])), ShapeError, ["validation_x has 20, validation_y has 3"]),
    "validation of another shape": (
        fit(validation_data=(X[:, :2], Y)), ShapeError, ["validation_x: model 'm'", "(None, 4)", "(20, 2)"]),
    "validation with other classes": (
        fit(validation_data=(X, Y + 5)), ArgumentError, ["validation_y contains class 7", "3 outputs"]),
    "validation_split=1": (fit(validation_split=1.0), ArgumentError, ["validation_split", "between 0 and 1", "1.0"]),
    "validation_split<0": (fit(validation_split=-0.2), ArgumentError, ["validation_split", "between 0 and 1", "-0.2"]),
    "validation_split of one": (
        fit(X[:1], Y[:1], validation_split=0.2), ArgumentError, ["validation_split=0.2", "1 samples"]),
    "validation_freq": (
        fit(validation_data=(X, Y), validation_freq=0), ArgumentError, ["validation_freq", "from 1 up", "received 0"]),
    "validation_batch_size": (
        fit(validation_data=(X, Y), validation_batch_size=0), ArgumentError,
        ["validation_batch_size", "from 1 up", "received 0"]),
    # numbers
    "batch_size=-1": (fit(batch_size=-1), ArgumentError, ["batch_size: expected a whole number", "received -1"]),
    "batch_size=0": (fit(batch_size=0), ArgumentError, ["batch_size: expected a whole number", "received 0"]),
    "batch_size=2.5": (fit(batch_size=2.5), ArgumentError, ["batch_size: expected a whole number", "received 2.5"]),
    "batch_size='32'": (
        lambda: dense().predict(X, batch_size="32", verbose=0), ArgumentError, ["batch_size", "received '32'"]),
    "epochs=0": (fit(epochs=0), ArgumentError, ["epochs: expected a whole number from 1 up", "received 0"]),
    "epochs=2.5": (fit(epochs=2.5), ArgumentError, ["epochs: expected a whole number", "received 2.5"]),
    "initial_epoch=-1": (fit(initial_epoch=-1), ArgumentError, ["initial_epoch", "from 0 up", "received -1"]),
    "initial_epoch='1'": (fit(initial_epoch="1"), ArgumentError, ["initial_epoch", "received '1'"]),
    "shuffle='rows'": (fit(shuffle="rows"), ArgumentError, ["shuffle: expected True, False or 'batch'", "'rows'"]),
    "verbose=3": (
        lambda: dense().fit(X, Y, verbose=3), ArgumentError, ["verbose=3", "0 (silent)", "2 (one line per epoch)"]),
    "a function as callback": (
        fit(callbacks=[print]), ArgumentError, ["callbacks[0]", "print", "LambdaCallback(on_epoch_end=function)"]),
    # names
    "unknown loss": (lambda: dense("msee"), ArgumentError, ["unknown loss 'msee'", "did you mean 'mse'"]),
    "unknown optimizer": (
        lambda: not_compiled().compile("sdg", "mse"), ArgumentError, ["unknown optimizer 'sdg'", "'sgd'"]),
    "unknown metric": (
        lambda: dense(metrics=["acuracy"]), ArgumentError, ["unknown metric 'acuracy'", "'accuracy'"]),
    "unknown activation": (
        lambda: layers.Dense(2, activation="rleu"), ArgumentError, ["unknown activation 'rleu'", "'relu'"]),
    "metrics not in a list": (
        lambda: dense(metrics="accuracy"), ArgumentError, ["metrics: expected a list", "['accuracy']", "'accuracy'"]),
    "metrics of one name": (
        fit(make=lambda: dense(metrics=["mse", "mse"]), y=Y), ArgumentError, ["metrics: names must differ", "mse"]),
    # order of calls
    "fit before compile": (
        fit(make=not_compiled), NotCompiledError, ["model 'm'", "compile(optimizer=..., loss=...) before fit"]),
    "evaluate before compile": (
        lambda: not_compiled().evaluate(X, Y), NotCompiledError, ["compile(", "before evaluate"]),
    "train_on_batch before compile": (
        lambda: not_compiled().train_on_batch(X, Y), NotCompiledError, ["compile(", "before train_on_batch"]),
    "test_on_batch before compile": (
        lambda: not_compiled().test_on_batch(X, Y), NotCompiledError, ["compile(", "before test_on_batch"]),
    "no loss": (fit(make=lambda: dense(None)), NotCompiledError, ["without a loss", "loss='mse'"]),
    "no layers": (
        predict(X, lambda: keras.Sequential([], name="m")), NotBuiltError, ["model 'm' has no layers", "add()"]),
    "count_params before build": (
        lambda: keras.Sequential([layers.Dense(2)], name="m").count_params(), NotBuiltError,
        ["model 'm' has no weights yet", "Input as the first layer"]),
    "input_shape before build": (
        lambda: keras.Sequential([layers.Dense(2)], name="m").input_shape, NotBuiltError, ["model 'm'", "no input"]),
    # layers
    "a class instead of a layer": (
        lambda: keras.Sequential([layers.Dense]), ArgumentError, ["expected a layer", "Dense", "parentheses"]),
    "None instead of a layer": (lambda: keras.Sequential([None]), ArgumentError, ["expected a layer", "None"]),
    "a layer instead of a list": (
        lambda: keras.Sequential(layers.Dense(2)), ArgumentError, ["layers must be a list", "Sequential([...])"]),
    "one name twice": (
        lambda: keras.Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="a")]), ArgumentError,
        ["different names", "'a'", "name="]),
    "Input in the middle": (
        lambda: keras.Sequential([layers.Dense(2), keras.Input((3,))]), ArgumentError, ["Input can only come first"]),
    "no such layer": (lambda: dense().get_layer("a"), ArgumentError, ["model 'm' has no layer 'a'", "dense"]),
    "no layer of that number": (lambda: dense().get_layer(index=7), ArgumentError, ["1 layers", "no number 7"]),
    # weights
    "too few weights": (
        lambda: dense().set_weights([np.zeros((4, 3))]), ShapeError,
        ["received 1 arrays, expected 2", "kernel (4, 3)"]),
    "weights of another shape": (
        lambda: dense().set_weights([np.zeros((3, 3)), np.zeros(3)]), ShapeError, ["(3, 3)", "kernel", "(4, 3)"]),
    "weights that are words": (
        lambda: dense().set_weights([np.zeros((4, 3)), np.full(3, "a")]), DtypeError, ["<U1", "bias", "numbers"]),
    # losses in Python
    "a loss that returns a number": (
        fit(make=lambda: dense(lambda y, p: 3)), DtypeError, ["loss '<lambda>'", "received 3", "pynn.ops"]),
    "a loss in NumPy": (
        fit(X, ONE_HOT, lambda: dense(lambda y, p: np.mean((y - p) ** 2))), TypeError, ["NumPy array", "pynn.ops"]),
    "a loss with if": (
        fit(X, ONE_HOT, lambda: dense(lambda y, p: y if y > p else p)), TypeError, ["no truth", "where"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_message_says_what_to_do(name):
    do, error, pieces = CASES[name]
    with pytest.raises(error) as caught:
        do()
    message = str(caught.value)
    at = 0
    for piece in pieces:
        found = message.find(piece, at)
        assert found >= 0, f"{piece!r} is not (in order) in {message!r}"
        at = found + len(piece)
    assert len(message) < 500, message


@pytest.mark.parametrize("name", ["class 3 of 3", "too few features", "NaN weights", "batch_size=0", "verbose=3"])
def test_a_refused_fit_changes_nothing(name):
    """The next fit of the same model works and starts from the same weights."""
    model = dense()
    before = model.get_weights()
    bad = {
        "class 3 of 3": {"x": X, "y": Y + 1},
        "too few features": {"x": X[:, :3], "y": Y},
        "NaN weights": {"x": X, "y": Y, "sample_weight": NAN},
        "batch_size=0": {"x": X, "y": Y, "batch_size": 0},
        "verbose=3": {"x": X, "y": Y, "verbose": 3},
    }[name]
    with pytest.raises(PynnError):
        model.fit(**{"verbose": 0, **bad})
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations) == 0
    model.fit(X, Y, verbose=0)
    assert int(model.optimizer.iterations) == 1


def test_a_metric_may_be_named_twice_under_two_names():
    model = dense(metrics=["accuracy", "sparse_categorical_accuracy"])
    assert set(model.fit(X, Y, verbose=0).history) == {"accuracy", "loss", "sparse_categorical_accuracy"}


def test_whole_numbers_beyond_int32_are_targets_like_others():
    model = regression()
    model.set_weights([np.zeros((4, 1)), np.zeros(1)])
    y = np.full(20, 3 * 2**31)
    assert model.evaluate(X, y, verbose=0) == pytest.approx((3.0 * 2**31) ** 2)
    assert model.test_on_batch(X, y) == pytest.approx((3.0 * 2**31) ** 2)


def test_a_second_batch_of_known_shapes_is_checked_too():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.zeros((2, 4), "float32"), np.zeros(2, "int32")
    for _ in range(2):
        model.train_on_batch(x, y)
    with pytest.raises(PynnError, match="y contains class 3"):
        model.train_on_batch(x, np.array([0, 3], "int32"))
    with pytest.raises(ShapeError):
        model.train_on_batch(np.zeros((2, 5), "float32"), y)
    with pytest.raises(ShapeError):
        model.train_on_batch(np.zeros((3, 4), "float32"), y)
    model.compile("sgd", "mse")  # the loss that checks is the new one
    assert np.isfinite(model.train_on_batch(x, np.zeros((2, 3), "float32")))
