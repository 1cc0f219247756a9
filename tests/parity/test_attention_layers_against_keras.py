"""Attention layers beside Keras: masks, axes, gates, windows, groups of heads, and a Transformer that sees padding."""

import numpy as np
import pytest

import pynn

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*does not support mask.*:UserWarning"),
]

RNG = np.random.default_rng(0)
QUERY, VALUE = (RNG.standard_normal((2, n, 4)).astype("float32") for n in (3, 5))
QUERY_MASK = np.array([[1, 1, 0], [1, 1, 1]], bool)
VALUE_MASK = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
IMAGE = RNG.standard_normal((2, 3, 4, 5, 6)).astype("float32")


def _same(ours, theirs, atol=1e-5):
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            _same(a, b, atol)
    else:
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-4, atol=atol)


def _both(keras, name, arguments, *operands, **call):
    """Keras's layer and ours with the same weights, and the check of one call."""
    theirs, ours = (getattr(library.layers, name)(**arguments) for library in (keras, pynn))
    theirs(*operands, **call)
    ours(*operands, **call)
    rng = np.random.default_rng(1)
    weights = [np.asarray(w) + 0.2 * rng.standard_normal(w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    _same(ours(*operands, **call), theirs(*operands, **call))
    return theirs, ours


MASKS = [
    {"query_mask": QUERY_MASK},
    {"value_mask": VALUE_MASK},
    {"key_mask": VALUE_MASK, "value_mask": VALUE_MASK[::-1].copy(), "query_mask": QUERY_MASK},
    {"value_mask": VALUE_MASK, "use_causal_mask": True},
    {"attention_mask": np.zeros((2, 3, 5), bool), "return_attention_scores": True},
    {"value_mask": VALUE_MASK, "attention_mask": RNG.uniform(size=(2, 3, 5)) < 0.7, "return_attention_scores": True},
    {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK, "return_attention_scores": True, "use_causal_mask": True},
]


@pytest.mark.parametrize("call", MASKS, ids="-".join)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "sliding_window": 2, "use_gate": True}),
        ("GroupQueryAttention", {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1}),
    ],
    ids=["heads", "window and gate", "groups"],
)
def test_masks(keras, name, arguments, call):
    theirs, ours = _both(keras, name, arguments, QUERY, VALUE, **call)
    names = ["/".join(w.path.split("/")[-2:]) for w in theirs.weights]
    assert ["/".join(w.path.split("/")[-2:]) for w in ours.weights] == names
    assert set(theirs.get_config()) <= set(ours.get_config())
    assert type(theirs).from_config(ours.get_config()).get_config()["use_bias"] is True
    again = type(ours).from_config(theirs.get_config())
    named = {"name": theirs.name}
    if name == "MultiHeadAttention":  # Keras fills them in when the layer is built
        named["attention_axes"] = theirs.get_config()["attention_axes"]
    assert again.get_config() == {**ours.get_config(), **named}


@pytest.mark.parametrize("axes", [2, (1,), (1, 3), (2, 3), (1, 2, 3)], ids=str)
def test_axes(keras, axes):
    options = {"return_attention_scores": True}
    arguments = {"num_heads": 2, "key_dim": 3, "attention_axes": axes, "output_shape": 7}
    theirs, ours = _both(keras, "MultiHeadAttention", arguments, IMAGE, IMAGE, **options)
    scores = tuple(np.asarray(theirs(IMAGE, IMAGE, **options)[1]).shape)
    count = 1 if isinstance(axes, int) else len(axes)
    mask = np.random.default_rng(3).uniform(size=(*scores[: 4 - count], *scores[5 - count :])) < 0.7
    mask[..., 0] = True  # every query sees something: else it has no scores, but the mean of all values without them
    options["attention_mask"] = mask
    _same(ours(IMAGE, IMAGE, **options), theirs(IMAGE, IMAGE, **options))
    _same(ours(IMAGE, IMAGE, attention_mask=mask), ours(IMAGE, IMAGE, **options)[0])
    assert ours.compute_output_shape(IMAGE.shape) == (*IMAGE.shape[:-1], 7)


@pytest.mark.parametrize("call", [{}, {"use_causal_mask": True}, {"return_attention_scores": True}], ids="-".join)
@pytest.mark.parametrize("masks", [None, [QUERY_MASK, VALUE_MASK], [None, VALUE_MASK], [None, VALUE_MASK & False]])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Attention", {}), ("Attention", {"use_scale": True, "score_mode": "concat"}), ("AdditiveAttention", {})],
)
def test_attention_without_heads(keras, name, arguments, masks, call):
    options = dict(call) if masks is None else {**call, "mask": masks}
    theirs, ours = _both(keras, name, arguments, [QUERY, VALUE], **options)
    given = masks or [None, None]
    want, got = (layer.compute_mask([QUERY, VALUE], given) for layer in (theirs, ours))
    assert (want is None) == (got is None)


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2"},
        {"kernel_constraint": "max_norm", "bias_constraint": "non_neg"},
    ],
    ids=["penalties", "constraints"],
)
def test_projections_have_penalties_and_constraints(keras, arguments):
    models = []
    for library in (keras, pynn):
        x = library.Input((3, 4))
        y = library.layers.MultiHeadAttention(2, 3, **arguments)(x, x)
        models.append(library.Model(x, library.layers.Dense(2)(library.layers.Flatten()(y))))
    _train_alike(keras, *models, QUERY, RNG.standard_normal((2, 2)).astype("float32"))


