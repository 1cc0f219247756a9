"""Models made of symbolic tensors: several inputs and outputs, sharing, nesting, sub-models, and what goes wrong."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.errors import ArgumentError, DtypeError, GraphError, NotBuiltError, ShapeError

RNG = np.random.default_rng(0)
A, B = (RNG.standard_normal((24, n)).astype("float32") for n in (4, 3))
Y = RNG.standard_normal((24, 2)).astype("float32")


def two_inputs(name="m"):
    """Named inputs and outputs; the outputs are their sum's double and its square."""
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    ones = {"kernel_initializer": "ones", "use_bias": False}
    total = layers.Add()([layers.Dense(2, **ones)(a), layers.Dense(2, **ones)(b)])
    return keras.Model({"a": a, "b": b}, {"twice": total * 2.0, "square": total * total}, name=name)


def total():
    return np.repeat(A.sum(1, keepdims=True) + B.sum(1, keepdims=True), 2, 1)


# ---- inputs and outputs in dictionaries ------------------------------------------------------------------------


def test_dictionaries_of_inputs_and_outputs():
    model = two_inputs()
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["square", "twice"]
    result = model.predict({"b": B, "a": A}, verbose=0, batch_size=7)
    assert list(result) == ["twice", "square"]
    np.testing.assert_allclose(result["twice"], 2 * total(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(result["square"], total() ** 2, rtol=1e-4, atol=1e-5)


def test_a_list_feeds_a_dictionary_in_the_order_of_its_keys():
    model = two_inputs()
    by_name, by_place = model.predict({"a": A, "b": B}, verbose=0), model.predict([A, B], verbose=0)
    np.testing.assert_array_equal(by_name["twice"], by_place["twice"])


def test_losses_weights_and_targets_by_name():
    model = two_inputs()
    model.compile("sgd", {"twice": "mse", "square": "mae"}, loss_weights={"twice": 0.5, "square": 3.0},
                  metrics={"twice": ["mae"]})  # fmt: skip
    targets = {"twice": np.zeros((24, 2)), "square": np.ones((24, 2))}
    logs = model.evaluate({"a": A, "b": B}, targets, verbose=0, return_dict=True)
    twice, square = (2 * total()) ** 2, np.abs(total() ** 2 - 1)
    assert logs["twice_loss"] == pytest.approx(twice.mean(), rel=1e-4)
    assert logs["square_loss"] == pytest.approx(square.mean(), rel=1e-4)
    assert logs["loss"] == pytest.approx(0.5 * twice.mean() + 3 * square.mean(), rel=1e-4)
    assert logs["twice_mae"] == pytest.approx(np.abs(2 * total()).mean(), rel=1e-4)


def test_sample_weights_for_each_output():
    model = two_inputs()
    model.compile("sgd", "mse")
    targets = {"twice": np.zeros((24, 2)), "square": np.ones((24, 2))}
    first, second = RNG.random(24), RNG.random(24)
    logs = model.evaluate(
        [A, B], targets, sample_weight={"twice": first, "square": second}, verbose=0, return_dict=True
    )
    expected = {
        "twice_loss": ((2 * total()) ** 2).mean(1) * first,
        "square_loss": ((total() ** 2 - 1) ** 2).mean(1) * second,
    }
    for name, losses in expected.items():
        assert logs[name] == pytest.approx(losses.mean(), rel=1e-4), name
    one = model.evaluate([A, B], targets, sample_weight=first, verbose=0, return_dict=True)
    assert one["square_loss"] == pytest.approx((((total() ** 2 - 1) ** 2).mean(1) * first).mean(), rel=1e-4)


def test_an_output_without_a_loss_needs_no_target():
    model = two_inputs()
    model.compile(keras.optimizers.SGD(0.01), {"twice": "mse"})
    logs = model.evaluate([A, B], {"twice": np.zeros((24, 2))}, verbose=0, return_dict=True)
    assert set(logs) == {"loss"}
    assert logs["loss"] == pytest.approx(((2 * total()) ** 2).mean(), rel=1e-4)
    history = model.fit([A, B], {"twice": np.zeros((24, 2))}, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


# ---- sharing and nesting ---------------------------------------------------------------------------------------


def test_a_shared_layer_learns_from_all_its_uses():
    a = keras.Input((4,))
    shared = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Model(a, shared(a) + 2.0 * shared(a * a))
    assert model.count_params() == 4
    model.compile(keras.optimizers.SGD(1.0), "mse")
    error = (A + 2 * A * A).sum(1)  # prediction less a target of zeros
    model.train_on_batch(A, np.zeros((24, 1)))
    gradient = (2 * error[:, None] * (A + 2 * A * A)).mean(0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], 1 - gradient, rtol=1e-3, atol=1e-4)


def test_a_model_in_a_model_shares_its_weights():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(2)], name="inner")
    x = keras.Input((4,))
    outer = keras.Model(x, layers.Dense(2)(inner(x) + inner(x * 0.5)))
    assert [v.path for v in inner.weights] == [v.path for v in outer.weights[:4]]
    before = inner.predict(A, verbose=0)
    outer.compile("sgd", "mse")
    outer.fit(A, Y, verbose=0)
    assert np.abs(inner.predict(A, verbose=0) - before).max() > 1e-4


