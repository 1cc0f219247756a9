"""PyTorch's modules with the weights of pynn's layers give the same results, and the other way round."""

import numpy as np
import pytest

import pynn
from pynn import applications, layers, ops

torch = pytest.importorskip("torch")
nn = torch.nn
RNG = np.random.default_rng(1)


def channels_first(x):
    return np.moveaxis(x, -1, 1)


def same(x):
    return x


FIRST = channels_first


#: layer, PyTorch's module, shape of a sample, how PyTorch takes it and gives the result back.
PAIRS = {
    "Dense": (lambda: layers.Dense(3), lambda: nn.Linear(4, 3), (4,), same),
    "Conv1D": (lambda: layers.Conv1D(3, 2, strides=2), lambda: nn.Conv1d(4, 3, 2, stride=2), (6, 4), FIRST),
    "Conv2D": (lambda: layers.Conv2D(6, (3, 2), groups=2), lambda: nn.Conv2d(4, 6, (3, 2), groups=2), (7, 6, 4), FIRST),
    "Conv3D": (lambda: layers.Conv3D(3, 2), lambda: nn.Conv3d(2, 3, 2), (4, 3, 3, 2), FIRST),
    "Conv2DTranspose": (
        lambda: layers.Conv2DTranspose(3, 3, 2), lambda: nn.ConvTranspose2d(4, 3, 3, 2), (5, 4, 4), FIRST,
    ),
    "DepthwiseConv2D": (
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), lambda: nn.Conv2d(4, 8, 3, groups=4), (6, 5, 4), FIRST,
    ),
    "BatchNormalization": (
        lambda: layers.BatchNormalization(epsilon=1e-5), lambda: nn.BatchNorm2d(4), (5, 5, 4), FIRST,
    ),
    "LayerNormalization": (lambda: layers.LayerNormalization(epsilon=1e-5), lambda: nn.LayerNorm(4), (6, 4), same),
    "GroupNormalization": (
        lambda: layers.GroupNormalization(2, epsilon=1e-5), lambda: nn.GroupNorm(2, 4), (5, 5, 4), FIRST,
    ),
    "RMSNormalization": (lambda: layers.RMSNormalization(epsilon=1e-5), lambda: nn.RMSNorm(4, eps=1e-5), (6, 4), same),
    "PReLU": (lambda: layers.PReLU(shared_axes=[1, 2]), lambda: nn.PReLU(4), (5, 5, 4), FIRST),
    "LSTM": (lambda: layers.LSTM(3, return_sequences=True), lambda: nn.LSTM(4, 3, batch_first=True), (5, 4), same),
    "GRU": (lambda: layers.GRU(3, return_sequences=True), lambda: nn.GRU(4, 3, batch_first=True), (5, 4), same),
    "SimpleRNN": (
        lambda: layers.SimpleRNN(3, return_sequences=True), lambda: nn.RNN(4, 3, batch_first=True), (5, 4), same,
    ),
    "Bidirectional": (
        lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        lambda: nn.LSTM(4, 3, batch_first=True, bidirectional=True), (5, 4), same,
    ),
}  # fmt: skip


def loaded(module, state):
    """The module with these weights: all of them, and all of its own but counters."""
    result = module.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
    assert not result.unexpected_keys
    assert all(key.endswith("num_batches_tracked") for key in result.missing_keys)
    return module.eval()


@torch.no_grad()
def answers(module, x, turned):
    result = module(torch.tensor(np.ascontiguousarray(turned(x))))
    result = (result[0] if isinstance(result, tuple) else result).numpy()
    return np.moveaxis(result, 1, -1) if turned is channels_first else result


@pytest.mark.parametrize("name", PAIRS)
def test_layers(name):
    make, module, shape, turned = PAIRS[name]
    model = pynn.Sequential([pynn.Input(shape), make()])
    model.set_weights([RNG.uniform(0.2, 0.9, w.shape) for w in model.get_weights()])
    layer, twin = model.layers[0].name, nn.ModuleDict({model.layers[0].name: module()})
    loaded(twin, model.to_torch_state_dict())
    x = RNG.normal(size=(2, *shape)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), answers(twin[layer], x, turned), rtol=2e-5, atol=2e-6)

    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.mul_(0.5)
    model.load_torch_state_dict(twin.state_dict())
    np.testing.assert_allclose(model.predict(x, verbose=0), answers(twin[layer], x, turned), rtol=2e-5, atol=2e-6)