def _train_alike(keras, theirs, ours, x, y, loss="mean_squared_error"):
    rng = np.random.default_rng(1)
    weights = [np.asarray(w) + 0.1 * rng.standard_normal(w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    _same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05), loss)
    for _ in range(3):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-4)
    _same(ours.get_weights(), theirs.get_weights(), 3e-5)


@pytest.mark.parametrize("attention", ["MultiHeadAttention", "GroupQueryAttention"])
def test_transformer_that_sees_padding(keras, attention, tmp_path):
    """The mask of the embedding reaches the attention by itself."""

    def make(library):
        layers = library.layers
        tokens = library.Input((7,), dtype="int32")
        x = layers.Embedding(11, 8, mask_zero=True)(tokens)
        if attention == "MultiHeadAttention":
            seen = layers.MultiHeadAttention(2, 4)(x, x)
        else:
            seen = layers.GroupQueryAttention(4, 2, 1)(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, seen]))
        more = layers.Dense(8)(layers.Dense(16, activation="relu")(x))
        x = layers.LayerNormalization()(layers.Add()([x, more]))
        x = layers.GlobalAveragePooling1D()(x)
        return library.Model(tokens, layers.Dense(3, activation="softmax")(x))

    theirs, ours = make(keras), make(pynn)
    rng = np.random.default_rng(4)
    x = np.where(np.arange(7) < rng.integers(2, 8, (6, 1)), rng.integers(1, 11, (6, 7)), 0).astype("int32")
    _train_alike(keras, theirs, ours, x, rng.integers(0, 3, (6,)), "sparse_categorical_crossentropy")
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    _same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_shared_heads_in_dot_product_attention(keras):
    q, k, v = (RNG.standard_normal((2, n, h, 3)).astype("float32") for n, h in ((4, 4), (5, 2), (5, 2)))
    for options in ({}, {"is_causal": True}, {"mask": RNG.uniform(size=(2, 4, 4, 5)) < 0.8}):
        want = keras.ops.dot_product_attention(q, k, v, **options)
        _same(pynn.ops.dot_product_attention(q, k, v, **options), want)
    bias = RNG.standard_normal((2, 4, 4, 5)).astype("float32")
    _same(pynn.ops.dot_product_attention(q, k, v, bias=bias), keras.ops.dot_product_attention(q, k, v, bias=bias))


def _same_attention(keras, name, arguments):
    """Both libraries' layer with equal weights, and inputs of 2 samples, 3 queries and 4 keys."""
    rng = np.random.default_rng(3)
    query, value = (rng.standard_normal((2, n, 8)).astype("float32") for n in (3, 4))
    pair = []
    for library in (keras, pynn):
        layer = getattr(library.layers, name)(*arguments)
        layer(query, value)
        draw = np.random.default_rng(4)
        layer.set_weights([draw.standard_normal(w.shape).astype("float32") for w in layer.get_weights()])
        pair.append(layer)
    return *pair, query, value


@pytest.mark.parametrize(("name", "arguments"), [("MultiHeadAttention", (2, 4)), ("GroupQueryAttention", (4, 4, 2))])
@pytest.mark.parametrize("scores", [False, True])
def test_masks_of_heads_and_of_keys(keras, name, arguments, scores):
    """Keras is given both as one mask: beside a mask of four axes it takes the samples of ``value_mask`` for heads."""
    theirs, ours, query, value = _same_attention(keras, name, arguments)
    heads = theirs.num_heads if name == "MultiHeadAttention" else theirs.num_query_heads
    mask = np.random.default_rng(5).random((2, heads, 3, 4)) > 0.3
    mask[..., 0] = True  # each query sees something
    keys = np.array([[True, True, False, True], [True, False, True, False]])
    expected = theirs(query, value, attention_mask=mask & keys[:, None, None], return_attention_scores=scores)
    found = ours(query, value, attention_mask=mask, value_mask=keys, return_attention_scores=scores)
    for a, b in zip(found, expected, strict=True) if scores else [(found, expected)]:
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "arguments"), [("MultiHeadAttention", (2, 4)), ("GroupQueryAttention", (4, 4, 2))])
@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("axes", [3, 4])
def test_a_query_that_sees_nothing_by_two_masks_together(keras, name, arguments, scores, axes):
    """The first may see later keys only, which the causal mask hides."""
    theirs, ours, query, value = _same_attention(keras, name, arguments)
    mask = np.ones((2, 1, 3, 4) if axes == 4 else (2, 3, 4), bool)
    mask[0, ..., 0, 0] = False
    options = {"attention_mask": mask, "use_causal_mask": True, "return_attention_scores": scores}
    expected, found = theirs(query, value, **options), ours(query, value, **options)
    for a, b in zip(found, expected, strict=True) if scores else [(found, expected)]:
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-4, atol=1e-4)


def test_all_penalties_and_constraints_at_once(keras):
    """With constraints that make no zeros: there the slope of L1 is 1 in JAX, and 0 in pynn."""
    arguments = {
        "kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2",
        "kernel_constraint": "unit_norm", "bias_constraint": "max_norm",
    }  # fmt: skip
    rng = np.random.default_rng(6)
    x, y = (rng.standard_normal(s).astype("float32") for s in ((6, 5, 8), (6, 5, 3)))
    models = []
    for library in (keras, pynn):
        inputs = library.Input((5, 8))
        outputs = library.layers.Dense(3)(library.layers.MultiHeadAttention(2, 4, **arguments)(inputs, inputs))
        model = library.Model(inputs, outputs)
        draw = np.random.default_rng(7)
        model.set_weights([0.3 * draw.standard_normal(w.shape).astype("float32") for w in model.get_weights()])
        model.compile(library.optimizers.SGD(0.05), "mse")
        models.append(model)
    theirs, ours = models
    for _ in range(3):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)
