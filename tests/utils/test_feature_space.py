"""FeatureSpace: kinds of columns, crosses, adapt, models, files, errors."""

import numpy as np
import pytest

import pynn
from pynn import layers
from pynn.data import Dataset
from pynn.errors import ArgumentError, CallError, NotBuiltError
from pynn.utils import FeatureSpace

TABLE = {
    "float": [0.0, 0.1, 0.2, 0.3],
    "string": ["zero", "one", "two", "three"],
    "int": [0, 1, 2, 3],
}


def adapted(features, batch=None, **options):
    space = FeatureSpace(features, **options)
    data = Dataset.from_tensor_slices({key: TABLE[key] for key in features})
    space.adapt(data if batch is None else data.batch(batch))
    return space


NORMALIZED = (np.arange(4) - 1.5)[:, None] / np.std(np.arange(4))
#: Kind of a feature, its column, and what becomes of it.
KINDS = [
    ("float", "float", np.array(TABLE["float"])[:, None]),
    (FeatureSpace.float_rescaled(10.0, 1.0), "float", [[1], [2], [3], [4]]),
    ("float_normalized", "float", NORMALIZED),
    (FeatureSpace.float_discretized(None, [0.05, 0.25]), "float", [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]),
    (FeatureSpace.float_discretized(2), "float", [[1, 0], [0, 1], [0, 1], [0, 1]]),
    # Equally frequent tokens: the last one first.
    ("integer_categorical", "int", np.eye(5)[[4, 3, 2, 1]]),
    (FeatureSpace.integer_categorical(max_tokens=3, num_oov_indices=0), "int", None),
    ("string_categorical", "string", np.eye(5)[[1, 4, 2, 3]]),
    (FeatureSpace.string_categorical(max_tokens=3), "string", np.eye(3)[[1, 0, 2, 0]]),
]


@pytest.mark.parametrize(("kind", "column", "expected"), KINDS, ids=lambda k: k if isinstance(k, str) else "")
@pytest.mark.parametrize("batch", [None, 3])
def test_kinds(kind, column, expected, batch):
    space = adapted({column: kind}, batch)
    if expected is None:  # without numbers for others, 0 is not known
        with pytest.raises(ArgumentError, match="must be in the vocabulary"):
            space(TABLE)
        return
    given = {column: TABLE[column]}
    result = space(given)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(space({column: np.array(TABLE[column])[:, None]}), result)
    np.testing.assert_array_equal(space({column: TABLE[column][2]}), result[2])


def test_hashes_and_defaults():
    space = FeatureSpace(
        {"int": "integer_hashed", "string": FeatureSpace.string_hashed(5), "float": "float_discretized"},
        hashing_dim=7, num_discretization_bins=3, output_mode="dict",
    )  # fmt: skip
    with pytest.raises(NotBuiltError, match="call adapt"):
        space(TABLE)
    space.adapt(Dataset.from_tensor_slices(TABLE))
    parts = space(TABLE)
    assert {key: part.shape for key, part in parts.items()} == {"int": (4, 7), "string": (4, 5), "float": (4, 3)}
    for key, layer in (("int", layers.Hashing(7)), ("string", layers.Hashing(5))):
        np.testing.assert_array_equal(np.argmax(parts[key], -1), layer(TABLE[key]))


def test_crosses_hash_the_numbers_of_classes():
    features = {"string": "string_categorical", "int": "integer_categorical"}
    space = adapted(features, crosses=[("string", "int")], crossing_dim=9)
    encoded = space(TABLE)
    assert encoded.shape == (4, 5 + 5 + 9)
    numbers, strings = np.argmax(encoded[:, :5], -1), np.argmax(encoded[:, 5:10], -1)
    np.testing.assert_array_equal(np.argmax(encoded[:, 10:], -1), layers.HashedCrossing(9)((strings, numbers)))
    assert space.crossers["string_X_int"].num_bins == 9
    assert isinstance(space.preprocessors["string"], layers.StringLookup)


def test_numbers_in_a_dictionary():
    space = adapted(
        {
            "string": FeatureSpace.string_categorical(output_mode="int"),
            "int": FeatureSpace.integer_categorical(output_mode="int"),
        },
        crosses=[FeatureSpace.cross(("string", "int"), crossing_dim=32, output_mode="int")],
        output_mode="dict",
    )
    parts = space(TABLE)
    assert sorted(parts) == ["int", "string", "string_X_int"]
    np.testing.assert_array_equal(parts["int"], [[4], [3], [2], [1]])
    assert parts["string_X_int"].shape == (4, 1)
    assert space({"string": "one", "int": 1})["string"].tolist() == [4]


def test_vectors_are_in_the_order_of_names():
    kinds = FeatureSpace({"c": "float", "a": FeatureSpace.float_rescaled(10.0), "b": "float"})
    assert kinds({"a": 1.0, "b": 2.0, "c": 3.0}).tolist() == [10, 2, 3]


def test_a_layer_of_ones_own():
    texts = ["1st string", "2nd string", "3rd string"]
    feature = FeatureSpace.feature(
        dtype="string", preprocessor=layers.TextVectorization(output_mode="tf_idf"), output_mode="float"
    )
    space = FeatureSpace({"text": feature})
    space.adapt(Dataset.from_tensor_slices({"text": texts}))
    plain = layers.TextVectorization(output_mode="tf_idf")
    plain.adapt(texts)
    np.testing.assert_allclose(space({"text": texts}), plain(texts))


