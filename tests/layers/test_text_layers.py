"""Layers for strings: vocabularies given, learned and saved; numbers, rows and the way back."""

import numpy as np
import pytest

import pynn
from pynn.data import Dataset
from pynn.errors import ArgumentError, CallError, DtypeError, NotBuiltError, ShapeError
from pynn.layers import HashedCrossing, Hashing, IntegerLookup, Normalization, StringLookup, TextVectorization
from pynn.utils.hashing import farmhash64, siphash64

WORDS = [["a", "c", "d"], ["d", "z", "b"]]


def test_strings_to_numbers_and_back():
    layer = StringLookup(vocabulary=["a", "b", "c", "d"])
    numbers = layer(WORDS)
    assert numbers.tolist() == [[1, 3, 4], [4, 0, 2]]
    assert numbers.dtype == np.int64
    back = StringLookup(vocabulary=layer.get_vocabulary(), invert=True)
    assert back(numbers).tolist() == [["a", "c", "d"], ["d", "[UNK]", "b"]]
    assert back(np.array([-1, 99])).tolist() == ["[UNK]", "[UNK]"]
    assert layer(np.array([b"b"])).tolist() == layer(np.array(["b"], object)).tolist() == [2]
    assert layer("c").tolist() == 3


def test_masks_and_several_numbers_for_unknown_strings():
    masked = StringLookup(vocabulary=["a", "b"], mask_token="", num_oov_indices=2)
    assert masked.get_vocabulary() == ["", "[UNK]", "[UNK]", "a", "b"]
    assert masked(["", "a", "b"]).tolist() == [0, 3, 4]
    unknown = masked(["x", "y", "z", "x"]).tolist()
    assert set(unknown) <= {1, 2}
    assert unknown[0] == unknown[3]
    strict = StringLookup(vocabulary=["a"], num_oov_indices=0)
    assert strict(["a"]).tolist() == [0]
    with pytest.raises(ArgumentError, match=r"num_oov_indices=0 all inputs must be in the vocabulary.*\['q'\]"):
        strict(["q"])


def test_vocabularies_are_learned_by_frequency():
    layer = StringLookup(max_tokens=4)
    layer.adapt(["b", "a", "c", "c", "a", "d", "c"])
    assert layer.get_vocabulary() == ["[UNK]", "c", "a", "d"]  # of b and d, equally frequent, the last in order
    layer.adapt(Dataset.from_tensor_slices(["x", "y", "x"]).batch(2))
    assert layer.get_vocabulary(include_special_tokens=False) == ["x", "y"]
    assert layer.vocabulary_size() == 3
    with pytest.raises(ArgumentError, match="cannot adapt a layer that was given its vocabulary"):
        StringLookup(vocabulary=["a"]).adapt(["b"])


