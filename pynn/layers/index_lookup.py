"""Numbers for tokens by a vocabulary: what StringLookup and IntegerLookup share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, NotBuiltError
from pynn.layers.arguments import choice
from pynn.layers.host_layer import HostLayer, encode_indices
from pynn.utils.hashing import hash_buckets, salt_pair

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class IndexLookup(HostLayer):
    """What both lookups share: the vocabulary, where it comes from, and how its numbers are shown.

    Numbers are given in this order: the mask's 0 (if there is a mask token and the output is numbers), numbers for
    what is not in the vocabulary ("oov"), then the vocabulary.
    """

    #: Kind of a token: "string" or "int64".
    vocabulary_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        salt: Any,
        name: str | None,
        **kwargs: Any,
    ):
        kwargs.pop("vocabulary_size", None)  # in configs; it follows from the vocabulary
        self._static = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        kwargs.pop("dtype", None)  # of configs: the output's kind follows from output_mode
        super().__init__(name=name, **kwargs)
        where = f"layer '{self.name}'"
        if max_tokens is not None and max_tokens <= 1:
            raise ArgumentError(f"{where}: max_tokens must be above 1, received {max_tokens}")
        if num_oov_indices < 0:
            raise ArgumentError(f"{where}: num_oov_indices must not be negative, received {num_oov_indices}")
        if pad_to_max_tokens and max_tokens is None:
            raise ArgumentError(f"{where}: pad_to_max_tokens needs max_tokens")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        self.output_mode = choice(where, "output_mode", output_mode, OUTPUT_MODES)
        if invert and output_mode != "int":
            raise ArgumentError(f"{where}: invert=True needs output_mode='int', received {output_mode!r}")
        if sparse:
            raise ArgumentError(f"{where}: sparse=True is not supported; the rows are dense arrays")
        if idf_weights is not None and output_mode != "tf_idf":
            raise ArgumentError(f"{where}: idf_weights are for output_mode='tf_idf', not {output_mode!r}")
        if output_mode == "tf_idf" and vocabulary is not None and idf_weights is None:
            raise ArgumentError(f"{where}: with a vocabulary output_mode='tf_idf' needs idf_weights")
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.sparse, self.pad_to_max_tokens = bool(invert), False, bool(pad_to_max_tokens)
        self.salt = salt_pair(where, salt)
        self.input_vocabulary = None if isinstance(vocabulary, str | os.PathLike) else _listed(vocabulary)
        self.input_idf_weights = _listed(idf_weights)
        self.idf_weights: np.ndarray | None = None
        self._tokens: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # ---- the vocabulary ------------------------------------------------------------------------------------------

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers; without special ones the first has number ``_token_start``."""
        return [*self._special_tokens(), *self._tokens] if include_special_tokens else list(self._tokens)

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of special tokens included."""
        return self._token_start + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these tokens.

        Args:
            vocabulary: a list or an array, or the path of a text file with one token in each line; special tokens
                may be at its beginning.
            idf_weights: of each token, for ``output_mode="tf_idf"``.

        Raises:
            ArgumentError: no token, tokens that repeat, special tokens between others, or too many.
        """
        where = f"layer '{self.name}': vocabulary"
        if isinstance(vocabulary, str | os.PathLike):
            vocabulary = self._read(vocabulary)
        tokens = [self._token(token) for token in _listed(vocabulary)]
        special = self._special_tokens()
        weights = None if idf_weights is None else np.asarray(idf_weights, "float32")
        if weights is not None and weights.shape != (len(tokens),):
            raise ArgumentError(f"{where}: {len(tokens)} tokens need as many idf_weights, received {weights.shape}")
        if self.output_mode == "tf_idf" and weights is None:
            raise ArgumentError(f"{where}: output_mode='tf_idf' needs idf_weights")
        marked = bool(special) and tokens[: len(special)] == special
        tokens = tokens[len(special) :] if marked else tokens
        if not tokens:
            raise ArgumentError(f"{where} is empty: give at least one token")
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated:
            raise ArgumentError(f"{where}: these tokens are in it more than once: {repeated[:10]}")
        for kind, token in (("mask_token", self.mask_token), ("oov_token", self.oov_token)):
            if token is not None and token in tokens and (kind == "mask_token" or self.invert or marked):
                raise ArgumentError(
                    f"{where}: holds the {kind} {token!r} at number {tokens.index(token)}, not in front"
                )
        if self.max_tokens is not None and len(tokens) + self._token_start > self.max_tokens:
            raise ArgumentError(
                f"{where}: {len(tokens)} tokens and {self._token_start} special ones are more than "
                f"max_tokens={self.max_tokens}"
            )
        self._take(tokens)
        if weights is not None:
            if not marked:  # nothing is known about special tokens: they weigh as much as the others do
                weights = np.concatenate([np.full(self._token_start, weights.mean()), weights])
            self._weigh(weights)

    def _take(self, tokens: list[Any]) -> None:
        self._tokens = tokens
        self._numbers = {token: self._token_start + i for i, token in enumerate(tokens)}

    def _weigh(self, weights: np.ndarray) -> None:
        depth = self._depth()
        self.idf_weights = np.concatenate([weights, np.zeros(depth - len(weights))]).astype("float32")

    def _read(self, path: Any) -> list[str]:
        if not os.path.exists(path):
            raise ArgumentError(f"layer '{self.name}': the vocabulary file {os.fspath(path)!r} does not exist")
        return Path(path).read_text("utf-8").splitlines()

    def _token(self, token: Any) -> Any:
        """A token as the vocabulary holds it."""
        raise NotImplementedError

    def _key_array(self, x: Any) -> np.ndarray:
        """Inputs as an array of tokens."""
        raise NotImplementedError

    # ---- adapt -----------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the vocabulary of the tokens in data, the most frequent first (equally frequent: the last in order).

        Args:
            data: an array or a list of tokens, or a data set or another iterable of such.
            steps: batches to read of it, if not all.
        """
        self.reset_state()
        if isinstance(data, list | tuple | np.ndarray):
            array = self._key_array(data)
            self.update_state(array[:, None] if array.ndim == 1 else array)
        else:
            for number, batch in enumerate(data):
                if steps is not None and number >= steps:
                    break
                self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted; the vocabulary stays."""
        self._counts: Counter[Any] = Counter()
        self._documents: Counter[Any] = Counter()
        self._document_count = 0

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch, whose rows are documents."""
        array = self._key_array(data)
        self._count(np.atleast_2d(array).reshape(-1, array.shape[-1] if array.ndim else 1).tolist())

    def _count(self, documents: Iterable[Sequence[Any]]) -> None:
        if self._static:
            raise ArgumentError(
                f"layer '{self.name}': cannot adapt a layer that was given its vocabulary; leave the argument out"
            )
        for document in documents:
            self._counts.update(document)
            if self.output_mode == "tf_idf":
                self._documents.update(set(document))
                self._document_count += 1

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        if self._static or not self._counts:
            return
        for special in (self.mask_token, self.oov_token):
            self._counts.pop(special, None)
        tokens = sorted(self._counts, key=lambda token: (self._counts[token], token), reverse=True)
        if self.max_tokens is not None:
            tokens = tokens[: max(self.max_tokens - self._token_start, 0)]
        self._take(tokens)
        if self.output_mode == "tf_idf":
            found = np.array([self._documents[token] for token in tokens], "float64")
            weights = np.log(1 + self._document_count / (1 + found))
            self._weigh(np.concatenate([np.full(self._token_start, weights.mean()), weights]))
        self.reset_state()

    # ---- lookups ---------------------------------------------------------------------------------------------------

    def call(self, x: Any) -> np.ndarray:
        if self.invert:
            return self._decoded(x)
        keys = self._key_array(x)
        unique, places = np.unique(keys, return_inverse=True)
        return self._shown(self._look_up(unique.tolist())[places].reshape(keys.shape))

    def _look_up(self, tokens: Sequence[Any]) -> np.ndarray:
        """The number of each token; -1 for the mask where rows are shown, in which it counts nowhere."""
        numbers, outside = np.empty(len(tokens), "int64"), []
        for i, token in enumerate(tokens):
            if self.mask_token is not None and token == self.mask_token:
                numbers[i] = 0 if self.output_mode == "int" else -1
            else:
                found = self._numbers.get(token)
                if found is None:
                    outside.append(i)
                else:
                    numbers[i] = found
        if outside and self.num_oov_indices == 0:
            raise ArgumentError(
                f"layer '{self.name}': with num_oov_indices=0 all inputs must be in the vocabulary; these are not: "
                f"{[tokens[i] for i in outside[:10]]}; consider num_oov_indices=1"
            )
        if outside:
            numbers[outside] = self._oov_start + self._buckets([tokens[i] for i in outside])
        return numbers

    def _buckets(self, tokens: list[Any]) -> Any:
        """Which of the numbers for unknown tokens each one gets."""
        return 0 if self.num_oov_indices == 1 else hash_buckets(map(str, tokens), self.num_oov_indices, self.salt)

    def _depth(self) -> int:
        return int(self.max_tokens or 0) if self.pad_to_max_tokens else self.vocabulary_size()

    def _shown(self, numbers: np.ndarray) -> np.ndarray:
        if self.output_mode == "int":
            return numbers
        if not self._tokens and not self.pad_to_max_tokens:
            raise NotBuiltError(
                f"layer '{self.name}': output_mode={self.output_mode!r} needs a vocabulary: give one, or call adapt()"
            )
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        rows = encode_indices(numbers, mode, self._depth())
        return rows * self.idf_weights if self.output_mode == "tf_idf" else rows

    def _decoded(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if x.dtype.kind not in "iufb":
            raise DtypeError(f"layer '{self.name}': invert=True takes numbers, received dtype {x.dtype}")
        kind = str if self.vocabulary_dtype == "string" else self.vocabulary_dtype
        # The last one stands for all numbers that have no token.
        table = np.array([*self.get_vocabulary(), self.oov_token], kind)
        last = len(table) - 1
        places = x.astype("int64")
        return table[np.where((places >= 0) & (places < last), places, last)]

    # ---- configs and files -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary_dtype": self.vocabulary_dtype,
            "idf_weights": self.input_idf_weights,
            "vocabulary": self.input_vocabulary,
            "vocabulary_size": self.vocabulary_size(),
            "has_input_vocabulary": self._static,
            "salt": self.salt,
        }

    def save_assets(self, dir_path: Any) -> None:
        """Write ``vocabulary.txt``, unless the config has the vocabulary."""
        if self.input_vocabulary is None:
            lines = "\n".join(str(token) for token in self.get_vocabulary())
            Path(dir_path, "vocabulary.txt").write_text(lines, "utf-8")

    def load_assets(self, dir_path: Any) -> None:
        """Read ``vocabulary.txt``."""
        if self.input_vocabulary is None:
            tokens = self._read(Path(dir_path, "vocabulary.txt"))
            while tokens and not tokens[-1]:
                tokens.pop()
            special = len(self._special_tokens())
            self._take([self._token(token) for token in tokens[special:]])

    def save_own_variables(self, store: Any) -> None:
        """The weights of tokens, for ``output_mode="tf_idf"``."""
        if self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        """The weights of tokens, for ``output_mode="tf_idf"``."""
        if self.output_mode == "tf_idf":
            self.idf_weights = np.asarray(store["idf_weights"], "float32")


def _listed(values: Any) -> Any:
    """Arrays as lists, as configs hold them."""
    if values is None:
        return None
    found = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(found, list | tuple | set | dict):
        raise ArgumentError(f"vocabulary must be a list of tokens or the path of a file, received {values!r}")
    return list(found)
