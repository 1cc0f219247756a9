"""Targets and predictions of the kinds that losses and metrics take."""

import numpy as np


def _probabilities(rng, shape):
    e = np.exp(rng.standard_normal(shape))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def _unit(rng, shape):
    x = rng.standard_normal(shape)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


#: Name -> function of a generator and the predictions' shape.
DRAW = {
    "numbers": lambda rng, shape: rng.standard_normal(shape).astype("float32"),
    "positive": lambda rng, shape: rng.uniform(0.1, 3.0, shape).astype("float32"),
    "huge": lambda rng, shape: rng.choice([-1e4, 1e4], shape).astype("float32"),
    "between": lambda rng, shape: rng.uniform(0.01, 0.99, shape).astype("float32"),
    "bits": lambda rng, shape: rng.integers(0, 2, shape).astype("float32"),
    "signs": lambda rng, shape: rng.choice([-1, 1], shape).astype("float32"),
    "counts": lambda rng, shape: rng.integers(0, 6, shape).astype("float32"),
    "probabilities": _probabilities,
    "one_hot": lambda rng, shape: np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])],
    "classes": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]).astype("int32"),
    "labels": lambda rng, shape: rng.integers(0, 3, shape[:1]).astype("int32"),
    "unit": _unit,
    "spelling": lambda rng, shape: np.array([[1, 2, 0], [2, 2, 1], [0, 0, 0], [3, 1, 3]], "int32")[: shape[0]],
}
