"""TensorFlow's names over pynn: arguments and defaults that differ from NumPy's and Keras's."""

import numpy as np
import pytest

import pynn
import pynn.compat.tensorflow as tf
from pynn.errors import ArgumentError

A = np.arange(12, dtype="float32").reshape(3, 4)


def test_all_names_of_the_tables_are_there():
    from pynn.compat.tensorflow import linalg, math

    for module in (tf, math, linalg):
        for name in module._NAMES:
            getattr(module, name)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda: tf.reduce_mean(A, axis=1), A.mean(1)),
        (lambda: tf.reduce_mean(np.array([1, 2])), 1),
        (lambda: tf.reduce_sum(A, [0, 1], keepdims=True), A.sum((0, 1), keepdims=True)),
        (lambda: tf.argmax(A), A.argmax(0)),
        (lambda: tf.argmin(A, 1), A.argmin(1)),
        (lambda: tf.matmul(A, A, transpose_b=True), A @ A.T),
        (lambda: tf.concat([A, A], 1), np.concatenate([A, A], 1)),
        (lambda: tf.split(A, [1, -1], axis=1)[1], A[:, 1:]),
        (lambda: tf.split(A, 2, axis=1)[1], A[:, 2:]),
        (lambda: tf.transpose(A, perm=[1, 0]), A.T),
        (lambda: tf.clip_by_value(A, 2, 5), A.clip(2, 5)),
        (lambda: tf.clip_by_norm(A, 1.0), A / np.linalg.norm(A)),
        (lambda: tf.gather(A, [2, 0]), A[[2, 0]]),
        (lambda: tf.range(3), [0, 1, 2]),
        (lambda: tf.range(1.0, 2.0, 0.5), [1.0, 1.5]),
        (lambda: tf.fill([2], 3), [3, 3]),
        (lambda: tf.one_hot([1], 3, on_value=5.0, off_value=1.0), [[1, 5, 1]]),
        (lambda: tf.constant(2.0, shape=(2, 2)), np.full((2, 2), 2)),
        (lambda: tf.pad(A, [[1, 0], [0, 0]])[0], np.zeros(4)),
        (lambda: tf.where(A > 9), np.argwhere(A > 9)),
        (lambda: tf.where(A > 9, A, 0.0), np.where(A > 9, A, 0)),
        (lambda: tf.cumsum(A, exclusive=True), np.cumsum(A, 0) - A),
        (lambda: tf.cumsum(A, axis=1, reverse=True), np.cumsum(A[:, ::-1], 1)[:, ::-1]),
        (lambda: tf.sort(A, direction="DESCENDING"), A[:, ::-1]),
        (lambda: tf.argsort([1.0, 3.0, 2.0], direction="DESCENDING"), [1, 2, 0]),
        (lambda: tf.norm(A), np.linalg.norm(A)),
        (lambda: tf.norm(A, ord=1), A.sum()),
        (lambda: tf.add_n([A, A, A]), 3 * A),
        (lambda: tf.reshape(A, [-1, 2]), A.reshape(-1, 2)),
        (lambda: tf.math.squared_difference(A, 1.0), (A - 1) ** 2),
        (lambda: tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]), [[1, 0], [1, 1]]),
        (lambda: tf.nn.leaky_relu([-1.0, 1.0]), [-0.2, 1]),
        (lambda: tf.nn.l2_normalize(A, axis=1), A / np.linalg.norm(A, axis=1, keepdims=True)),
        (lambda: tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]), [np.log(2)]),
        (lambda: tf.nn.softmax_cross_entropy_with_logits([[0.0, 1.0]], [[0.0, 0.0]]), [np.log(2)]),
        (lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([1], [[0.0, 0.0]]), [np.log(2)]),
        (lambda: tf.nn.max_pool2d(A[None, ..., None], 2, [1, 2, 2, 1], "SAME")[0, ..., 0], [[5, 7], [9, 11]]),
        (lambda: tf.image.flip_left_right(A[..., None])[..., 0], A[:, ::-1]),
        (lambda: tf.linalg.matrix_transpose(A), A.T),
    ],
)  # fmt: skip
def test_values(result, expected):
    result = result()
    assert isinstance(result.numpy(), np.ndarray)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_dtypes():
    assert tf.cast(A, tf.int32).dtype == tf.int32
    assert tf.argmax(A).dtype == "int64"
    assert tf.zeros((2,), tf.bool).dtype == tf.bool
    assert tf.one_hot([0], 2).dtype == tf.float32
    assert tf.random.uniform((3,), 0, 5, dtype=tf.int32).dtype == tf.int32


def test_shapes_are_plain_numbers():
    batch, length = tf.shape(A)
    assert tf.zeros((batch, length + 1)).shape == (3, 5)
    assert tf.rank(A) == 2
    assert tf.TensorShape([None, 3]).as_list() == [None, 3]


def test_a_loop_with_tape_and_function():
    w = tf.Variable(tf.zeros((2, 1)), name="layer/w:0")
    x = tf.constant([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])
    y = tf.matmul(x, tf.constant([[2.0], [-1.0]]))
    traced = []

    @tf.function
    def step(rate, times):
        traced.append(times)
        for _ in range(times):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
            w.assign_sub(rate * tape.gradient(loss, w))
        return loss

    for _ in range(200):
        loss = step(0.1, 2)
    assert len(traced) == 1
    assert loss.numpy() < 1e-6
    np.testing.assert_allclose(w.numpy(), [[2], [-1]], atol=1e-3)
    assert step(0.1, 1).shape == ()
    assert traced == [2, 1]


def test_a_method_as_function():
    class Model:
        def __init__(self):
            self.w = tf.Variable(3.0)

        @tf.function(jit_compile=True)
        def scaled(self, x, times=1):
            return self.w * x * times

    model = Model()
    assert float(model.scaled(tf.constant(2.0))) == 6
    assert float(model.scaled(2.0, times=2)) == 12
    assert float(Model().scaled(tf.constant(1.0))) == 3


def test_variables_of_layers_are_tensorflow_variables():
    layer = pynn.layers.Dense(1)
    layer.build((None, 2))
    assert isinstance(layer.kernel, tf.Variable)
    assert not isinstance(A, tf.Variable)
    assert tf.Variable(lambda: [1.0], trainable=False).trainable is False


def test_what_cannot_be_done_is_refused():
    with pytest.raises(ArgumentError, match="batch_dims"):
        tf.gather(A, [0], batch_dims=1)
    with pytest.raises(ArgumentError, match="ASCENDING"):
        tf.sort(A, direction="up")
    with pytest.raises(ArgumentError, match="NHWC"):
        tf.nn.max_pool2d(A[None, ..., None], 2, 2, "SAME", data_format="NCHW")
    with pytest.raises(TypeError, match="no argument nonsense"):
        tf.function(nonsense=True)


def test_seeds_repeat():
    tf.random.set_seed(3)
    first = tf.random.normal((4,))
    tf.random.set_seed(3)
    np.testing.assert_array_equal(tf.random.normal((4,)), first)


def test_devices():
    assert tf.config.list_physical_devices("GPU") == []
    with tf.device("/CPU:0"):
        assert tf.executing_eagerly()
