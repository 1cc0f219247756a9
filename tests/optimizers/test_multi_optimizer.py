"""Several optimizers in one: who updates what, state, configs, errors."""

import numpy as np
import pytest

import pynn
from pynn import optimizers
from pynn.graph.variable import Variable
from pynn.optimizers import SGD, Adam, MultiOptimizer, OptimizerMap

G = np.array([1.0, -2.0], "float32")


def _weights():
    several = [Variable(np.ones(2, "float32"), name=name) for name in "abc"]
    for v, path in zip(several, ("encoder/a", "encoder/b", "dense/c"), strict=True):
        v.path = path
    return several


def _by_path():
    return OptimizerMap(SGD(0.5), {"encoder/.*": Adam(0.1)})


@pytest.mark.parametrize("kind", ["map", "function"])
def test_each_weight_follows_its_own(kind):
    sgd, adam = SGD(0.5), Adam(0.1)
    select = OptimizerMap(sgd, {"encoder/.*": adam})
    optimizer = MultiOptimizer(select if kind == "map" else lambda v: adam if "encoder" in v.path else sgd)
    several, alone = _weights(), _weights()
    references = [Adam(0.1), SGD(0.5)]
    for _ in range(3):
        optimizer.apply([G] * 3, several)
        references[0].apply([G] * 2, alone[:2])
        references[1].apply([G], alone[2:])
    for v, expected in zip(several, alone, strict=True):
        np.testing.assert_array_equal(v.numpy(), expected.numpy())
    assert [int(o.iterations) for o in (optimizer, sgd, adam)] == [3, 3, 3]
    assert {id(o) for o in optimizer.optimizers} == {id(sgd), id(adam)}


def test_variables():
    optimizer = MultiOptimizer(OptimizerMap(SGD(0.5, name="s"), {"encoder/.*": Adam(0.1, name="a")}), name="m")
    optimizer.build(_weights())
    # Keras 3.15
    assert [v.path for v in optimizer.variables] == [
        "m/iteration", "m/learning_rate", "a/iteration", "a/learning_rate", "a/encoder_a_momentum",
        "a/encoder_a_velocity", "a/encoder_b_momentum", "a/encoder_b_velocity", "s/iteration", "s/learning_rate",
    ]  # fmt: skip


def test_a_model():
    def model():
        pynn.utils.set_random_seed(1)
        layers = [pynn.Input((3,)), pynn.layers.Dense(4, name="one"), pynn.layers.Dense(1, name="two")]
        result = pynn.Sequential(layers)
        # The schedule of one of them is asked before each step.
        fast = SGD(optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.0]), name="fast")
        slow = SGD(0.01, name="slow", use_ema=True, ema_momentum=0.5)
        result.compile(MultiOptimizer(OptimizerMap(fast, {".*/one/.*": slow})), "mse")
        return result

    first = model()
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    kernels = []
    for _ in range(4):
        first.train_on_batch(x, y)
        kernels.append([w.copy() for w in first.get_weights()])
    assert not np.array_equal(kernels[0][0], kernels[3][0])
    assert not np.array_equal(kernels[0][2], kernels[1][2])
    np.testing.assert_array_equal(kernels[1][2], kernels[3][2])  # its rate is 0 from the third step on
    again = pynn.Sequential.from_config(first.get_config())
    again.compile_from_config(first.get_compile_config())
    assert isinstance(again.optimizer, MultiOptimizer)
    assert again.optimizer.get_config() == first.optimizer.get_config()
    first.fit(x, y, epochs=1, verbose=0, callbacks=[pynn.callbacks.SwapEMAWeights()])
    slow = first.optimizer.optimizers[0]
    np.testing.assert_array_equal(first.get_weights()[0], slow._model_variables_moving_average[0].numpy())


def test_stateless_apply_follows_each_schedule():
    several = _weights()
    falling = SGD(optimizers.schedules.ExponentialDecay(0.5, 1, 0.5))
    optimizer = MultiOptimizer(OptimizerMap(falling, {"encoder/.*": Adam(0.1)}))
    optimizer.build(several)
    state, values = [v.numpy() for v in optimizer.variables], [v.numpy() for v in several]
    for _ in range(3):
        values, state = optimizer.stateless_apply(state, [G] * 3, values)
    np.testing.assert_array_equal(several[2].numpy(), 1)
    for _ in range(3):
        optimizer.apply([G] * 3, several)
    for value, v in zip(values, several, strict=True):
        np.testing.assert_allclose(value, v.numpy(), rtol=1e-6)
    np.testing.assert_allclose(values[2], 1 - (0.5 + 0.25 + 0.125) * G, rtol=1e-6)


def test_loss_scale():
    sgd = SGD(0.5)
    optimizer = MultiOptimizer(OptimizerMap(sgd), loss_scale_factor=8.0)
    assert float(optimizer.scale_loss(1.0)) == 8
    several = _weights()
    optimizer.apply([G * 8] * 3, several)
    np.testing.assert_array_equal(several[0].numpy(), 1 - 0.5 * G)


def test_maps():
    adam, sgd, rms = Adam(), SGD(), optimizers.RMSprop()
    by_path = OptimizerMap(rms)
    by_path["encoder/layer_0/dense"] = adam
    by_path["encoder/.*"] = sgd
    assert by_path["encoder/layer_0/dense"] is adam  # an exact path comes first
    assert by_path["encoder/layer_1/dense"] is sgd
    assert by_path["decoder"] is rms
    assert list(by_path) == ["encoder/layer_0/dense", "encoder/.*"]
    del by_path["encoder/.*"]
    assert len(by_path) == 1
    assert "decoder" not in by_path
    again = OptimizerMap.from_config(_by_path().get_config())
    assert again.get_config()["optimizer_map"]["encoder/.*"]["class_name"] == "Adam"


def test_config():
    optimizer = MultiOptimizer(_by_path(), name="m")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


def _two_patterns():
    return OptimizerMap(SGD(), {"enc.*": Adam(), "encoder/.*": Adam()})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OptimizerMap(3), "default_optimizer must be an optimizer, received 3"),
        (lambda: OptimizerMap(SGD(), {"a": "adam"}), "the value of 'a' must be an optimizer, received 'adam'"),
        (lambda: OptimizerMap(SGD(), {3: SGD()}), "keys are paths or patterns of paths, received 3"),
        (lambda: _two_patterns().__setitem__("enc.*", SGD()), r"the key 'enc.\*' has an optimizer already"),
        (lambda: _two_patterns()["encoder/a"], r"'encoder/a' fits several keys: enc.\*, encoder/.\*"),
        (lambda: MultiOptimizer(3), "optimizer_map must be an OptimizerMap or a function .* received 3"),
        (lambda: MultiOptimizer(lambda v: "sgd").build(_weights()), "for 'encoder/a' must be an optimizer"),
        (lambda: MultiOptimizer(_by_path()).swap_ema_values(), "keeps no running means"),
        (lambda: setattr(MultiOptimizer(_by_path()), "learning_rate", 1), "have a learning rate each"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_there_is_no_learning_rate():
    assert not hasattr(MultiOptimizer(_by_path()), "learning_rate")
