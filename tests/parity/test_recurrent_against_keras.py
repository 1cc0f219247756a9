"""Recurrent layers beside Keras: masks, states, cells of all kinds, both directions, and models made of them."""

import numpy as np
import pytest

import pynn

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*does not support mask.*:UserWarning"),
]

KINDS = ["LSTM", "GRU", "SimpleRNN"]
#: Padding at the end, at the beginning, gaps, everything, nothing.
MASK = np.array(
    [[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1], [0, 1, 0, 1, 1, 0], [1] * 6, [0] * 6],
    bool,
)
X = np.random.default_rng(0).standard_normal((5, 6, 4)).astype("float32")


def _same(ours, theirs, rtol=1e-4, atol=2e-6):
    """Equal structures of equal arrays."""
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            _same(a, b, rtol, atol)
    else:
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=rtol, atol=atol)


def _both(keras, make, x=X):
    """Keras's layer or model and ours, with the same weights (biases are no zeros)."""
    theirs, ours = make(keras), make(pynn)
    theirs(x)
    ours(x)
    rng = np.random.default_rng(1)
    weights = [np.asarray(w) + 0.2 * rng.standard_normal(w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return theirs, ours


def _train_alike(keras, theirs, ours, x, y, loss="mean_squared_error", steps=3):
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.1), loss)
    for _ in range(steps):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-4)
    _same(ours.get_weights(), theirs.get_weights(), atol=2e-5)


ARGUMENTS = [
    {},
    {"return_sequences": True},
    {"return_sequences": True, "return_state": True, "go_backwards": True},
    {"return_sequences": True, "zero_output_for_mask": True},
    {"zero_output_for_mask": True, "go_backwards": True},
    {"activation": "sigmoid", "return_sequences": True, "return_state": True},
    {"activation": "sigmoid", "return_sequences": True, "go_backwards": True, "zero_output_for_mask": True},
    {"use_bias": False},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda a: "-".join(a) or "plain")
@pytest.mark.parametrize("kind", KINDS)
def test_masks(keras, kind, arguments):
    theirs, ours = _both(keras, lambda library: getattr(library.layers, kind)(3, **arguments))
    _same(ours(X, mask=MASK), theirs(X, mask=MASK))
    states = [np.full((5, 3), 0.3, "float32")] * (2 if kind == "LSTM" else 1)
    _same(ours(X, mask=MASK, initial_state=states), theirs(X, mask=MASK, initial_state=states))


@pytest.mark.parametrize(
    "arguments",
    [
        {"return_sequences": True, "return_state": True},
        {"go_backwards": True},
        {"stateful": True, "return_state": True, "go_backwards": True, "return_sequences": True},
        {"activation": "sigmoid", "return_sequences": True},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_unrolled_and_stateful_layers(keras, kind, unroll, arguments):
    theirs, ours = _both(keras, lambda library: getattr(library.layers, kind)(3, unroll=unroll, **arguments))
    states = [np.full((5, 3), 0.3, "float32")] * (2 if kind == "LSTM" else 1)
    for layer in (theirs, ours):
        if layer.stateful:
            layer.reset_state()
    for options in ({"initial_state": states}, {}, {}):  # what a stateful layer keeps comes in the later calls
        _same(ours(X, mask=MASK, **options), theirs(X, mask=MASK, **options))


@pytest.mark.parametrize("kind", KINDS)
def test_masked_outputs_of_unrolled_layers_can_be_zero(keras, kind):
    """Keras on JAX forgets zero_output_for_mask here (on TensorFlow it does not): compared with the layer's loop."""
    options = {"return_sequences": True, "zero_output_for_mask": True}
    theirs = getattr(keras.layers, kind)(3, **options)
    ours = getattr(pynn.layers, kind)(3, unroll=True, **options)
    expected = theirs(X, mask=MASK)
    ours(X)
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    _same(ours(X, mask=MASK), expected)


@pytest.mark.parametrize(
    "arguments", ARGUMENTS[:2] + ARGUMENTS[3:5] + ARGUMENTS[6:7], ids=lambda a: "-".join(a) or "plain"
)
@pytest.mark.parametrize("kind", KINDS)
def test_masked_layers_train_alike(keras, kind, arguments):
    def make(library):
        x, mask = library.Input((6, 4)), library.Input((6,), dtype="int32")
        y = getattr(library.layers, kind)(3, **arguments)(x, mask=mask)
        y = library.layers.Dense(2)(library.layers.Flatten()(y))
        return library.Model([x, mask], y)

    theirs, ours = _both(keras, make, [X, MASK.astype("int32")])
    y = np.random.default_rng(2).standard_normal((5, 2)).astype("float32")
    inputs = [X, MASK.astype("int32")]
    _same(ours.predict(inputs, verbose=0), theirs.predict(inputs, verbose=0))
    _train_alike(keras, theirs, ours, inputs, y)


class _Own:
    """The same cell written for either library, with an output other than its first state."""

    @staticmethod
    def cell(library):
        class Own(library.layers.Layer):
            def __init__(self, units, **kwargs):
                super().__init__(**kwargs)
                self.units = units
                self.state_size = [units, units]
                self.output_size = units

            def build(self, input_shape):
                self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
                self.recurrent = self.add_weight(shape=(self.units, self.units), name="recurrent")

            def call(self, inputs, states):
                h = library.ops.tanh(
                    library.ops.matmul(inputs, self.kernel) + library.ops.matmul(states[0], self.recurrent)
                )
                return 2.0 * h, [h, states[1] + h]

            def get_config(self):
                return {**super().get_config(), "units": self.units}

        return Own(3)


CELLS = {
    "lstm": lambda library: library.layers.LSTMCell(3),
    "gru": lambda library: library.layers.GRUCell(3, reset_after=False),
    "simple": lambda library: library.layers.SimpleRNNCell(3, activation="relu"),
    "stack": lambda library: [library.layers.LSTMCell(4), library.layers.GRUCell(3)],
    "own": _Own.cell,
    "own in stack": lambda library: [library.layers.GRUCell(4), _Own.cell(library)],
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"return_sequences": True, "go_backwards": True, "zero_output_for_mask": True},
    ],
    ids=lambda a: "-".join(a) or "plain",
)
@pytest.mark.parametrize("cell", CELLS)
def test_any_cell(keras, cell, arguments, masked):
    theirs, ours = _both(keras, lambda library: library.layers.RNN(CELLS[cell](library), **arguments))
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    options = {"mask": MASK} if masked else {}
    _same(ours(X, **options), theirs(X, **options))
    assert _listed(ours.state_size) == _listed(theirs.state_size)
    assert _listed(ours.compute_output_shape((5, 6, 4))) == _listed(theirs.compute_output_shape((5, 6, 4)))


