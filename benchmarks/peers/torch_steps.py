"""PyTorch: its defaults, and what makes it faster on a CPU (channels_last images, fused optimizers, compiling)."""

from __future__ import annotations

import math

from networks import (
    ADAM_BETA1,
    ADAM_BETA2,
    ADAM_EPSILON,
    ADAM_RATE,
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM,
    BLOCKS,
    DROPOUT,
    FEED_FORWARD,
    HEADS,
    LAYER_NORM_EPSILON,
    LSTM_UNITS,
    NETWORKS,
    SGD_RATE,
    VOCABULARY,
    WIDTH,
    WORDS,
    resnet20_blocks,
)
from protocol import Epochs, Steps, serve, threads


def load():  # type: ignore[no-untyped-def]
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads())

    def mlp():  # type: ignore[no-untyped-def]
        return nn.Sequential(nn.Linear(784, 64), nn.Sigmoid(), nn.Linear(64, 10), nn.Softmax(dim=1))

    def mlp_dropout():  # type: ignore[no-untyped-def]
        hidden = [(nn.Linear(size, 512), nn.ReLU(), nn.Dropout(DROPOUT)) for size in (784, 512)]
        return nn.Sequential(*(layer for group in hidden for layer in group), nn.Linear(512, 10))

    def lenet5():  # type: ignore[no-untyped-def]
        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, 10),
        )

    def conv_norm(channels, filters, window, stride):  # type: ignore[no-untyped-def]
        norm = nn.BatchNorm2d(filters, eps=BATCH_NORM_EPSILON, momentum=1 - BATCH_NORM_MOMENTUM)
        if window == 3 and stride == 2:  # Keras's "same" on an even size has its zeros at the bottom and the right
            conv = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels, filters, window, stride, bias=False))
        else:
            conv = nn.Conv2d(channels, filters, window, stride, padding=window // 2, bias=False)
        return nn.Sequential(conv, norm)

    def cifar():  # type: ignore[no-untyped-def]
        layers, channels = [], 3
        for filters in (32, 64, 128):
            for _ in range(2):
                layers += [conv_norm(channels, filters, 3, 1), nn.ReLU()]
                channels = filters
            layers.append(nn.MaxPool2d(2))
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 4 * 128, 10))

    class Block(nn.Module):
        def __init__(self, channels, filters, stride):  # type: ignore[no-untyped-def]
            super().__init__()
            self.first = conv_norm(channels, filters, 3, stride)
            self.second = conv_norm(filters, filters, 3, 1)
            self.shortcut = conv_norm(channels, filters, 1, stride) if stride > 1 else nn.Identity()

        def forward(self, x):  # type: ignore[no-untyped-def]
            y = self.second(functional.relu(self.first(x)))
            return functional.relu(y + self.shortcut(x))

    def resnet20():  # type: ignore[no-untyped-def]
        return nn.Sequential(
            conv_norm(3, 16, 3, 1),
            nn.ReLU(),
            *(Block(*sizes) for sizes in resnet20_blocks()),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 10),
        )

    class TextLstm(nn.Module):
        def __init__(self):  # type: ignore[no-untyped-def]
            super().__init__()
            self.table = nn.Embedding(VOCABULARY, LSTM_UNITS)
            self.lstm = nn.LSTM(LSTM_UNITS, LSTM_UNITS, batch_first=True)
            self.lstm.bias_hh_l0.requires_grad_(False)  # Keras has one bias; training both would move it twice as far
            self.head = nn.Linear(LSTM_UNITS, 1)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.head(self.lstm(self.table(x))[1][0][0])

    class Transformer(nn.Module):
        def __init__(self):  # type: ignore[no-untyped-def]
            super().__init__()
            self.table, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(WORDS, WIDTH)
            options = {"dropout": 0.0, "batch_first": True, "layer_norm_eps": LAYER_NORM_EPSILON}
            self.blocks = nn.Sequential(
                *(nn.TransformerEncoderLayer(WIDTH, HEADS, FEED_FORWARD, **options) for _ in range(BLOCKS))
            )
            self.head = nn.Linear(WIDTH, 10)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.head(self.blocks(self.table(x) + self.positions.weight).mean(dim=1))

    models = {model.__name__: model for model in (mlp, mlp_dropout, lenet5, cifar, resnet20)}
    models |= {"lstm": TextLstm, "transformer": Transformer}

    def modules_of(model):  # type: ignore[no-untyped-def]
        """All modules in the order of Keras's layers."""
        yield model
        children = model.children()
        if isinstance(model, nn.TransformerEncoderLayer):
            children = (model.self_attn, model.norm1, model.linear1, model.linear2, model.norm2)
        elif isinstance(model, nn.MultiheadAttention):
            children = ()  # its weights are set together
        for child in children:
            yield from modules_of(child)

    def set_attention(attention, arrays):  # type: ignore[no-untyped-def]
        """Kernels (width, heads, dim) of queries, keys and values are rows of one matrix in PyTorch."""
        for i in range(3):
            rows = slice(i * WIDTH, (i + 1) * WIDTH)
            attention.in_proj_weight[rows] = torch.from_numpy(next(arrays).reshape(WIDTH, WIDTH).T.copy())
            attention.in_proj_bias[rows] = torch.from_numpy(next(arrays).ravel())
        attention.out_proj.weight.copy_(torch.from_numpy(next(arrays).reshape(WIDTH, WIDTH).T.copy()))
        attention.out_proj.bias.copy_(torch.from_numpy(next(arrays)))

    def set_weights(model, network):  # type: ignore[no-untyped-def]
        """Keras's arrays: gamma, beta, mean and variance of a normalization stand together."""
        arrays = iter(network.weights())
        with torch.no_grad():
            for module in modules_of(model):
                is_table = isinstance(module, nn.Embedding)
                if isinstance(module, nn.MultiheadAttention):
                    set_attention(module, arrays)
                    continue
                if isinstance(module, nn.BatchNorm2d):
                    targets = [module.weight, module.bias, module.running_mean, module.running_var]
                elif isinstance(module, nn.LSTM):
                    targets = [module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0]
                    module.bias_hh_l0.zero_()
                else:
                    targets = list(module.parameters(recurse=False))
                for target in targets:
                    array = next(arrays)
                    if array.ndim == 4:
                        array = array.transpose(3, 2, 0, 1)
                    elif array.ndim == 2 and not is_table:
                        if network.flattened and array.shape[0] == math.prod(network.flattened):
                            # Rows go from (height, width, channel) to (channel, height, width).
                            array = array.reshape(*network.flattened, -1).transpose(2, 0, 1, 3)
                            array = array.reshape(math.prod(network.flattened), -1)
                        array = array.T
                    target.copy_(torch.from_numpy(array.copy()))

    def prepare(name, samples, channels_last, fused, compiled):  # type: ignore[no-untyped-def]
        network = NETWORKS[name]
        x, y = (torch.from_numpy(array) for array in network.data(samples))
        model = models[name]()
        set_weights(model, network)
        if x.ndim == 4:
            x = x.permute(0, 3, 1, 2).contiguous()
        if channels_last:
            model = model.to(memory_format=torch.channels_last)
            x = x.to(memory_format=torch.channels_last)
        if name == "mlp":
            loss = functional.mse_loss
            optimizer = torch.optim.SGD(model.parameters(), lr=SGD_RATE, fused=fused)
        else:
            loss = functional.binary_cross_entropy_with_logits if network.binary else functional.cross_entropy
            y = y if network.binary else y.long()
            betas = (ADAM_BETA1, ADAM_BETA2)
            trained = [w for w in model.parameters() if w.requires_grad]
            optimizer = torch.optim.Adam(trained, lr=ADAM_RATE, betas=betas, eps=ADAM_EPSILON, fused=fused)
        if compiled:
            model = torch.compile(model)

        def train(x, y):  # type: ignore[no-untyped-def]
            optimizer.zero_grad(set_to_none=True)
            value = loss(model(x), y)
            value.backward()
            optimizer.step()
            return value

        return train, x, y

    def step(name, **options):  # type: ignore[no-untyped-def]
        train, x, y = prepare(name, NETWORKS[name].batch, **options)
        return Steps(lambda: train(x, y).item())

    def fit(name, **options):  # type: ignore[no-untyped-def]
        train, x, y = prepare(name, NETWORKS[name].samples, **options)
        batch = NETWORKS[name].batch

        def epoch() -> float:
            order = torch.randperm(len(x))
            total = 0.0
            for start in range(0, len(x), batch):
                rows = order[start : start + batch]
                total += train(x[rows], y[rows]).item()
            return total / (len(x) // batch)

        return Epochs(epoch, len(x) // batch)

    cases = {}
    for name, network in NETWORKS.items():
        layouts = {"": False, "channels_last": True} if len(network.input_shape) == 3 else {"": False}
        for layout, channels_last in layouts.items():
            for fused in (None, True):
                for compiled in (False, True):
                    words = [layout, "fused" if fused else "", "compile" if compiled else ""]
                    if compiled and not (fused and channels_last == any(layouts.values())):
                        continue  # compiling takes long: only with what is fastest otherwise
                    options = {"channels_last": channels_last, "fused": fused, "compiled": compiled}
                    for mode, make in (("step", step), ("fit", fit)):
                        key = ".".join([name, mode, *filter(None, words)])
                        cases[key] = lambda make=make, name=name, options=options: make(name, **options)
    return {"torch": torch.__version__}, cases


if __name__ == "__main__":
    serve(load)
