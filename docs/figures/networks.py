"""Figures of the second half of the course: convolution, architectures, and what networks are used for."""

from __future__ import annotations

from typing import Any

import numpy as np
from frame import BLUE, GREEN, INK, ORANGE, bare, digits, figure, pictures

import pynn as keras
from pynn import layers, ops


@figure("convolution", 3.4)
def convolution(sheet: Any) -> None:
    """A digit, its edges, and the pooled maps."""
    vertical = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], "float32")
    digit = digits(8)[0][0][4:5]
    edges = layers.Conv2D(2, 3, use_bias=False, activation="relu")
    edges.build((None, 28, 28, 1))
    edges.set_weights([np.stack([vertical, vertical.T], -1)[:, :, None]])
    maps = np.asarray(edges(digit))
    pooled = np.asarray(layers.MaxPooling2D(2)(maps))
    images = {
        "picture, 28 x 28": digit[0, ..., 0],
        "filter": vertical,
        "map, 26 x 26": maps[0, ..., 0],
        "pooled, 13 x 13": pooled[0, ..., 0],
        "": None,
        "other filter": vertical.T,
        "other map": maps[0, ..., 1],
        "pooled": pooled[0, ..., 1],
    }
    for ax, (title, image) in zip(sheet.subplots(2, 4).flat, images.items(), strict=True):
        bare(ax)
        if image is not None:
            ax.imshow(image, cmap="PiYG" if "filter" in title else "gray_r")
            ax.set_title(title, fontsize=8)


@figure("residual_block", 2.6)
def residual_block(sheet: Any) -> None:
    ax = sheet.subplots()
    bare(ax)
    ax.set(xlim=(0, 10), ylim=(0, 5.2))
    box = {"boxstyle": "round,pad=0.35", "facecolor": "#e8f1f8", "edgecolor": BLUE}
    for x, text in ((2.6, "3x3\nconv"), (4.4, "norm\nReLU"), (6.1, "3x3\nconv\nnorm")):
        ax.text(x, 1.6, text, ha="center", va="center", bbox=box)
    ax.text(8.0, 1.6, "+", ha="center", va="center", fontsize=13, bbox={**box, "boxstyle": "circle"})
    ax.text(9.5, 1.6, "ReLU", ha="center", va="center", bbox=box)
    ax.text(0.5, 1.6, "x", ha="center", va="center", fontsize=12)
    arrow = {"arrowstyle": "->", "color": INK, "linewidth": 1.2}
    for a, b in ((0.8, 2.0), (3.2, 3.75), (5.1, 5.5), (6.75, 7.5), (8.45, 8.9)):
        ax.annotate("", (b, 1.6), (a, 1.6), arrowprops=arrow)
    ax.plot([1.3, 1.3], [1.6, 4], color=ORANGE)
    ax.plot([1.3, 8.0], [4, 4], color=ORANGE)
    ax.annotate("", (8.0, 2.25), (8.0, 4), arrowprops={**arrow, "color": ORANGE})
    ax.text(4.6, 4.2, "shortcut: x itself (or a 1x1 convolution)", ha="center", va="bottom", color=ORANGE)
    ax.text(4.4, 0.2, "F(x)", ha="center")


@figure("parameters", 3.6)
def parameters(sheet: Any) -> None:
    """Numbers of parameters as they stand in docs/applications.md."""
    counts = {
        "LeNet-5": 0.061706, "ResNet-20 (CIFAR)": 0.271098, "MobileNetV2": 3.538984, "EfficientNetB0": 5.330571,
        "DenseNet121": 8.062504, "InceptionV3": 23.851784, "ResNet50": 25.636712, "AlexNet": 62.378344,
        "VGG16": 138.357544, "ConvNeXtXLarge": 350.196968,
    }  # fmt: skip
    ax = sheet.subplots()
    ax.barh(list(counts), list(counts.values()), color=BLUE)
    for place, count in enumerate(counts.values()):
        ax.text(count * 1.15, place, f"{count:.3g}", va="center", fontsize=8)
    ax.set(xscale="log", xlabel="million parameters", xlim=(0.03, 1500))
    ax.grid(axis="y", visible=False)
    ax.invert_yaxis()


