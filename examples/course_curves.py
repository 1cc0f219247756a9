"""Curves of a first course as pictures: losses, activations, paths of optimizers, how signals and gradients fade."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import pynn as keras
from pynn import activations, layers, losses, ops, optimizers

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--folder", type=Path, default=Path("course_curves"))
parser.add_argument("--depth", type=int, default=10, help="layers of the deep networks")
options = parser.parse_args()
options.folder.mkdir(parents=True, exist_ok=True)
keras.utils.set_random_seed(0)


def draw(name, curves, marker="", backdrop=None, **labels):
    """``curves``: title -> {name of a curve: (x, y)}."""
    figure = Figure(figsize=(5 * len(curves), 3.8), layout="constrained")
    for axes, (title, named) in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.items(), strict=True):
        if backdrop is not None:
            axes.contour(*backdrop, 20, alpha=0.3)
        for label, (x, y) in named.items():
            axes.plot(x, y, marker=marker, markersize=4, label=label)
        axes.set(title=title, **labels)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(options.folder / f"{name}.png", dpi=100)


e, p = np.linspace(-3, 3, 121)[:, None], np.linspace(0.01, 0.99, 99)[:, None]
distances = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")
of_classes = {name: (p, losses.get(name)(np.ones_like(p), p)) for name in ("binary_crossentropy", "mean_squared_error")}
of_classes["hinge, of 2p - 1"] = (p, losses.hinge(np.ones_like(p), 2 * p - 1))
of_errors = {name: (e, losses.get(name)(np.zeros_like(e), e)) for name in distances}
draw("losses", {"a number: error": of_errors, "a class: probability of the true one": of_classes}, ylabel="loss")

x, values, slopes = np.linspace(-4, 4, 161), {}, {}
for name in ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu"):
    f = activations.get(name)
    values[name], slopes[name] = (x, f(x)), (x, keras.grad(lambda v, f=f: ops.sum(f(v)))(x))
draw("activations", {"activations": values, "their derivatives": slopes})

slope, paths = keras.grad(lambda w: w[0] ** 2 / 20 + w[1] ** 2), {}
for name, rate, momentum in (
    ("SGD", 0.3, {}), ("SGD", 0.1, {"momentum": 0.8}), ("Adagrad", 1.0, {}), ("RMSprop", 0.2, {}), ("Adam", 0.4, {}),
):  # fmt: skip
    optimizer, w = getattr(optimizers, name)(rate, **momentum), keras.Variable([-9.0, 2.0])
    path = [np.array(w)]
    for _ in range(60):
        optimizer.apply([slope(w)], [w])
        path.append(np.array(w))
    paths[f"{name}, momentum" if momentum else name] = np.transpose(path)
w0, w1 = np.meshgrid(np.linspace(-10, 4, 80), np.linspace(-3, 3, 60))
draw("optimizer_paths", {"w0 ** 2 / 20 + w1 ** 2": paths}, ".", (w0, w1, w0**2 / 20 + w1**2), xlabel="w0", ylabel="w1")

noise, numbers = np.random.default_rng(0).standard_normal((256, 256), "float32"), range(1, options.depth + 1)
starts = {"N(0, 0.02 ** 2)": keras.initializers.RandomNormal(stddev=0.02)}
starts |= {name: name for name in ("lecun_normal", "glorot_normal", "he_normal")}
variances, norms = {"tanh": {}, "relu": {}}, {}
for activation in ("sigmoid", "tanh", "relu"):
    for name, initializer in starts.items():
        hidden = [layers.Dense(256, activation, kernel_initializer=initializer) for _ in numbers]
        model = keras.Sequential([keras.Input((256,)), *hidden])
        if activation in variances:
            outputs = keras.Model(model.inputs, [layer.output for layer in hidden]).predict(noise, verbose=0)
            variances[activation][name] = (numbers, [y.var() for y in outputs])
        if name == "glorot_normal":
            kernels = [layer.kernel for layer in hidden]
            gradients = keras.grad(lambda x, model=model: ops.mean(model(x) ** 2), variables=kernels)(noise)
            norms[activation] = (numbers, [np.linalg.norm(g) for g in gradients])
draw("variance_by_initializer", variances, "o", xlabel="layer", ylabel="variance of activations", yscale="log")
draw("gradient_norms", {"gradient by layer": norms}, "o", xlabel="layer", ylabel="norm", yscale="log")
print(f"pictures: {options.folder}: {', '.join(sorted(path.stem for path in options.folder.glob('*.png')))}")
