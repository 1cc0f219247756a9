"""GradientTape: numbers while it records, gradients of every kind, and memory."""

import gc

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.errors import DtypeError, TapeError
from pynn.graph.tensor import Tensor


def tensor(*numbers):
    return np.array(numbers, "float32").view(Tensor)


def test_of_a_variable():
    x = pynn.Variable(3.0)
    with pynn.GradientTape() as tape:
        y = x**2
    found = tape.gradient(y, x)
    assert isinstance(found, Tensor)
    assert found.numpy() == 6.0
    assert float(y) == 9.0


def test_values_have_numbers_inside_and_after():
    x = pynn.Variable([1.0, 2.0])
    with pynn.GradientTape():
        y = ops.sum(x * x)
        assert y > 4  # Python's if sees numbers
        assert not y > 6
        assert f"{y:.2f}" == "5.00"
        assert "5." in repr(y)
        z = x * 2
        assert z.numpy().tolist() == [2, 4]
    assert float(y / 2) == 2.5
    np.testing.assert_array_equal(z + 1, [3, 5])
    np.testing.assert_array_equal(np.exp(z), np.exp([2, 4], dtype="float32"))
    assert int(ops.argmax(z)) == 1
    assert z[1].numpy() == 4


def test_structures_and_what_is_not_connected():
    a, b, c = (pynn.Variable(v) for v in (1.0, 2.0, 5.0))
    with pynn.GradientTape(persistent=True) as tape:
        y = a * a * b
    found = tape.gradient(y, {"a": a, "rest": [b, c]})
    assert (float(found["a"]), float(found["rest"][0])) == (4.0, 1.0)
    assert found["rest"][1] is None
    assert tape.gradient(y, c, unconnected_gradients="zero").numpy() == 0
    assert tape.gradient([y, a], a).numpy() == 5  # the sum of targets
    assert tape.gradient(y, a, output_gradients=tensor(10.0)[0]).numpy() == 40


def test_only_what_was_recorded_counts():
    x = pynn.Variable(3.0)
    with pynn.GradientTape() as first:
        y = x * x
        with pynn.GradientTape() as second:
            second.watch(y)
            z = y * y
        assert float(second.gradient(z, y)) == 18
    assert first.gradient(z, x).numpy() == 4 * 27
    with pynn.GradientTape() as third:
        w = y * 2  # y is a number by now
    assert third.gradient(w, x) is None


def test_watched_tensors_and_python_operators():
    x = tensor(1.0, 2.0)
    with pynn.GradientTape() as tape:
        tape.watch(x)
        y = x
        y += 1.0
        y = ops.sum((3 * x - x / 2) * y + x[0] - (-x) ** 2)
    assert x.tolist() == [1, 2]
    # d/dx of sum(2.5 x (x + 1) + x_0 - x^2)
    np.testing.assert_allclose(tape.gradient(y, x), [3 + 2.5 + 2, 6 + 2.5], rtol=1e-6)
    assert type(x * 2) is Tensor


def test_gradients_agree_with_finite_differences():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 3)).astype("float32"), pynn.Variable(rng.normal(size=(3, 2)))

    def loss():
        return ops.mean(ops.tanh(ops.matmul(x, w)) ** 2)

    with pynn.GradientTape() as tape:
        y = loss()
    found, start = tape.gradient(y, w), w.numpy()
    for i in np.ndindex(*w.shape):
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[i] += sign * 1e-2
            w.assign(moved)
            ends.append(float(loss()))
        assert found[i] == pytest.approx((ends[0] - ends[1]) / 2e-2, abs=1e-3)


def test_second_derivatives():
    x = pynn.Variable(2.0)
    with pynn.GradientTape() as outer:
        with pynn.GradientTape() as inner:
            y = x**3
        first = inner.gradient(y, x)
    assert float(first) == 12
    assert outer.gradient(first, x).numpy() == 12
    with pynn.GradientTape(persistent=True) as tape:  # also with one persistent tape, inside its block
        first = tape.gradient(x**3, x)
    assert tape.gradient(first, x).numpy() == 12


def test_jacobians():
    x = pynn.Variable([[1.0, 2.0], [3.0, 4.0]])
    other = pynn.Variable([1.0])
    with pynn.GradientTape(persistent=True) as tape:
        y = ops.matmul(x * x, np.array([[1.0], [10.0]], "float32"))
    full = tape.jacobian(y, x)
    assert full.shape == (2, 1, 2, 2)
    np.testing.assert_array_equal(full[0, 0], [[2, 40], [0, 0]])
    np.testing.assert_array_equal(full[1, 0], [[0, 0], [6, 80]])
    np.testing.assert_array_equal(tape.batch_jacobian(y, x), [[[2, 40]], [[6, 80]]])
    assert tape.jacobian(y, other) is None
    assert tape.jacobian(y, other, unconnected_gradients="zero").shape == (2, 1, 1)


def test_a_variable_that_changes_while_it_is_recorded():
    v = pynn.Variable(3.0)
    with pynn.GradientTape() as tape:
        y = v * v
        v.assign(10.0)
        z = y + v
    assert float(z) == 19
    assert tape.gradient(z, v).numpy() == 7  # 2 * 3 from the old state, 1 from the new one
    with pynn.GradientTape() as tape:
        y = v * v
    v.assign(0.0)
    assert tape.gradient(y, v).numpy() == 20