def test_models_three_deep_compute_what_their_layers_do():
    x = keras.Input((4,))
    lowest = keras.Model(x, layers.Dense(3, activation="relu", name="d0")(x), name="lowest")
    x = keras.Input((4,))
    middle = keras.Model(x, [lowest(x), lowest(x * 2.0)], name="middle")
    x = keras.Input((4,))
    outer = keras.Model(x, layers.Concatenate()(middle(x)), name="outer")
    first = lowest.predict(A, verbose=0)
    second = lowest.predict(2 * A, verbose=0)
    np.testing.assert_allclose(outer.predict(A, verbose=0), np.concatenate([first, second], 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.asarray(outer(A)), outer.predict(A, verbose=0), rtol=1e-5, atol=1e-6)


def test_features_of_a_trained_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="tanh", name="hidden"), layers.Dense(2)])
    features = keras.Model(model.inputs, model.get_layer("hidden").output)
    head = keras.Model(model.get_layer("hidden").output, model.output)
    model.compile("sgd", "mse")
    model.fit(A, Y, verbose=0)
    kernel, bias = model.get_layer("hidden").get_weights()
    np.testing.assert_allclose(features.predict(A, verbose=0), np.tanh(A @ kernel + bias), rtol=1e-4, atol=1e-5)
    whole = model.predict(A, verbose=0)
    np.testing.assert_allclose(head.predict(features.predict(A, verbose=0), verbose=0), whole, rtol=1e-4, atol=1e-5)
    assert head.layers == model.layers[1:]


def test_a_frozen_model_inside_a_model_keeps_its_weights():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()], name="inner")
    x = keras.Input((4,))
    outer = keras.Model(x, layers.Dense(2, name="top")(inner(x)))
    inner.trainable = False
    assert [v.path for v in outer.trainable_weights] == ["top/kernel", "top/bias"]
    outer.compile("sgd", "mse")
    frozen, top = inner.get_weights(), outer.get_layer("top").get_weights()
    outer.fit(A, Y, verbose=0)
    for before, after in zip(frozen, inner.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert (outer.get_layer("top").get_weights()[0] != top[0]).any()
    inner.trainable = True
    outer.fit(A, Y, verbose=0)
    assert all((b != a).any() for b, a in zip(frozen, inner.get_weights(), strict=True))


# ---- models of one's own ---------------------------------------------------------------------------------------


class Residual(keras.Model):
    """A model by class, with a layer in a list, a weight of its own, and another path in training."""

    def __init__(self):
        super().__init__(name="residual")
        self.blocks = [layers.Dense(4, activation="relu"), layers.Dense(4)]
        self.out = layers.Dense(2)
        self.scale = self.add_weight((), "ones", name="scale")

    def call(self, x, training=False):
        h = x
        for block in self.blocks:
            h = block(h)
        h = x + h * self.scale
        return self.out(h * 0.0) if training else self.out(h)


def test_a_model_by_class_fits_and_predicts():
    model = Residual()
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    history = model.fit(A, Y, epochs=2, batch_size=24, verbose=0).history
    # In training the prediction is the bias alone, which begins at 0.
    assert history["loss"][0] == pytest.approx((Y**2).mean(), rel=1e-4)
    first, second = (block.get_weights() for block in model.blocks)
    kernel, bias = model.out.get_weights()
    h = A + np.maximum(A @ first[0] + first[1], 0) @ second[0] + second[1]
    np.testing.assert_allclose(model.predict(A, verbose=0), h @ kernel + bias, rtol=1e-4, atol=1e-5)
    assert model.count_params() == 2 * 20 + 10 + 1


def test_a_model_by_class_with_a_build_of_its_own():
    class Net(keras.Model):
        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], 2), "ones", name="kernel")
            self.built = True

        def call(self, x):
            return ops.matmul(x, self.kernel)

    for call_first in (False, True):
        model = Net(name="net")
        if call_first:
            assert model(A).shape == (24, 2)
        np.testing.assert_allclose(model.predict(A, verbose=0)[:, 1], A.sum(1), rtol=1e-4, atol=1e-5)
        assert model.output_shape == (None, 2)
        model.compile("sgd", "mse")
        assert model.train_on_batch(A, Y) == pytest.approx(((A.sum(1, keepdims=True) - Y) ** 2).mean(), rel=1e-4)
        with pytest.raises(ShapeError, match=r"model 'net' was built for inputs of shape \(None, 4\)"):
            model.predict(B, verbose=0)


