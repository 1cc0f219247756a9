"""Recurrent layers: the whole-sequence op against the unrolled graph, dropout, errors, configs, learning."""

import numpy as np
import pytest

import pynn
from pynn import activations, layers, ops
from pynn.errors import ArgumentError, ShapeError

KINDS = [layers.LSTM, layers.GRU, layers.SimpleRNN]


def _tanh(x):
    """tanh under another name: the layer cannot know its whole-sequence op computes it."""
    return ops.tanh(x)


def _trained(arguments, kind, x, y):
    """Losses of some steps and the weights after them, from fixed initial weights."""
    pynn.utils.set_random_seed(3)
    model = pynn.Sequential([pynn.Input(x.shape[1:]), kind(**arguments), layers.Flatten(), layers.Dense(2)])
    rng = np.random.default_rng(5)
    model.set_weights([0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
    model.compile(pynn.optimizers.SGD(0.2), "mean_squared_error")
    return [model.train_on_batch(x, y) for _ in range(3)], model.get_weights()


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(("units", "steps"), [(5, 7), (16, 1), (33, 3)])
def test_one_op_and_all_steps_unrolled_train_alike(kind, go_backwards, return_sequences, units, steps):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((9, steps, 6)).astype("float32"), rng.standard_normal((9, 2)).astype("float32")
    arguments = {"units": units, "go_backwards": go_backwards, "return_sequences": return_sequences}
    assert not kind(units, activation=_tanh).cell.has_whole()
    assert kind(units).cell.has_whole()
    whole = _trained(arguments, kind, x, y)
    unrolled = _trained({**arguments, "activation": _tanh}, kind, x, y)
    np.testing.assert_allclose(whole[0], unrolled[0], rtol=1e-5)
    for a, b in zip(whole[1], unrolled[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_only_while_training_and_the_same_in_all_steps(kind):
    layer = kind(
        4, dropout=0.5, kernel_initializer="ones", recurrent_initializer="zeros", return_sequences=True, seed=1
    )
    x = np.ones((3, 6, 5), "float32")
    np.testing.assert_array_equal(layer(x), layer(x))
    a, b = layer(x, training=True), layer(x, training=True)
    assert (a != b).any()
    if kind is layers.SimpleRNN:  # without a state every step sees the same
        np.testing.assert_array_equal(a, np.broadcast_to(a[:, :1], a.shape))


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_scales_the_state_in_all_steps_alike(kind):
    layer = kind(40, recurrent_dropout=0.4, seed=1)
    x = np.random.default_rng(0).standard_normal((3, 6, 5)).astype("float32")
    plain = kind(40)
    plain(x)
    layer(x)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-5, atol=1e-6)
    assert np.abs(layer(x, training=True) - plain(x)).max() > 1e-3
    if kind is layers.SimpleRNN:
        # h_2 = (h_1 * mask) R: with R = identity and linear steps, each unit is dropped or scaled, in every step.
        linear = kind(50, activation=None, recurrent_dropout=0.4, seed=1, kernel_initializer="ones",
                      recurrent_initializer="identity", return_sequences=True)  # fmt: skip
        h = linear(np.ones((1, 3, 1), "float32"), training=True)[0]
        mask = h[1] - 1
        assert set(np.round(mask, 4)) == {0.0, np.round(np.float32(1 / 0.6), 4)}
        np.testing.assert_allclose(h[2], 1 + h[1] * mask, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_initial_states_are_not_remembered(kind):
    layer = kind(3, return_state=True)
    x = np.random.default_rng(0).standard_normal((2, 4, 5)).astype("float32")
    first = layer(x[:, :2])
    whole, both = layer(x), layer(x[:, 2:], initial_state=list(first[1:]))
    for a, b in zip(both, whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    other = layer(x[:, 2:], initial_state=[np.zeros((2, 3), "float32")] * (len(first) - 1))
    assert (other[0] != both[0]).any()


@pytest.mark.filterwarnings("ignore:.*does not support masks:UserWarning")
@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("arguments", [{}, {"go_backwards": True, "return_sequences": True}], ids=str)
def test_masks_in_one_op_and_in_steps_train_alike(kind, arguments):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((19, 5, 6)).astype("float32"), rng.standard_normal((19, 2)).astype("float32")
    mask = (rng.uniform(size=(19, 5)) < 0.6).astype("int32")

    def trained(activation):
        sequences, counts = pynn.Input((5, 6)), pynn.Input((5,), dtype="int32")
        z = kind(17, activation=activation, **arguments)(sequences, mask=counts)
        model = pynn.Model([sequences, counts], layers.Dense(2)(layers.Flatten()(z)))
        weights = np.random.default_rng(5)
        model.set_weights([0.3 * weights.standard_normal(w.shape) for w in model.get_weights()])
        model.compile(pynn.optimizers.SGD(0.2), "mean_squared_error")
        return [model.train_on_batch([x, mask], y) for _ in range(3)], model.get_weights()

    whole, unrolled = trained("tanh"), trained(_tanh)
    np.testing.assert_allclose(whole[0], unrolled[0], rtol=1e-5)
    for a, b in zip(whole[1], unrolled[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_masked_steps_are_as_if_they_were_not_there(kind):
    layer = kind(3, return_state=True)
    x = np.random.default_rng(0).standard_normal((2, 6, 4)).astype("float32")
    x[:, 4:] = np.nan  # not even a NaN comes through
    mask = np.array([[1, 1, 1, 1, 0, 0]] * 2)
    for a, b in zip(layer(x, mask=mask), layer(x[:, :4]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_layers_go_on_in_predict_and_fit(kind):
    x = np.random.default_rng(0).standard_normal((4, 6, 3)).astype("float32")
    layer = kind(3, stateful=True)
    model = pynn.Sequential([pynn.Input(batch_shape=(2, None, 3)), layer])
    assert len(model.weights) == 3
    assert len(model.variables) == 3
    whole = kind(3)
    whole.build((None, 6, 3))
    whole.set_weights(layer.get_weights())
    model.predict(x[:2, :4], verbose=0)
    np.testing.assert_allclose(model.predict(x[:2, 4:], verbose=0), whole(x[:2]), rtol=1e-5, atol=1e-6)
    kept = [s.numpy() for s in layer.states]
    np.testing.assert_allclose(kept[0], whole(x[:2]), rtol=1e-5, atol=1e-6)
    model.compile(pynn.optimizers.SGD(0.0), "mean_squared_error")
    model.fit(x[:2], np.zeros((2, 3)), verbose=0, epochs=2)
    assert (layer.states[0].numpy() != kept[0]).any()
    layer.reset_states()
    np.testing.assert_allclose(model.predict(x[:2], verbose=0), whole(x[:2]), rtol=1e-5, atol=1e-6)
    with pytest.raises(ShapeError, match="batch size must stay the same"):
        layer(x)


@pytest.mark.parametrize("wrap", [lambda r: r, layers.Bidirectional])
def test_stateful_layers_must_know_the_batch_size(wrap):
    with pytest.raises(ArgumentError, match=r"stateful=True needs to know the batch size.*batch_shape"):
        wrap(layers.GRU(3, stateful=True))(pynn.Input((4, 5)))


@pytest.mark.parametrize("cell", [layers.Dense(3), 3, object()])
def test_what_is_no_cell(cell):
    with pytest.raises(ArgumentError, match="a cell needs"):
        layers.RNN(cell)


def test_the_output_of_a_masked_step_must_fit():
    class Wide(layers.Layer):
        state_size, output_size = 3, 6

        def call(self, inputs, states):
            return ops.concatenate([inputs, inputs], axis=-1), [states[0] + inputs]

    x = np.ones((2, 4, 3), "float32")
    assert layers.RNN(Wide(), return_sequences=True)(x).shape == (2, 4, 6)
    with pytest.raises(ShapeError, match="where a step is masked"):
        layers.RNN(Wide())(x, mask=np.ones((2, 4)))


def test_time_distributed_wants_a_mask_of_all_steps():
    with pytest.raises(ShapeError, match="mask must begin with the axes"):
        layers.TimeDistributed(layers.Dense(2))(np.ones((2, 4, 3)), mask=np.ones((2, 3)))


def test_lstm_begins_with_open_forget_gates():
    layer = layers.LSTM(3)
    layer(np.ones((1, 2, 2)))
    np.testing.assert_array_equal(layer.weights[2].numpy(), [0] * 3 + [1] * 3 + [0] * 6)
    recurrent = layer.weights[1].numpy().astype("float64")  # orthogonal: its rows are, there being fewer
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_layers_do_not_train(kind):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 3, 2)), rng.standard_normal((4, 1))
    model = pynn.Sequential([pynn.Input((3, 2)), kind(3, trainable=False), layers.Dense(1)])
    assert len(model.trainable_weights) == 2
    before = model.get_weights()
    model.compile("sgd", "mse")
    model.train_on_batch(x, y)
    changed = [(a != b).any() for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "units must be a positive integer"),
        ({"units": 3, "dropout": 1.5}, "dropout must be a number from 0 to below 1"),
        ({"units": 3, "use_cudnn": True}, "use_cudnn=True needs a GPU"),
        ({"units": 3, "activation": "tahn"}, "did you mean 'tanh'"),
        ({"units": 3, "time_major": True}, "unknown argument time_major=True"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_refused_arguments(kind, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        kind(**arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_refused_inputs(kind):
    x = np.ones((2, 4, 3), "float32")
    with pytest.raises(ShapeError, match=r"3 axes .*received shape \(2, 3\): sequences are"):
        kind(3, name="r")(x[:, 0])
    layer = kind(3, name="r")
    layer(x)
    with pytest.raises(ShapeError, match="length 3 on axis -1"):
        layer(x[..., :2])
    with pytest.raises(ShapeError, match=r"layer 'r': initial_state must be"):
        layer(x, initial_state=[np.zeros((2, 4), "float32")])
    with pytest.raises(ShapeError, match=r"layer 'r': mask must be \(2, 4\)"):
        layer(x, mask=np.ones((2, 3)))


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(3, "relu", dropout=0.1, unit_forget_bias=False, go_backwards=True),
        layers.GRU(3, reset_after=False, return_sequences=True),
        layers.SimpleRNN(3, None, use_bias=False, return_state=True),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
        layers.TimeDistributed(layers.Dense(3, "relu")),
        layers.RNN([layers.LSTMCell(2), layers.GRUCell(3, reset_after=False)], return_sequences=True),
        layers.Bidirectional(layers.RNN(layers.SimpleRNNCell(3)), merge_mode=None),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip(layer):
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    assert again(np.ones((2, 4, 5)))[0].shape == layer(np.ones((2, 4, 5)))[0].shape


def test_sequences_of_any_length():
    model = pynn.Sequential(
        [pynn.Input((None,)), layers.Embedding(9, 4), layers.Bidirectional(layers.GRU(3)), layers.Dense(1)]
    )
    assert model.output_shape == (None, 1)
    assert model.predict(np.zeros((2, 5)), verbose=0).shape == model.predict(np.zeros((2, 8)), verbose=0).shape


@pytest.mark.parametrize("argument", [layers.Dense(2), "lstm"])
def test_bidirectional_takes_recurrent_layers(argument):
    with pytest.raises(ArgumentError, match="must be an LSTM, GRU, SimpleRNN, RNN or ConvLSTM"):
        layers.Bidirectional(argument)


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU])
def test_learns_what_needs_memory(kind):
    """Whether word 1 came before word 2, somewhere among 20 others: no bag of words can tell."""
    pynn.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.integers(3, 20, (1500, 12))
    places = np.sort(np.argsort(rng.random(x.shape), axis=1)[:, :2], axis=1)
    y = rng.integers(0, 2, len(x))
    x[np.arange(len(x)), places[:, 0]] = np.where(y, 1, 2)
    x[np.arange(len(x)), places[:, 1]] = np.where(y, 2, 1)
    model = pynn.Sequential(
        [pynn.Input((12,)), layers.Embedding(20, 8), kind(16), layers.Dense(1, activation="sigmoid")]
    )
    model.compile(pynn.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    model.fit(x[:1200], y[:1200], batch_size=32, epochs=12, verbose=0)
    assert model.evaluate(x[1200:], y[1200:], verbose=0)[1] > 0.95


def test_named_activations_are_the_ones_the_ops_compute():
    assert activations.get("tanh") is activations.tanh
    assert layers.LSTM(2, "tanh", "sigmoid").cell.has_whole()
    assert not layers.LSTM(2, "tanh", "hard_sigmoid").cell.has_whole()
    assert not layers.GRU(2, reset_after=False).cell.has_whole()


def test_convolutional_lstm_masks_drops_and_keeps_states():
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 4, 3)).astype("float32")
    layer = layers.ConvLSTM2D(2, 3, padding="same")
    short = layer(x[:, :3])
    x[:, 3:] = np.nan
    np.testing.assert_allclose(layer(x, mask=np.array([[1, 1, 1, 0, 0]] * 2)), short, rtol=1e-5, atol=1e-6)
    kept = layers.ConvLSTM2D(2, 3, padding="same", stateful=True)
    kept.build((2, None, 6, 4, 3))
    kept.set_weights(layer.get_weights())
    kept(x[:, :1])
    np.testing.assert_allclose(kept(x[:, 1:3]), short, rtol=1e-5, atol=1e-6)
    both = layers.Bidirectional(layers.ConvLSTM2D(2, 3))
    assert both(x).shape == (2, 4, 2, 4)
    for rates in ({"dropout": 0.5}, {"recurrent_dropout": 0.5}):
        dropped = layers.ConvLSTM2D(2, 3, padding="same", seed=1, **rates)
        dropped(x)
        dropped.set_weights(layer.get_weights())
        np.testing.assert_allclose(dropped(x[:, :3]), short, rtol=1e-5, atol=1e-6)
        assert np.abs(dropped(x[:, :3], training=True) - short).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "shape", "error", "says"),
    [
        ({"filters": 2, "kernel_size": 3, "strides": 2, "dilation_rate": 2}, (2, 4, 8, 8, 3), ArgumentError, "both be"),
        ({"filters": 2, "kernel_size": 5}, (2, 4, 4, 8, 3), ShapeError, "a window of 5 does not fit a length of 4"),
        ({"filters": 2, "kernel_size": 3}, (2, 4, 8, 3), ShapeError, "sequences are"),
    ],
)
def test_convolutional_lstm_refuses(arguments, shape, error, says):
    with pytest.raises(error, match=says):
        layers.ConvLSTM2D(**arguments)(np.ones(shape))


@pytest.mark.parametrize("go_backwards", [False, True])
def test_outputs_before_the_first_step_that_counts(go_backwards):
    """They are the initial state, and 0 if the layer is unrolled; all others are the same."""
    x, start = np.ones((1, 5, 2), "float32"), [np.full((1, 3), 0.5, "float32")]
    mask = np.array([[0, 1, 0, 1, 0]], bool)
    plain = layers.GRU(3, return_sequences=True, go_backwards=go_backwards)
    unrolled = layers.GRU(3, return_sequences=True, go_backwards=go_backwards, unroll=True)
    y = plain(x, mask=mask, initial_state=start)
    unrolled(x)
    unrolled.set_weights(plain.get_weights())
    z = unrolled(x, mask=mask, initial_state=start)
    np.testing.assert_array_equal(y[:, 0], start[0])
    np.testing.assert_array_equal(z[:, 0], 0)
    np.testing.assert_array_equal(y[:, 1:], z[:, 1:])
