"""The worked numbers of the course this project goes with, first half: neurons, counting, losses, activations,
convolution, pooling."""

import numpy as np
import pytest

import pynn as keras
from pynn import config, layers, ops

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def neuron(weights, threshold):
    """A neuron that fires when ``weights @ x`` exceeds the threshold: its bias is minus the threshold."""
    model = keras.Sequential([keras.Input((len(weights),)), layers.Dense(1, activation="step")])
    model.set_weights([np.array(weights, "float32")[:, None], np.array([-threshold], "float32")])
    return model


# ---- neurons and perceptrons -----------------------------------------------------------------------------------


def test_hot_dog_neuron():
    """Ketchup 3, mustard 2, bun 6, threshold 4."""
    model = neuron([3, 2, 6], 4)
    x = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    assert model.predict(x, verbose=0)[:, 0].tolist() == [1, 0, 1]


def test_the_perceptron_learns_and():
    """w = (1.2, 0.6), fires when w.x > 1, rate 0.5: (1, 0) is wrong, w becomes (0.7, 0.6), all four are right."""
    model = neuron([1.2, 0.6], 1)
    y = np.array([0, 0, 0, 1], "float32")
    steps = []
    for _ in range(10):
        wrong = np.flatnonzero(model.predict(CORNERS, verbose=0)[:, 0] != y)
        if not len(wrong):
            break
        x, target = CORNERS[wrong[0]], y[wrong[0]]
        w, b = model.get_weights()
        error = target - model.predict(x[None], verbose=0)[0, 0]
        w += 0.5 * error * x[:, None]
        model.set_weights([w, b])
        steps.append((x.tolist(), w[:, 0].round(6).tolist()))
    assert [x for x, _ in steps] == [[1, 0]]
    np.testing.assert_allclose(steps[0][1], [0.7, 0.6], rtol=1e-6)
    assert model.predict(CORNERS, verbose=0)[:, 0].tolist() == [0, 0, 0, 1]


def test_no_single_neuron_does_xor_but_two_layers_do():
    y = np.array([0, 1, 1, 0], "float32")
    grid = np.linspace(-2, 2, 9)
    for w1 in grid:
        for w2 in grid:
            fired = (CORNERS @ [w1, w2])[None] > grid[:, None]
            assert (fired != y).any(axis=1).all()
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(2, activation="step"), layers.Dense(1, activation="step")]
    )
    # "at least one" and "both"; the output fires for the first without the second.
    model.set_weights([[[1, 1], [1, 1]], [-0.5, -1.5], [[1], [-1]], [-0.5]])
    assert model.predict(CORNERS, verbose=0)[:, 0].tolist() == y.tolist()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_hidden_layer_learns_xor(seed):
    keras.utils.set_random_seed(seed)
    y = np.array([0, 1, 1, 0], "float32")
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(8, activation="tanh"), layers.Dense(1, activation="sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(CORNERS, y, epochs=150, verbose=0).history
    assert history["accuracy"][-1] == 1
    assert history["loss"][-1] < 0.05
    assert (model.predict(CORNERS, verbose=0)[:, 0] > 0.5).tolist() == y.astype(bool).tolist()


# ---- counting --------------------------------------------------------------------------------------------------


def parameters(*stack):
    return keras.Sequential([*stack]).count_params()


def test_numbers_of_parameters():
    assert parameters(keras.Input((49,)), layers.Dense(3)) == 49 * 3 + 3 == 150
    two = keras.Sequential([keras.Input((784,)), layers.Dense(64), layers.Dense(10)])
    assert [layer.count_params() for layer in two.layers] == [50_240, 650]
    assert two.count_params() == 50_890
    assert parameters(keras.Input((28, 28, 1)), layers.Conv2D(1, 5)) == 26
    assert parameters(keras.Input((13, 13, 256)), layers.Conv2D(384, 3)) == 885_120


@pytest.mark.parametrize(("samples", "batch_size", "steps"), [(60_000, 128, 469), (1_000, 10, 100), (1_000, None, 32)])
def test_numbers_of_steps(samples, batch_size, steps):
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.zeros((samples, 1), "uint8"), np.zeros(samples), batch_size=batch_size, verbose=0)
    assert history.params["steps"] == steps
    assert int(model.optimizer.iterations) == steps


def test_a_bias_of_minus_15_moves_the_point_where_a_sigmoid_fires():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, activation="sigmoid")])
    model.set_weights([[[1.0]], [-15.0]])
    low, middle, high = model.predict(np.array([[10.0], [15.0], [20.0]]), verbose=0)[:, 0]
    assert low < 0.01
    assert middle == 0.5
    assert high > 0.99


# ---- losses ----------------------------------------------------------------------------------------------------


def test_cost_of_a_digit():
    outputs = np.array([[0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4]])
    assert 10 * float(keras.losses.MeanSquaredError()(np.eye(10)[[1]], outputs)) == pytest.approx(0.7901, abs=1e-6)


def test_squared_and_absolute_errors():
    assert float(keras.losses.MeanSquaredError()([70.0, 130, 100], [90.0, 110, 110])) == 300
    assert float(keras.losses.MeanAbsoluteError()([0.0, 0, 0], [5.0, -22, 20])) == pytest.approx(47 / 3)


def test_binary_crossentropy_in_tens():
    """-log10 of 0.7, 0.3 and 0.9."""
    loss = keras.losses.BinaryCrossentropy(reduction=None)
    got = np.asarray(loss([[1.0], [0.0], [1.0]], [[0.7], [0.7], [0.9]])) / np.log(10)
    np.testing.assert_allclose(got, [0.155, 0.523, 0.046], atol=5e-4)


