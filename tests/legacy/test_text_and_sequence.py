"""Tokenizer, windows and pairs of Keras 2; the numbers are Keras's."""

import math

import numpy as np
import pytest

import pynn
from pynn.errors import ArgumentError, ShapeError
from pynn.preprocessing import sequence, text

pytestmark = pytest.mark.filterwarnings("ignore:.*is from older versions of Keras:DeprecationWarning")


@pytest.fixture
def tokenizer():
    made = text.Tokenizer(num_words=5, oov_token="<o>")
    made.fit_on_texts(["The cat sat on the mat.", "the dog ate"])
    return made


def test_words_are_numbered_by_how_often_they_come(tokenizer):
    assert tokenizer.word_index == {"<o>": 1, "the": 2, "cat": 3, "sat": 4, "on": 5, "mat": 6, "dog": 7, "ate": 8}
    assert tokenizer.word_counts["the"] == 3
    assert tokenizer.word_docs["the"] == 2
    assert tokenizer.document_count == 2
    assert tokenizer.texts_to_sequences(["the dog flies", "CAT!"]) == [[2, 1, 1], [3]]
    assert tokenizer.sequences_to_texts([[2, 3], [9]]) == ["the cat", "<o>"]


def test_unknown_words_are_left_out_without_a_word_for_them():
    tokenizer = text.Tokenizer()
    tokenizer.fit_on_texts(["a b", "b"])
    assert tokenizer.texts_to_sequences(["b c a"]) == [[1, 2]]
    assert tokenizer.sequences_to_texts([[1, 7, 2]]) == ["b a"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("binary", [0, 0, 1, 1, 0]),
        ("count", [0, 0, 2, 1, 0]),
        ("freq", [0, 0, 2 / 3, 1 / 3, 0]),
        ("tfidf", [0, 0, (1 + math.log(2)) * math.log(1 + 2 / 3), math.log(1 + 2 / 2), 0]),
    ],
)
def test_matrices(tokenizer, mode, expected):
    np.testing.assert_allclose(tokenizer.texts_to_matrix(["the cat the"], mode), [expected])


def test_characters_lists_and_an_analyzer():
    characters = text.Tokenizer(char_level=True)
    characters.fit_on_texts(["Abba", "a"])
    assert characters.word_index == {"a": 1, "b": 2}
    lists = text.Tokenizer()
    lists.fit_on_texts([["Ab", "c d"]])
    assert lists.word_index == {"ab": 1, "c d": 2}
    halves = text.Tokenizer(analyzer=lambda s: s.split("-"))
    halves.fit_on_texts(["x-y-x"])
    assert halves.word_index == {"x": 1, "y": 2}


def test_json_and_back(tokenizer):
    again = text.tokenizer_from_json(tokenizer.to_json())
    assert again.get_config() == tokenizer.get_config()
    np.testing.assert_array_equal(
        again.texts_to_matrix(["the cat"], "tfidf"), tokenizer.texts_to_matrix(["the cat"], "tfidf")
    )


def test_words_and_hashes():
    assert text.text_to_word_sequence("Hi, you's  there\tX", lower=False) == ["Hi", "you's", "there", "X"]
    assert text.hashing_trick("a b a", 10, "md5") == [2, 5, 2]
    first, _, third = text.one_hot("a b a", 50)
    assert first == third
    assert 1 <= first < 50


def test_bad_use_of_the_tokenizer(tokenizer):
    with pytest.raises(ArgumentError, match="mode must be"):
        tokenizer.texts_to_matrix(["a"], "x")
    with pytest.raises(ArgumentError, match="Give num_words, or call fit_on_texts"):
        text.Tokenizer().texts_to_matrix(["a"])
    with pytest.raises(ArgumentError, match="unknown arguments nonsense"):
        text.Tokenizer(nonsense=1)


def test_windows():
    batches = sequence.TimeseriesGenerator(np.arange(20).reshape(10, 2), np.arange(10), length=3, batch_size=4)
    assert len(batches) == 2
    x, y = batches[1]
    np.testing.assert_array_equal(y, [7, 8, 9])
    np.testing.assert_array_equal(x[0], [[8, 9], [10, 11], [12, 13]])
    sparse = sequence.TimeseriesGenerator(
        np.arange(10),
        np.arange(10),
        4,
        sampling_rate=2,
        stride=2,
        start_index=1,
        end_index=8,
        reverse=True,
        batch_size=2,
    )
    x, y = sparse[0]
    np.testing.assert_array_equal(x, [[3, 1], [5, 3]])
    np.testing.assert_array_equal(y, [5, 7])
    assert sparse.get_config()["start_index"] == 1


def test_a_model_fits_on_windows():
    series = np.sin(np.arange(60, dtype="float32") / 3)[:, None]
    batches = sequence.TimeseriesGenerator(series, series, length=4, batch_size=8, shuffle=True)
    model = pynn.Sequential([pynn.Input((4, 1)), pynn.layers.Flatten(), pynn.layers.Dense(1)])
    model.compile(pynn.optimizers.Adam(0.05), "mse")
    losses = model.fit(batches, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 10


def test_windows_that_do_not_fit():
    with pytest.raises(ArgumentError, match="no window of 4 steps"):
        sequence.TimeseriesGenerator(np.arange(3), np.arange(3), length=4)
    with pytest.raises(ShapeError, match="data has 3 steps, targets have 4"):
        sequence.TimeseriesGenerator(np.arange(3), np.arange(4), length=2)


def test_pairs_of_near_words():
    couples, labels = sequence.skipgrams([1, 2, 0, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    assert couples == [[1, 2], [2, 1]]
    assert labels == [1, 1]
    couples, labels = sequence.skipgrams([1, 2, 3], 9, window_size=2, negative_samples=0.5, categorical=True, seed=1)
    assert len(couples) == 9
    assert labels.count([0, 1]) == 6
    assert sequence.skipgrams([1, 2, 3], 9, seed=5) == sequence.skipgrams([1, 2, 3], 9, seed=5)
    never = sequence.skipgrams([1, 2, 3], 4, sampling_table=np.zeros(4))
    assert never == ([], [])


def test_sampling_table():
    table = sequence.make_sampling_table(5)
    np.testing.assert_allclose(table, [0.00315225, 0.00315225, 0.00547597, 0.00741556, 0.00912817], rtol=1e-5)
