"""Numbers for words and for numbers, by a vocabulary: StringLookup and IntegerLookup."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError
from pynn.layers.arguments import choice
from pynn.layers.host_layer import string_array
from pynn.layers.index_lookup import IndexLookup


class StringLookup(IndexLookup):
    """Strings to numbers, or back, by a vocabulary.

    Args:
        max_tokens: numbers there may be at most, those of special tokens included.
        num_oov_indices: numbers for strings that are not in the vocabulary, by hash if there are several; with 0 such
            strings are an error.
        mask_token: a string whose number is 0, if there is one.
        oov_token: what numbers without a string become with ``invert=True``.
        vocabulary: a list of strings, or the path of a file with one in each line; by default :meth:`adapt` finds it.
        idf_weights: of each string, for ``"tf_idf"``.
        invert: numbers to strings.
        output_mode: ``"int"``: numbers; ``"one_hot"``: a row for each string; ``"multi_hot"``, ``"count"`` and
            ``"tf_idf"``: a row for each sample: which strings are in it, how often, and weighed.
        pad_to_max_tokens: rows of ``max_tokens`` numbers, however large the vocabulary is.
        sparse: not supported.
        encoding: of strings that come as ``bytes``.
        salt: one or two integers for the hash (SipHash; without it FarmHash).

    Example:
        >>> layer = StringLookup(vocabulary=["a", "b"])
        >>> layer([["b", "a"], ["z", "b"]])
        array([[2, 1],
               [0, 2]])
        >>> StringLookup(vocabulary=["a", "b"], invert=True)([2, 0]).tolist()
        ['b', '[UNK]']
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ):
        kwargs.pop("vocabulary_dtype", None)  # in configs; it is always "string"
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name, **kwargs,
        )  # fmt: skip

    def _token(self, token: Any) -> str:
        return token.decode(self.encoding) if isinstance(token, bytes) else str(token)

    def _key_array(self, x: Any) -> np.ndarray:
        return string_array(f"layer '{self.name}'", x, self.encoding)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "encoding": self.encoding}


class IntegerLookup(IndexLookup):
    """Whole numbers to numbers from 0 up, or back, by a vocabulary.

    Args:
        max_tokens, num_oov_indices, idf_weights, invert, output_mode, sparse, pad_to_max_tokens, salt: as in
            :class:`StringLookup`.
        mask_token: a number that becomes 0, if there is one.
        oov_token: what numbers outside become with ``invert=True``.
        vocabulary: a list of numbers, or the path of a file with one in each line; by default :meth:`adapt` finds it.
        vocabulary_dtype: ``"int64"`` or ``"int32"``.
        oov_method: with several oov numbers: ``"floormod"`` of the input, or ``"farmhash"``.

    Example:
        >>> IntegerLookup(vocabulary=[12, 36, 1138])([[1138, 12], [7, 36]])
        array([[3, 1],
               [0, 2]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        where = f"layer '{name or 'integer_lookup'}'"
        self.vocabulary_dtype = choice(where, "vocabulary_dtype", vocabulary_dtype, ("int64", "int32"))
        self.oov_method = choice(where, "oov_method", oov_method, ("floormod", "farmhash"))
        if salt is not None and oov_method != "farmhash":
            raise ArgumentError(f"{where}: salt is for oov_method='farmhash', received {oov_method!r}")
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name, **kwargs,
        )  # fmt: skip

    def _token(self, token: Any) -> int:
        return int(token)

    def _key_array(self, x: Any) -> np.ndarray:
        array = np.asarray(x)
        if array.dtype.kind not in "iub":
            raise DtypeError(f"layer '{self.name}': expected whole numbers, received dtype {array.dtype}")
        return array.astype(self.vocabulary_dtype)

    def _buckets(self, tokens: list[Any]) -> Any:
        if self.oov_method == "farmhash":
            return super()._buckets(tokens)
        return np.mod(tokens, self.num_oov_indices)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "oov_method": self.oov_method}