def test_a_model_by_class_inside_a_functional_one():
    x = keras.Input((4,))
    inner = Residual()
    model = keras.Model(x, ops.relu(inner(x)))
    np.testing.assert_allclose(
        model.predict(A, verbose=0), np.maximum(inner.predict(A, verbose=0), 0), rtol=1e-5, atol=1e-6
    )
    model.compile("sgd", "mse")
    assert model.train_on_batch(A, Y) == pytest.approx((Y**2).mean(), rel=1e-4)  # training reaches the inner model


def test_a_class_of_a_functional_model():
    class Net(keras.Model):
        def __init__(self, units):
            x = keras.Input((4,))
            super().__init__(x, layers.Dense(units, name="d")(x), name="net")

    model = Net(3)
    kernel, bias = model.get_layer("d").get_weights()
    np.testing.assert_allclose(model.predict(A, verbose=0), A @ kernel + bias, rtol=1e-5, atol=1e-6)


# ---- dtypes and unknown lengths --------------------------------------------------------------------------------


def words(length=None):
    x = keras.Input((length,), dtype="int32", name="words")
    h = layers.Embedding(50, 4, name="table")(x)
    return keras.Model(x, layers.Dense(1)(layers.LSTM(3)(h)), name="m")


def test_sequences_of_any_length():
    model = words()
    assert model.input_shape == (None, None)
    numbers = RNG.integers(0, 50, (6, 9))
    table = model.get_layer("table")
    assert table.output_shape == (None, None, 4)
    for length in (3, 9):
        part = numbers[:, :length]
        np.testing.assert_allclose(
            model.predict(part, verbose=0), model.predict(part.astype("float64"), verbose=0), rtol=1e-6
        )
    assert np.abs(model.predict(numbers, verbose=0) - model.predict(numbers[:, :3], verbose=0)).max() > 1e-5
    model.compile("sgd", "mse")
    before = table.get_weights()[0]
    model.fit(numbers, np.ones(6), verbose=0)
    changed = (table.get_weights()[0] != before).any(1)
    np.testing.assert_array_equal(np.flatnonzero(changed), np.unique(numbers))


