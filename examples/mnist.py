"""Train a network on handwritten digits, and draw its learning curve and some of its answers.

python examples/mnist.py                    # a dense network, about 97.5 % in a few seconds
python examples/mnist.py --model lenet5     # a convolutional network, about 99 %
"""

import argparse
import time

import pynn as keras
from pynn import layers


def load_digits():
    """MNIST if it is here or can be fetched, else drawn digits, so that the example runs anywhere."""
    try:
        return keras.datasets.mnist.load_data()
    except keras.errors.DataNotFoundError:
        print("MNIST is not on this machine and cannot be fetched: training on drawn (synthetic) digits instead.")
        return keras.datasets.synthetic_digits()


def build(name):
    lenet5 = [
        layers.Conv2D(6, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 5, activation="relu"),
        layers.MaxPooling2D(),
    ]
    hidden = (120, 84) if name == "lenet5" else (128,)
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        *(lenet5 if name == "lenet5" else ()),
        layers.Flatten(),
        *(layers.Dense(units, activation="relu") for units in hidden),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def draw(history, images, labels, predicted, path):
    from matplotlib.figure import Figure

    left, right = (figure := Figure(figsize=(11, 4.6), layout="constrained")).subfigures(1, 2)
    epochs = range(1, len(history["loss"]) + 1)
    for ax, key in zip(left.subplots(2, 1, sharex=True), ("loss", "accuracy"), strict=True):
        ax.plot(epochs, history[key], "o-", label="training")
        ax.plot(epochs, history[f"val_{key}"], "o-", label="test")
        ax.set(ylabel=key, xlabel="epoch" if key == "accuracy" else None, xticks=epochs)
        ax.grid(alpha=0.3)
        ax.legend()
    for ax, image, label, answer in zip(right.subplots(4, 8).flat, images, labels, predicted, strict=False):
        ax.imshow(image, cmap="gray_r")
        ax.set_title(str(answer), fontsize=9, pad=2, color="black" if answer == label else "red")
        ax.axis("off")
    figure.savefig(path, dpi=120)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", choices=("dense", "lenet5"), default="dense")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--batch-size", type=int, default=128)
parser.add_argument("--picture", default="mnist.png")
options = parser.parse_args()

keras.utils.set_random_seed(0)
(x_train, y_train), (images, y_test) = load_digits()
x_train, x_test = (x[..., None].astype("float32") / 255 for x in (x_train, images))

model = build(options.model)
model.summary()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
start = time.perf_counter()
history = model.fit(x_train, y_train, options.batch_size, options.epochs, verbose=1, validation_data=(x_test, y_test))
seconds = time.perf_counter() - start
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.2%}, test loss {loss:.4f}, trained {options.epochs} epochs in {seconds:.1f} s")
draw(history.history, images, y_test, model.predict(x_test[:32], verbose=0).argmax(axis=1), options.picture)
print(f"learning curve and predictions: {options.picture}")
