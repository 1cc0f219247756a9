"""Figures of the first half of the course: neurons, gradients, losses, activations, optimizers, first weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from frame import BLUE, ORANGE, digits, figure

import pynn as keras
from pynn import activations, layers, losses, ops, optimizers

CASES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def neuron(weights: Any, threshold: float) -> Any:
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, activation="step")])
    model.set_weights([np.array(weights)[:, None], np.array([-threshold])])
    return model


@figure("perceptron", 2.1)
def perceptron(sheet: Any) -> None:
    """What networks answer in the plane of their two inputs."""
    keras.utils.set_random_seed(0)
    xor = np.array([0, 1, 1, 0])
    network = keras.Sequential([keras.Input((2,)), layers.Dense(8, "tanh"), layers.Dense(1, "sigmoid")])
    network.compile(optimizers.Adam(0.1), "binary_crossentropy")
    network.fit(CASES, xor, epochs=150, verbose=0)
    x, y = np.meshgrid(*[np.linspace(-0.4, 1.4, 181)] * 2)
    plane = np.stack([x, y], -1).reshape(-1, 2).astype("float32")
    cases = {
        "AND": (neuron((0.7, 0.6), 1), np.array([0, 0, 0, 1])),
        "XOR, one neuron": (neuron((0.7, 0.6), 1), xor),
        "XOR, hidden layer": (network, xor),
    }
    for ax, (title, (model, wanted)) in zip(sheet.subplots(1, 3), cases.items(), strict=True):
        answers = np.asarray(model.predict(plane, verbose=0)).reshape(x.shape)
        ax.imshow(answers, cmap="RdBu_r", alpha=0.75, vmin=0, vmax=1, origin="lower", extent=(-0.4, 1.4, -0.4, 1.4))
        for value, mark, colour in ((0, "o", "#053061"), (1, "s", "#67001f")):
            ax.plot(*CASES[wanted == value].T, mark, color=colour, markersize=7, markeredgecolor="white")
        ax.set(title=title, xticks=[0, 1], yticks=[0, 1], aspect="equal")
        ax.title.set_fontsize(9)
        ax.grid(False)


@figure("critical_points", 3.6)
def critical_points(sheet: Any) -> None:
    def f(x: Any, y: Any) -> Any:
        return x**3 - 3 * x + y**3 - 3 * y

    x, y = np.meshgrid(*[np.linspace(-2.2, 2.2, 90)] * 2)
    ax = sheet.subplots()
    sheet.colorbar(ax.contourf(x, y, f(x, y), 16, cmap="viridis"))
    slope, path = keras.grad(lambda w: f(w[0], w[1])), [np.array([-0.93, 1.6], "float32")]
    for _ in range(60):
        path.append(path[-1] - 0.05 * np.asarray(slope(path[-1])))
    ax.plot(*np.transpose(path), ".-", color="black", linewidth=1, markersize=3, label="descent")
    for name, mark, places in (
        ("minimum", "v", [(1, 1)]), ("maximum", "^", [(-1, -1)]), ("saddle", "X", [(1, -1), (-1, 1)])
    ):  # fmt: skip
        ax.plot(*np.transpose(places), mark, color=ORANGE, markeredgecolor="white", markersize=9, label=name, ls="")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=4)
    ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    ax.grid(False)


@figure("losses", 4.6)
def loss_curves(sheet: Any) -> None:
    above, below = sheet.subplots(2)
    e, p = np.linspace(-3, 3, 121)[:, None], np.linspace(0.01, 0.99, 99)[:, None]
    for name, label in (
        ("mean_squared_error", "square"), ("mean_absolute_error", "absolute"), ("huber", "Huber, δ = 1"),
        ("pseudo_huber", "pseudo-Huber"),
    ):  # fmt: skip
        above.plot(e, losses.get(name)(np.zeros_like(e), e), label=label)
    above.set(xlabel="error", ylabel="loss", ylim=(0, 5), title="answers that are numbers")
    one = np.ones_like(p)
    below.plot(p, losses.binary_crossentropy(one, p), label="cross-entropy")
    below.plot(p, losses.mean_squared_error(one, p), label="square")
    below.plot(p, losses.hinge(one, 2 * p - 1), label="hinge of 2p - 1")
    below.set(xlabel="probability p given to the true class", ylabel="loss", title="answers that are classes")
    for ax in (above, below):
        ax.legend()


@figure("activations", 4.8)
def activation_curves(sheet: Any) -> None:
    above, below = sheet.subplots(2, sharex=True)
    x = np.linspace(-4, 4, 161)
    for name in ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu"):
        f = activations.get(name)
        above.plot(x, f(x), label=name)
        below.plot(x, keras.grad(lambda v, f=f: ops.sum(f(v)))(x), label=name)
    above.set(title="activation", ylim=(-1.2, 3))
    below.set(title="its slope", ylim=(-0.2, 1.3))
    above.legend(ncols=2)


def hidden_stack(activation: str, initializer: Any, depth: int, width: int) -> tuple[Any, list[Any]]:
    hidden = [layers.Dense(width, activation, kernel_initializer=initializer) for _ in range(depth)]
    return keras.Sequential([keras.Input((width,)), *hidden]), hidden


@figure("vanishing")
def vanishing(sheet: Any) -> None:
    """Length of each layer's gradient, eight layers deep."""
    x = np.random.default_rng(0).standard_normal((64, 32), "float32")
    ax = sheet.subplots()
    for activation in ("sigmoid", "tanh", "relu"):
        keras.utils.set_random_seed(0)
        model, hidden = hidden_stack(activation, "he_normal", 8, 32)
        kernels = [layer.kernel for layer in hidden]
        gradients = keras.grad(lambda x, model=model: ops.mean((model(x) - 1.0) ** 2), variables=kernels)(x)
        ax.semilogy(range(1, 9), [np.linalg.norm(g) for g in gradients], "o-", markersize=4, label=activation)
    ax.set(xlabel="layer", ylabel="length of the gradient", title="back through eight layers")
    ax.legend()