@pytest.mark.parametrize("loss", ["mse", "sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_target_for_each_step_of_sequences_of_any_length(loss):
    x = keras.Input((None, 3))
    model = keras.Model(x, layers.Dense(4, activation="softmax")(layers.SimpleRNN(5, return_sequences=True)(x)))
    model.compile(keras.optimizers.SGD(0.5), loss)
    for length in (6, 9):
        sequences = RNG.standard_normal((8, length, 3)).astype("float32")
        classes = (sequences[..., 0] > 0).astype(int)
        y = classes if loss.startswith("sparse") else np.eye(4)[classes]
        losses = model.fit(sequences, y, epochs=20, batch_size=8, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
    with pytest.raises(ShapeError):
        model.fit(sequences, y[:, :5], verbose=0)


def test_images_of_any_size():
    x = keras.Input((None, None, 3))
    h = layers.Conv2D(4, 3, padding="same", name="conv")(x)
    h = layers.UpSampling2D()(layers.MaxPooling2D()(h))
    model = keras.Model(x, [h, layers.GlobalAveragePooling2D()(h)])
    assert model.output_shape == [(None, None, None, 4), (None, 4)]
    for size in (8, 14):
        image, mean = model.predict(np.ones((2, size, size, 3)), verbose=0)
        assert image.shape == (2, size, size, 4)
        np.testing.assert_allclose(image.mean((1, 2)), mean, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("number", [50, -51, 1000])
def test_a_number_outside_of_the_table_is_an_error(number):
    model, numbers = words(), np.zeros((4, 3), int)
    model.compile("sgd", "mse")
    numbers[2, 1] = number
    match = f"layer 'table'.*0 to input_dim - 1 = 49, received {number}"
    before = model.get_weights()
    for use in (
        lambda: model.fit(numbers, np.ones(4), verbose=0),
        lambda: model.evaluate(numbers, np.ones(4), verbose=0),
        lambda: model.predict(numbers, verbose=0),
        lambda: model.fit(numbers * 0, np.ones(4), validation_data=(numbers, np.ones(4)), verbose=0),
    ):
        with pytest.raises(ArgumentError, match=match):
            use()
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_number_outside_of_an_inner_models_table_is_an_error():
    inner = keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(7, 2, name="rows"), layers.Flatten()])
    x, n = keras.Input((4,)), keras.Input((3,), dtype="int32")
    model = keras.Model([x, n], layers.Concatenate()([x, inner(n)]))
    model.predict([A, np.full((24, 3), 6)], verbose=0)
    with pytest.raises(ArgumentError, match=r"layer 'rows'.*received 7"):
        model.predict([A, np.full((24, 3), 7)], verbose=0)


# ---- indexing --------------------------------------------------------------------------------------------------

KEYS = [
    np.s_[:, 1], np.s_[:, -1], np.s_[:, 1:3], np.s_[..., 2], np.s_[..., 0, :], np.s_[:, :, ::2], np.s_[:, 1::3, 2:4],
    np.s_[:, None, 2], np.s_[:], np.s_[0], np.s_[1:], np.s_[:, :-1, -2:], np.s_[:, np.int64(2), ..., None],
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing(key):
    numbers = RNG.standard_normal((5, 6, 7)).astype("float32")
    np.testing.assert_array_equal(layers.Lambda(lambda x: x[key])(numbers), numbers[key])


def test_indexing_in_a_model():
    x = keras.Input((6, 4))
    last = x[:, -1]
    assert last.shape == (None, 4)
    assert x[:, 1:5:2].shape == (None, 2, 4)
    model = keras.Model(x, layers.Dense(1, use_bias=False, kernel_initializer="ones")(last))
    numbers = RNG.standard_normal((3, 6, 4)).astype("float32")
    np.testing.assert_allclose(model.predict(numbers, verbose=0)[:, 0], numbers[:, -1].sum(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [(np.s_[:, 6], ShapeError, r"x\[:, 6\]: there is no 6 on axis 1"),
     (np.s_[:, 2:2], ShapeError, r"x\[:, 2:2\]: nothing is left of axis 1"),
     (np.s_[0, 0, 0, 0], ShapeError, "too many indices for .*3 axes"),
     (np.s_[:, "a"], ArgumentError, "expected whole numbers, slices")],
)  # fmt: skip
def test_wrong_indices(key, error, message):
    with pytest.raises(error, match=message):
        keras.Input((6, 4))[key]


# ---- what goes wrong -------------------------------------------------------------------------------------------


def test_an_input_that_is_not_listed():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    y = layers.Concatenate()([a, b])
    with pytest.raises(
        GraphError, match=r"model 'm': .* not connected.* needs? the input 'b' \(None, 3\).*add it to inputs="
    ):
        keras.Model(a, y, name="m")


@pytest.mark.parametrize(
    ("make", "message"),
    [(lambda x, d: keras.Model(x, d, name="m"), "model 'm': outputs must be symbolic tensors.*d.output"),
     (lambda x, d: keras.Model(A, d(x), name="m"), "model 'm': inputs must be symbolic tensors"),
     (lambda x, d: keras.Model([x, x], d(x), name="m"), "model 'm': an input is listed twice"),
     (lambda x, d: keras.Model(inputs=x, name="m"), r"model 'm': outputs are missing; write Model\(inputs, outputs\)"),
     (lambda x, d: keras.Model(x, layers.Dense(1, name="d")(d(x)), name="m"), "2 are called 'd'.*name="),
     (lambda x, d: keras.Model([], d(x), name="m"), "needs at least one input and one output")],
)  # fmt: skip
def test_what_is_no_model(make, message):
    with pytest.raises(ArgumentError, match=message):
        make(keras.Input((4,), name="x"), layers.Dense(2, name="d"))


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [(A, ArgumentError, "x: expected a list of 2 arrays, for 'a', 'b', or a dictionary with these keys, received a nd"),
     ([A], ArgumentError, "received 1 of them"),
     ({"a": A}, ArgumentError, "'b' is missing"),
     ({"a": A, "b": B, "c": B}, ArgumentError, "'c' is not one of them"),
     ([B, A], ShapeError, r"x\[0\]: model 'm' was built for inputs of shape \(None, 4\)"),
     ({"a": A, "b": A}, ShapeError, r"x\['b'\]: model 'm' was built for inputs of shape \(None, 3\)"),
     ([A, B[:5]], ShapeError, r"x\[0\] has 24, x\[1\] has 5"),
     ([A, None], DtypeError, r"x\[1\].*received None")],
)  # fmt: skip
def test_wrong_feeds(x, error, message):
    with pytest.raises(error, match=message):
        two_inputs().predict(x, verbose=0)


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [({"loss": {"twice": "mse", "other": "mse"}}, None, "loss has the key 'other'.*'square', 'twice'"),
     ({"loss": ["mse"]}, None, "loss has 1 entries for 2 outputs"),
     ({"loss": "mse", "loss_weights": [1, 2, 3]}, None, "loss_weights has 3 entries for 2 outputs"),
     ({"loss": "mse"}, Y, "y: expected a list of 2 arrays, for 'square', 'twice'"),
     ({"loss": "mse"}, {"twice": Y}, "'square' is missing"),
     ({"loss": "mse", "metrics": {"x": ["mae"]}}, [Y, Y], "metrics has the key 'x'")],
)  # fmt: skip
def test_wrong_losses_and_targets(options, y, message):
    model = two_inputs()
    model.compile("sgd", **options)
    with pytest.raises(ArgumentError, match=message):
        model.fit([A, B], [Y, Y] if y is None else y, verbose=0)


def test_before_there_are_shapes():
    layer, model = layers.Dense(3, name="d"), keras.Sequential([layers.Dense(3)], name="m")
    for what, name in ((lambda: layer.output, "output"), (lambda: layer.input, "input")):
        with pytest.raises(NotBuiltError, match=f"layer 'd' has no {name}: it was never called on a symbolic tensor"):
            what()
    for what in ("inputs", "outputs", "input", "output", "input_shape"):
        with pytest.raises(NotBuiltError, match=f"model 'm' has no {what} yet.*Input"):
            getattr(model, what)
    with pytest.raises(NotBuiltError, match="model 'm' has no weights yet, so save_weights"):
        model.save_weights("w.npz")
    with pytest.raises(ArgumentError, match=r"no layer.*'hiden'"):
        two_inputs().get_layer("hiden")


@pytest.mark.parametrize(
    ("use", "message"),
    [(np.asarray, "cannot turn .* into a NumPy array: it holds no numbers.*pynn.ops"), (bool, "has no truth"),
     (len, "has no length yet"), (list, "cannot be iterated over"), (lambda x: x if x > 0 else -x, "has no truth")],
)  # fmt: skip
def test_symbols_hold_no_numbers(use, message):
    with pytest.raises(TypeError, match=message):
        use(keras.Input((4,)))


def test_numpy_functions_and_lost_results_are_named():
    x = keras.Input((4,))
    with pytest.raises(TypeError, match=r"np.exp cannot work on <KerasTensor.*use .* functions of pynn.ops instead"):
        np.exp(x)
    assert (np.ones(4, "float32") - x).shape == (np.float32(2) * x).shape == (None, 4)
    with pytest.raises(GraphError, match=r"'lost' returned None .*return the result"):
        layers.Lambda(lambda x: None, name="lost")(x)
    with pytest.raises(NotImplementedError, match=r"model 'bare': class Bare must define call\(\)"):
        type("Bare", (keras.Model,), {})(name="bare").predict(A, verbose=0)


def test_a_symbolic_tensor_of_ones_own():
    tensor = keras.KerasTensor((None, 3), name="mine")
    assert (tensor.shape, tensor.dtype, tensor.name) == ((None, 3), "float32", "mine")
    assert keras.utils.is_keras_tensor(tensor)
    assert keras.backend.is_keras_tensor(tensor)
    with pytest.raises(ArgumentError, match="KerasTensor: sparse=True is not supported"):
        keras.KerasTensor((2,), sparse=True)


def test_metric_objects_are_in_the_logs_once_under_the_name_of_their_output():
    x = keras.Input((3,))
    model = keras.Model(x, {"a": layers.Dense(2, name="a")(x), "b": layers.Dense(1, name="b")(x)})
    model.compile("sgd", {"a": "mse", "b": "mse"}, metrics={"a": keras.metrics.MeanAbsoluteError(name="off")})
    targets = {"a": np.ones((4, 2), "float32"), "b": np.zeros((4, 1), "float32")}
    logs = model.train_on_batch(np.ones((4, 3), "float32"), targets, return_dict=True)
    assert sorted(logs) == ["a_loss", "a_off", "b_loss", "loss"]