@figure("augmentation", 2.6)
def augmentation(sheet: Any) -> None:
    digit = digits(8)[0][0][4:5]
    augment = keras.Sequential([
        layers.RandomTranslation(0.1, 0.1, fill_mode="constant", seed=1),
        layers.RandomRotation(0.05, fill_mode="constant", seed=2),
        layers.RandomZoom(0.1, fill_mode="constant", seed=3),
    ])  # fmt: skip
    images = [digit, *(augment(digit, training=True) for _ in range(7))]
    for ax, image, title in zip(sheet.subplots(2, 4).flat, images, ["original", *[""] * 7], strict=True):
        ax.imshow(np.squeeze(np.asarray(image)), vmin=0, vmax=1)
        bare(ax)
        ax.set_title(title, fontsize=8)


@figure("siamese")
def siamese(sheet: Any) -> None:
    """Distances of pairs of digits that the network never saw."""
    (x, y), _ = digits(3000)
    rng = np.random.default_rng(0)

    def pairs(values: range, count: int) -> Any:
        a, b = rng.choice(values, (2, count))
        b = np.where(np.arange(count) % 2, a, np.where(a == b, values[0] + (a - values[0] + 1) % len(values), b))
        where = {digit: np.flatnonzero(y == digit) for digit in values}
        pick = [np.array([rng.choice(where[digit]) for digit in side]) for side in (a, b)]
        return [x[pick[0]], x[pick[1]]], (a == b).astype("float32")[:, None]

    def contrastive(same: Any, distance: Any) -> Any:
        return ops.mean(same * distance**2 + (1 - same) * ops.maximum(1.0 - distance, 0.0) ** 2)

    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(32),
        layers.UnitNormalization(),
    ])  # fmt: skip
    left, right = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
    difference = encoder(left) - encoder(right)
    model = keras.Model([left, right], ops.sqrt(ops.sum(difference**2, axis=1, keepdims=True) + 1e-7))
    model.compile(keras.optimizers.Adam(0.001), contrastive)
    model.fit(*pairs(range(7), 4000), batch_size=64, epochs=4, verbose=0)
    strangers, same = pairs(range(7, 10), 1000)
    distances = np.asarray(model.predict(strangers, verbose=0))
    ax, bins = sheet.subplots(), np.linspace(0, 2, 41)
    ax.hist(distances[same == 1], bins, color=BLUE, alpha=0.75, label="pairs of one digit")
    ax.hist(distances[same == 0], bins, color=ORANGE, alpha=0.65, label="pairs of two digits")
    ax.axvline(0.5, color=INK, linestyle="--", label="half of the margin")
    ax.set(xlabel="distance of the codes", ylabel="pairs")
    ax.legend()


@figure("localization", 3.4)
def localization(sheet: Any) -> None:
    """Boxes of discs and squares: green the true one, orange the network's."""
    from matplotlib.patches import Rectangle

    rng = np.random.default_rng(0)

    def scene(kind: int) -> tuple[Any, Any]:
        half = rng.uniform(3, 8)
        cx, cy = rng.uniform(half, 32 - half, 2)
        v, u = np.mgrid[:32, :32] + 0.5
        disc, square = (u - cx) ** 2 + (v - cy) ** 2 < half**2, np.maximum(abs(u - cx), abs(v - cy)) < half
        picture = 0.8 * (square if kind else disc) + 0.15 * rng.standard_normal((32, 32))
        return picture[..., None], np.array([cx - half, cy - half, cx + half, cy + half]) / 32

    scenes, boxes = (
        np.stack(part).astype("float32") for part in zip(*(scene(i % 2) for i in range(2000)), strict=True)
    )
    keras.utils.set_random_seed(0)
    convolutions = [
        layer
        for filters in (16, 32, 64)
        for layer in (layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D())
    ]
    model = keras.Sequential([
        keras.Input((32, 32, 1)), *convolutions, layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(4),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.003), "huber")
    model.fit(scenes[:1900], boxes[:1900], batch_size=64, epochs=20, verbose=0)
    found = np.asarray(model.predict(scenes[-6:], verbose=0))
    for ax, picture, true, answer in zip(sheet.subplots(2, 3).flat, scenes[-6:], boxes[-6:], found, strict=True):
        ax.imshow(picture[..., 0], cmap="gray", vmin=-0.3, vmax=1, extent=(0, 1, 1, 0))
        for (a, b, c, d), colour in ((true, GREEN), (answer, ORANGE)):
            ax.add_patch(Rectangle((a, b), c - a, d - b, fill=False, edgecolor=colour, linewidth=2))
        bare(ax)
    sheet.suptitle("green: the true box, orange: the network's", fontsize=9)


