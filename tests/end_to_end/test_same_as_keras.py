"""Three small trainings against Keras: same weights, same data, no shuffling.

The expected numbers are ``history.history`` of Keras 3.15 on JAX, running this file's models with ``import keras``.
"""

import numpy as np
import pytest

import pynn as keras
from pynn import layers

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 8, 8, 2)).astype("float32")
CLASSES = RNG.integers(0, 3, 200)
YES_NO = (CLASSES > 0).astype("float32")


def _mlp():
    stack = [layers.Flatten(), layers.Dense(16, activation="tanh"), layers.Dense(3, activation="softmax")]
    return stack, {
        "optimizer": keras.optimizers.SGD(0.05, momentum=0.9),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }


def _cnn_on_logits():
    stack = [
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Conv2D(4, 3, strides=2),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3),
    ]
    return stack, {
        "optimizer": keras.optimizers.Adam(0.01),
        "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "metrics": ["accuracy"],
    }


def _yes_no_with_weights():
    stack = [
        layers.Conv2D(4, 3, activation="elu"),
        layers.AveragePooling2D(3, strides=2, padding="same"),
        layers.Reshape((9, 4)),
        layers.Dense(5, activation="gelu"),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ]
    return stack, {
        "optimizer": keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "loss": "binary_crossentropy",
        "metrics": ["acc", "mse"],
    }


CASES = [
    (_mlp, CLASSES, None, {
        "accuracy": [0.33333, 0.38889, 0.46667], "loss": [1.24472, 1.16205, 1.05355],
        "val_accuracy": [0.35, 0.4, 0.4], "val_loss": [1.16561, 1.12708, 1.095],
    }),
    (_cnn_on_logits, CLASSES, None, {
        "accuracy": [0.27778, 0.33889, 0.37778], "loss": [1.11783, 1.09409, 1.08799],
        "val_accuracy": [0.2, 0.2, 0.2], "val_loss": [1.1166, 1.1835, 1.21634],
    }),
    (_yes_no_with_weights, YES_NO, np.linspace(0, 2, 200).astype("float32"), {
        "acc": [0.72222, 0.72222, 0.72222], "loss": [0.56432, 0.55586, 0.54608],
        "mse": [0.21805, 0.21379, 0.20871], "val_acc": [0.6, 0.6, 0.6],
        "val_loss": [1.28086, 1.28259, 1.28972], "val_mse": [0.23983, 0.24028, 0.24204],
    }),
]  # fmt: skip


@pytest.mark.parametrize(("make", "y", "sample_weight", "expected"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_same_history(make, y, sample_weight, expected):
    stack, options = make()
    model = keras.Sequential([keras.Input((8, 8, 2)), *stack])
    rng = np.random.default_rng(5)
    model.set_weights(
        [np.ones(v.shape) if "variance" in v.path else rng.standard_normal(v.shape) * 0.2 for v in model.weights]
    )
    model.compile(**options)
    history = model.fit(
        X, y, epochs=3, batch_size=64, shuffle=False, verbose=0, validation_split=0.1, sample_weight=sample_weight
    )
    assert sorted(history.history) == sorted(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(history.history[name], values, atol=3e-5, err_msg=name)