@figure("optimizers", 3.4)
def optimizer_paths(sheet: Any) -> None:
    ax = sheet.subplots()
    w0, w1 = np.meshgrid(np.linspace(-10, 3.5, 80), np.linspace(-2.4, 2.4, 60))
    ax.contour(w0, w1, w0**2 / 20 + w1**2, 16, alpha=0.35, cmap="Greys")
    slope = keras.grad(lambda w: w[0] ** 2 / 20 + w[1] ** 2)
    for name, optimizer in {
        "SGD": optimizers.SGD(0.3),
        "momentum": optimizers.SGD(0.1, momentum=0.8),
        "Adagrad": optimizers.Adagrad(1.0),
        "RMSprop": optimizers.RMSprop(0.2),
        "Adam": optimizers.Adam(0.4),
    }.items():
        w = keras.Variable([-9.0, 2.0])
        path = [np.array(w)]
        for _ in range(40):
            optimizer.apply([slope(w)], [w])
            path.append(np.array(w))
        ax.plot(*np.transpose(path), ".-", linewidth=1.2, markersize=4, label=name)
    ax.plot(0, 0, "*", color="black", markersize=10)
    ax.set(xlabel="w0", ylabel="w1", title="40 steps downhill on w0²/20 + w1²")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=5, columnspacing=1, handlelength=1.2)
    ax.grid(False)


@figure("initialization", 4.6)
def initialization(sheet: Any) -> None:
    noise = np.random.default_rng(0).standard_normal((256, 256), "float32")
    for ax, activation in zip(sheet.subplots(2, sharex=True), ("tanh", "relu"), strict=True):
        for name, initializer in {
            "deviation 0.02": keras.initializers.RandomNormal(stddev=0.02),
            "deviation 0.2": keras.initializers.RandomNormal(stddev=0.2),
            "glorot_normal": "glorot_normal",
            "he_normal": "he_normal",
        }.items():
            keras.utils.set_random_seed(3)
            model, hidden = hidden_stack(activation, initializer, 10, 256)
            outputs = keras.Model(model.inputs, [layer.output for layer in hidden]).predict(noise, verbose=0)
            sizes = [float(np.mean(np.square(y))) for y in outputs]
            ax.semilogy(range(1, 11), sizes, "o-", markersize=4, label=name)
        ax.set(title=activation, ylabel="mean square", ylim=(1e-9, 1e8))
    ax.set(xlabel="layer")
    ax.legend(ncols=2)


@figure("overfitting")
def overfitting(sheet: Any) -> None:
    """24 noisy samples of a sine, learned with and without a penalty."""
    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 24, dtype="float32")[:, None]
    y = np.sin(x) + 0.35 * rng.standard_normal(x.shape, "float32")
    curve = np.linspace(-3, 3, 201, dtype="float32")[:, None]
    ax = sheet.subplots()
    ax.plot(curve, np.sin(curve), "--", color="#666666", label="the sine")
    ax.plot(x, y, "ko", markersize=4, label="samples")
    for name, penalty, colour in (("no penalty", None, ORANGE), ("L2(0.003)", keras.regularizers.L2(0.003), BLUE)):
        keras.utils.set_random_seed(1)
        hidden = [
            layers.Dense(64, "tanh", kernel_initializer="he_normal", kernel_regularizer=penalty) for _ in range(3)
        ]
        model = keras.Sequential([keras.Input((1,)), *hidden, layers.Dense(1)])
        model.compile(optimizers.Adam(0.01), "mse")
        model.fit(x, y, batch_size=24, epochs=600, verbose=0)
        ax.plot(curve, model.predict(curve, verbose=0), color=colour, label=name)
    ax.legend(ncols=2)
    ax.set(ylim=(-2.2, 2.4), xlabel="x", ylabel="y")


@figure("learning_curves")
def learning_curves(sheet: Any) -> None:
    (x, y), _ = digits(1000)
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(256, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), *hidden, layers.Dense(10, "softmax")])
    model.compile(optimizers.Adam(0.001), "sparse_categorical_crossentropy")
    fit = model.fit(x[:800], y[:800], batch_size=32, epochs=30, validation_data=(x[800:], y[800:]), verbose=0)
    ax, epochs = sheet.subplots(), np.arange(1, 31)
    ax.plot(epochs, fit.history["loss"], label="training")
    ax.plot(epochs, fit.history["val_loss"], label="validation")
    best = int(np.argmin(fit.history["val_loss"]))
    ax.plot(epochs[best], fit.history["val_loss"][best], "o", color=ORANGE, label="stop here")
    ax.set(xlabel="epoch", ylabel="loss", ylim=(0, 1))
    ax.legend()
