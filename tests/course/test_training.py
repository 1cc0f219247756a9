"""The worked numbers of the course, second half: calculus, backward passes, losses, optimizers, first weights,
regularization."""

import math

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops

# ---- calculus --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: 5 * x**5, lambda x: 25 * x**4),
        (lambda x: (x**4 + 2) * ops.cos(x), lambda x: 4 * x**3 * math.cos(x) - (x**4 + 2) * math.sin(x)),
        (ops.sigmoid, lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2),
        (ops.tanh, lambda x: 1 - math.tanh(x) ** 2),
    ],
)
def test_derivatives(f, slope):
    for x in (-1.5, 0.0, 0.7, 2.0):
        assert float(keras.grad(f)(x)) == pytest.approx(slope(x), rel=1e-5, abs=1e-6)


def test_partial_derivatives():
    assert float(keras.grad(lambda x, y: x**4 * y)(3.0, 2.0)) == 4 * 27 * 2
    gradient = keras.grad(lambda x, y: 2 * x**2 + 4 * y, argnums=(0, 1))(3.0, 5.0)
    assert [float(g) for g in gradient] == [12, 4]


@pytest.mark.parametrize(
    ("f", "point", "kind"),
    [
        (lambda x, y: x**2 + x * y + y**2, (0.0, 0.0), "minimum"),
        (lambda x, y: 3 * x * y - x**3 - y**3, (1.0, 1.0), "maximum"),
        (lambda x, y: 3 * x * y - x**3 - y**3, (0.0, 0.0), "saddle"),
        (lambda x, y: x**4 + y**4, (0.0, 0.0), "undecided"),
    ],
)
def test_critical_points(f, point, kind):
    """By rt - s² and r, where the gradient is zero."""
    assert [float(g) for g in keras.grad(f, argnums=(0, 1))(*point)] == [0, 0]
    (r, s), (_, t) = keras.hessian(f, argnums=(0, 1))(*point)
    determinant = float(r * t - s * s)
    found = "undecided" if determinant == 0 else "saddle" if determinant < 0 else "minimum" if r > 0 else "maximum"
    assert found == kind


# ---- forward and backward --------------------------------------------------------------------------------------

FIRST = np.array([[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]], "float32")  # w1..w6: three inputs, two neurons
SECOND = np.array([[0.7], [0.8]], "float32")  # w7, w8


