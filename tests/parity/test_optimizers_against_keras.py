"""Optimizers beside Keras's: the weights after each step, names and order of their state, configs, and files."""

import contextlib
import inspect

import numpy as np
import pytest

import pynn
from pynn import ops, optimizers

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables

#: Optimizer -> arguments to try it with.
CASES = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [{}, {"momentum": 0.9}, {"centered": True}, {"centered": True, "momentum": 0.5, "rho": 0.8}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.5, "epsilon": 1e-3}],
    "Adadelta": [{"learning_rate": 1.0}, {"rho": 0.8, "epsilon": 1e-4, "learning_rate": 0.5}],
    "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}],
    "AdamW": [{}, {"weight_decay": 0.1}, {"amsgrad": True}],
    "Adamax": [{}, {"beta_1": 0.5, "beta_2": 0.9}],
    "Nadam": [{}, {"beta_1": 0.5, "beta_2": 0.9}],
    "Ftrl": [
        {"learning_rate": 0.1},
        {"learning_rate": 0.1, "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.1, "beta": 0.1,
         "l2_shrinkage_regularization_strength": 0.1, "learning_rate_power": -0.7},
    ],
    "Lion": [{}, {"beta_1": 0.8, "beta_2": 0.9}],
    "Lamb": [{}, {"beta_1": 0.5}],
    "Adafactor": [{}, {"learning_rate": 0.5, "relative_step": False, "clip_threshold": 0.5}],
    "Muon": [{}, {"nesterov": False, "rms_rate": None, "exclude_layers": ["dense"]}, {"exclude_embeddings": False}],
    "ScheduleFreeAdamW": [{}, {"warmup_steps": 3, "beta_1": 0.8}],
}  # fmt: skip

#: What all optimizers take.
SHARED = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.7},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 3, "clipnorm": 0.5, "weight_decay": 0.01, "use_ema": True},
]

SHAPES = {"embeddings": (7, 4), "kernel": (6, 5), "bias": (5,), "scale": (), "conv": (2, 2, 3, 4)}
STEPS = 7


def _pair(keras):
    rng = np.random.default_rng(0)
    start = {name: rng.standard_normal(shape).astype("float32") for name, shape in SHAPES.items()}
    theirs = [keras.Variable(value, name=name) for name, value in start.items()]
    ours = [pynn.Variable(value, name=name) for name, value in start.items()]
    theirs[0]._path = ours[0].path = "embedding/embeddings"
    theirs[1]._path = ours[1].path = "dense/kernel"
    return theirs, ours


def _gradients():
    rng = np.random.default_rng(1)
    for _ in range(STEPS):
        grads = [rng.standard_normal(shape).astype("float32") for shape in SHAPES.values()]
        grads[0][rng.choice(7, 4, replace=False)] = 0  # rows of an embedding that the batch does not name
        yield grads


def _wide(cls):
    """The optimizer ``cls`` for float64 weights: the yardstick of both libraries."""

    class Wide(cls):
        def _rate(self, stateless=False):
            return ops.cast(super()._rate(stateless), "float64")

        def _update(self, grads, variables, rate):
            super()._update([ops.cast(g, "float64") for g in grads], variables, rate)

    return Wide


