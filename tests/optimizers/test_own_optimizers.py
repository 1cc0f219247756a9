"""Optimizers of users, those with the arguments of Keras 2, and steps without state."""

import numpy as np
import pytest

import pynn
from pynn import ops, optimizers
from pynn.graph.variable import Variable
from pynn.optimizers.updates import mean_weight

G = np.array([1.0, -2.0, 3.0], "float32")


class Halves(optimizers.Optimizer):
    """Goes half of the gradient, with a momentum that remembers the sum of all gradients."""

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.sums = self.add_optimizer_variables(variables, "sum")

    def update_step(self, gradient, variable, learning_rate):
        total = self.sums[self._get_variable_index(variable)]
        self.assign_add(total, gradient)
        self.assign_sub(variable, learning_rate * 0.5 * total)


class Signs(optimizers.Adam):
    """Replaces the step of an optimizer that updates all variables at once."""

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * ops.sign(gradient))


def _weights():
    return Variable(np.zeros(3, "float32"), name="w")


@pytest.mark.parametrize("steps", [None, 2])
def test_an_own_update_step(steps):
    w, optimizer = _weights(), Halves(0.1, gradient_accumulation_steps=steps)
    for _ in range(2):
        optimizer.apply([G], [w])
    # sums: g, then 2 g; accumulated: once, g
    np.testing.assert_allclose(w.numpy(), -0.05 * G * (1 if steps else 3), rtol=1e-6)


def test_an_own_update_step_in_a_model_gets_clipped_gradients_and_decays():
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(1, kernel_initializer="ones", use_bias=False)])
    model.compile(Halves(0.1, clipnorm=1.0, weight_decay=0.5), "mse")
    x = np.eye(3, dtype="float32")
    model.train_on_batch(x, -100 * np.ones((3, 1), "float32"))
    # The gradient has the length 1: each part 1 / sqrt(3).
    np.testing.assert_allclose(model.get_weights()[0], 1 - 0.05 - 0.05 / np.sqrt(3), rtol=1e-5)


def test_an_own_step_replaces_that_of_all_variables_at_once():
    a, b, optimizer = _weights(), _weights(), Signs(0.5)
    optimizer.apply([G, -G], [a, b])
    np.testing.assert_array_equal(a.numpy(), [-0.5, 0.5, -0.5])
    np.testing.assert_array_equal(b.numpy(), [0.5, -0.5, 0.5])


def test_the_base_needs_a_learning_rate_and_a_step():
    with pytest.raises(TypeError, match="learning_rate"):
        optimizers.Optimizer()
    with pytest.raises(NotImplementedError, match="must define update_step"):
        optimizers.Optimizer(0.1).apply([G], [_weights()])


@pytest.mark.parametrize("name", optimizers.legacy.__all__)
def test_legacy(name):
    if name == "Optimizer":
        return
    cls, today = getattr(optimizers.legacy, name), getattr(optimizers, name)
    old, new = _weights(), _weights()
    a = cls(lr=0.1, decay=0.5)
    b = today(optimizers.schedules.InverseTimeDecay(0.1, 1, 0.5))
    for _ in range(3):
        a.apply([G], [old])
        b.apply([G], [new])
    np.testing.assert_array_equal(old.numpy(), new.numpy())
    assert float(a.lr) == pytest.approx(0.1 / 2.5)  # of the next step, number 3: 1 + 0.5 * 3
    plain = cls(lr=0.25)
    plain.lr = 0.125
    assert float(plain.learning_rate) == 0.125
    assert isinstance(plain, optimizers.legacy.Optimizer)
    again = optimizers.deserialize(optimizers.serialize(plain))
    assert again.get_config() == plain.get_config()


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_stateless_apply_of_a_scaled_optimizer_follows_the_inner_schedule(name):
    def make():
        rate = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
        return optimizers.LossScaleOptimizer(getattr(optimizers, name)(rate), initial_scale=4.0)

    w, v, optimizer, reference = _weights(), _weights(), make(), make()
    optimizer.build([w])
    state, values = [x.numpy() for x in optimizer.variables], [w.numpy()]
    for i in range(4):
        g = 4 * G if i != 1 else G * np.float32(np.inf)  # the second step does not count, nor raises the step number
        values, state = optimizer.stateless_apply(state, [g], values)
        reference.apply([g], [v])
    np.testing.assert_allclose(values[0], v.numpy(), rtol=1e-6)
    np.testing.assert_array_equal(w.numpy(), 0)
    if name == "SGD":
        np.testing.assert_allclose(values[0], -(0.5 + 0.25 * 2 + 0.125 * 2) * G, rtol=1e-6)  # the scale was halved


def test_stateless_apply_needs_a_schedule_that_can_be_traced():
    for optimizer in (
        optimizers.SGD(lambda step: 0.1), optimizers.LossScaleOptimizer(optimizers.SGD(lambda step: 0.1)),
    ):  # fmt: skip
        w = _weights()
        optimizer.build([w])
        with pytest.raises(ValueError, match=r"SGD\.stateless_apply: the learning rate is a Python function"):
            optimizer.stateless_apply([x.numpy() for x in optimizer.variables], [G], [w.numpy()])


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 0.99999])
def test_weight_of_a_running_mean(beta):
    t = np.array([1, 2, 10, 1000, 10**6], "float32")
    found = np.broadcast_to(np.asarray(mean_weight(beta, t)), t.shape)
    np.testing.assert_allclose(found, 1 - np.float64(beta) ** t, rtol=5e-7)