def _listed(structure):
    return [_listed(s) for s in structure] if isinstance(structure, list | tuple) else structure


@pytest.mark.parametrize("kind", KINDS)
def test_cells_step_by_step(keras, kind):
    theirs, ours = (getattr(library.layers, f"{kind}Cell")(3) for library in (keras, pynn))
    states = [np.full((5, 3), 0.1, "float32")] * (2 if kind == "LSTM" else 1)
    theirs(X[:, 0], states)
    ours(X[:, 0], states)
    ours.set_weights(theirs.get_weights())
    _same(ours(X[:, 0], states), theirs(X[:, 0], states))
    _same(ours.get_initial_state(2), theirs.get_initial_state(2))
    assert ours.state_size == theirs.state_size
    assert ours.output_size == theirs.output_size


@pytest.mark.parametrize("kind", [*KINDS, "stack"])
def test_states_are_kept_between_calls(keras, kind):
    def make(library):
        if kind == "stack":
            return library.layers.RNN([library.layers.LSTMCell(2), library.layers.GRUCell(3)], stateful=True)
        return getattr(library.layers, kind)(3, stateful=True)

    theirs, ours = make(keras), make(pynn)
    for layer in (theirs, ours):
        layer.build((5, 2, 4))
    ours.set_weights(theirs.get_weights())
    for part in (X[:, :2], X[:, 2:3], X[:, 3:]):
        _same(ours(part), theirs(part))
    _same([s.numpy() for s in _flat(ours.states)], [s.numpy() for s in _flat(theirs.states)])
    if kind != "stack":  # Keras cannot reset nested states
        theirs.reset_state()
        ours.reset_states()
        _same(ours(X), theirs(X))
    assert len(ours.weights) == len(theirs.weights)


def _flat(structure):
    return [leaf for s in structure for leaf in _flat(s)] if isinstance(structure, list | tuple) else [structure]