def test_rows():
    vocabulary = ["a", "b", "c", "d"]
    x = [["a", "c", "d", "d"], ["d", "z", "b", "z"]]
    assert StringLookup(vocabulary=vocabulary, output_mode="multi_hot")(x).tolist() == [
        [0, 1, 0, 1, 1],
        [1, 0, 1, 0, 1],
    ]
    assert StringLookup(vocabulary=vocabulary, output_mode="count")(x).tolist() == [[0, 1, 0, 1, 2], [2, 0, 1, 0, 1]]
    one_hot = StringLookup(vocabulary=vocabulary, output_mode="one_hot", pad_to_max_tokens=True, max_tokens=6)
    assert one_hot([["b"], ["z"]]).tolist() == [[0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
    # The example in Keras's documentation of tf_idf.
    weighed = StringLookup(vocabulary=vocabulary, idf_weights=[0.25, 0.75, 0.6, 0.4], output_mode="tf_idf")
    np.testing.assert_allclose(weighed(x), [[0.0, 0.25, 0.0, 0.6, 0.8], [1.0, 0.0, 0.75, 0.0, 0.4]])
    with pytest.raises(NotBuiltError, match="needs a vocabulary"):
        StringLookup(output_mode="multi_hot")([["a"]])


def test_learned_weights_of_tokens():
    layer = StringLookup(output_mode="tf_idf")
    layer.adapt(np.array([["a", "a"], ["a", "b"], ["c", "c"]]))
    found = dict(zip(layer.get_vocabulary(), layer.idf_weights, strict=True))
    assert found["a"] == pytest.approx(np.log(1 + 3 / 3))
    assert found["b"] == pytest.approx(np.log(1 + 3 / 2))
    assert found["[UNK]"] == pytest.approx(np.mean([found[t] for t in "abc"]))


@pytest.mark.parametrize(("arguments", "message"), [
    ({"vocabulary": []}, "empty"),
    ({"vocabulary": ["a", "b", "a"]}, r"more than once: \['a'\]"),
    ({"vocabulary": ["a", "", "b"], "mask_token": ""}, "mask_token ''"),
    ({"vocabulary": ["a", "b", "c"], "max_tokens": 3}, "max_tokens=3"),
    ({"vocabulary": "/no/such/file"}, "does not exist"),
    ({"max_tokens": 1}, "above 1"),
    ({"num_oov_indices": -1}, "negative"),
    ({"output_mode": "wrong"}, "output_mode"),
    ({"output_mode": "count", "invert": True}, "invert=True needs"),
    ({"sparse": True, "output_mode": "count"}, "sparse=True is not supported"),
    ({"pad_to_max_tokens": True}, "needs max_tokens"),
    ({"vocabulary": ["a"], "output_mode": "tf_idf"}, "needs idf_weights"),
    ({"salt": "s"}, "salt must be"),
])  # fmt: skip
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        StringLookup(**arguments)


def test_inputs_that_cannot_be():
    with pytest.raises(DtypeError, match="expected strings"):
        StringLookup(vocabulary=["a"])(np.array([1, 2]))
    with pytest.raises(DtypeError, match="expected whole numbers"):
        IntegerLookup(vocabulary=[1])(np.array([1.5]))
    with pytest.raises(DtypeError, match="different lengths"):
        StringLookup(vocabulary=["a"])([["a"], ["a", "b"]])
    with pytest.raises(DtypeError, match="takes numbers"):
        StringLookup(vocabulary=["a"], invert=True)(["a"])


def test_files_of_tokens(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("one\ntwo\nthrée\n", "utf-8")
    layer = StringLookup(vocabulary=str(path))
    assert layer(["thrée", "one"]).tolist() == [3, 1]
    assert layer.get_config()["vocabulary"] is None


def test_integers():
    layer = IntegerLookup(vocabulary=[12, 36, 1138, 42], mask_token=0, num_oov_indices=2)
    assert layer([[12, 1138, 0], [7, 8, 42]]).tolist() == [[3, 5, 0], [2, 1, 6]]
    learned = IntegerLookup()
    learned.adapt(np.array([10, 30, 10, 20]))
    assert learned.get_vocabulary() == [-1, 10, 30, 20]
    assert IntegerLookup(vocabulary=[5, 7], invert=True)([2, 0]).tolist() == [7, -1]


def test_texts():
    layer = TextVectorization(max_tokens=5)
    layer.adapt(np.array([["It's a cat."], ["a CAT, a dog"]]))
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "cat", "its"]
    assert layer(["A cat, its dog!", "cat"]).tolist() == [[2, 3, 4, 1], [3, 0, 0, 0]]
    assert layer("a cat").tolist() == [2, 3]
    assert layer(np.array([["cat a"]])).tolist() == [[3, 2]]
    assert layer(["É", "é"]).tolist() == [[1], [1]]
    with pytest.raises(ShapeError, match=r"shape \(n,\) or \(n, 1\)"):
        layer(np.array([["a", "b"]]))


def test_texts_of_a_given_length():
    layer = TextVectorization(vocabulary=["earth", "wind", "and", "fire"], output_sequence_length=3)
    assert layer(["earth wind and fire", "fire"]).tolist() == [[2, 3, 4], [5, 0, 0]]
    assert layer([""]).tolist() == [[0, 0, 0]]


def test_ways_to_split():
    def tokens(texts, **arguments):
        layer = TextVectorization(**arguments)
        layer.adapt(texts)
        return set(layer.get_vocabulary()[2:])

    assert tokens(["a b c"], ngrams=2) == {"a", "b", "c", "a b", "b c"}
    assert tokens(["a b c"], ngrams=(3,)) == {"a b c"}
    assert tokens(["ab"], split="character") == {"a", "b"}
    assert tokens(["A-b c"], split=None) == {"ab c"}
    assert tokens(["A b"], standardize=None) == {"A", "b"}
    assert tokens(["A,b"], standardize="lower") == {"a,b"}
    assert tokens(["a_b"], standardize=lambda x: np.char.replace(x, "_", " ")) == {"a", "b"}
    assert tokens(["a,b"], standardize=None, split=lambda x: [text.split(",") for text in x]) == {"a", "b"}


def test_texts_as_rows():
    texts = ["a b a", "b c"]
    layer = TextVectorization(output_mode="count", vocabulary=["a", "b"])
    assert layer(texts).tolist() == [[0, 2, 1], [1, 0, 1]]
    assert TextVectorization(output_mode="multi_hot", vocabulary=["a", "b"])(texts).tolist() == [[0, 1, 1], [1, 0, 1]]
    weighed = TextVectorization(output_mode="tf_idf")
    weighed.adapt(texts)
    a, b = weighed.get_vocabulary().index("a"), weighed.get_vocabulary().index("b")
    row = weighed(texts)[0]
    assert row[a] == pytest.approx(2 * np.log(1 + 2 / 2))
    assert row[b] == pytest.approx(np.log(1 + 2 / 3))
    padded = TextVectorization(output_mode="multi_hot", vocabulary=["a"], max_tokens=4, pad_to_max_tokens=True)
    assert padded(["a", "z"]).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_a_model_on_texts_in_a_pipeline():
    texts = ["good film", "bad film", "very good", "very bad"] * 4
    labels = np.array([1, 0, 1, 0] * 4)
    dataset = Dataset.from_tensor_slices((texts, labels)).batch(4)
    layer = TextVectorization(output_sequence_length=3)
    layer.adapt(dataset.map(lambda x, y: x))
    numbers = dataset.map(lambda x, y: (layer(x), y), num_parallel_calls=2)
    model = pynn.Sequential(
        [
            pynn.Input((3,), dtype="int32"),
            pynn.layers.Embedding(layer.vocabulary_size(), 4),
            pynn.layers.Flatten(),
            pynn.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(pynn.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    model.fit(numbers, epochs=20, verbose=0)
    assert model.evaluate(numbers, verbose=0)[1] == 1.0
    with pytest.raises(CallError, match=r"dataset\.map\(lambda x, y"):
        layer(pynn.Input((1,)))


@pytest.mark.parametrize("layer", [
    StringLookup(vocabulary=["a", "b"], mask_token=""),
    IntegerLookup(vocabulary=[4, 5], output_mode="count"),
    TextVectorization(vocabulary=["a", "b"], ngrams=2),
    Hashing(4, salt=3),
    Normalization(mean=1.0, variance=4.0),
])  # fmt: skip
def test_configs(layer):
    config = layer.get_config()
    again = pynn.layers.deserialize(pynn.layers.serialize(layer))
    assert again.get_config() == config
    x = np.array([[4, 5]]) if isinstance(layer, IntegerLookup | Normalization) else np.array(["a", "q"])
    np.testing.assert_array_equal(again(x), layer(x))


def test_hashes_are_those_of_tensorflow():
    # The examples in Keras's documentation.
    letters = [["A"], ["B"], ["C"], ["D"], ["E"]]
    assert Hashing(num_bins=3)(letters).tolist() == [[1], [0], [1], [1], [2]]
    assert Hashing(num_bins=3, salt=133)(letters).tolist() == [[0], [0], [2], [1], [0]]
    masked = Hashing(num_bins=3, mask_value="")
    assert masked([["A"], ["B"], [""], ["C"], ["D"]]).tolist() == [[1], [1], [0], [2], [2]]
    assert Hashing(num_bins=3)([0, 1, 2, 3, 4]).tolist() == [1, 0, 1, 0, 2]
    assert Hashing(num_bins=2, salt=[133, 137])(["omar", "stringer", "marlo", "wire", "skywalker"]).tolist() == [
        0, 1, 0, 1, 0,
    ]  # fmt: skip
    features = np.array(list("ABABA")), np.array([101, 101, 101, 102, 102])
    assert HashedCrossing(num_bins=5)(features).tolist() == [1, 4, 1, 1, 3]
    assert HashedCrossing(num_bins=5, output_mode="one_hot")(features).argmax(-1).tolist() == [1, 4, 1, 1, 3]
    # The vector in the paper on SipHash.
    keys = (int.from_bytes(bytes(range(i, i + 8)), "little") for i in (0, 8))
    assert siphash64(bytes(range(15)), *keys) == 0xA129CA6149BE45E5


def test_hashes_spread_over_all_lengths():
    hashed = {farmhash64(b"x" * n) for n in range(300)}
    assert len(hashed) == 300
    assert abs(np.mean([h / 2**64 for h in hashed]) - 0.5) < 0.06


def test_normalization():
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (50, 4)).astype("float32")
    layer = Normalization()
    layer.adapt(x)
    np.testing.assert_allclose(layer(x), (x - x.mean(0)) / x.std(0), rtol=1e-4, atol=1e-5)
    in_parts = Normalization()
    in_parts.adapt(Dataset.from_tensor_slices((x, np.zeros(50))).batch(7))
    for a, b in zip(in_parts.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    back = Normalization(invert=True)
    back.adapt(x)
    np.testing.assert_allclose(back(layer(x)), x, rtol=1e-4, atol=1e-5)
    constant = Normalization()
    constant.adapt(np.ones((3, 1)))
    assert constant(np.ones((1, 1))).tolist() == [[0.0]]
    with pytest.raises(ShapeError, match=r"expects \(4,\) at axes \(1,\), got \(3, 5\)"):
        layer.adapt(np.ones((3, 5)))
    with pytest.raises(ArgumentError, match="given together"):
        Normalization(mean=1.0)
    with pytest.raises(ArgumentError, match="no data"):
        Normalization().adapt(iter(()))


def test_normalization_in_a_model_that_is_saved(tmp_path):
    x = np.random.default_rng(0).normal(3, 2, (50, 4)).astype("float32")
    layer = Normalization()
    layer.adapt(x)
    model = pynn.Sequential([pynn.Input((4,)), layer, pynn.layers.Dense(2)])
    before = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(pynn.models.load_model(tmp_path / "model.keras").predict(x, verbose=0), before)
    layer.adapt(x * 2)  # a new mean is seen by programs that exist already
    assert not np.allclose(model.predict(x, verbose=0), before)