@figure("forecast")
def forecast(sheet: Any) -> None:
    t = np.arange(1200)
    noise = 0.1 * np.random.default_rng(0).standard_normal(1200)
    series = (np.sin(t / 8) + 0.5 * np.sin(t / 21 + 1) + noise).astype("float32")
    windows = np.lib.stride_tricks.sliding_window_view(series, 33)
    x, y = windows[:, :32, None], windows[:, 32]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 1)), layers.LSTM(16), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.005), "mse")
    model.fit(x[:900], y[:900], batch_size=32, epochs=20, verbose=0)
    ax = sheet.subplots()
    ax.plot(t[1040:], series[1040:], ".", color="#888888", label="measured")
    ax.plot(t[1040:], model.predict(x[1008:], verbose=0)[:, 0], color=BLUE, label="forecast, one step ahead")
    ax.set(xlabel="step", ylim=(-1.9, 2.6))
    ax.legend(ncols=2)


@figure("autoencoder", 2.8)
def autoencoder(sheet: Any) -> None:
    (x, _), (x_test, _) = digits(4000, 8)
    rng = np.random.default_rng(0)
    noisy, noisy_test = (np.clip(p + 0.4 * rng.standard_normal(p.shape, "float32"), 0, 1) for p in (x, x_test))
    keras.utils.set_random_seed(0)
    denoiser = keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu", padding="same"), layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu", padding="same"),
        layers.Conv2DTranspose(16, 3, strides=2, activation="relu", padding="same"),
        layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
    ])  # fmt: skip
    denoiser.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
    denoiser.fit(noisy, x, batch_size=64, epochs=3, verbose=0)
    code = keras.Sequential([
        keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(16),
        layers.Dense(128, "relu"), layers.Dense(784, "sigmoid"), layers.Reshape((28, 28, 1)),
    ])  # fmt: skip
    code.compile(keras.optimizers.Adam(0.002), "mse")
    code.fit(x, x, batch_size=64, epochs=15, verbose=0)
    pictures(sheet, {
        "digit": x_test,
        "noisy": noisy_test,
        "cleaned": denoiser.predict(noisy_test, verbose=0),
        "from 16\nnumbers": code.predict(x_test, verbose=0),
    })  # fmt: skip


@figure("vae", 4.4)
def vae(sheet: Any) -> None:
    """Digits drawn from a grid of codes."""

    class Sampling(layers.Layer):
        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
            self.seed_generator = keras.random.SeedGenerator(1)

        def call(self, mean: Any, log_variance: Any) -> Any:
            divergence = -0.5 * ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=-1)
            self.add_loss(ops.mean(divergence) / 784)
            noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
            return mean + ops.exp(0.5 * log_variance) * noise

    (x, _), _ = digits(6000)
    keras.utils.set_random_seed(0)
    picture = keras.Input((28, 28, 1))
    h = layers.Dense(256, activation="relu")(layers.Flatten()(picture))
    mean, log_variance = layers.Dense(2)(h), layers.Dense(2)(h)
    draw = keras.Sequential([
        keras.Input((2,)), layers.Dense(256, "relu"), layers.Dense(784, "sigmoid"), layers.Reshape((28, 28, 1)),
    ])  # fmt: skip
    model = keras.Model(picture, draw(Sampling()(mean, log_variance)))
    model.compile(keras.optimizers.Adam(0.002), "binary_crossentropy")
    model.fit(x, x, batch_size=64, epochs=20, verbose=0)
    places = np.linspace(-1.8, 1.8, 10)
    grid = np.array([[u, v] for v in places for u in places], "float32")
    drawn = np.asarray(draw.predict(grid, verbose=0)).reshape(10, 10, 28, 28)
    ax = sheet.subplots()
    ax.imshow(drawn.transpose(0, 2, 1, 3).reshape(280, 280), vmin=0, vmax=1)
    ticks = np.linspace(14, 266, 5), [f"{v:.1f}" for v in np.linspace(-1.8, 1.8, 5)]
    ax.set_xticks(*ticks)
    ax.set_yticks(*ticks)
    ax.set(xlabel="first number of the code", ylabel="second number")
    ax.grid(False)
