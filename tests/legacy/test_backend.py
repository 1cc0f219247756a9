"""``K.sum`` and its like, the generator methods, and that old names say what replaced them."""

import numpy as np
import pytest

import pynn
from pynn.backend import result_type
from pynn.errors import ArgumentError
from pynn.legacy import backend as K
from pynn.legacy import notice

A = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda: K.sum(A, axis=[0, 1]), 15),
        (lambda: K.mean(A > 2), 0.5),
        (lambda: K.mean(A, axis=-1, keepdims=True), A.mean(-1, keepdims=True)),
        (lambda: K.max(A, 0), A.max(0)),
        (lambda: K.std(A), A.std()),
        (lambda: K.argmax(A), [2, 2]),
        (lambda: K.sqrt(np.array([4.0, -1.0])), [2, 0]),
        (lambda: K.clip(A, 1, None), A.clip(1)),
        (lambda: K.pow(A, 2), A**2),
        (lambda: K.round(K.clip(A / 4, 0, 1)), np.round((A / 4).clip(0, 1))),
        (lambda: K.dot(A, A.T), A @ A.T),
        (lambda: K.batch_dot(A, A), (A * A).sum(1, keepdims=True)),
        (lambda: K.relu(A - 3, alpha=0.1, max_value=1.5), [[-0.3, -0.2, -0.1], [0, 1, 1.5]]),
        (lambda: K.l2_normalize(A, 1), A / np.linalg.norm(A, axis=1, keepdims=True)),
        (lambda: K.concatenate([A, A]), np.concatenate([A, A], -1)),
        (lambda: K.expand_dims(A), A[..., None]),
        (lambda: K.permute_dimensions(A, (1, 0)), A.T),
        (lambda: K.flatten(A), A.ravel()),
        (lambda: K.batch_flatten(A[None]), A.reshape(1, 6)),
        (lambda: K.repeat(A, 4), np.repeat(A[:, None], 4, 1)),
        (lambda: K.repeat_elements(A, 2, 1), np.repeat(A, 2, 1)),
        (lambda: K.switch(np.array([True, False]), A, lambda: -A), [A[0], -A[1]]),
        (lambda: K.gather(A, [1]), A[[1]]),
        (lambda: K.one_hot([1], 3), [[0, 1, 0]]),
        (lambda: K.foldl(lambda a, b: a * 10 + b, [1.0, 2.0, 3.0]), 123),
        (lambda: K.foldr(lambda a, b: a * 10 + b, [1.0, 2.0, 3.0]), 321),
        (lambda: K.reverse(A, 1), A[:, ::-1]),
        (lambda: K.binary_crossentropy([1.0], [0.5]), [np.log(2)]),
        (lambda: K.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]), [np.log(2)]),
        (lambda: K.arange(3), [0, 1, 2]),
        (lambda: K.eye(2), np.eye(2)),
        (lambda: K.bias_add(A, np.array([1.0, 2.0, 3.0])), A + np.array([1, 2, 3])),
    ],
)
def test_values(result, expected):
    np.testing.assert_allclose(result(), expected, rtol=1e-5, atol=1e-6)


X = np.arange(2 * 4 * 4 * 3, dtype="float32").reshape(2, 4, 4, 3)
V = np.arange(2 * 4 * 2 * 2, dtype="float32").reshape(1, 2, 4, 2, 2)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda: K.temporal_padding(X[0], (1, 2)), np.pad(X[0], ((0, 0), (1, 2), (0, 0)))),
        (lambda: K.spatial_2d_padding(X), np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)))),
        (lambda: K.spatial_2d_padding(X, ((1, 0), (0, 2)), "channels_first"),
         np.pad(X, ((0, 0), (0, 0), (1, 0), (0, 2)))),
        (lambda: K.spatial_3d_padding(V), np.pad(V, ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0)))),
        (lambda: K.resize_images(X, 2, 3, "channels_last"), X.repeat(2, 1).repeat(3, 2)),
        (lambda: K.resize_images(X, 2, 3, "channels_first"), X.repeat(2, 2).repeat(3, 3)),
        (lambda: K.resize_images(X, 2, 1, "channels_last", "bilinear")[:, 1], X[:, 0] * 0.75 + X[:, 1] * 0.25),
        (lambda: K.resize_volumes(V, 1, 2, 3, "channels_last"), V.repeat(2, 2).repeat(3, 3)),
        (lambda: K.conv3d(V, np.ones((1, 1, 1, 2, 1), "float32")), V.sum(-1, keepdims=True)),
        (lambda: K.depthwise_conv2d(X, np.ones((4, 4, 3, 1), "float32")), X.sum((1, 2), keepdims=True)),
        (lambda: K.separable_conv2d(X, np.ones((4, 4, 3, 1), "float32"), np.ones((1, 1, 3, 1), "float32")),
         X.sum((1, 2, 3), keepdims=True)),
        (lambda: K.pool3d(V, (2, 2, 2)), np.maximum(V[:, 1:, :-1, 1:], V[:, 1:, 1:, 1:])),
        (lambda: K.pool3d(V, (2, 4, 2), pool_mode="avg"), V.mean((1, 2, 3), keepdims=True)),
        (lambda: K.batch_normalization(X, X.mean((0, 1, 2)), X.var((0, 1, 2)), None, np.full(3, 2.0), epsilon=0.0),
         2 * (X - X.mean((0, 1, 2))) / X.std((0, 1, 2))),
    ],
)  # fmt: skip
def test_images_and_volumes(result, expected):
    np.testing.assert_allclose(result(), expected, rtol=1e-4, atol=1e-4)


