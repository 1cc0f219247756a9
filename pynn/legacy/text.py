"""Texts as numbers, as Keras 2 did it: ``keras.preprocessing.text``."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.legacy.notice import replaced_by, say_once

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def _words(text: str, filters: str, lower: bool, split: str) -> list[str]:
    text = text.lower() if lower else text
    text = text.translate({ord(sign): split for sign in filters})
    return [word for word in text.split(split) if word]


@replaced_by("keras.layers.TextVectorization")
def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text: ``filters`` are signs that count as gaps."""
    return _words(input_text, filters, lower, split)


@replaced_by("keras.layers.Hashing")
def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """A number from 1 to ``n - 1`` for each word, by Python's hash: another one in each process."""
    return _hashed(input_text, n, hash, filters, lower, split, analyzer)


@replaced_by("keras.layers.Hashing")
def hashing_trick(
    text: str,
    n: int,
    hash_function: Any = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """A number from 1 to ``n - 1`` for each word.

    Args:
        hash_function: None for Python's hash, which differs between processes; ``"md5"``; or a function.
    """
    function = {None: hash, "md5": _md5}.get(hash_function, hash_function)
    return _hashed(text, n, function, filters, lower, split, analyzer)


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


def _hashed(text: str, n: int, function: Any, filters: str, lower: bool, split: str, analyzer: Any) -> list[int]:
    words = analyzer(text) if analyzer is not None else _words(text, filters, lower, split)
    return [function(word) % (n - 1) + 1 for word in words]


class Tokenizer:
    """Numbers for words, the most frequent first: ``keras.preprocessing.text.Tokenizer``.

    Args:
        num_words: only numbers below it are given out; None: all.
        filters: signs that count as gaps between words.
        lower: whether capitals become small letters.
        split: what is between words.
        char_level: every sign is a word.
        oov_token: the word that stands for unknown ones, number 1; by default they are left out.
        analyzer: a function that divides a text into words.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     tokenizer = Tokenizer(num_words=4)
        >>> tokenizer.fit_on_texts(["the cat and the dog", "the dog"])
        >>> tokenizer.word_index
        {'the': 1, 'dog': 2, 'cat': 3, 'and': 4}
        >>> tokenizer.texts_to_sequences(["the dog and the mouse"])
        [[1, 2, 1]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        **kwargs: Any,
    ):
        say_once("Tokenizer", "keras.layers.TextVectorization")
        self.document_count = int(kwargs.pop("document_count", 0))
        if kwargs:
            raise ArgumentError(f"Tokenizer: unknown arguments {', '.join(sorted(kwargs))}")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.index_docs: defaultdict[int, int] = defaultdict(int)

    def _words_of(self, text: Any) -> list[str]:
        if self.char_level or isinstance(text, list):
            if self.lower:
                text = [word.lower() for word in text] if isinstance(text, list) else text.lower()
            return list(text)
        if self.analyzer is not None:
            return self.analyzer(text)
        return _words(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of these texts (or lists of words) and number them."""
        for text in texts:
            words = self._words_of(text)
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                self.word_docs[word] += 1
        ranked = sorted(self.word_counts.items(), key=lambda item: -item[1])  # stable: earlier words first
        ordered = ([] if self.oov_token is None else [self.oov_token]) + [word for word, _ in ranked]
        self.word_index = {word: i for i, word in enumerate(ordered, 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count in how many of these sequences each number is, for ``sequences_to_matrix(mode="tfidf")``."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for index in set(sequence):
                self.index_docs[index] += 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """As :meth:`texts_to_sequences`, one at a time."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            found = (self.word_index.get(word) for word in self._words_of(text))
            given = (i if i is not None and (not self.num_words or i < self.num_words) else unknown for i in found)
            yield [i for i in given if i is not None]

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """The words of these numbers, with a space between them."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Sequence[int]]) -> Iterator[str]:
        """As :meth:`sequences_to_texts`, one at a time."""
        for sequence in sequences:
            known = (
                self.index_word.get(int(i)) if not self.num_words or i < self.num_words else None for i in sequence
            )
            words = (self.oov_token if word is None else word for word in known)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """A row for each text, a column for each number of a word; see :meth:`sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """A row for each sequence, a column for each number.

        Args:
            mode: ``"binary"`` (is it there), ``"count"``, ``"freq"`` (count / length) or ``"tfidf"``
                ((1 + log count) · log(1 + documents / (1 + documents with it))).
        """
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ArgumentError(f"Tokenizer: mode must be 'binary', 'count', 'freq' or 'tfidf', received {mode!r}")
        width = self.num_words or (len(self.word_index) + 1 if self.word_index else 0)
        if not width:
            raise ArgumentError("Tokenizer: how many columns? Give num_words, or call fit_on_texts before")
        if mode == "tfidf" and not self.document_count:
            raise ArgumentError("Tokenizer: mode 'tfidf' needs fit_on_texts or fit_on_sequences before")
        matrix = np.zeros((len(sequences), width))
        for row, sequence in zip(matrix, sequences, strict=True):
            for index, count in Counter(i for i in sequence if i < width).items():
                if mode == "binary":
                    row[index] = 1
                elif mode == "count":
                    row[index] = count
                elif mode == "freq":
                    row[index] = count / len(sequence)
                else:
                    rarity = math.log(1 + self.document_count / (1 + self.index_docs.get(index, 0)))
                    row[index] = (1 + math.log(count)) * rarity
        return matrix

    def get_config(self) -> dict[str, Any]:
        """Arguments and counts; the tables are JSON texts, as in Keras."""
        tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            **{name: json.dumps(getattr(self, name)) for name in tables},
        }

    def to_json(self, **kwargs: Any) -> str:
        """For :func:`tokenizer_from_json`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that ``to_json`` described, Keras's or ours."""
    config = dict(json.loads(json_string)["config"])
    tables = {name: json.loads(config.pop(name)) for name in (
        "word_counts", "word_docs", "index_docs", "index_word", "word_index",
    )}  # fmt: skip
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts = OrderedDict(tables["word_counts"])
    tokenizer.word_docs.update(tables["word_docs"])
    tokenizer.word_index = tables["word_index"]
    tokenizer.index_docs.update({int(i): n for i, n in tables["index_docs"].items()})
    tokenizer.index_word = {int(i): word for i, word in tables["index_word"].items()}
    return tokenizer