DIRECTIONS = [
    {},
    {"merge_mode": "sum"},
    {"merge_mode": None},
    {"merge_mode": "ave", "return_sequences": True},
    {"merge_mode": None, "return_sequences": True, "return_state": True},
    {"merge_mode": "mul", "return_state": True},
]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("arguments", DIRECTIONS, ids=str)
@pytest.mark.parametrize("kind", [*KINDS, "RNN"])
def test_both_directions(keras, kind, arguments, masked):
    def make(library):
        options = {key: value for key, value in arguments.items() if key != "merge_mode"}
        layers = library.layers
        one = (
            layers.RNN(layers.GRUCell(3, name="cell"), **options)
            if kind == "RNN"
            else getattr(layers, kind)(3, **options)
        )
        return layers.Bidirectional(one, merge_mode=arguments.get("merge_mode", "concat"))

    theirs, ours = _both(keras, make)
    options = {"mask": MASK} if masked else {}
    _same(ours(X, **options), theirs(X, **options))
    states = [np.full((5, 3), 0.1 * i, "float32") for i in range(4 if kind == "LSTM" else 2)]
    _same(ours(X, initial_state=states, **options), theirs(X, initial_state=states, **options))
    assert _listed(ours.compute_output_shape((5, 6, 4))) == _listed(theirs.compute_output_shape((5, 6, 4)))
    paths = ["/".join(v.path.split("/")[-2:]) for v in theirs.weights]
    assert ["/".join(v.path.split("/")[-2:]) for v in ours.weights] == paths
    config = ours.get_config()
    again = type(ours).from_config(config).get_config()
    for inner in ("layer", "backward_layer"):
        assert again[inner]["config"] == config[inner]["config"]


def test_a_backward_layer_of_another_kind(keras):
    def make(library):
        layers = library.layers
        return layers.Bidirectional(layers.LSTM(3), backward_layer=layers.GRU(2, go_backwards=True))

    theirs, ours = _both(keras, make)
    _same(ours(X), theirs(X))


def test_bidirectional_classifier_and_its_weights_file(keras, tmp_path):
    def make(library):
        layers = library.layers
        return library.Sequential(
            [
                library.Input((6, 4)),
                layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
                layers.Bidirectional(layers.GRU(3)),
                layers.Dense(1, activation="sigmoid"),
            ]
        )

    theirs, ours = make(keras), make(pynn)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    _same(ours.predict(X, verbose=0), theirs.predict(X, verbose=0))
    y = np.array([[0.0], [1.0], [1.0], [0.0], [1.0]], "float32")
    _train_alike(keras, theirs, ours, X, y, "binary_crossentropy")


def test_encoder_and_decoder_with_states(keras):
    """Sequence to sequence: the encoder's states begin the decoder; then inference step by step with both."""

    def make(library):
        layers = library.layers
        source, target = library.Input((None, 4)), library.Input((None, 3))
        _, *states = layers.LSTM(5, return_state=True, name="encoder")(source)
        decoder = layers.LSTM(5, return_sequences=True, return_state=True, name="decoder")
        outputs, *_ = decoder(target, initial_state=states)
        dense = layers.Dense(3, activation="softmax")
        model = library.Model([source, target], dense(outputs))
        given = [library.Input((5,)), library.Input((5,))]
        step, *new = decoder(target, initial_state=given)
        return model, library.Model(source, states), library.Model([target, *given], [dense(step), *new])

    (theirs, *their_parts), (ours, *our_parts) = make(keras), make(pynn)
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(3)
    source, target = (
        rng.standard_normal((4, 7, 4)).astype("float32"),
        np.eye(3, dtype="float32")[rng.integers(0, 3, (4, 5))],
    )
    following = np.roll(target, -1, axis=1)
    _train_alike(keras, theirs, ours, [source, target], following, "categorical_crossentropy")
    ours.set_weights(theirs.get_weights())
    results = []
    for encoder, decoder in (their_parts, our_parts):
        states = encoder.predict(source, verbose=0)
        word, collected = np.tile(np.eye(3, dtype="float32")[0], (4, 1, 1)), []
        for _ in range(3):
            word, *states = decoder.predict([word, *states], verbose=0)
            collected.append(np.asarray(word))
        results.append(np.concatenate(collected, axis=1))
    _same(results[1], results[0])


def test_addition_network(keras):
    def make(library):
        layers = library.layers
        return library.Sequential(
            [
                library.Input((7, 12)),
                layers.LSTM(8),
                layers.RepeatVector(4),
                layers.LSTM(8, return_sequences=True),
                layers.Dense(12, activation="softmax"),
            ]
        )

    theirs, ours = make(keras), make(pynn)
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(4)
    x, y = (np.eye(12, dtype="float32")[rng.integers(0, 12, (6, n))] for n in (7, 4))
    _train_alike(keras, theirs, ours, x, y, "categorical_crossentropy")


