"""Optimizers on arrays: values, learning rate, slots, config, errors."""

import numpy as np
import pytest

from pynn import optimizers
from pynn.graph.variable import Variable

G = np.array([1.0, -2.0, 3.0], "float32")


def _weights():
    return Variable(np.zeros(3, "float32"), name="w")


def test_sgd():
    w, sgd = _weights(), optimizers.SGD(0.1)
    sgd.apply_gradients([(G, w)])
    np.testing.assert_allclose(w.numpy(), -0.1 * G, rtol=1e-6)
    assert int(sgd.iterations) == 1


@pytest.mark.parametrize(
    ("nesterov", "expected"),
    # by hand, lr 0.01, momentum 0.9, two steps: v1 = -.01 g, v2 = -.019 g; w = v1 + v2, nesterov: sum of .9 v - .01 g
    [(False, -0.029), (True, -0.0461)],
)
def test_momentum(nesterov, expected):
    w, sgd = _weights(), optimizers.SGD(momentum=0.9, nesterov=nesterov)
    sgd.build([w])
    sgd.apply([G])
    sgd.apply([G])
    np.testing.assert_allclose(w.numpy(), expected * G, rtol=1e-5)
    np.testing.assert_allclose(sgd.variables[2].numpy(), -0.019 * G, rtol=1e-5)


def test_adam():
    w, adam = _weights(), optimizers.Adam(0.01)
    for i in range(3):
        adam.apply([G * (i + 1)], [w])
    np.testing.assert_allclose(w.numpy(), _adam_by_hand(3), rtol=1e-5)
    np.testing.assert_allclose(adam.variables[2].numpy(), 0.561 * G, rtol=1e-5)  # Keras's momentum slot
    np.testing.assert_allclose(adam.variables[3].numpy(), 0.013994 * G * G, rtol=1e-5)  # its velocity slot


def _adam_by_hand(steps, lr=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    w, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
    for t in range(1, steps + 1):
        g = G.astype("float64") * t
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        alpha = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w -= alpha * m / (np.sqrt(v) + epsilon)
    return w


def test_a_missing_gradient_leaves_its_variable_alone():
    a, b, adam = _weights(), _weights(), optimizers.Adam()
    adam.build([a, b])
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['w'\]"):
        adam.apply([None, G])
    np.testing.assert_array_equal(a.numpy(), 0)
    assert np.all(b.numpy() != 0)


def test_learning_rate_changes_without_a_new_program():
    w, sgd = _weights(), optimizers.SGD(1.0)
    sgd.apply([G], [w])
    sgd.learning_rate = 0.5
    sgd.apply([G], [w])
    sgd.learning_rate.assign(0.25)
    sgd.apply([G], [w])
    np.testing.assert_allclose(w.numpy(), -1.75 * G, rtol=1e-6)
    assert float(sgd.learning_rate) == 0.25


def test_schedule():
    w, sgd = _weights(), optimizers.SGD(lambda step: 1.0 / (1 + step))
    sgd.apply([G], [w])
    sgd.apply([G], [w])
    np.testing.assert_allclose(w.numpy(), -1.5 * G, rtol=1e-6)
    assert float(sgd.learning_rate) == pytest.approx(1 / 3)  # of the next step, as in Keras


def test_names_and_variables():
    w, adam = _weights(), optimizers.Adam(name="adam")
    adam.build([w])
    # [v.path for v in keras.optimizers.Adam().variables], Keras 3.15
    paths = ["adam/iteration", "adam/learning_rate", "adam/w_momentum", "adam/w_velocity"]
    assert [v.path for v in adam.variables] == paths
    adam.build([w])
    assert len(adam.variables) == 4


def test_config():
    adam = optimizers.Adam(0.25, name="a")
    # keras.optimizers.Adam(0.25, name="a").get_config(), Keras 3.15
    assert adam.get_config() == {
        "name": "a", "learning_rate": 0.25, "weight_decay": None, "clipnorm": None, "global_clipnorm": None,
        "clipvalue": None, "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
        "loss_scale_factor": None, "gradient_accumulation_steps": None, "beta_1": 0.9, "beta_2": 0.999,
        "epsilon": 1e-07, "amsgrad": False,
    }  # fmt: skip
    for optimizer in (adam, optimizers.SGD(0.5, 0.9, True)):
        again = optimizers.deserialize(optimizers.serialize(optimizer))
        assert again.get_config() == optimizer.get_config()
    assert isinstance(optimizers.get("SGD"), optimizers.SGD)
    assert isinstance(optimizers.get("adam"), optimizers.Adam)
    assert optimizers.get(adam) is adam


def test_old_name_of_the_learning_rate():
    with pytest.warns(DeprecationWarning, match=r"write learning_rate=\.\.\. instead"):
        assert float(optimizers.SGD(lr=0.5).learning_rate) == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.get("adm"), "unknown optimizer 'adm': did you mean 'adam'"),
        (lambda: optimizers.get(3), "cannot make an optimizer of 3"),
        (lambda: optimizers.SGD("fast"), "SGD: learning_rate must be a number from 0, or a schedule"),
        (lambda: optimizers.SGD(-1), "received -1"),
        (lambda: optimizers.SGD(float("nan")), "received nan"),
        (lambda: optimizers.SGD(lambda step: -1.0), "schedule gave -1.0 for step 0"),
        (lambda: optimizers.SGD(momentum=2), "SGD: momentum must be a number from 0 to 1, received 2"),
        (lambda: optimizers.Adam(beta_1=1), "Adam: beta_1 must be a number from 0 to below 1"),
        (lambda: optimizers.Adam(foo=1), "Adam: unknown argument foo=1; it takes learning_rate, beta_1"),
        (lambda: optimizers.SGD().apply([G], []), "received 1 gradients for 0 variables"),
        (lambda: optimizers.SGD().apply([G[:2]], [_weights()]), r"gradient of 'w' has shape \(2,\), expected \(3,\)"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_other_variables_after_building():
    adam = optimizers.Adam()
    adam.build([_weights()])
    with pytest.raises(ValueError, match="was built for other variables; new are w"):
        adam.build([_weights()])