def test_pipelines():
    space = adapted({"float": "float", "string": "string_categorical"})
    data = Dataset.from_tensor_slices((TABLE, [0, 1, 0, 1]))
    rows = list(data.map(lambda x, y: (space(x), y)).batch(2))
    batches = list(data.batch(2).map(lambda x, y: (space(x), y)))
    for one, other in zip(rows, batches, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(np.concatenate([x for x, _ in rows]), space(TABLE))


def test_a_model_of_encoded_data():
    space = adapted({"float": "float_normalized", "string": "string_categorical"}, crosses=[("string", "float")][:0])
    encoded = space.get_encoded_features()
    assert encoded.shape == (None, 6)
    assert {key: (t.shape, t.dtype) for key, t in space.get_inputs().items()} == {
        "float": ((None, 1), "float32"), "string": ((None, 1), "string")
    }  # fmt: skip
    outputs = layers.Dense(1)(encoded)
    model = pynn.Model(encoded, outputs)
    model.compile("sgd", "mse")
    data = Dataset.from_tensor_slices((TABLE, [0.0, 1.0, 0.0, 1.0])).batch(2)
    model.fit(data.map(lambda x, y: (space(x), y)), verbose=0)
    expected = np.array(space(TABLE)) @ model.get_weights()[0] + model.get_weights()[1]
    np.testing.assert_allclose(model.predict(space(TABLE), verbose=0), expected, rtol=1e-5)
    whole = pynn.Model(space.get_inputs(), outputs)
    with pytest.raises(CallError, match=r"input of strings.*encode the data before"):
        whole.predict({key: np.array(v)[:, None] for key, v in TABLE.items() if key != "int"})
    hashed = adapted({"int": FeatureSpace.integer_hashed(4)})
    with pytest.raises(CallError, match=r"'int'. are strings or hashes"):
        pynn.Model(hashed.get_inputs(), hashed.get_encoded_features()).predict(np.ones((2, 1)))


@pytest.mark.parametrize("mode", ["concat", "dict"])
def test_a_model_of_a_table_of_numbers(mode, tmp_path):
    features = {"float": FeatureSpace.float_discretized(2), "int": FeatureSpace.integer_categorical(num_oov_indices=2)}
    space = adapted({**features}, output_mode=mode)
    model = pynn.Model(space.get_inputs(), space.get_encoded_features())
    table = {"float": [0.1, 0.4, 0.2, -3.0], "int": [2, 7, 0, -4]}
    columns = {key: np.array(v)[:, None] for key, v in table.items()}
    results, expected = model.predict(columns, verbose=0), space(table)
    if mode == "concat":
        results, expected = {"all": results}, {"all": expected}
    for key, value in expected.items():
        np.testing.assert_allclose(results[key], value)


def test_files(tmp_path):
    features = {"float": "float_normalized", "string": "string_categorical", "int": FeatureSpace.integer_hashed(4)}
    space = adapted(features, crosses=[("string", "int")])
    space.save(tmp_path / "space.keras")
    again = pynn.models.load_model(tmp_path / "space.keras")
    assert isinstance(again, FeatureSpace)
    np.testing.assert_array_equal(again(TABLE), space(TABLE))
    assert again.get_config() == space.get_config()
    new = FeatureSpace.from_config(space.get_config())
    with pytest.raises(NotBuiltError, match="call adapt"):
        new(TABLE)
    new.adapt(Dataset.from_tensor_slices(TABLE))
    np.testing.assert_array_equal(new(TABLE), space(TABLE))


FLOAT = {"float": "float"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureSpace({}), "features must be a dictionary that is not empty"),
        (lambda: FeatureSpace({"a": "flot"}), "feature 'a' must be one of float, .* received 'flot'"),
        (lambda: FeatureSpace(FLOAT, output_mode="list"), "output_mode must be 'concat' or 'dict'"),
        (lambda: FeatureSpace(FLOAT, crosses=[("float", "b")]), "name unknown features ..b"),
        (lambda: FeatureSpace(FLOAT, crosses=["float"]), "at least two names"),
        (lambda: FeatureSpace.cross(("a", "b"), 3, "float"), "output_mode must be 'int' or 'one_hot'"),
        (lambda: FeatureSpace.float_discretized(3, output_mode="multi_hot"), "must be 'int', 'one_hot' or 'float'"),
        (lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, output_mode="int")}), "cannot be part of a vector"),
        (lambda: FeatureSpace(FLOAT)([1.0]), "can only be called with a dictionary"),
        (lambda: FeatureSpace(FLOAT)({"b": 1.0}), "the data lack ..float"),
        (lambda: FeatureSpace(FLOAT)({"float": ["x"]}), "'float': expected numbers"),
        (lambda: FeatureSpace(FLOAT).adapt(TABLE), "expected a Dataset of dictionaries.*from_tensor_slices"),
        (lambda: FeatureSpace({"float": "float_normalized"}).adapt([(TABLE, 1)]), "leave targets out"),
        (lambda: FeatureSpace({"float": "float_normalized"}).get_inputs(), "call adapt"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
