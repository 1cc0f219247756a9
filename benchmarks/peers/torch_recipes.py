"""PyTorch trains the recipes of ``examples/``: single steps in turns, or one of them from beginning to end.

python benchmarks/peers/torch_recipes.py cifar10_fast cifar10.npz      # a whole run; the arrays are of recipes.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

START = time.perf_counter()

import numpy as np  # noqa: E402
from protocol import serve, threads  # noqa: E402
from recipe_case import (  # noqa: E402
    BATCH,
    DECAY,
    EPOCHS,
    MEAN,
    RECIPES,
    SMOOTHING,
    STD,
    TOTAL_STEPS,
    WIDTHS,
    cases,
    drawn_batch,
    first_weights,
    rate,
)


def network(name: str, arrays: list[np.ndarray]) -> Any:
    """The recipe's network with these kernels and biases."""
    import torch
    from torch import nn

    rest = iter(arrays)

    @torch.no_grad()
    def weighted(layer: Any, biased: bool) -> Any:
        kernel = torch.from_numpy(next(rest))
        if kernel.ndim == 2 and kernel.shape[0] == 800:  # behind flattened images: channels come first here
            kernel = kernel.reshape(5, 5, 32, 128).permute(2, 0, 1, 3).reshape(800, 128)
        layer.weight.copy_(kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T)
        if biased:
            layer.bias.copy_(torch.from_numpy(next(rest)))
        return layer

    if name == "mnist_cnn":
        return nn.Sequential(
            weighted(nn.Conv2d(1, 16, 3), True), nn.ReLU(), nn.MaxPool2d(2),
            weighted(nn.Conv2d(16, 32, 3), True), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            weighted(nn.Linear(800, 128), True), nn.ReLU(), weighted(nn.Linear(128, 10), True),
        )  # fmt: skip

    class Scaled(nn.Module):
        def forward(self, x):  # type: ignore[no-untyped-def]
            return x * 0.125

    first = weighted(nn.Conv2d(3, 24, 2, bias=False), False)
    first.weight.requires_grad_(False)
    layers: list[Any] = [first, nn.ReLU()]
    channels = 24
    for width in WIDTHS:
        for pool in (True, False):
            layers.append(weighted(nn.Conv2d(channels, width, 3, padding=1, bias=False), False))
            layers += [nn.MaxPool2d(2)] if pool else []
            norm = nn.BatchNorm2d(width, eps=1e-5, momentum=0.1)
            norm.weight.requires_grad_(False)
            layers += [norm, nn.ReLU()]
            channels = width
    layers += [nn.AdaptiveMaxPool2d(1), nn.Flatten(), weighted(nn.Linear(channels, 10, bias=False), False), Scaled()]
    return nn.Sequential(*layers)


class Trainer:
    """A network, its optimizer and its schedule; ``forward`` may be a compiled form of the network."""

    def __init__(self, name: str, model: Any, total: int, forward: Any = None) -> None:
        import torch

        self.name, self.model, self.total, self.done = name, model, total, 0
        self.forward = forward or model
        self.kernels = [p for p in model.parameters() if p.ndim > 1 and p.requires_grad]
        others = [p for p in model.parameters() if p.ndim == 1 and p.requires_grad]
        if name == "mnist_cnn":
            self.optimizer: Any = torch.optim.Adam(self.kernels + others, eps=1e-7, fused=True)
            self.loss: Any = torch.nn.CrossEntropyLoss()
        else:
            groups = [{"params": self.kernels, "weight_decay": 2 * DECAY}, {"params": others}]
            self.optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True, fused=True)
            self.loss = torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING)

    def step(self, x: Any, y: Any) -> Any:
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.name, self.done, self.total)
        self.done += 1
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.forward(x)
        loss = self.loss(logits, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def penalty(self) -> float:
        """What Keras adds to the loss, and this optimizer to the gradients only."""
        decay = 0.0 if self.name == "mnist_cnn" else DECAY
        return decay * sum(float((p.detach() ** 2).sum()) for p in self.kernels)


def load():  # type: ignore[no-untyped-def]
    import torch

    torch.set_num_threads(threads())

    def step_of(name: str, variant: str) -> Callable[[], float]:
        layout = torch.channels_last if "channels_last" in variant else torch.contiguous_format
        model = network(name, first_weights(name)).to(memory_format=layout).train()
        images, labels = drawn_batch(name)
        x = torch.from_numpy(images.transpose(0, 3, 1, 2)).contiguous(memory_format=layout)
        y = torch.from_numpy(labels).long()
        trainer = Trainer(name, model, TOTAL_STEPS, torch.compile(model) if "compile" in variant else None)
        checked = 0

        def step() -> float:
            nonlocal checked
            checked += 1
            extra = trainer.penalty() if checked <= 3 else 0.0
            return trainer.step(x, y).item() + extra

        return step

    variants = ("", "channels_last", "channels_last.compile")
    return {"torch": torch.__version__}, cases(step_of, RECIPES, variants)


def train(name: str, data: dict[str, np.ndarray], epochs: int) -> None:
    """A whole run on these arrays, channels last."""
    import torch

    torch.set_num_threads(threads())
    torch.manual_seed(0)
    flips = name == "cifar10_fast"
    x, y, x_test, y_test = (torch.from_numpy(data[key]) for key in ("x", "y", "x_test", "y_test"))
    weights = first_weights(name)
    if flips:
        weights[0] = data["whitening"].astype(np.float32)
    model = network(name, weights).to(memory_format=torch.channels_last)
    mean, std = (torch.from_numpy(a) for a in (MEAN, STD)) if flips else (torch.zeros(1), torch.full((1,), 255.0))
    size, batch = x.shape[1], BATCH[name]
    steps = len(x) // batch
    trainer = Trainer(name, model, steps * epochs)

    def crop_and_flip(images: Any) -> Any:
        """Each image anew: 2 pixels more on each side, mirrored, of which a piece is taken; by one gather."""
        pad = torch.nn.functional.pad(images.permute(0, 3, 1, 2), (2, 2, 2, 2), mode="reflect").permute(0, 2, 3, 1)
        at = torch.randint(0, 5, (2, len(images), 1))
        rows, columns = at[0] + torch.arange(size), at[1] + torch.arange(size)
        columns = torch.where(torch.rand(len(images), 1) < 0.5, columns, columns.flip(1))
        return pad[torch.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]

    for epoch in range(epochs):
        model.train()
        began = time.perf_counter()
        order = torch.randperm(len(x))
        for i in range(steps):
            chosen = order[i * batch : (i + 1) * batch]
            images = (x[chosen].float() - mean) / std
            images = crop_and_flip(images) if flips else images
            trainer.step(images.permute(0, 3, 1, 2), y[chosen].long())
        print(f"epoch {epoch + 1}: {time.perf_counter() - began:.1f} s", flush=True)
    model.eval()
    right = []
    with torch.inference_mode():
        for images, labels in zip(x_test.split(500), y_test.split(500), strict=True):
            images = ((images.float() - mean) / std).permute(0, 3, 1, 2)
            logits = model(images) + (model(images.flip(3)) if flips else 0)
            right.append(logits.argmax(1) == labels)
    found = torch.cat(right).numpy()
    print(f"test accuracy {found[:1000].mean():.2%} on the first 1,000 images, {found.mean():.2%} on all 10,000")
    print(f"{time.perf_counter() - START:.1f} s from the first import to here")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        train(sys.argv[1], dict(np.load(sys.argv[2])), int(sys.argv[3]) if len(sys.argv) > 3 else EPOCHS[sys.argv[1]])
    else:
        serve(load)
