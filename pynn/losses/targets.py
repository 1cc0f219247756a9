"""Checks of targets on the host, before anything is compiled: what is wrong is said in terms of the user's array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError

Shape = Sequence[int | None]
Check = Callable[[str, np.ndarray, Shape, str], None]

#: The check of each loss function: ``check(loss's name, y, output_shape, argument)``.
TARGET_CHECKS: dict[Any, Check] = {}


def targets_checked_by(check: Check) -> Callable[[Any], Any]:
    """Decorates a loss function with the check of its targets."""

    def register(function: Any) -> Any:
        TARGET_CHECKS[function] = check
        return function

    return register


def check_numbers(name: str, y: np.ndarray, argument: str) -> None:
    """No NaN, no infinity, no objects or strings."""
    if y.dtype.kind not in "fiub":
        raise DtypeError(
            f"{name}: {argument} must hold numbers, received dtype {y.dtype}; "
            "turn class names into numbers first, e.g. np.unique(y, return_inverse=True)[1]"
        )
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(y))[0])
        raise ArgumentError(
            f"{name}: {argument} contains {y[where]} (first at index {where}); "
            "a model cannot learn from missing or infinite targets: drop or fill those samples"
        )


def check_same_shape(name: str, y: np.ndarray, output_shape: Shape, argument: str) -> None:
    """One number for each output of the model; ``(n,)`` and ``(n, 1)`` are the same."""
    got, expected = tuple(y.shape[1:]), tuple(output_shape[1:])
    if got == expected or (got or (1,)) == (expected or (1,)):
        return
    if (*got, 1) == expected or got == (*expected, 1):
        return
    hint = ""
    if got in ((), (1,)) and len(expected) == 1:
        hint = (
            f"; for {expected[0]} classes use the loss 'sparse_categorical_crossentropy', "
            "for one number per sample end the model with Dense(1)"
        )
    raise ShapeError(
        f"{name}: {argument} has shape {_batch(got)}, but the model's output has shape {_batch(expected)}{hint}"
    )


def check_class_indices(name: str, y: np.ndarray, output_shape: Shape, argument: str) -> None:
    """Whole numbers from 0 to classes - 1, one per distribution."""
    classes = output_shape[-1]
    got, expected = tuple(y.shape[1:]), tuple(output_shape[1:-1])
    if got not in (expected, (*expected, 1)):
        hint = ""
        if got == tuple(output_shape[1:]):
            hint = "; it looks one-hot: use the loss 'categorical_crossentropy', or y.argmax(axis=-1)"
        raise ShapeError(
            f"{name}: {argument} has shape {_batch(got)}, expected {_batch(expected)}: one class number per "
            f"prediction of shape {_batch(output_shape[1:])}{hint}"
        )
    if not y.size:
        return
    _check_whole(name, y, argument)
    low, high = y.min(), y.max()
    if classes is not None and not (low >= 0 and high < classes):
        bad = low if low < 0 else high
        way_out = (
            f"number the classes from 0, or give the last layer {int(high) + 1} units"
            if low >= 0
            else "number the classes from 0"
        )
        raise ArgumentError(
            f"{name}: {argument} contains class {int(bad)}, but the model has {classes} outputs "
            f"(classes 0 to {classes - 1}): {way_out}"
        )


def check_one_hot(name: str, y: np.ndarray, output_shape: Shape, argument: str) -> None:
    """A row of class probabilities for each prediction."""
    got, expected = tuple(y.shape[1:]), tuple(output_shape[1:])
    if got == expected:
        return
    if got in (expected[:-1], (*expected[:-1], 1)):
        raise ShapeError(
            f"{name}: {argument} has shape {_batch(got)}, which looks like class numbers, but one-hot rows of shape "
            f"{_batch(expected)} are expected: use the loss 'sparse_categorical_crossentropy', or "
            f"to_categorical({argument}, {expected[-1]})"
        )
    raise ShapeError(f"{name}: {argument} has shape {_batch(got)}, but the model's output has shape {_batch(expected)}")


def check_probabilities(name: str, y: np.ndarray, output_shape: Shape, argument: str) -> None:
    """A number from 0 to 1 for each output of the model."""
    check_same_shape(name, y, output_shape, argument)
    if y.size and not (y.min() >= 0 and y.max() <= 1):
        raise ArgumentError(
            f"{name}: {argument} must lie between 0 and 1, received numbers from {y.min()} to {y.max()}; "
            "label the two classes 0 and 1"
        )


def check_signs(name: str, y: np.ndarray, output_shape: Shape, argument: str) -> None:
    """-1 or 1 (or 0 and 1) for each output of the model."""
    check_same_shape(name, y, output_shape, argument)
    if y.size and not (y.min() >= -1 and y.max() <= 1):
        raise ArgumentError(
            f"{name}: {argument} must hold -1 and 1 (or 0 and 1), received numbers from {y.min()} to {y.max()}; "
            "label the two classes -1 and 1, or use 'categorical_hinge' with one-hot rows for several classes"
        )


def check_labels(name: str, y: np.ndarray, output_shape: Shape, argument: str) -> None:
    """One whole number per sample, any: equal numbers mean the same class."""
    if tuple(y.shape[1:]) not in ((), (1,)):
        raise ShapeError(
            f"{name}: {argument} has shape {_batch(y.shape[1:])}, expected one label per sample, (batch,); "
            f"for one-hot rows give {argument}.argmax(axis=-1)"
        )
    _check_whole(name, y, argument)


def check_sequences(name: str, y: np.ndarray, output_shape: Shape, argument: str) -> None:
    """Rows of labels from 1 to classes - 1, filled up with 0."""
    if y.ndim != 2 or len(output_shape) != 3:
        raise ShapeError(
            f"{name}: {argument} must have shape (batch, max_length) and the model's output (batch, steps, classes), "
            f"received {_batch(y.shape[1:])} and {_batch(output_shape[1:])}"
        )
    _check_whole(name, y, argument)
    classes, steps = output_shape[-1], output_shape[1]
    if y.size and (y.min() < 0 or (classes is not None and y.max() >= classes)):
        bad = y.min() if y.min() < 0 else y.max()
        raise ArgumentError(
            f"{name}: {argument} contains label {int(bad)}; expected 1 to classes - 1 (the model has {classes} "
            "outputs), and 0 to fill up short rows: class 0 is the blank"
        )
    longest = int((y != 0).sum(axis=1).max()) if y.size else 0
    if steps is not None and longest > steps:
        raise ArgumentError(
            f"{name}: {argument} has a row of {longest} labels, but the model gives {steps} steps, and each label "
            "needs one: make the sequences of predictions longer, or leave such rows out"
        )


def _check_whole(name: str, y: np.ndarray, argument: str) -> None:
    if y.dtype.kind == "f" and (y != np.floor(y)).any():
        bad = y[y != np.floor(y)].flat[0]
        raise ArgumentError(
            f"{name}: {argument} must hold whole numbers (class indices), received {bad}; "
            "for numbers on a scale use a regression loss such as 'mse'"
        )


def _batch(shape: Sequence[int | None]) -> str:
    return f"(batch, {', '.join(map(str, shape))})" if shape else "(batch,)"