@pytest.mark.parametrize("inner", ["Dense", "BatchNormalization", "model", "LSTM"])
def test_every_step_through_one_layer(keras, inner):
    rng = np.random.default_rng(5)
    shape = (4, 3, 5, 2) if inner == "LSTM" else (4, 3, 6)
    x = rng.standard_normal(shape).astype("float32") * np.arange(1, 4).reshape(1, 3, *[1] * (len(shape) - 2))

    def make(library):
        layers = library.layers
        made = {
            "Dense": lambda: layers.Dense(3, activation="relu"),
            "BatchNormalization": lambda: layers.BatchNormalization(),
            "model": lambda: library.Sequential([library.Input((6,)), layers.Dense(3), layers.Dense(2)]),
            "LSTM": lambda: layers.LSTM(3),
        }
        steps = layers.TimeDistributed(made[inner]())
        return library.Sequential([library.Input(shape[1:]), steps, layers.Flatten(), layers.Dense(2)])

    theirs, ours = make(keras), make(pynn)
    ours.set_weights(theirs.get_weights())
    _same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-5)
    _train_alike(keras, theirs, ours, x, rng.standard_normal((4, 2)).astype("float32"))
    if inner == "LSTM":
        mask = rng.uniform(size=(4, 3, 5)) < 0.6
        _same(ours.layers[0](x, mask=mask), theirs.layers[0](x, mask=mask))


@pytest.mark.parametrize("name", [*KINDS, "RNN", "Bidirectional"])
def test_configs_are_exchanged(keras, name):
    make = {
        "RNN": lambda library: library.layers.RNN([library.layers.GRUCell(2), library.layers.LSTMCell(3)]),
        "Bidirectional": lambda library: library.layers.Bidirectional(library.layers.LSTM(2, return_sequences=True)),
    }.get(name, lambda library: getattr(library.layers, name)(3, return_sequences=True, zero_output_for_mask=True))
    theirs, ours = make(keras), make(pynn)
    again = type(theirs).from_config(ours.get_config())
    assert type(ours).from_config(theirs.get_config()).compute_output_shape((2, 3, 4)) == (
        again.compute_output_shape((2, 3, 4))
    )
    assert set(theirs.get_config()) <= set(ours.get_config())


PENALTIES = {
    "kernel_regularizer": "l2",
    "recurrent_regularizer": "l1",
    "bias_regularizer": "l2",
    "activity_regularizer": "l2",
    "kernel_constraint": "max_norm",
    "recurrent_constraint": "unit_norm",
    "bias_constraint": "non_neg",
}


@pytest.mark.parametrize("kind", KINDS)
def test_penalties_and_constraints(keras, check_layer, kind):
    penalties = dict(PENALTIES)
    if kind == "SimpleRNN":
        del penalties["activity_regularizer"]  # Keras loses it on the way to the base class
    check_layer(kind, {"units": 3, **penalties}, X.shape)


@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_an_embedding_reach_stacked_layers(keras, kind):
    def make(library):
        layers = library.layers
        return library.Sequential(
            [
                library.Input((6,), dtype="int32"),
                layers.Embedding(7, 4, mask_zero=True),
                layers.Bidirectional(getattr(layers, kind)(3, return_sequences=True)),
                getattr(layers, kind)(3, return_sequences=True),
                layers.TimeDistributed(layers.Dense(2)),
                getattr(layers, kind)(2),
            ]
        )

    theirs, ours = make(keras), make(pynn)
    ours.set_weights(theirs.get_weights())
    x = np.where(MASK[:4], np.random.default_rng(6).integers(1, 7, (4, 6)), 0)
    _same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-5)
    _train_alike(keras, theirs, ours, x, np.random.default_rng(7).standard_normal((4, 2)).astype("float32"))


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 3},
        {"kernel_size": 3, "padding": "same", "return_sequences": True, "return_state": True, "go_backwards": True},
        {"kernel_size": 2, "strides": 2, "use_bias": False, "activation": "relu"},
        {"kernel_size": 2, "dilation_rate": 2, "recurrent_activation": "hard_sigmoid"},
        {"kernel_size": 3, "data_format": "channels_first", "return_sequences": True},
    ],
    ids=lambda a: "-".join(a),
)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutional_lstm(keras, rank, arguments):
    x = np.random.default_rng(8).standard_normal((2, 4, *(7, 6, 5)[:rank], 3)).astype("float32")
    x = np.moveaxis(x, -1, 2).copy() if "data_format" in arguments else x
    theirs, ours = _both(keras, lambda library: getattr(library.layers, f"ConvLSTM{rank}D")(2, **arguments), x)
    _same(ours(x), theirs(x), atol=1e-5)
    assert ours.compute_output_shape(x.shape) == theirs.compute_output_shape(x.shape)
    assert set(theirs.get_config()) == set(ours.get_config())
    assert type(ours).from_config(theirs.get_config()).compute_output_shape(x.shape) == ours.compute_output_shape(
        x.shape
    )
    assert [v.path.split("/")[-2:] for v in ours.weights] == [v.path.split("/")[-2:] for v in theirs.weights]


def test_convolutional_lstm_trains_alike(keras, check_layer):
    check_layer("ConvLSTM2D", {"filters": 2, "kernel_size": 2, **PENALTIES}, (3, 4, 5, 4, 2))