def test_crossentropies_agree():
    p = np.array([[0.1, 0.6, 0.3], [0.2, 0.2, 0.6]], "float32")
    sparse = float(keras.losses.SparseCategoricalCrossentropy()([1, 2], p))
    assert sparse == pytest.approx(-np.log(0.6), rel=1e-5)
    assert float(keras.losses.CategoricalCrossentropy()(np.eye(3)[[1, 2]], p)) == pytest.approx(sparse)


# ---- activations -----------------------------------------------------------------------------------------------


def test_activations_and_their_slopes():
    x = np.array([-3.0, -1, 0, 0.5, 2, 8], "float32")
    sigmoid, tanh = 1 / (1 + np.exp(-x)), np.tanh(x)
    known = {
        "sigmoid": (sigmoid, sigmoid * (1 - sigmoid)),
        "tanh": (tanh, 1 - tanh**2),
        "relu": (np.maximum(x, 0), x > 0),
        "elu": (np.where(x > 0, x, np.exp(x) - 1), np.where(x > 0, 1, np.exp(x))),
    }
    for name, (value, slope) in known.items():
        activation = keras.activations.get(name)
        np.testing.assert_allclose(activation(x), value, rtol=2e-6, atol=1e-7, err_msg=name)
        np.testing.assert_allclose(slopes(activation, x), slope, rtol=1e-5, atol=1e-6, err_msg=name)
    leaky = layers.LeakyReLU(negative_slope=0.1)
    np.testing.assert_allclose(leaky(x), np.where(x > 0, x, 0.1 * x), rtol=1e-6)
    np.testing.assert_array_equal(keras.activations.get("step")(x), [0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(np.asarray(keras.activations.softmax(x[None])).sum(), 1, rtol=1e-6)


def slopes(activation, x):
    """The gradient of each output by its input: what training a scale of 1 in front of it would use."""
    from pynn.executor.native import NativeProgram
    from pynn.graph.autodiff import gradients
    from pynn.graph.ir import Spec
    from pynn.graph.trace import Trace

    with Trace() as trace:
        value = trace.input("x", Spec(x.shape))
        graph = trace.finish(gradients(ops.sum(activation(value)), [value]))
    return NativeProgram(graph)([x])[0]


# ---- convolution and pooling -----------------------------------------------------------------------------------

PICTURE = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
FILTER = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
NUMBERS = [[12, 20, 30, 0], [8, 12, 2, 0], [34, 70, 37, 4], [112, 100, 25, 12]]


def picture(rows):
    return np.array(rows, "float32")[None, ..., None]


def test_convolution():
    model = keras.Sequential([keras.Input((5, 5, 1)), layers.Conv2D(1, 3, use_bias=False)])
    model.set_weights([np.array(FILTER, "float32")[..., None, None]])
    assert model.predict(picture(PICTURE), verbose=0)[0, ..., 0].tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]


@pytest.mark.parametrize(
    ("size", "window", "stride", "padding"),
    [(28, 5, 1, "valid"), (28, 5, 1, "same"), (28, 3, 2, "valid"), (28, 3, 2, "same"), (7, 7, 1, "valid")],
)
def test_size_after_a_convolution(size, window, stride, padding):
    model = keras.Sequential([keras.Input((size, size, 1)), layers.Conv2D(1, window, strides=stride, padding=padding)])
    expected = (size - window) // stride + 1 if padding == "valid" else -(-size // stride)
    assert model.output_shape == (None, expected, expected, 1)
    assert model.predict(np.zeros((1, size, size, 1)), verbose=0).shape == (1, expected, expected, 1)


def test_pooling():
    largest, average = layers.MaxPooling2D(2)(picture(NUMBERS)), layers.AveragePooling2D(2)(picture(NUMBERS))
    assert largest[0, ..., 0].tolist() == [[20, 30], [112, 37]]
    assert average[0, ..., 0].tolist() == [[13, 8], [79, 19.5]]


def test_lenet_shapes():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    assert [layer.output_shape[1:] for layer in model.layers] == [
        (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,), (120,), (84,), (10,)
    ]  # fmt: skip
    assert model.count_params() == 61_706


# ---- initialization and regularization -------------------------------------------------------------------------


def test_with_zeros_all_neurons_of_a_layer_stay_equal():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, activation="sigmoid", kernel_initializer="zeros"),
            layers.Dense(1, kernel_initializer="zeros"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.random((40, 3)), rng.random(40), epochs=5, verbose=0)
    kernel = model.get_weights()[0]
    assert (kernel != 0).all()
    np.testing.assert_array_equal(kernel, np.repeat(kernel[:, :1], 4, axis=1))


@pytest.mark.parametrize("threads", [1, 3])
def test_batch_normalization_is_gamma_x_hat_plus_beta(threads):
    x = np.random.default_rng(0).normal(5, 3, (64, 3)).astype("float32")
    layer = layers.BatchNormalization(epsilon=1e-3)
    layer.build((None, 3))
    layer.set_weights([[2, 1, 3], [0, 1, -1], [0, 0, 0], [1, 1, 1]])
    config.set_num_threads(threads)
    try:
        y = layer(x, training=True)
    finally:
        config.set_num_threads(None)
    x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3)
    np.testing.assert_allclose(y, x_hat * [2, 1, 3] + [0, 1, -1], rtol=1e-4, atol=1e-4)