def test_what_is_watched():
    a, b = pynn.Variable(1.0), pynn.Variable(2.0, trainable=False)
    with pynn.GradientTape() as tape:
        y = a * b
    assert tape.watched_variables() == (a,)
    assert tape.gradient(y, b) is None
    with pynn.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        y = a * b
    assert [float(g) if g is not None else g for g in tape.gradient(y, [a, b])] == [None, 1.0]


def test_stop_recording_and_reset():
    x = pynn.Variable(3.0)
    with pynn.GradientTape() as tape:
        y = x * x
        with tape.stop_recording():
            unseen = x * 5
    assert float(unseen) == 15
    assert tape.gradient(y + 0.0, x) is None  # computed outside
    with pynn.GradientTape() as tape:
        _ = x * x
        tape.reset()
        y = x * 2
    assert tape.gradient(y, x).numpy() == 2


def test_a_layer_updates_its_state_once():
    pynn.utils.set_random_seed(0)
    layers = pynn.layers
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.5)])
    norm, dropout = model.layers[1:]
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    normed = model.layers[0](x)
    before, step = norm.moving_mean.numpy(), int(dropout.seed_generator.state.numpy()[1])
    metric = pynn.metrics.Mean()
    with pynn.GradientTape() as tape:
        y = model(x, training=True)
        loss = ops.mean(y * y)
        metric.update_state(loss)
    grads = tape.gradient(loss, model.trainable_variables)
    expected = before * 0.99 + np.mean(normed, axis=0) * 0.01
    np.testing.assert_allclose(norm.moving_mean.numpy(), expected, rtol=1e-4, atol=1e-6)
    assert int(dropout.seed_generator.state.numpy()[1]) == step + 1
    assert metric.result() == pytest.approx(float(loss))
    kernel = grads[0]
    assert np.abs(kernel).sum() > 0
    dropped = np.asarray(y) == 0
    assert 0.2 < dropped.mean() < 0.8
    # the gradient saw the mask of the forward pass: beta's is nonzero where something came through
    assert ((grads[3] != 0) == (~dropped).any(axis=0)).all()


def test_the_same_step_as_fit():
    def make():
        pynn.utils.set_random_seed(1)
        model = pynn.Sequential([pynn.Input((5,)), pynn.layers.Dense(7, "tanh"), pynn.layers.Dense(3, "softmax")])
        model.compile(pynn.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
        return model

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(32, 5)).astype("float32"), rng.integers(0, 3, 32)
    one, two = make(), make()
    loss_of = pynn.losses.SparseCategoricalCrossentropy()
    for _ in range(3):
        expected = one.train_on_batch(x, y)
        with pynn.GradientTape() as tape:
            loss = loss_of(y, two(x, training=True))
        assert float(loss) == pytest.approx(expected, rel=1e-5)
        grads = tape.gradient(loss, two.trainable_variables)
        two.optimizer.apply_gradients(zip(grads, two.trainable_variables, strict=True))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_learning_rate_schedules_inside_the_block():
    w = pynn.Variable([1.0])
    optimizer = pynn.optimizers.SGD(lambda step: 0.5 / (1 + step))
    for expected in (0.5, 0.25):
        with pynn.GradientTape() as tape:
            y = ops.sum(w * 1.0)
            grads = tape.gradient(y, [w])
            before = w.numpy()
            optimizer.apply(grads, [w])
        np.testing.assert_allclose(before - w.numpy(), [expected], rtol=1e-6)


def test_a_tape_that_is_dropped_frees_everything():
    model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(8, "relu"), pynn.layers.Dense(1)])
    x = np.ones((2, 4), "float32")

    def record():
        with pynn.GradientTape(persistent=True) as tape:
            loss = ops.mean(model(x))
        return tape, loss

    gc.collect()
    gc.disable()  # without help from the collector of cycles
    try:
        tape, loss = record()
        node = loss.node
        assert node is not None
        del tape
        assert loss.node is None
        assert node.inputs == ()
        tape, loss = record()
        tape.reset()
        assert loss.node is None
    finally:
        gc.enable()


def test_mistakes_are_named():
    x = pynn.Variable(1.0)
    with pynn.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(TapeError, match=r"used already .*persistent=True"):
        tape.gradient(y, x)
    with pytest.raises(TapeError, match=r"tape is not recording"):
        tape.watch(x)
    with pytest.raises(TapeError, match="nothing was recorded"):
        pynn.GradientTape().gradient(y, x)
    with pynn.GradientTape() as tape:
        with pytest.raises(DtypeError, match=r"received ndarray.*convert_to_tensor"):
            tape.watch(np.ones(3))
        with pytest.raises(DtypeError, match="only floating-point tensors"):
            tape.watch(np.array([1, 2]).view(Tensor))
        with pytest.raises(TapeError, match="recording already"):
            tape.__enter__()
        y = ops.cast(x, "int32")
    with pytest.raises(DtypeError, match="target must hold floating-point"):
        tape.gradient(y, x)
    with pytest.raises(pynn.errors.ArgumentError, match="'none' or 'zero'"):
        tape.gradient(y, x, unconnected_gradients="one")


def test_an_error_inside_ends_the_recording():
    from pynn.graph import trace

    with pytest.raises(RuntimeError, match="mine"), pynn.GradientTape():
        raise RuntimeError("mine")
    assert not trace.is_tracing()
