"""pynn trains the recipes of ``examples/``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from protocol import serve
from recipe_case import EXAMPLES, RECIPES, TOTAL_STEPS, cases, drawn_batch, first_weights


def load():  # type: ignore[no-untyped-def]
    import pynn

    sys.path.insert(0, str(EXAMPLES))
    import cifar10_fast
    import mnist_cnn

    def model_of(name: str) -> Any:
        weights = first_weights(name)
        if name == "mnist_cnn":
            model = mnist_cnn.build(TOTAL_STEPS)
            model.set_weights(weights)
            return model
        model = cifar10_fast.build(weights[0], TOTAL_STEPS)
        layers = [layer for layer in model.layers if any("kernel" in w.path for w in layer.weights)]
        for layer, array in zip(layers, weights, strict=True):
            layer.set_weights([array])
        return model

    def step_of(name: str, variant: str) -> Callable[[], float]:
        model = model_of(name)
        x, y = drawn_batch(name)
        target = np.eye(10, dtype=np.float32)[y] if name == "cifar10_fast" else y

        def step() -> float:
            model.reset_metrics()  # the loss of this batch alone
            return float(model.train_on_batch(x, target)[0])

        return step

    return {"pynn": pynn.__version__}, cases(step_of, RECIPES)


if __name__ == "__main__":
    serve(load)
