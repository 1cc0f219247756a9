"""PyTorch: channels last, and for predictions also frozen by TorchScript and compiled."""

from __future__ import annotations

from functools import partial
from typing import Any

from protocol import serve, threads
from vision_case import cases
from vision_nets import EPSILON, LEARNING_RATE, Net, same_padding


def load():  # type: ignore[no-untyped-def]
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads())

    class Padded(nn.Module):
        """Padding that a convolution or a pool cannot do by itself: more zeros at one end."""

        def __init__(self, inner, pads, value):  # type: ignore[no-untyped-def]
            super().__init__()
            self.inner, self.pads, self.value = inner, pads, value

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.inner(functional.pad(x, self.pads, value=self.value))

    def padded(make, size, window, stride, value):  # type: ignore[no-untyped-def]
        before, after = same_padding(size, window, stride)
        if before == after:
            return make(before)
        return Padded(make(0), [before, after, before, after], value)

    class Nodes(nn.Module):
        @torch.no_grad()
        def __init__(self, net: Net) -> None:
            super().__init__()
            self.plan = [(node.kind, node.inputs) for node in net.nodes]
            self.parts = nn.ModuleList()
            sizes: list[int] = []  # height of each result
            shapes: list[int] = []  # channels of each result
            for node in net.nodes:
                size = 224 if node.inputs[0] < 0 else sizes[node.inputs[0]]
                channels = 3 if node.inputs[0] < 0 else shapes[node.inputs[0]]
                part = nn.Identity()
                if node.kind == "conv":
                    window, _, per_group, filters = node.arrays[0].shape
                    source = per_group * node.groups

                    def conv(pad, node=node, source=source, filters=filters, window=window):  # type: ignore[no-untyped-def]
                        bias = len(node.arrays) == 2
                        layer = nn.Conv2d(source, filters, window, node.stride, pad, groups=node.groups, bias=bias)
                        layer.weight.copy_(torch.from_numpy(node.arrays[0].transpose(3, 2, 0, 1).copy()))
                        if bias:
                            layer.bias.copy_(torch.from_numpy(node.arrays[1]))
                        return layer

                    part = padded(conv, size, window, node.stride, 0.0)
                    size, channels = -(-size // node.stride), filters
                elif node.kind == "max_pool":
                    part = padded(
                        lambda pad, node=node: nn.MaxPool2d(node.window, node.stride, pad),
                        size, node.window, node.stride, float("-inf"),
                    )  # fmt: skip
                    size = -(-size // node.stride)
                elif node.kind == "norm":
                    part = nn.BatchNorm2d(channels, eps=EPSILON, momentum=0.01)
                    targets = (part.weight, part.bias, part.running_mean, part.running_var)
                    for target, array in zip(targets, node.arrays, strict=True):
                        target.copy_(torch.from_numpy(array))
                elif node.kind == "dense":
                    kernel = node.arrays[0]
                    part = nn.Linear(*kernel.shape)
                    if kernel.shape[0] == size * size * channels and size > 1:  # behind a flattened image
                        kernel = kernel.reshape(size, size, channels, -1).transpose(2, 0, 1, 3)
                        kernel = kernel.reshape(size * size * channels, -1)
                    part.weight.copy_(torch.from_numpy(kernel.T.copy()))
                    part.bias.copy_(torch.from_numpy(node.arrays[1]))
                    size, channels = 1, kernel.shape[1]
                elif node.kind in ("relu", "relu6"):
                    part = nn.ReLU() if node.kind == "relu" else nn.ReLU6()
                elif node.kind == "mean":
                    part, size = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), 1
                elif node.kind == "flatten":
                    part = nn.Flatten()
                self.parts.append(part)
                sizes.append(size)
                shapes.append(channels)

        def forward(self, x):  # type: ignore[no-untyped-def]
            results = []
            for (kind, inputs), part in zip(self.plan, self.parts, strict=True):
                values = [x if i < 0 else results[i] for i in inputs]
                results.append(values[0] + values[1] if kind == "add" else part(values[0]))
            return results[-1]

    def prepare(net: Net, x: Any) -> Any:
        model = Nodes(net).eval().to(memory_format=torch.channels_last)
        return model.requires_grad_(False), torch.from_numpy(x).permute(0, 3, 1, 2)

    def eager(net: Net, x: Any) -> Any:
        model, batch = prepare(net, x)
        return lambda: model(batch).numpy()

    def frozen(net: Net, x: Any) -> Any:
        model, batch = prepare(net, x)
        script = torch.jit.freeze(torch.jit.trace(model, batch))
        return lambda: script(batch).numpy()

    def compiled(net: Net, x: Any) -> Any:
        model, batch = prepare(net, x)
        compiled = torch.compile(model)
        return lambda: compiled(batch).numpy()

    def training(net: Net, x: Any, y: Any, layout: Any = torch.contiguous_format) -> Any:
        model = Nodes(net).train().to(memory_format=layout)
        batch = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)
        targets = torch.from_numpy(y).long()
        optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)

        def step() -> float:
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(model(batch), targets)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    variants = {"channels_last": eager, "channels_last.freeze": frozen, "channels_last.compile": compiled}
    steps = {"": training, "channels_last": partial(training, layout=torch.channels_last)}
    return {"torch": torch.__version__}, cases(variants, steps)


if __name__ == "__main__":
    serve(load)
