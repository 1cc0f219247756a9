"""IMDB: 25,000 film reviews to train and 25,000 to test, as numbers of words; 1 is a good one (Maas et al. 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.datasets._npz import KerasFile, number_words, ragged, shorter
from pynn.errors import ArgumentError

__all__ = ["get_word_index", "load_data"]

_REVIEWS = KerasFile(
    "IMDB", "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
)  # fmt: skip
_WORDS = KerasFile("IMDB's words", "imdb_word_index.json", "bfafd718b763782e994055a2d397834f")


def load_data(
    path: Any = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Any:
    """Load the reviews, in which more frequent words have smaller numbers.

    Args:
        path: an absolute path to read, or the name of the file in the usual places.
        num_words: numbers from here on count as unknown.
        skip_top: numbers below this count as unknown.
        maxlen: leave longer reviews out.
        seed: of the order.
        start_char: begins each review; None for nothing.
        oov_char: stands for unknown words; None leaves them out.
        index_from: added to all numbers, so that 0 is free for padding.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists of numbers; labels 0 and 1.

    Raises:
        DataNotFoundError: no file and no network; lists the places looked at and the ways out.
        CorruptDataError: a file with another checksum, or with anything but arrays.
    """
    if "nb_words" in kwargs:
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise TypeError(f"load_data() got unexpected arguments: {', '.join(sorted(kwargs))}")
    found = _REVIEWS.arrays(path)
    state = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):
        order = np.arange(len(found[f"x_{part}"]))
        state.shuffle(order)
        texts, labels = found[f"x_{part}"][order], found[f"y_{part}"][order]
        if maxlen:
            texts, labels = shorter(maxlen, start_char, texts, labels)
            if not len(texts):
                raise ArgumentError(f"load_data: no review is shorter than maxlen={maxlen}; increase it")
        parts.append((texts, labels))
    (x_train, y_train), (x_test, y_test) = parts
    rows = number_words([*x_train, *x_test], num_words, skip_top, start_char, oov_char, index_from)
    return (ragged(rows[: len(x_train)]), y_train), (ragged(rows[len(x_train) :]), y_test)


def get_word_index(path: Any = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, before ``index_from`` is added."""
    return _WORDS.words(path)