def test_variables():
    v = K.variable([1.0, 2.0], name="v")
    K.set_value(v, [3.0, 4.0])
    np.testing.assert_array_equal(K.get_value(v), [3, 4])
    K.update_add(v, [1.0, 1.0])
    np.testing.assert_array_equal(K.eval(v), [4, 5])
    K.moving_average_update(v, np.zeros(2), 0.5)
    np.testing.assert_array_equal(K.batch_get_value([v])[0], [2, 2.5])
    assert K.int_shape(v) == (2,)
    assert (K.ndim(v), K.dtype(v), K.count_params(v)) == (1, "float32", 2)


def test_a_loss_and_a_metric_written_with_it_train():
    def rmse(y_true, y_pred):
        return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))

    def sampled(arguments):
        mean, spread = arguments
        return mean + K.exp(spread) * K.random_normal(K.shape(mean), stddev=0.01)

    inputs = pynn.Input((3,))
    hidden = pynn.layers.Dense(4)(inputs)
    outputs = pynn.layers.Dense(1)(pynn.layers.Lambda(sampled)([hidden, hidden]))
    model = pynn.Model(inputs, outputs)
    model.compile("adam", rmse, metrics=[rmse])
    logs = model.fit(A, A[:, :1], epochs=2, verbose=0).history
    assert set(logs) == {"loss", "rmse"}
    assert K.int_shape(hidden) == (None, 4)


def test_function_reads_what_is_inside_a_model():
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2), pynn.layers.ReLU()])
    (inside,) = K.function([model.input], [model.layers[0].output])([A])
    np.testing.assert_allclose(inside, A @ model.layers[0].kernel.numpy(), rtol=1e-5)
    with pytest.raises(ArgumentError, match="updates"):
        K.function([model.input], [model.output], updates=[1])
    with pytest.raises(ArgumentError, match="GradientTape"):
        K.gradients(model.output, model.weights)


def test_old_names_say_once_what_replaced_them(monkeypatch):
    monkeypatch.setattr(notice, "_said", set())
    vars(pynn.backend).pop("sum", None)
    with pytest.warns(DeprecationWarning, match=r"keras\.backend\.sum is from older versions.*keras\.ops"):
        assert float(pynn.backend.sum(A)) == 15
    assert float(pynn.backend.sum(A)) == 15  # warnings are errors here
    with pytest.warns(DeprecationWarning, match="TextVectorization"):
        pynn.preprocessing.text.Tokenizer()
    pynn.preprocessing.text.Tokenizer()
    with pytest.warns(DeprecationWarning, match="temporal_padding"):
        assert pynn.backend.temporal_padding(A[None]).shape == (1, 4, 3)
    with pytest.raises(AttributeError, match="nonsense"):
        pynn.backend.nonsense  # noqa: B018
    with pytest.raises(AttributeError, match="np"):
        pynn.backend.np  # noqa: B018
    assert result_type("int32", "float32") == "float32"


def test_generator_methods(monkeypatch):
    monkeypatch.setattr(notice, "_said", set())
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])

    def batches():
        while True:
            yield A, A[:, :1]

    with pytest.warns(DeprecationWarning, match=r"Model\.fit_generator is from older.*use Model\.fit"):
        history = model.fit_generator(batches(), steps_per_epoch=3, epochs=2, workers=4, verbose=0)
    assert len(history.history["loss"]) == 2
    with pytest.warns(DeprecationWarning, match=r"use Model\.evaluate"):
        assert len(model.evaluate_generator(batches(), 2, verbose=0)) == 2
    with pytest.warns(DeprecationWarning, match=r"use Model\.predict"):
        assert model.predict_generator(batches(), 2, verbose=0).shape == (4, 1)
    with pytest.raises(ArgumentError, match="received an array; use fit"):
        model.fit_generator(A)