def test_forward_and_backward_by_hand():
    """y = w7 N1 + w8 N2 + b3, with N1 and N2 linear in x1..x3: each derivative of (y - target)² by the chain rule."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(1)])
    model.set_weights([FIRST, [0.1, 0.2], SECOND, [0.3]])
    x, target = np.array([[1.0, 2.0, 3.0]], "float32"), 2.0
    hidden = x @ FIRST + [0.1, 0.2]
    y = hidden @ SECOND + 0.3
    np.testing.assert_allclose(hidden, [[1.5, 3.4]], rtol=1e-6)
    assert y.item() == pytest.approx(4.07)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-6)
    with keras.GradientTape() as tape:
        loss = ops.square(model(x)[0, 0] - target)
    by_autodiff = tape.gradient(loss, model.trainable_variables)
    outer = 2 * (y.item() - target)
    to_hidden = outer * SECOND[:, 0]
    by_hand = [x[0][:, None] * to_hidden, to_hidden, outer * hidden.T, [outer]]
    for a, b in zip(by_autodiff, by_hand, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize(("activation", "vanishes"), [("sigmoid", True), ("relu", False)])
def test_gradients_vanish_behind_saturated_neurons(activation, vanishes):
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(32, activation=activation, kernel_initializer="he_normal") for _ in range(6)]
    model = keras.Sequential([keras.Input((32,)), *hidden, layers.Dense(1)])
    x = np.random.default_rng(0).standard_normal((64, 32)).astype("float32")
    with keras.GradientTape() as tape:
        loss = ops.mean(ops.square(model(x) - 1.0))
    kernels = [w for w in model.trainable_variables if w.name == "kernel"]
    lengths = [float(np.linalg.norm(g)) for g in tape.gradient(loss, kernels)]
    # A sigmoid's slope is at most 1/4.
    assert (lengths[0] < 0.02 * lengths[5]) == vanishes


# ---- activations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: layers.LeakyReLU(negative_slope=0.01), [-0.02, 3]),
        (lambda: layers.LeakyReLU(negative_slope=0.1), [-0.2, 3]),
        (lambda: layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25)), [-0.5, 3]),
        (layers.ELU, [math.exp(-2) - 1, 3]),
        (lambda: layers.Activation("step"), [0, 1]),
        (layers.Softmax, [math.exp(-2) / (math.exp(-2) + math.exp(3)), math.exp(3) / (math.exp(-2) + math.exp(3))]),
    ],
)
def test_activations_of_minus_2_and_3(make, expected):
    np.testing.assert_allclose(make()(np.array([[-2.0, 3.0]], "float32"))[0], expected, rtol=1e-5)


def test_the_slope_of_a_parametric_relu_is_learned():
    model = keras.Sequential([keras.Input((1,)), layers.PReLU()])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.array([[-1.0], [-2.0]]), np.array([-0.3, -0.6]), epochs=60, verbose=0)
    assert float(model.get_weights()[0].item()) == pytest.approx(0.3, abs=1e-3)


# ---- losses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "true", "predicted", "expected"),
    [
        (keras.losses.Huber(delta=1.0), 0.0, 0.5, 0.125),  # half the square, inside of delta
        (keras.losses.Huber(delta=1.0), 0.0, 3.0, 2.5),  # delta * (3 - delta / 2), outside
        (keras.losses.Huber(delta=2.0), 0.0, 3.0, 4.0),
        (keras.losses.PseudoHuber(delta=1.0), 0.0, 3.0, math.sqrt(10) - 1),
        (keras.losses.PseudoHuber(delta=2.0), 0.0, 3.0, 4 * (math.sqrt(1 + 2.25) - 1)),
        (keras.losses.Hinge(), 1.0, 0.3, 0.7),  # max(0, 1 - y * prediction)
        (keras.losses.Hinge(), -1.0, 0.3, 1.3),
        (keras.losses.Hinge(), 1.0, 2.0, 0.0),
    ],
)  # fmt: skip
def test_one_number(loss, true, predicted, expected):
    assert float(loss([[true]], [[predicted]])) == pytest.approx(expected, rel=1e-6)


def test_an_outlier_weighs_more_in_squares():
    errors = np.array([[1.0, 1.0, 1.0, 10.0]])
    squared = float(keras.losses.MeanSquaredError()(np.zeros((1, 4)), errors))
    absolute = float(keras.losses.MeanAbsoluteError()(np.zeros((1, 4)), errors))
    huber = float(keras.losses.Huber()(np.zeros((1, 4)), errors))
    assert (squared, absolute, huber) == (103 / 4, 13 / 4, pytest.approx((1.5 + 9.5) / 4))


# ---- optimizers ------------------------------------------------------------------------------------------------


def path(optimizer, start, gradients):
    """Where ``start`` is after each step."""
    w, seen = keras.Variable(np.float32(start), name="w"), []
    for gradient in gradients:
        optimizer.apply([np.float32(gradient)], [w])
        seen.append(float(w))
    return seen


def test_momentum_as_on_the_slides():
    """m = 0.5 m + 0.5 g: w = 5 becomes 6, then 6.85, where it was 7 and 7.7 without."""
    slides = keras.optimizers.SGD(0.1, momentum=0.5, dampening=0.5)
    assert path(slides, 5, [-20, -7]) == pytest.approx([6, 6.85])
    assert path(keras.optimizers.SGD(0.1), 5, [-20, -7]) == pytest.approx([7, 7.7])


def test_adagrad():
    """w - lr g / sqrt(sum of g²): the same gradient moves less each time."""
    adagrad = keras.optimizers.Adagrad(0.5, initial_accumulator_value=0.0, epsilon=0.0)
    assert path(adagrad, 1, [3, 4]) == pytest.approx([1 - 0.5, 0.5 - 0.5 * 4 / 5])


def test_adagrad_moves_rare_features_more():
    adagrad = keras.optimizers.Adagrad(1.0, initial_accumulator_value=0.0)
    w = keras.Variable(np.zeros(2, "float32"), name="w")
    for step in range(9):
        before = w.numpy()
        adagrad.apply([np.array([1.0, step == 8], "float32")], [w])
    np.testing.assert_allclose(w.numpy() - before, [-1 / 3, -1], rtol=1e-5)


def test_rmsprop():
    """v = 0.9 v + 0.1 g², w - lr g / sqrt(v)."""
    v1 = 0.1 * 9
    v2 = 0.9 * v1 + 0.1 * 16
    first = 1 - 0.1 * 3 / math.sqrt(v1)
    rmsprop = keras.optimizers.RMSprop(0.1, rho=0.9, epsilon=0.0)
    assert path(rmsprop, 1, [3, 4]) == pytest.approx([first, first - 0.1 * 4 / math.sqrt(v2)])


def test_adam_with_bias_correction():
    """Corrected means of one gradient are the gradient: the first step is the learning rate, whatever its size."""
    m, v = 0.9 * 0.1 * 3 + 0.1 * 4, 0.999 * 0.001 * 9 + 0.001 * 16
    second = 0.1 * (m / (1 - 0.81)) / math.sqrt(v / (1 - 0.999**2))
    for scale in (1, 1000):
        adam = keras.optimizers.Adam(0.1, epsilon=0.0)
        assert path(adam, 1, [3 * scale, 4 * scale]) == pytest.approx([0.9, 0.9 - second], rel=1e-6)


# ---- first weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (keras.initializers.RandomNormal(stddev=0.05, seed=1), 0.05**2),
        (keras.initializers.LecunNormal(seed=1), 1 / 400),  # Xavier, vanilla: 1 / n_in
        (keras.initializers.GlorotNormal(seed=1), 2 / (400 + 100)),  # Xavier, normalized
        (keras.initializers.GlorotUniform(seed=1), 2 / (400 + 100)),
        (keras.initializers.HeNormal(seed=1), 2 / 400),
    ],
)
def test_variance_of_first_weights(initializer, variance):
    w = initializer((400, 100))
    assert w.var() == pytest.approx(variance, rel=0.03)
    assert abs(w.mean()) < 4 * math.sqrt(variance / w.size)


@pytest.mark.parametrize(
    ("initializer", "keeps"), [("he_normal", True), ("lecun_normal", False), ("glorot_normal", False)]
)
def test_he_keeps_the_variance_through_relu(initializer, keeps):
    keras.utils.set_random_seed(3)
    x = np.random.default_rng(0).standard_normal((256, 128)).astype("float32")
    sizes = []
    for _ in range(8):
        x = layers.Dense(128, activation="relu", kernel_initializer=initializer)(x)
        sizes.append(float(np.mean(np.square(x))))
    # Without He's factor 2 half of it is lost in each layer.
    assert (sizes[-1] > 0.4 * sizes[0]) == keeps


# ---- regularization --------------------------------------------------------------------------------------------

W = np.array([3.0, -4.0], "float32")


def elastic_net(strength, share):
    """λ (α |w|₁ + (1 - α) / 2 |w|²)."""
    return keras.regularizers.L1L2(l1=strength * share, l2=strength * (1 - share) / 2)


@pytest.mark.parametrize(
    ("regularizer", "penalty", "gradient"),
    [
        (keras.regularizers.L1(0.1), 0.7, [0.1, -0.1]),  # lasso
        (keras.regularizers.L2(0.1), 2.5, [0.6, -0.8]),  # ridge
        (elastic_net(0.2, 0.5), 0.2 * (0.5 * 7 + 0.25 * 25), [0.1 + 0.3, -0.1 - 0.4]),
        (elastic_net(0.2, 1.0), 1.4, [0.2, -0.2]),
        (elastic_net(0.2, 0.0), 2.5, [0.6, -0.8]),
    ],
)
def test_penalties(regularizer, penalty, gradient):
    assert float(regularizer(W)) == pytest.approx(penalty, rel=1e-6)
    np.testing.assert_allclose(keras.grad(lambda w: regularizer(w))(W), gradient, rtol=1e-5)
    # Part of the loss that fit reports and follows.
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False, kernel_regularizer=regularizer)])
    model.set_weights([W[:, None]])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    assert model.train_on_batch(np.zeros((4, 2)), np.zeros(4)) == pytest.approx(penalty, rel=1e-6)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], W - gradient, rtol=1e-5)


def test_lasso_makes_zeros_and_ridge_does_not():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 5)).astype("float32")
    y = 2 * x[:, 0]
    kernels = {}
    for name in ("l1", "l2"):
        penalty = getattr(keras.regularizers, name.upper())(0.2)
        model = keras.Sequential([keras.Input((5,)), layers.Dense(1, use_bias=False, kernel_regularizer=penalty)])
        model.compile(keras.optimizers.SGD(keras.optimizers.schedules.InverseTimeDecay(0.1, 10, 1.0)), "mse")
        model.fit(x, y, epochs=40, batch_size=200, verbose=0)
        kernels[name] = np.abs(model.get_weights()[0][:, 0])
    assert (kernels["l1"][1:] < 0.02).all()
    assert 1.5 < kernels["l1"][0] < 2 - 0.05
    assert kernels["l2"][0] < 1.9


def test_dropout():
    """In training a share of the neurons is silent, the others are louder by 1 / (1 - rate); nothing happens later."""
    dropout, x = layers.Dropout(0.25, seed=1), np.ones((200, 200), "float32")
    y = np.asarray(dropout(x, training=True))
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(dropout(x, training=False), x)


@pytest.mark.parametrize(("min_delta", "patience", "epochs"), [(0.0, 2, 8), (0.1, 2, 5), (0.1, 0, 4), (1.0, 1, 2)])
def test_early_stopping(min_delta, patience, epochs):
    """Losses that fall by ever less: an epoch counts if it is better than the best by more than min_delta."""
    losses = [1.0, 0.5, 0.3, 0.25, 0.22, 0.21, 0.22, 0.23, 0.24, 0.25]
    stop = keras.callbacks.EarlyStopping("val_loss", min_delta=min_delta, patience=patience)

    class Losses(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = losses[epoch]

    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.zeros((4, 1)), np.zeros(4), epochs=10, verbose=0, callbacks=[Losses(), stop])
    assert len(history.epoch) == epochs
