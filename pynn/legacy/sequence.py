"""Batches and pairs from sequences, as Keras 2 made them: ``keras.preprocessing.sequence``."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.legacy.notice import replaced_by, say_once
from pynn.utils.padding import pad_sequences as pad_sequences
from pynn.utils.py_dataset import PyDataset


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, ``(samples, length / sampling_rate, ...)``, with the target that follows each.

    Args:
        data, targets: arrays with the same number of steps.
        length: steps in a window.
        sampling_rate: every how many steps of a window are kept.
        stride: how many steps lie between windows.
        start_index, end_index: the part of the data that is used.
        shuffle: windows at random places, drawn anew for each batch.
        reverse: each window backwards.
        batch_size: windows in a batch.

    Example:
        >>> import warnings, numpy as np
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     batches = TimeseriesGenerator(np.arange(6), np.arange(6), length=2, batch_size=3)
        >>> batches[0]
        (array([[0, 1],
               [1, 2],
               [2, 3]]), array([2, 3, 4]))
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ):
        say_once("TimeseriesGenerator", "keras.utils.timeseries_dataset_from_array")
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ShapeError(f"TimeseriesGenerator: data has {len(data)} steps, targets have {len(targets)}")
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ArgumentError(
                f"TimeseriesGenerator: no window of {length} steps fits between start_index={start_index} and "
                f"end_index={self.end_index}"
            )

    def __len__(self) -> int:
        return -(-(self.end_index - self.start_index + 1) // (self.batch_size * self.stride))

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        ends: Sequence[int] | np.ndarray
        if self.shuffle:
            ends = np.random.randint(self.start_index, self.end_index + 1, self.batch_size)  # noqa: NPY002
        else:
            every = range(self.start_index, self.end_index + 1, self.stride)
            ends = every[self.batch_size * index :][: self.batch_size]
        windows = np.array([self.data[end - self.length : end : self.sampling_rate] for end in ends])
        return windows[:, ::-1] if self.reverse else windows, np.array([self.targets[end] for end in ends])

    def get_config(self) -> dict[str, Any]:
        """The arguments, numbers as lists."""
        return {
            "data": np.asarray(self.data).tolist(),
            "targets": np.asarray(self.targets).tolist(),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index - self.length,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """The config as a text."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


@replaced_by("a table of your own: p = min(1, sqrt(t / f)) for words of frequency f")
def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """With what probability the word of each rank is kept by :func:`skipgrams`.

    ``min(1, sqrt(sampling_factor / f))``, where word frequencies f follow Zipf's law: 1 / f is the rank times the
    harmonic number of the rank.
    """
    rank = np.arange(size).clip(1)
    harmonic = np.log(rank) + 0.577 + 1 / (2 * rank) - 1 / (12 * rank**2)  # 1 + 1/2 + ... + 1/rank, nearly
    return np.sqrt(sampling_factor * rank * harmonic).clip(max=1.0)


@replaced_by("pairs made with NumPy or pynn.data.Dataset")
def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of words that are near each other (label 1), and pairs with random words (label 0).

    Args:
        sequence: numbers of words; 0 is no word.
        vocabulary_size: one more than the largest number.
        window_size: how far a partner may be.
        negative_samples: how many random pairs for each true one.
        shuffle: in random order.
        categorical: labels ``[0, 1]`` and ``[1, 0]``.
        sampling_table: with what probability each word is used, see :func:`make_sampling_table`.
        seed: of the random order and words.
    """
    drawn = random.Random(seed)
    couples: list[list[int]] = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < drawn.random()):
            continue
        near = [*sequence[max(0, i - window_size) : i], *sequence[i + 1 : i + 1 + window_size]]
        couples += [[word, partner] for partner in near if partner]
    labels: list[Any] = [1] * len(couples)
    if negative_samples > 0 and couples:
        words = [word for word, _ in couples]
        drawn.shuffle(words)
        wrong = islice(cycle(words), int(len(couples) * negative_samples))
        couples += [[word, drawn.randint(1, vocabulary_size - 1)] for word in wrong]
        labels += [0] * (len(couples) - len(labels))
    if shuffle:
        order = list(range(len(couples)))
        drawn.shuffle(order)
        couples, labels = [couples[i] for i in order], [labels[i] for i in order]
    return couples, [[0, 1] if label else [1, 0] for label in labels] if categorical else labels
