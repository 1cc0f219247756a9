"""Weights as PyTorch holds them: names, refusals, the way there and back (``test_against_torch.py`` runs PyTorch)."""

import numpy as np
import pytest

import pynn
from pynn import applications, layers

RNG = np.random.default_rng(0)


def randomized(model):
    model.set_weights([RNG.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    return model


def small():
    return randomized(
        pynn.Sequential(
            [
                pynn.Input((6, 6, 2)),
                layers.Conv2D(4, 3, name="conv"),
                layers.BatchNormalization(name="norm", scale=False),
                layers.Flatten(),
                layers.Dropout(0.5),
                layers.Dense(5, name="fc"),
            ]
        )
    )


def test_names_and_axes():
    model = small()
    state = model.to_torch_state_dict()
    assert {name: array.shape for name, array in state.items()} == {
        "conv.weight": (4, 2, 3, 3),
        "conv.bias": (4,),
        "norm.weight": (4,),
        "norm.bias": (4,),
        "norm.running_mean": (4,),
        "norm.running_var": (4,),
        "fc.weight": (5, 64),
        "fc.bias": (5,),
    }
    kernel, dense = model.get_layer("conv").kernel.numpy(), model.get_layer("fc").kernel.numpy()
    np.testing.assert_array_equal(state["conv.weight"][3, 1], kernel[:, :, 1, 3])
    # Row 4 * 4 * channel + 4 * row + column there is row (4 * row + column) * 4 + channel here.
    assert state["fc.weight"][2, 16 * 3 + 4 * 1 + 2] == dense[(4 * 1 + 2) * 4 + 3, 2]
    assert state["norm.weight"].tolist() == [1] * 4
    state["conv.bias"][:] = 7  # a copy
    assert model.get_layer("conv").bias.numpy().max() <= 1


LAYERS = {
    "Conv1D": (lambda: layers.Conv1D(3, 2), (5, 4)),
    "Conv3D": (lambda: layers.Conv3D(3, 2), (3, 3, 3, 4)),
    "grouped": (lambda: layers.Conv2D(4, 3, groups=2), (5, 5, 4)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 2), (5, 5, 4)),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (5, 5, 4)),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(6, 3, depth_multiplier=2), (5, 5, 4)),
    "LayerNormalization": (lambda: layers.LayerNormalization(), (4,)),
    "GroupNormalization": (lambda: layers.GroupNormalization(2), (3, 4)),
    "RMSNormalization": (lambda: layers.RMSNormalization(), (4,)),
    "Embedding": (lambda: layers.Embedding(5, 3), (4,)),
    "LSTM": (lambda: layers.LSTM(3), (5, 4)),
    "GRU": (lambda: layers.GRU(3), (5, 4)),
    "SimpleRNN": (lambda: layers.SimpleRNN(3), (5, 4)),
    "Bidirectional": (lambda: layers.Bidirectional(layers.GRU(3)), (5, 4)),
    "PReLU": (lambda: layers.PReLU(shared_axes=[1, 2]), (4, 4, 3)),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(3)), (5, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_there_and_back(name):
    make, shape = LAYERS[name]
    one, other = (pynn.Sequential([pynn.Input(shape), make()]) for _ in range(2))
    randomized(one)
    names = dict(zip([x.name for x in other.layers], [x.name for x in one.layers], strict=True))
    other.load_torch_state_dict(one.to_torch_state_dict(), names)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_nested_models_and_attention():
    x = pynn.Input((5, 8))
    inner = pynn.Sequential([pynn.Input((5, 8)), layers.Dense(8, name="fc")], name="inner")
    model = pynn.Model(x, layers.MultiHeadAttention(2, 4, name="mha")(inner(x), x))
    state = randomized(model).to_torch_state_dict()
    assert sorted(state) == sorted(
        f"{name}.{part}"
        for name in ("inner.fc", "mha.query", "mha.key", "mha.value", "mha.attention_output")
        for part in ("weight", "bias")
    )
    before = model.get_weights()
    randomized(model).load_torch_state_dict(state)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


NETWORKS = {
    "VGG16": (138_357_544, {"features.0.weight", "features.28.bias", "classifier.6.weight"}),
    "ResNet50": (25_557_032, {"conv1.weight", "layer4.0.downsample.0.weight", "layer3.5.bn3.running_var", "fc.bias"}),
    "DenseNet121": (7_978_856, {"features.denseblock4.denselayer16.conv2.weight", "features.transition3.norm.bias"}),
    "MobileNetV2": (3_504_872, {"features.1.conv.1.weight", "features.17.conv.1.0.weight", "classifier.1.weight"}),
    "InceptionV3": (23_834_568, {"Conv2d_4a_3x3.bn.weight", "Mixed_7c.branch3x3dbl_3b.conv.weight", "fc.weight"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_torchvision(name):
    """Names, and as many parameters as torchvision documents (InceptionV3's without its auxiliary head)."""
    parameters, some = NETWORKS[name]
    model = getattr(applications, name)(weights=None)
    state = model.to_torch_state_dict("torchvision")
    assert some <= set(state)
    assert not any(key.startswith(layer.name + ".") for key in state for layer in model.layers if "block" in layer.name)
    counted = sum(a.size for key, a in state.items() if not key.endswith(("running_mean", "running_var")))
    assert counted == parameters
    x = RNG.normal(size=(1, *model.input_shape[1:]))
    answers = model.predict(x, verbose=0)
    model.load_torch_state_dict(state, "torchvision")
    np.testing.assert_allclose(model.predict(x, verbose=0), answers, rtol=1e-4, atol=1e-7)


def test_a_bias_that_torchvision_has_not_goes_into_the_mean():
    model = randomized(applications.ResNet50(weights=None, input_shape=(32, 32, 3), classes=3))
    x = RNG.normal(size=(2, 32, 32, 3))
    state, answers = model.to_torch_state_dict("torchvision"), model.predict(x, verbose=0)
    assert "conv1.bias" not in state
    model.load_torch_state_dict(state, "torchvision")
    assert not model.get_layer("conv1_conv").bias.numpy().any()
    np.testing.assert_allclose(model.predict(x, verbose=0), answers, rtol=1e-4)


def test_refusals_change_nothing():
    model = small()
    before = model.get_weights()
    state = model.to_torch_state_dict()
    wrong = {
        r"lacks fc\.weight": {k: v for k, v in state.items() if k != "fc.weight"},
        r"it has extra, which the model has not": {**state, "extra": np.zeros(1)},
        r"'fc\.bias' of the state dict has shape \(4,\), expected \(5,\)": {**state, "fc.bias": np.zeros(4)},
        r"'norm\.weight' must be all 1": {**state, "norm.weight": np.full(4, 2.0)},
    }
    for message, given in wrong.items():
        with pytest.raises(pynn.errors.PynnError, match=message):
            model.load_torch_state_dict(given)
    with pytest.raises(pynn.errors.ArgumentError, match="must be a mapping"):
        model.load_torch_state_dict([1])
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_torch_has_not_is_named():
    model = pynn.Sequential([pynn.Input((4, 5)), layers.EinsumDense("abc,cd->abd", (None, 3), name="einsum")])
    with pytest.raises(pynn.errors.ArgumentError, match=r"layer 'einsum' .EinsumDense.: PyTorch has no module"):
        model.to_torch_state_dict()
    model = pynn.Sequential([pynn.Input((4, 5)), layers.GRU(3, reset_after=False, name="gru")])
    with pytest.raises(pynn.errors.ArgumentError, match=r"layer 'gru'.*reset_after"):
        model.to_torch_state_dict()
    with pytest.raises(pynn.errors.ArgumentError, match="none of the architectures"):
        small().to_torch_state_dict("torchvision")
    with pytest.raises(pynn.errors.ArgumentError, match=r"unknown layer with weights .* 'con': did you mean 'conv'"):
        small().to_torch_state_dict({"con": "x"})
    with pytest.raises(pynn.errors.ArgumentError, match="no weights yet"):
        pynn.Sequential([layers.Dense(2)]).to_torch_state_dict()
