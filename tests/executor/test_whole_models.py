"""Whole models on the native executor against the same models op by op on NumPy."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pynn as keras
from pynn import config, layers

ACTIVATIONS = ["linear", "relu", "tanh", "sigmoid", "elu", "gelu", "softplus", "silu", "leaky_relu"]
CLASSES = 3


@st.composite
def stacks(draw):
    """A random stack of layers, as functions that make them, and the shape of its samples."""
    shape = draw(st.sampled_from([(5,), (17,), (6, 6, 1), (7, 5, 3), (9, 8, 2)]))
    makers, now = [], shape
    for _ in range(draw(st.integers(0, 4))):
        spatial = len(now) == 3
        kinds = ["Dense", "Dropout", "BatchNormalization", "Activation"]
        kinds += ["Conv2D", "Conv2D", "MaxPooling2D", "AveragePooling2D", "Flatten", "Reshape"] if spatial else []
        kinds += ["GlobalAveragePooling2D"] if spatial else []
        maker = draw(st.sampled_from(kinds).flatmap(lambda kind, now=now: _layer(kind, now)))
        makers.append(maker)
        layer = maker()
        now = tuple(layer.compute_output_shape((None, *now)))[1:]
    if len(now) > 1:
        makers.append(layers.Flatten)
    return shape, makers


def _layer(kind, shape):
    cls = getattr(layers, kind)
    activation = st.sampled_from(ACTIVATIONS)
    if kind == "Dense":
        return st.builds(lambda u, a, b: lambda: cls(u, a, use_bias=b), st.integers(1, 19), activation, st.booleans())
    if kind == "Activation":
        return activation.map(lambda a: lambda: cls(a))
    if kind == "Dropout":
        return st.sampled_from([0.0, 0.3, 0.5]).map(lambda rate: lambda: cls(rate, seed=5))
    if kind == "BatchNormalization":
        return st.tuples(st.booleans(), st.booleans()).map(lambda s: lambda: cls(scale=s[0], center=s[1]))
    if kind == "Reshape":
        return st.just(lambda: cls((shape[1], shape[0], shape[2])))
    fits = min(shape[:2])
    window = st.integers(1, min(3, fits))
    padding = st.sampled_from(["valid", "same"])
    if kind == "Conv2D":
        return st.builds(
            lambda f, k, s, p, a, b: lambda: cls(f, k, strides=s, padding=p, activation=a, use_bias=b),
            st.integers(1, 9), window, st.integers(1, 2), padding, activation, st.booleans(),
        )  # fmt: skip
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        return st.builds(lambda k, s, p: lambda: cls(k, s, p), window, st.sampled_from([None, 1, 2]), padding)
    return st.just(cls)


#: Name -> (the head of the model, the loss, targets).
TASKS = {
    "sparse": (
        lambda: layers.Dense(CLASSES, "softmax"), lambda: "sparse_categorical_crossentropy",
        lambda rng, n: rng.integers(0, CLASSES, n)),
    "sparse logits": (
        lambda: layers.Dense(CLASSES), lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        lambda rng, n: rng.integers(0, CLASSES, n)),
    "categorical": (
        lambda: layers.Dense(CLASSES, "softmax"), lambda: keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        lambda rng, n: np.eye(CLASSES)[rng.integers(0, CLASSES, n)]),
    "binary": (
        lambda: layers.Dense(1, "sigmoid"), lambda: "binary_crossentropy", lambda rng, n: rng.integers(0, 2, n)),
    "mse": (
        lambda: layers.Dense(CLASSES), lambda: "mse", lambda rng, n: rng.standard_normal((n, CLASSES))),
    "mae": (
        lambda: layers.Dense(CLASSES, "tanh"), lambda: "mae", lambda rng, n: rng.standard_normal((n, CLASSES))),
}  # fmt: skip

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    # A large epsilon: where a gradient is rounding noise, Adam would make a whole step of its sign.
    "adam": lambda: keras.optimizers.Adam(0.01, epsilon=0.1),
}


def two_steps(stack, task, optimizer, data, executor, threads=1):
    """Two training steps, a test step and a prediction on the named executor."""
    (shape, makers), (head, loss, _) = stack, TASKS[task]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYNN_EXECUTOR", executor)
        patch.setenv("PYNN_CHECK", "1")
        config.set_num_threads(threads)
        try:
            model = keras.Sequential([keras.Input(shape), *(make() for make in makers), head()])
            rng = np.random.default_rng(3)
            model.set_weights(
                [
                    rng.uniform(0.5, 1.5, w.shape) if "variance" in w.path else rng.standard_normal(w.shape) * 0.3
                    for w in model.weights
                ]
            )
            model.compile(OPTIMIZERS[optimizer](), loss(), metrics=["accuracy"])
            x, y = data
            losses = [model.train_on_batch(x, y), model.train_on_batch(x, y)]
            return losses, model.get_weights(), model.test_on_batch(x, y), model.predict_on_batch(x)
        finally:
            config.set_num_threads(None)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    stacks(), st.sampled_from(sorted(TASKS)), st.sampled_from(sorted(OPTIMIZERS)), st.integers(2, 9), st.integers(0, 99)
)
def test_random_models_train_as_on_numpy(stack, task, optimizer, rows, seed):
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((rows, *stack[0])).astype("float32"), TASKS[task][2](rng, rows)
    want = two_steps(stack, task, optimizer, data, "reference")
    one = two_steps(stack, task, optimizer, data, "native", threads=1)
    three = two_steps(stack, task, optimizer, data, "native", threads=3)
    # The number of threads changes no bit.
    for a, b in zip(_flat(one), _flat(three), strict=True):
        np.testing.assert_array_equal(a, b)
    losses, weights, test, prediction = one
    np.testing.assert_allclose(np.array(losses)[:, 0], np.array(want[0])[:, 0], rtol=2e-3, atol=1e-4)
    for a, b in zip(weights, want[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(test[0], want[2][0], rtol=1e-2, atol=2e-3)
    np.testing.assert_allclose(prediction, want[3], rtol=1e-2, atol=1e-2)


def _flat(result):
    losses, weights, test, prediction = result
    return [np.array(losses), *weights, np.array(test), prediction]


def train_small_network(executor, monkeypatch):
    monkeypatch.setenv("PYNN_EXECUTOR", executor)
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x, y = rng.random((200, 8, 8, 1)).astype("float32"), rng.integers(0, CLASSES, 200)
    x[:, 2:5, 2:5, 0] += y[:, None, None]
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(16, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=32, epochs=4, validation_split=0.2, verbose=0).history
    return history, model.evaluate(x, y, verbose=0), model.predict(x, verbose=0)


def test_the_reference_executor_trains_to_the_same_losses(monkeypatch):
    """The same seed: initial weights, order of samples and dropout are the same on both."""
    native = train_small_network("native", monkeypatch)
    reference = train_small_network("reference", monkeypatch)
    assert list(native[0]) == list(reference[0])
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(native[0][name], reference[0][name], rtol=1e-4, err_msg=name)
    assert native[0]["loss"][-1] < native[0]["loss"][0]
    np.testing.assert_allclose(native[1], reference[1], rtol=1e-4)
    np.testing.assert_allclose(native[2], reference[2], rtol=1e-3, atol=1e-4)


def test_the_environment_is_read_when_a_step_is_compiled(monkeypatch):
    from pynn.executor.native import NativeProgram
    from pynn.executor.reference import ReferenceProgram

    def program():
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        model.predict_on_batch(np.zeros((1, 3)))
        return model._programs.only().program

    monkeypatch.setenv("PYNN_EXECUTOR", "reference")
    assert isinstance(program(), ReferenceProgram)
    monkeypatch.setenv("PYNN_EXECUTOR", "native")
    assert isinstance(program(), NativeProgram)
    monkeypatch.setenv("PYNN_EXECUTOR", "fast")
    with pytest.raises(ValueError, match="PYNN_EXECUTOR: expected 'native' or 'reference', received 'fast'"):
        program()
