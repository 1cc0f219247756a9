"""Texts as rows of word numbers."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.layers.arguments import choice
from pynn.layers.host_layer import HostLayer, string_array
from pynn.layers.index_lookup import OUTPUT_MODES
from pynn.layers.lookup import StringLookup

_LOWER = dict(zip(string.ascii_uppercase, string.ascii_lowercase, strict=True))
_NO_PUNCTUATION = dict.fromkeys(string.punctuation, "")
#: What becomes of each character; like TensorFlow, capitals outside of ASCII stay.
_STANDARDS = {
    "lower": str.maketrans(_LOWER),
    "strip_punctuation": str.maketrans(_NO_PUNCTUATION),
    "lower_and_strip_punctuation": str.maketrans({**_LOWER, **_NO_PUNCTUATION}),
}


class TextVectorization(HostLayer):
    """Texts to numbers: standardized, split into tokens, which a vocabulary gives numbers.

    Args:
        max_tokens: numbers there may be at most, those of special tokens included.
        standardize: ``"lower_and_strip_punctuation"``, ``"lower"``, ``"strip_punctuation"``, None, or a function of
            an array of strings.
        split: ``"whitespace"``, ``"character"``, None, or a function from an array of strings to lists of tokens.
        ngrams: also (a number n: from 1 up to n), or only (a tuple of numbers), take so many tokens as one.
        output_mode: ``"int"``: the tokens' numbers, 0 where a text is over, 1 for unknown ones; ``"multi_hot"``,
            ``"count"``, ``"tf_idf"``: a row that tells which tokens are in a text, how often, and weighed.
        output_sequence_length: cut off or filled up to this length; by default as long as the longest text.
        pad_to_max_tokens: rows of ``max_tokens`` numbers, however large the vocabulary is.
        vocabulary: a list of tokens, or the path of a file with one in each line; by default :meth:`adapt` finds it.
        idf_weights: of each token, for ``"tf_idf"``.
        sparse, ragged: not supported.
        encoding: of texts that come as ``bytes``.

    It works on arrays and in data sets, not inside a model: ``dataset.map(lambda x, y: (layer(x), y))``.

    Example:
        >>> layer = TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["The cat sat.", "The dog sat!"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
        >>> layer(["The bird sat"])
        array([[2, 1, 3, 0]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ):
        kwargs.pop("vocabulary_size", None)
        kwargs.pop("dtype", None)
        super().__init__(name=name, **kwargs)
        where = f"layer '{self.name}'"
        if standardize is not None and not callable(standardize):
            choice(where, "standardize", standardize, tuple(_STANDARDS), "None or a function")
        if split is not None and not callable(split):
            choice(where, "split", split, ("whitespace", "character"), "None or a function")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        choice(where, "output_mode", output_mode, OUTPUT_MODES)
        ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        widths = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
        if widths is not None and not (isinstance(widths, tuple) and all(isinstance(w, int) for w in widths)):
            raise ArgumentError(f"{where}: ngrams must be None, an integer or a tuple of them, received {ngrams!r}")
        if output_sequence_length is not None and (output_mode != "int" or not isinstance(output_sequence_length, int)):
            raise ArgumentError(
                f"{where}: output_sequence_length must be an integer, and is for output_mode='int' only, received "
                f"{output_sequence_length!r} with {output_mode!r}"
            )
        if ragged:
            raise ArgumentError(f"{where}: ragged=True is not supported; rows are filled up with 0")
        self.standardize, self.split, self.ngrams = standardize, split, ngrams
        self._widths = widths
        self.output_mode, self.output_sequence_length, self.encoding = output_mode, output_sequence_length, encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights,
            output_mode=output_mode, pad_to_max_tokens=pad_to_max_tokens, sparse=sparse, encoding=encoding,
            name=f"{self.name}_lookup",
        )  # fmt: skip

    # ---- texts to tokens -------------------------------------------------------------------------------------------

    def _tokens(self, x: Any) -> tuple[list[Any], tuple[int, ...] | None]:
        """A list of tokens for each text, and the shape that texts came in; None for a single text."""
        where = f"layer '{self.name}'"
        texts = string_array(where, x, self.encoding)
        if callable(self.standardize):
            texts = string_array(where, np.asarray(self.standardize(texts.astype(str))), self.encoding)
        if self.split is None and self._widths is None:
            rows = self._standardized(texts.reshape(-1))
            width = texts.shape[-1] if texts.ndim > 1 else 1
            return [rows[i : i + width] for i in range(0, len(rows), width)], texts.shape
        if self.split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1:
                raise ShapeError(f"{where}: texts to split must have shape (n,) or (n, 1), received {texts.shape}")
            texts = texts[..., 0]
        shape = texts.shape
        if self.split is None:
            documents = texts.reshape(-1, texts.shape[-1] if texts.ndim else 1)
            split: Iterable[Any] = [self._standardized(row) for row in documents]
            shape = shape[:-1]
        else:
            split = self._split_texts(self._standardized(texts.reshape(-1)))
        tokens = [list(row) for row in split]
        return [self._grams(row) for row in tokens] if self._widths else tokens, shape

    def _standardized(self, texts: np.ndarray) -> list[str]:
        if callable(self.standardize) or self.standardize is None:
            return texts.tolist()
        table = _STANDARDS[self.standardize]
        return [text.translate(table) for text in texts.tolist()]

    def _split_texts(self, texts: list[str]) -> Iterable[Sequence[str]]:
        if callable(self.split):
            rows = self.split(np.array(texts, str))
            return [[t.decode(self.encoding) if isinstance(t, bytes) else str(t) for t in row] for row in rows]
        return [text.split() if self.split == "whitespace" else list(text) for text in texts]

    def _grams(self, tokens: list[str]) -> list[str]:
        return [" ".join(tokens[i : i + w]) for w in self._widths or () for i in range(len(tokens) - w + 1)]

    # ---- tokens to numbers -----------------------------------------------------------------------------------------

    def call(self, x: Any) -> np.ndarray:
        rows, shape = self._tokens(x)
        lookup = self._lookup_layer
        flat = [token for row in rows for token in row]
        numbers = lookup._look_up(flat)
        lengths = [len(row) for row in rows]
        if self.output_mode == "int" and self.split is None and self._widths is None:
            array = numbers.reshape(shape or ())
            return array if self.output_sequence_length is None else self._fitted(array)
        longest = self.output_sequence_length
        if longest is None or self.output_mode != "int":
            longest = max(lengths, default=0)
        filler = 0 if self.output_mode == "int" else -1
        table: Any = np.full((len(rows), longest), filler, "int64")
        at = 0
        for i, length in enumerate(lengths):
            kept = min(length, longest)
            table[i, :kept] = numbers[at : at + kept]
            at += length
        if self.output_mode == "one_hot" and self.split is None and self._widths is None:
            table = table.reshape(shape or ())
        elif shape != (len(rows),) and not (self.split is None and self._widths is None):
            table = table.reshape(*(shape or ()), longest)
        return lookup._shown(table)

    def _fitted(self, array: np.ndarray) -> np.ndarray:
        """Cut off or filled up along the last axis."""
        length = int(self.output_sequence_length or 0)
        array = array[..., :length]
        return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, length - array.shape[-1])])

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the vocabulary of the tokens in texts, the most frequent first (equally frequent: the last in order).

        Args:
            data: a list or an array of texts; or a data set or another iterable of such, or of single texts.
            steps: batches to read of it, if not all.
        """
        self.reset_state()
        batches = [data] if isinstance(data, list | tuple | np.ndarray | str) else data
        for number, batch in enumerate(batches):
            if steps is not None and number >= steps and batches is data:
                break
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of texts."""
        self._lookup_layer._count(self._tokens(data)[0])

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted; the vocabulary stays."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens in the order of their numbers."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of special tokens included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these tokens: a list, or the path of a file with one in each line."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # ---- configs and files -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        lookup = self._lookup_layer
        return {
            **super().get_config(),
            "max_tokens": lookup.max_tokens,
            "standardize": self.standardize,
            "split": self.split,
            "ngrams": self.ngrams,
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": lookup.pad_to_max_tokens,
            "sparse": False,
            "ragged": False,
            "vocabulary": lookup.input_vocabulary,
            "idf_weights": lookup.input_idf_weights,
            "encoding": self.encoding,
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextVectorization:
        from pynn.saving.serialization import deserialize_keras_object

        config = dict(config)
        for name in ("standardize", "split"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_keras_object(config[name])
        return cls(**config)

    def save_assets(self, dir_path: Any) -> None:
        """Write ``vocabulary.txt``, unless the config has the vocabulary."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Read ``vocabulary.txt``."""
        self._lookup_layer.load_assets(dir_path)

    def save_own_variables(self, store: Any) -> None:
        """The weights of tokens, for ``output_mode="tf_idf"``."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """The weights of tokens, for ``output_mode="tf_idf"``."""
        self._lookup_layer.load_own_variables(store)
