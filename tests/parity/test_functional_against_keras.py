"""Functional models beside Keras's: order of weights, outputs, logs of several outputs, the benchmark networks."""

import importlib.util
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

import pynn

os.environ.setdefault("KERAS_BACKEND", "jax")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras", reason="Keras is not installed: pip install '.[parity]'")


def two_ends(api):
    """Two inputs, a shared layer, an op, two outputs."""
    layers = api.layers
    a, b = api.Input((5,), name="a"), api.Input((5,), name="b")
    shared = layers.Dense(4, activation="tanh", name="shared")
    left, right = shared(a), shared(b)
    joined = layers.concatenate([left, right * 2.0, layers.maximum([left, right])])
    first = layers.Dense(1, name="first")(joined)
    return api.Model([a, b], [first, layers.Dense(3, activation="softmax", name="second")(joined)])


def same_weights(theirs, ours):
    rng = np.random.default_rng(0)  # around 0: kernels of positive numbers alone would overflow in fifty layers
    weights = [w + 0.1 * rng.uniform(-0.5, 0.5, w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)


def test_several_inputs_and_outputs(keras):
    theirs, ours = two_ends(keras), two_ends(pynn)
    same_weights(theirs, ours)
    rng = np.random.default_rng(1)
    a, b, y1 = (rng.standard_normal((8, n)).astype("float32") for n in (5, 5, 1))
    y2 = rng.integers(0, 3, 8)
    logs = []
    for api, model in ((keras, theirs), (pynn, ours)):
        model.compile(
            api.optimizers.SGD(0.1), {"first": "mse", "second": "sparse_categorical_crossentropy"},
            loss_weights={"first": 0.5, "second": 2.0}, metrics={"first": ["mae"], "second": ["accuracy"]},
        )  # fmt: skip
        model.fit([a, b], [y1, y2], batch_size=8, epochs=3, shuffle=False, verbose=0)
        logs.append(model.evaluate({"a": a, "b": b}, {"first": y1, "second": y2}, verbose=0, return_dict=True))
    assert set(logs[0]) == set(logs[1])
    for name, value in logs[0].items():
        assert logs[1][name] == pytest.approx(float(value), rel=1e-4), name
    for mine, other in zip(ours.predict([a, b], verbose=0), theirs.predict([a, b], verbose=0), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("ZeroPadding2D", {"padding": ((0, 1), (2, 0))}), ("Cropping2D", {"cropping": (1, 2)}),
     ("UpSampling2D", {"size": (2, 3)}), ("GlobalMaxPooling2D", {}),
     ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "strides": 2, "padding": "same"}),
     ("SeparableConv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
     ("Permute", {"dims": (3, 1, 2)}), ("ReLU", {"max_value": 6.0})],
)  # fmt: skip
def test_layer(keras, name, arguments):
    models = []
    for api in (keras, pynn):
        x = api.Input((9, 8, 3))
        y = getattr(api.layers, name)(**arguments)(x)
        models.append(api.Model(x, api.layers.Dense(2)(api.layers.Flatten()(y))))
        models[-1].compile(api.optimizers.SGD(0.01), "mse")
    same_weights(*models)
    rng = np.random.default_rng(2)
    x, y = 4 * rng.standard_normal((4, 9, 8, 3)).astype("float32"), rng.standard_normal((4, 2)).astype("float32")
    for _ in range(3):
        theirs, ours = (float(model.train_on_batch(x, y)) for model in models)
        assert ours == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize(
    "name", ["cifar_cnn", "resnet20", "resnet50", "mobilenet_v2", "lstm_classifier", "transformer_encoder"]
)
def test_network(keras, name):
    path = Path(__file__).parents[2] / "benchmarks" / "peers" / "architectures.py"
    spec = importlib.util.spec_from_file_location("architectures", path)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    size = (64,) if name in networks.PARAMETERS else ()
    theirs, ours = (networks.ARCHITECTURES[name](api, *size) for api in (keras, pynn))
    assert ours.count_params() == theirs.count_params() == networks.PARAMETERS.get(name, theirs.count_params())
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    same_weights(theirs, ours)
    rng, shape = np.random.default_rng(3), (2, *ours.input_shape[1:])
    x = rng.random(shape, dtype="float32") if len(shape) == 4 else rng.integers(0, 20_000, shape).astype("int32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=2e-3, atol=1e-5)