def _same(keras, name, arguments, prepare=lambda library, optimizer, variables: None):
    """Weights after each step.  Ours are within 1e-6 of a computation in float64, next to the size of what was computed
    with (a weight may come near 0), and as near to Keras's, up to Keras's own distance from it: its float32 powers
    of beta, in ``1 - beta^t``, cost Adam up to 4e-6 at a learning rate of 0.1."""
    arguments = {"learning_rate": 0.1, **arguments}
    theirs, ours = _pair(keras)
    exact = [pynn.Variable(v.numpy().astype("float64"), dtype="float64", name=v.name) for v in ours]
    for v, w in zip(exact, ours, strict=True):
        v.path = w.path
    cls = getattr(optimizers, name)
    a, b, c = getattr(keras.optimizers, name)(**arguments), cls(**arguments), _wide(cls)(**arguments)
    for library, optimizer, variables in ((keras, a, theirs), (pynn, b, ours), (pynn, c, exact)):
        prepare(library, optimizer, variables)
        optimizer.build(variables)
    for grads in _gradients():
        a.apply([keras.ops.convert_to_tensor(g) for g in grads], theirs)
        b.apply(grads, ours)
        c.apply(grads, exact)
        for x, y, z in zip(ours, theirs, exact, strict=True):
            scale = max(1.0, float(np.abs(z.numpy()).max()))
            x, y, z = x.numpy() / scale, np.asarray(y) / scale, z.numpy() / scale
            np.testing.assert_allclose(x, z, rtol=0, atol=1e-6)
            assert (np.abs(x - y) <= 1e-6 + np.abs(y - z)).all()
    assert int(a.iterations) == int(b.iterations)
    return a, b, theirs, ours


@pytest.mark.parametrize(("name", "arguments"), [(n, a) for n, several in CASES.items() for a in several])
def test_steps(keras, name, arguments):
    a, b, _, _ = _same(keras, name, arguments)
    assert [(v.path.split("/", 1)[-1], v.shape) for v in b.variables if "u_product" not in v.path] == [
        (v.path.split("/", 1)[-1], tuple(v.shape)) for v in a.variables if not v.path.startswith("variable")
    ]
    assert len(a.variables) == len(b.variables)
    for x, y in zip(b.variables, a.variables, strict=True):
        np.testing.assert_allclose(x.numpy(), np.asarray(y), rtol=2e-5, atol=4e-6, err_msg=x.path)


@pytest.mark.parametrize("arguments", SHARED, ids=lambda a: "-".join(a))
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Nadam"])
def test_shared_arguments(keras, name, arguments):
    a, b, theirs, ours = _same(keras, name, arguments)
    a.finalize_variable_values(theirs)
    b.finalize_variable_values(ours)
    for x, y in zip([*b.variables, *ours], [*a.variables, *theirs], strict=True):
        np.testing.assert_allclose(x.numpy(), np.asarray(y), rtol=2e-5, atol=5e-6, err_msg=x.path)


@pytest.mark.parametrize("name", ["AdamW", "SGD", "Muon"])
def test_exclusions_from_weight_decay(keras, name):
    def prepare(library, optimizer, variables):
        optimizer.exclude_from_weight_decay(var_list=[variables[1]], var_names=["bias", "sca"])

    _same(keras, name, {"weight_decay": 0.2}, prepare)


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adafactor"])
def test_schedules(keras, name):
    for make in (
        lambda s: s.ExponentialDecay(0.1, 3, 0.5),
        lambda s: s.CosineDecay(0.01, 5, warmup_target=0.1, warmup_steps=2),
        lambda s: s.PiecewiseConstantDecay([2, 4], [0.1, 0.2, 0.01]),
    ):
        theirs, ours = _pair(keras)
        a = getattr(keras.optimizers, name)(make(keras.optimizers.schedules))
        b = getattr(optimizers, name)(make(optimizers.schedules))
        for grads in _gradients():
            a.apply([keras.ops.convert_to_tensor(g) for g in grads], theirs)
            b.apply(grads, ours)
            assert float(b.learning_rate) == pytest.approx(float(a.learning_rate), rel=1e-5)
            for x, y in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(x.numpy(), np.asarray(y), rtol=1e-5, atol=1e-5)
        assert b.get_config()["learning_rate"] == a.get_config()["learning_rate"]
        assert len(a.variables) == len(b.variables)


