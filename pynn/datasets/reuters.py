"""Reuters: 11,228 newswires as numbers of words, and which of 46 topics each is about."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.datasets._npz import KerasFile, number_words, ragged, shorter, shuffled
from pynn.errors import ArgumentError

__all__ = ["get_label_names", "get_word_index", "load_data"]

_NEWS = KerasFile(
    "Reuters", "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
)  # fmt: skip
_WORDS = KerasFile("Reuters' words", "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")
_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: Any = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Any:
    """Load the newswires; the arguments are those of :func:`pynn.datasets.imdb.load_data`, and

    Args:
        test_split: the fraction that is for testing.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists of numbers; topics 0 to 45.
    """
    if not 0 <= test_split < 1:
        raise ArgumentError(f"load_data: test_split must be at least 0 and below 1, received {test_split}")
    found = _NEWS.arrays(path)
    texts, labels = shuffled(seed, found["x"], found["y"])
    if maxlen:
        texts, labels = shorter(maxlen, start_char, texts, labels)
    rows = number_words(texts, num_words, skip_top, start_char, oov_char, index_from)
    first = int(len(rows) * (1 - test_split))
    return (ragged(rows[:first]), np.array(labels[:first])), (ragged(rows[first:]), np.array(labels[first:]))


def get_word_index(path: Any = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, before ``index_from`` is added."""
    return _WORDS.words(path)


def get_label_names() -> tuple[str, ...]:
    """The topics, in the order of their numbers.

    Example:
        >>> get_label_names()[3]
        'earn'
    """
    return tuple(_TOPICS.split())