def test_flattened_images():
    model = pynn.Sequential(
        [
            pynn.Input((6, 5, 2)), layers.Conv2D(3, 3, activation="relu", name="0"), layers.MaxPooling2D(2),
            layers.Flatten(), layers.Dropout(0.5), layers.Dense(4, name="4"),
        ]
    )  # fmt: skip
    twin = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6, 4))
    loaded(twin, model.to_torch_state_dict())
    x = RNG.normal(size=(3, 6, 5, 2)).astype("float32")
    twins = answers(twin, channels_first(x), same)
    np.testing.assert_allclose(model.predict(x, verbose=0), twins, rtol=1e-5, atol=1e-6)


class Bottleneck(nn.Module):
    """A block of ResNet-50 with torchvision's names, strides where He et al. have them."""

    def __init__(self, before, filters, stride, first):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, filters, 1, stride, bias=False), nn.BatchNorm2d(filters, 1.001e-5)
        self.conv2, self.bn2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters, 1.001e-5)
        self.conv3, self.bn3 = nn.Conv2d(filters, 4 * filters, 1, bias=False), nn.BatchNorm2d(4 * filters, 1.001e-5)
        self.downsample = nn.Identity()
        if first:
            shortcut = nn.Conv2d(before, 4 * filters, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * filters, 1.001e-5))

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return (self.bn3(self.conv3(y)) + self.downsample(x)).relu()


class ResNet50(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64, 1.001e-5)
        before = 64
        for stage, count in enumerate((3, 4, 6, 3), 1):
            filters, blocks = 32 * 2**stage, []
            for i in range(count):
                blocks.append(Bottleneck(before, filters, 2 if stage > 1 and i == 0 else 1, i == 0))
                before = 4 * filters
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(2048, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def assert_close(result, expected):
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4 * abs(expected).max())


def test_resnet50_with_torchvisions_names():
    model = applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=5, classifier_activation=None)
    for variable in model.weights:  # biases and averages that are not zero
        if "kernel" not in variable.path:
            variable.assign(RNG.uniform(0.1, 0.5, variable.shape))
    x = RNG.normal(size=(2, 64, 64, 3)).astype("float32")
    twin = loaded(ResNet50(5), model.to_torch_state_dict("torchvision"))
    result = model.predict(x, verbose=0)
    assert_close(result, answers(twin, channels_first(x), same))

    torch.manual_seed(3)
    fresh = ResNet50(5).eval()
    model.load_torch_state_dict(fresh.state_dict(), "torchvision")
    result = model.predict(x, verbose=0)
    np.testing.assert_allclose(
        result, answers(fresh, channels_first(x), same), rtol=1e-3, atol=1e-4 * abs(result).max()
    )


def test_tensors_are_taken_wherever_arrays_are():
    x, y = torch.ones(4, 3), torch.zeros(4, 2)
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x.numpy(), verbose=0))
    np.testing.assert_array_equal(model(x), model(x.numpy()))
    assert ops.add(x, 1).tolist() == [[2] * 3] * 4
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=2)
    model.fit(batches, verbose=0)
    model.weights[0].assign(torch.zeros(3, 2))
    assert not model.weights[0].numpy().any()


def test_dlpack():
    result = ops.ones((2, 3))
    tensor = torch.from_dlpack(result)
    assert tensor.data_ptr() == result.ctypes.data  # the same memory
    variable = pynn.Variable(np.arange(6.0).reshape(2, 3))
    tensor = torch.from_dlpack(variable)
    assert tensor.tolist() == [[0, 1, 2], [3, 4, 5]]
    tensor.zero_()  # a copy
    assert variable.numpy().max() == 5


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (lambda x: x.requires_grad_(), "requires grad"),
        (lambda x: x.to(torch.bfloat16), "dtype torch.bfloat16"),
        (lambda x: x.to("meta"), "meta device"),
        (lambda x: x.to_sparse(), "Sparse layout"),
    ],
)
def test_tensors_numpy_cannot_read(spoiled, message):
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])
    x = spoiled(torch.ones(2, 3))
    for use in (lambda: model.predict(x, verbose=0), lambda: model(x)):
        with pytest.raises(pynn.errors.DtypeError, match=f"{message}.*convert it first"):
            use()
