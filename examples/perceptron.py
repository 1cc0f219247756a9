"""A perceptron learns AND in one step, fails on XOR, and a hidden layer learns that, too.

The neuron fires when the weighted sum of its inputs exceeds a threshold.  After each case that it gets wrong, each
weight moves by rate * (wanted - answer) * input.
"""

import argparse

import numpy as np

import pynn as keras
from pynn import layers

CASES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
AND, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 0])


def learn(neuron, wanted, rate=0.5, rounds=10):
    """Go through the cases until a round is without a mistake; prints each step, gives the number of rounds."""
    print("round  case     sum  answer  wanted  weights afterwards")
    for number in range(1, rounds + 1):
        mistakes = 0
        for x, target in zip(CASES, wanted, strict=True):
            weights, bias = neuron.get_weights()
            answer = int(neuron.predict(x[None], verbose=0)[0, 0])
            if answer != target:
                mistakes += 1
                neuron.set_weights([weights + rate * (target - answer) * x[:, None], bias])
            after = ", ".join(f"{w:.1f}" for w in neuron.get_weights()[0][:, 0])
            sign = "" if answer == target else "  <- wrong"
            print(f"{number:5}  {x.astype(int)} {(x @ weights)[0]:6.1f} {answer:7} {target:7}  ({after}){sign}")
        if not mistakes:
            return number
    return None


def perceptron(weights, threshold):
    neuron = keras.Sequential([keras.Input((2,)), layers.Dense(1, activation="step")])
    neuron.set_weights([np.array(weights)[:, None], np.array([-threshold])])
    return neuron


def draw(models, path):
    """What each model answers everywhere, and the four cases."""
    from matplotlib.figure import Figure

    x, y = np.meshgrid(*[np.linspace(-0.5, 1.5, 101)] * 2)
    figure = Figure(figsize=(4 * len(models), 3.8), layout="constrained")
    for axes, (title, (model, wanted)) in zip(figure.subplots(1, len(models)), models.items(), strict=True):
        answers = model.predict(np.stack([x, y], -1).reshape(-1, 2).astype("float32"), verbose=0)
        axes.contourf(x, y, answers.reshape(x.shape), 20, cmap="coolwarm", vmin=0, vmax=1)
        axes.scatter(*CASES.T, c=wanted, cmap="coolwarm", vmin=0, vmax=1, s=120, edgecolors="black")
        axes.set(title=title, xlabel="first input", ylabel="second input")
    figure.savefig(path, dpi=100)
    print(f"picture: {path}")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=150, help="of the network with a hidden layer")
parser.add_argument("--picture", default="perceptron.png")
options = parser.parse_args()

keras.utils.set_random_seed(0)
print("AND")
both = perceptron((1.2, 0.6), threshold=1)
print(f"right in round {learn(both, AND)}\n\nXOR")
either = perceptron((1.2, 0.6), threshold=1)
print("never right: no straight line divides the cases" if learn(either, XOR, rounds=4) is None else "right")

network = keras.Sequential([keras.Input((2,)), layers.Dense(8, "tanh"), layers.Dense(1, "sigmoid")])
network.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
network.fit(CASES, XOR, epochs=options.epochs, verbose=0)
answers = network.predict(CASES, verbose=0)[:, 0]
print(
    "\nXOR with 8 hidden neurons:",
    ", ".join(f"{x.astype(int)} -> {a:.2f}" for x, a in zip(CASES, answers, strict=True)),
)
draw({"AND": (both, AND), "XOR, one neuron": (either, XOR), "XOR, hidden layer": (network, XOR)}, options.picture)
