"""Functional models beside Keras's: order of weights, outputs, logs of several outputs, the benchmark networks."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


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
     ("UpSampling2D", {"size": (2, 3)}), ("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}),
     ("GlobalMaxPooling2D", {}),
     ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"}),
     ("Conv2DTranspose", {"filters": 5, "kernel_size": (3, 2), "strides": (2, 3), "output_padding": (1, 2)}),
     ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "use_bias": False}),
     ("Lambda", {"function": lambda x: x[:, 1:-1, ::2, -1] * 2.0}),
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
    ("shapes", "axes", "normalize"),
    [([(5,), (5,)], 1, False), ([(5,), (5,)], -1, True), ([(3, 5), (4, 5)], 2, False), ([(3, 5), (5, 4)], (2, 1), True),
     ([(5, 3), (5, 4)], 1, False), ([(3, 5), (5,)], (-1, 1), False), ([(2, 3, 5), (4, 5)], -1, False)],
)  # fmt: skip
def test_dot(keras, shapes, axes, normalize):
    rng = np.random.default_rng(4)
    arrays = [rng.standard_normal((6, *shape)).astype("float32") for shape in shapes]
    results = []
    for api in (keras, pynn):
        inputs = [api.Input(shape) for shape in shapes]
        model = api.Model(inputs, api.layers.Dot(axes, normalize)(inputs))
        results.append(model.predict(arrays, verbose=0))
        assert model.output_shape == (None, *results[-1].shape[1:])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-5)
    assert results[0].shape == results[1].shape


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [("Attention", {}), ("Attention", {"use_scale": True}), ("Attention", {"score_mode": "concat", "use_scale": True}),
     ("AdditiveAttention", {}), ("AdditiveAttention", {"use_scale": False})],
)  # fmt: skip
def test_attention(keras, name, options, causal):
    rng = np.random.default_rng(6)
    query, value, key = (rng.standard_normal((3, *s)).astype("float32") for s in ((4, 5), (6, 2), (6, 5)))
    mask = [rng.random((3, 4)) > 0.3, np.arange(6) < [[6], [4], [2]]]
    theirs, ours = (getattr(api.layers, name)(**options) for api in (keras, pynn))
    theirs([query, value, key])
    ours([query, value, key])
    same_weights(theirs, ours)
    for inputs in ([query, value, key], [query, key]):
        for masked in (None, mask):
            expected, expected_scores = theirs(
                inputs, mask=masked, return_attention_scores=True, use_causal_mask=causal
            )
            y, scores = ours(inputs, mask=masked, return_attention_scores=True, use_causal_mask=causal)
            np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-5)
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
    assert {k: v for k, v in ours.get_config().items() if k not in ("name", "dtype")} == {
        k: v for k, v in theirs.get_config().items() if k not in ("name", "dtype")
    }


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention"])
def test_attention_trains(keras, name):
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((6, 5, 3)).astype("float32"), rng.standard_normal((6, 5, 3)).astype("float32")
    models = []
    for api in (keras, pynn):
        i = api.Input((None, 3))
        models.append(api.Model(i, getattr(api.layers, name)(use_scale=True)([api.layers.Dense(3)(i), i])))
        models[-1].compile(api.optimizers.SGD(0.1), "mse")
    same_weights(*models)
    losses = [[float(model.train_on_batch(x, y)) for _ in range(4)] for model in models]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def branched(api):
    """Two inputs, functions between layers, a model inside that is used twice, two outputs."""
    layers = api.layers
    image, extra = api.Input((8, 8, 3), name="image"), api.Input((5,), name="extra")
    pooled = layers.GlobalAveragePooling2D(name="gap")(layers.Conv2D(4, 3, name="conv")(image))
    inner = api.Sequential([api.Input((5,)), layers.Dense(3, name="aa"), layers.Dense(4, name="bb")], name="inner")
    side = inner(extra)
    joined = layers.Concatenate(name="join")([pooled, side, api.ops.relu(inner(extra * 2.0))])
    pair = api.Input((12,), name="pair")
    both = api.Model(pair, [layers.Dense(1, name="d1")(pair), layers.Dense(2, name="d2")(pair)], name="both")
    flat = layers.Flatten(name="flat")(api.ops.expand_dims(joined, 1))
    return api.Model([image, extra], [layers.Dense(1, name="first")(flat), *both(flat)], name="branched")


def chain(api):
    x = api.Input((6,), name="in")
    y = api.ops.relu(api.layers.Dense(3, name="d0")(x))
    return api.Model(x, api.layers.Dense(2, name="d1")(y), name="chain")


@pytest.mark.parametrize(
    "options", [{}, {"expand_nested": True, "show_trainable": True}, {"layer_range": ("conv", "join")}]
)
@pytest.mark.parametrize("make", [branched, chain])
def test_summary(keras, make, options, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    if make is chain and "layer_range" in options:
        options = {"layer_range": ("relu", "d1")}
    keras.utils.clear_session()
    pynn.utils.clear_session()
    texts = []
    for api in (keras, pynn):
        lines = []
        make(api).summary(print_fn=lambda text, lines=lines: lines.append(text.rstrip("\n")), **options)
        texts.append("\n".join(lines))
    assert texts[1] == texts[0]


def test_a_model_by_class(keras):
    def make(api):
        class Net(api.Model):
            def __init__(self):
                super().__init__()
                self.out, self.body = api.layers.Dense(2), [api.layers.Dense(6, activation="tanh")]
                self.normalize = api.layers.BatchNormalization()

            def call(self, x, training=False):
                for layer in self.body:
                    x = layer(x)
                return self.out(self.normalize(x, training=training))

        model = Net()
        model.compile(api.optimizers.SGD(0.1), "mse")
        model(np.zeros((1, 3), "float32"))
        return model

    models = [make(keras), make(pynn)]
    same_weights(*models)
    rng = np.random.default_rng(5)
    x, y = (rng.standard_normal((32, n)).astype("float32") for n in (3, 2))
    losses = [model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"] for model in models]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    results = [model.predict(x, verbose=0) for model in models]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "name",
    ["mlp", "cifar_cnn", "resnet20", "resnet50", "mobilenet_v2", "vgg16", "lstm_classifier", "transformer_encoder"],
)
def test_network(keras, name):
    path = Path(__file__).parents[2] / "benchmarks" / "peers" / "architectures.py"
    spec = importlib.util.spec_from_file_location("architectures", path)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    size = (64,) if name in networks.PARAMETERS else ()
    theirs, ours = (networks.ARCHITECTURES[name](api, *size) for api in (keras, pynn))
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert ours.count_params() == theirs.count_params()
    if name in networks.PARAMETERS:  # of VGG16, the first dense layer reads 7 x 7 pixels of images of 224, of 64 2 x 2
        of_size = (7 * 7 - 2 * 2) * 512 * 4096 if name == "vgg16" else 0
        assert ours.count_params() + of_size == networks.PARAMETERS[name]
    same_weights(theirs, ours)
    rng, shape = np.random.default_rng(3), (2, *ours.input_shape[1:])
    x = rng.random(shape, dtype="float32") if len(shape) == 4 else rng.integers(0, 20_000, shape).astype("int32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=2e-3, atol=1e-5)