def test_loss_scale(keras):
    theirs, ours = _pair(keras)
    a, b = (
        library.optimizers.LossScaleOptimizer(library.optimizers.Adam(0.1), 16.0, dynamic_growth_steps=2)
        for library in (keras, pynn)
    )
    a.build(theirs)
    b.build(ours)
    for step, grads in enumerate(_gradients()):
        if step in (1, 4):
            grads[1][0, 0] = [np.inf, np.nan][step == 4]
        # Keras's own apply() fails with JAX outside of a compiled step.
        state, start = ([v.value for v in several] for several in (a.variables, theirs))
        values, own = a.stateless_apply(state, [keras.ops.convert_to_tensor(g) for g in grads], start)
        for v, value in zip([*theirs, *a.variables], [*values, *own], strict=True):
            v.assign(value)
        b.apply(grads, ours)
        for x, y in zip([*ours, *b.variables], [*theirs, *a.variables], strict=True):
            np.testing.assert_allclose(x.numpy(), np.asarray(y), rtol=1e-5, atol=5e-6, err_msg=f"{step} {x.path}")
        assert float(b.scale_loss(1.0)) == float(a.scale_loss(1.0))
    ours_config, theirs_config = b.get_config(), a.get_config()
    for config in (ours_config, theirs_config):
        config["inner_optimizer"]["config"].pop("name")
    assert {**ours_config, "name": ""} == {**theirs_config, "name": ""}
    assert optimizers.LossScaleOptimizer.from_config(b.get_config()).inner_optimizer.get_config()["beta_1"] == 0.9


@pytest.mark.parametrize("name", [*CASES])
def test_configs_and_signatures(keras, name):
    theirs, ours = getattr(keras.optimizers, name), getattr(optimizers, name)
    for arguments in CASES[name]:
        a, b = theirs(**arguments, name="o"), ours(**arguments, name="o")
        expected = {k: float(v) if k == "learning_rate" else v for k, v in a.get_config().items()}
        assert b.get_config() == expected
        assert list(b.get_config()) == list(a.get_config())
        # Each reads what the other wrote.
        written = optimizers.serialize(b)
        if name != "Lamb":  # Keras's own list of optimizers lacks it
            assert keras.optimizers.deserialize(optimizers.serialize(b)).get_config() == a.get_config()
        assert optimizers.deserialize(keras.optimizers.serialize(a)).get_config() == written["config"]
    names = [{p.name: p.default for p in inspect.signature(c).parameters.values()} for c in (ours, theirs)]
    names[0].pop("dampening", None)
    assert names[0] == names[1]
    if name == "Muon":  # all of them by position
        assert list(names[0]) == list(names[1])
    assert ours().name.rstrip("_0123456789") == theirs().name.rstrip("_0123456789")


