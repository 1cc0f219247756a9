"""PyTorch eager: its defaults, and what makes it faster on a CPU (channels_last images, fused optimizers)."""

from __future__ import annotations

from networks import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, ADAM_RATE, BATCH, NETWORKS, SAMPLES, SGD_RATE
from protocol import Epochs, Steps, serve, threads


def load():  # type: ignore[no-untyped-def]
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads())

    def build_mlp():  # type: ignore[no-untyped-def]
        return nn.Sequential(nn.Linear(784, 64), nn.Sigmoid(), nn.Linear(64, 10), nn.Softmax(dim=1))

    def build_lenet5():  # type: ignore[no-untyped-def]
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

    def set_weights(model, arrays):  # type: ignore[no-untyped-def]
        for parameter, array in zip(model.parameters(), arrays, strict=True):
            if array.ndim == 4:
                array = array.transpose(3, 2, 0, 1)
            elif array.shape == (
                400,
                120,
            ):  # rows go from (height, width, channel) to (channel, height, width)
                array = array.reshape(5, 5, 16, 120).transpose(3, 2, 0, 1).reshape(120, 400)
            elif array.ndim == 2:
                array = array.T
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(array.copy()))

    def prepare(name, samples, channels_last, fused):  # type: ignore[no-untyped-def]
        x, y = (torch.from_numpy(array) for array in NETWORKS[name].data(samples))
        if name == "mlp":
            model, loss = build_mlp(), functional.mse_loss
            set_weights(model, NETWORKS[name].weights())
            optimizer = torch.optim.SGD(model.parameters(), lr=SGD_RATE, fused=fused)
        else:
            model, loss = build_lenet5(), functional.cross_entropy
            set_weights(model, NETWORKS[name].weights())
            x, y = x.permute(0, 3, 1, 2).contiguous(), y.long()
            if channels_last:
                model = model.to(memory_format=torch.channels_last)
                x = x.to(memory_format=torch.channels_last)
            optimizer = torch.optim.Adam(
                model.parameters(),
                lr=ADAM_RATE,
                betas=(ADAM_BETA1, ADAM_BETA2),
                eps=ADAM_EPSILON,
                fused=fused,
            )

        def train(x, y):  # type: ignore[no-untyped-def]
            optimizer.zero_grad(set_to_none=True)
            value = loss(model(x), y)
            value.backward()
            optimizer.step()
            return value

        return train, x, y

    def step(name, **options):  # type: ignore[no-untyped-def]
        train, x, y = prepare(name, BATCH, **options)
        return Steps(lambda: train(x, y).item())

    def fit(name, **options):  # type: ignore[no-untyped-def]
        train, x, y = prepare(name, SAMPLES, **options)

        def epoch() -> float:
            order = torch.randperm(SAMPLES)
            total = 0.0
            for start in range(0, SAMPLES, BATCH):
                rows = order[start : start + BATCH]
                total += train(x[rows], y[rows]).item()
            return total / (SAMPLES // BATCH)

        return Epochs(epoch)

    variants = {
        "mlp": {"": (False, None), "fused": (False, True)},
        "lenet5": {"": (False, None), "channels_last": (True, None), "channels_last_fused": (True, True)},
    }
    cases = {}
    for name, options in variants.items():
        for variant, (channels_last, fused) in options.items():
            for mode, make in (("step", step), ("fit", fit)):
                cases[f"{name}.{mode}.{variant}".rstrip(".")] = (
                    lambda make=make, name=name, last=channels_last, fused=fused: make(
                        name, channels_last=last, fused=fused
                    )
                )
    return {"torch": torch.__version__}, cases


if __name__ == "__main__":
    serve(load)