@pytest.mark.parametrize("name", ["adam", "ADAMW", "rmsprop", "Nadam"])
def test_models_train_the_same(keras, name):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 9, (8, 5)).astype("int32")
    y = rng.standard_normal((8, 2)).astype("float32")
    models = [
        library.Sequential(
            [library.Input((5,), dtype="int32"), library.layers.Embedding(9, 3), library.layers.Flatten(),
             library.layers.Dense(2)]
        )
        for library in (keras, pynn)
    ]  # fmt: skip
    models[1].set_weights(models[0].get_weights())
    losses = []
    for model in models:
        model.compile(name, "mean_squared_error")
        losses.append([float(model.train_on_batch(x, y)) for _ in range(4)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    for a, b in zip(models[1].get_weights(), models[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_average_replaces_the_weights_at_the_end_of_fit(keras):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((12, 3)).astype("float32"), rng.standard_normal((12, 2)).astype("float32")
    results, start = [], None
    for library in (keras, pynn):
        model = library.Sequential([library.Input((3,)), library.layers.Dense(2)])
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        model.compile(library.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swap_of_the_average(keras, swap_on_epoch, interrupted):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((12, 3)).astype("float32"), rng.standard_normal((12, 2)).astype("float32")
    results, start = [], None
    for library in (keras, pynn):
        seen = []

        class Note(library.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None, seen=seen):
                if epoch and interrupted:
                    raise KeyboardInterrupt
                seen.append(self.model.get_weights()[0])

            def on_epoch_end(self, epoch, logs=None, seen=seen):
                seen.append(self.model.get_weights()[0])

            def on_test_begin(self, logs=None, seen=seen):
                seen.append(self.model.get_weights()[0])

            def on_test_end(self, logs=None, seen=seen):
                seen.append(self.model.get_weights()[0])

        model = library.Sequential([library.Input((3,)), library.layers.Dense(2)])
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        model.compile(library.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mean_squared_error")
        with contextlib.suppress(KeyboardInterrupt):
            model.fit(
                x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_data=(x, y),
                callbacks=[library.callbacks.SwapEMAWeights(swap_on_epoch), Note()],
            )  # fmt: skip
        results.append([*seen, model.get_weights()[0]])
    assert len(results[0]) == (5 if interrupted else 9)
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_several_optimizers_in_one(keras):
    results = []
    for library, variables in zip((keras, pynn), _pair(keras), strict=True):
        o = library.optimizers
        inner = o.OptimizerMap(o.SGD(0.1, name="s"), {"embedding/.*": o.Adam(0.1, name="a", clipnorm=0.5)})
        optimizer = o.MultiOptimizer(inner, name="m")
        optimizer.build(variables)
        for grads in _gradients():
            optimizer.apply([library.ops.convert_to_tensor(g) for g in grads], variables)
        state = {v.path: np.asarray(v) for v in [*optimizer.variables, *variables]}
        results.append((state, optimizer.get_config(), o.serialize(optimizer), optimizer))
    (theirs, config, written, a), (ours, own, _, b) = results
    assert list(ours) == list(theirs)
    for path, value in theirs.items():
        np.testing.assert_allclose(ours[path], value, rtol=2e-5, atol=2e-6, err_msg=path)
    assert own == config
    assert optimizers.deserialize(written).get_config() == own
    assert keras.optimizers.deserialize(optimizers.serialize(b)).get_config() == config
    assert not hasattr(b, "learning_rate")
    assert not hasattr(a, "learning_rate")


@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop", "Adagrad", "Nadam"])
@pytest.mark.parametrize("direction", ["from keras", "to keras"])
def test_training_goes_on_from_a_file(keras, tmp_path, name, direction):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((8, 3)).astype("float32"), rng.standard_normal((8, 2)).astype("float32")
    arguments = {"momentum": 0.9} if name == "SGD" else {}
    first, second = (keras, pynn) if direction == "from keras" else (pynn, keras)
    model = first.Sequential([first.Input((3,)), first.layers.Dense(2)])
    model.compile(getattr(first.optimizers, name)(0.1, **arguments), "mean_squared_error")
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    again = second.saving.load_model(tmp_path / "model.keras")
    assert int(again.optimizer.iterations) == 3
    for _ in range(3):
        losses = [float(m.train_on_batch(x, y)) for m in (model, again)]
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_stateless_apply(keras):
    theirs, ours = _pair(keras)
    a, b = keras.optimizers.Adam(0.1), optimizers.Adam(0.1)
    a.build(theirs)
    b.build(ours)
    before = [v.numpy() for v in ours]
    (grads, *_) = _gradients()
    values = [np.asarray(v) + 1 for v in theirs]
    state = [np.asarray(v) for v in a.variables]
    expected = a.stateless_apply(state, [keras.ops.convert_to_tensor(g) for g in grads], values)
    found = b.stateless_apply([v.numpy() for v in b.variables], grads, values)
    for x, y in zip([*found[0], *found[1]], [*expected[0], *expected[1]], strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-5, atol=1e-6)
    for v, old in zip(ours, before, strict=True):
        np.testing.assert_array_equal(v.numpy(), old)
    assert int(b.iterations) == 0
