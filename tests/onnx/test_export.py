"""Exported models give in ONNX Runtime what they give here, for other batches than any that was traced."""

import re

import numpy as np
import pytest
from onnx_checks import BATCH, close, exported, numbers, predicted, run, same_in_onnx_runtime_and_back, shake

import pynn as keras
from pynn import layers, ops
from pynn.errors import ArgumentError


def kinds(proto):
    return [node.op_type for node in proto.graph.node]


def sequential(*stack):
    model = keras.Sequential(list(stack))
    shake(model)
    return model


# ---- layers ------------------------------------------------------------------------------------------------------

IMAGES = {
    "autoencoder": [
        layers.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(3, 2, padding="valid", output_padding=None),
    ],
    "separable": [
        layers.SeparableConv2D(6, 3, padding="same"),
        layers.DepthwiseConv2D(3, dilation_rate=2),
        layers.BatchNormalization(),
        layers.LeakyReLU(negative_slope=0.2),
        layers.AveragePooling2D(2, strides=1, padding="same"),
    ],
    "borders": [
        layers.ZeroPadding2D(((1, 2), (0, 3))),
        layers.MaxPooling2D(3, strides=2),
        layers.Cropping2D(1),
        layers.UpSampling2D(2),
        layers.UpSampling2D(3, interpolation="bilinear"),
        layers.GlobalMaxPooling2D(),
    ],
    "preprocessing": [
        layers.Rescaling(0.5, offset=-1),
        layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0]),
        layers.GroupNormalization(3),
        layers.LayerNormalization(axis=[-2, -1]),
        layers.RMSNormalization(),
        layers.PReLU(),
        layers.Permute((3, 1, 2)),
        layers.Reshape((3, -1)),
        layers.Softmax(),
    ],
    "augmentation": [layers.RandomFlip(), layers.RandomRotation(0.1), layers.GaussianNoise(1.0), layers.Dropout(0.5)],
}


@pytest.mark.parametrize("name", IMAGES)
def test_images(name, tmp_path):
    same_in_onnx_runtime_and_back(sequential(layers.Input((9, 8, 3)), *IMAGES[name]), tmp_path, numbers(9, 8, 3))


SEQUENCES = {
    "convolutions": [
        layers.Conv1D(6, 3, padding="causal", activation="gelu"),
        layers.UpSampling1D(2),
        layers.MaxPooling1D(2),
        layers.Conv1DTranspose(4, 3, strides=2),
        layers.GlobalAveragePooling1D(),
        layers.Dense(3, activation="softmax"),
    ],
    "lstm": [layers.LSTM(6, return_sequences=True), layers.LSTM(3, go_backwards=True)],
    "gru": [layers.GRU(6, return_sequences=True, go_backwards=True), layers.GRU(3, reset_after=False)],
    "bidirectional": [layers.Bidirectional(layers.LSTM(4, return_sequences=True)), layers.Bidirectional(layers.GRU(3))],
    "masked": [
        layers.Masking(),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.GRU(3, return_sequences=True, go_backwards=True),
        layers.LSTM(2),
    ],
    "unrolled": [layers.SimpleRNN(4, return_sequences=True), layers.LSTM(3, activation="relu")],
    "features": [
        layers.TimeDistributed(layers.Dense(3)),
        layers.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d"),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.RepeatVector(2),
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name, tmp_path):
    x = numbers(6, 5) * (np.random.default_rng(2).random((BATCH, 6, 1)) > 0.4)
    x[0] = 0  # all of it masked
    same_in_onnx_runtime_and_back(sequential(layers.Input((6, 5)), *SEQUENCES[name]), tmp_path, x.astype("float32"))


def test_a_recurrence_is_one_node(tmp_path):
    proto = exported(sequential(layers.Input((6, 5)), layers.LSTM(4), layers.Dense(2)), tmp_path)
    assert kinds(proto) == ["Transpose", "LSTM", "Squeeze", "MatMul", "Add", "Identity"]


def transformer(vocabulary=20, length=None, dim=8):
    words = keras.Input((length,), dtype="int32", name="words")
    x = layers.Embedding(vocabulary, dim)(words)
    attended = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization()(x + attended)
    x = layers.LayerNormalization()(x + layers.Dense(dim)(layers.Dense(2 * dim, activation="gelu")(x)))
    return keras.Model(words, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x)))


@pytest.mark.parametrize("length", [None, 7])
def test_transformer_for_texts(length, tmp_path):
    words = np.random.default_rng(0).integers(0, 20, (BATCH, 7)).astype("int32")
    proto = same_in_onnx_runtime_and_back(transformer(length=length), tmp_path, words)
    (given,) = proto.graph.input
    assert [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim] == [
        "batch", "words_1" if length is None else 7
    ]  # fmt: skip


def test_attention_between_sequences_of_other_lengths(tmp_path):
    q, k = keras.Input((None, 8)), keras.Input((None, 8))
    model = keras.Model(
        [q, k], [layers.Attention()([q, k]), layers.AdditiveAttention()([q, k]), layers.MultiHeadAttention(2, 4)(q, k)]
    )
    same_in_onnx_runtime_and_back(model, tmp_path, numbers(6, 8), numbers(4, 8, seed=1))


def test_masked_text_classifier_of_open_length(tmp_path):
    model = sequential(
        layers.Input((None,)), layers.Embedding(12, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3)),
        layers.Dense(1, activation="sigmoid"),
    )  # fmt: skip
    words = np.random.default_rng(0).integers(0, 4, (BATCH, 9)).astype("float32")
    close(run(exported(model, tmp_path), words), predicted(model, words))


def test_images_of_open_size(tmp_path):
    """Padding "same" goes by what is even."""
    model = sequential(
        layers.Input((None, None, 3)), layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"), layers.UpSampling2D(2), layers.GlobalAveragePooling2D(),
    )  # fmt: skip
    proto = exported(model, tmp_path)
    for shape in ((9, 14, 3), (16, 11, 3)):
        close(run(proto, numbers(*shape)), predicted(model, numbers(*shape)))


ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_sigmoid", "hard_silu", "leaky_relu", "log_sigmoid",
    "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparsemax", "squareplus", "tanh", "tanh_shrink",
]  # fmt: skip


def test_activations(tmp_path):
    x = keras.Input((6,))
    model = keras.Model(x, [layers.Activation(name)(x) for name in ACTIVATIONS])
    same_in_onnx_runtime_and_back(model, tmp_path, 3 * numbers(6))


def test_functions_of_ops(tmp_path):
    x = keras.Input((6,))
    results = [
        ops.argmax(x, -1), ops.cumsum(x, 1), ops.argsort(x, 1), ops.top_k(x, 2)[0], ops.prod(x, 1), ops.var(x, axis=1),
        ops.one_hot(ops.cast(x, "int32"), 4), ops.floor(x) % 2, ops.floor_divide(x, 0.7), ops.clip(x, -1, 1),
        ops.logsumexp(x, 1), ops.flip(x, 1), ops.roll(x, 1, 1), ops.arctan2(x, x[:, ::-1]), ops.norm(x, axis=1),
        ops.pad(x, [[0, 0], [1, 2]], "reflect"), x[:, ::2], ops.take(x, [0, 2], 1), ops.round(x), ops.std(x, 1),
        ops.cast(ops.all(x > 0, 1), "float32"), ops.where(x > 0, ops.sqrt(ops.abs(x)), ops.expm1(x)),
        ops.tril(x[:, None] * x[..., None]), ops.mean(x, 1, keepdims=True), ops.log1p(ops.square(x)),
    ]  # fmt: skip
    same_in_onnx_runtime_and_back(keras.Model(x, results), tmp_path, numbers(6))


# ---- what a file looks like --------------------------------------------------------------------------------------


def residual_network():
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="stem")(image)
    for i in range(2):
        y = layers.BatchNormalization(name=f"norm{i}")(x)
        y = layers.Conv2D(8, 3, padding="same", name=f"conv{i}")(layers.ReLU()(layers.ZeroPadding2D(1)(y)))
        squeezed = layers.GlobalAveragePooling2D(keepdims=True)(y)
        y = layers.Multiply()([y, layers.Conv2D(8, 1, activation="sigmoid", name=f"gate{i}")(squeezed)])
        x = layers.Add()([x, layers.Cropping2D(1)(y)])
    model = keras.Model(image, layers.Dense(4, name="scores")(layers.GlobalAveragePooling2D()(x)), name="residual")
    shake(model)
    return model


def test_images_are_turned_once(tmp_path):
    proto = same_in_onnx_runtime_and_back(residual_network(), tmp_path, numbers(16, 16, 3))
    assert kinds(proto).count("Transpose") == 1
    assert "BatchNormalization" in kinds(proto)
    assert {"stem/kernel", "stem/bias", "norm0/moving_mean", "scores/kernel"} <= {
        i.name for i in proto.graph.initializer
    }
    (out,) = proto.graph.output
    assert out.name == "scores"
    assert [d.dim_param or d.dim_value for d in out.type.tensor_type.shape.dim] == ["batch", 4]
    assert proto.opset_import[0].version == 18
    assert proto.producer_name == "pynn"


def test_several_inputs_and_outputs_and_nested_models(tmp_path):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    inner = sequential(layers.Input((4,)), layers.Dense(4, activation="tanh"), layers.BatchNormalization())
    joined = layers.Concatenate()([inner(a), inner(b)])
    model = keras.Model({"a": a, "b": b}, {"sum": layers.Add()([a, b]), "both": joined, "dot": layers.Dot(1)([a, b])})
    proto = exported(model, tmp_path)
    assert [i.name for i in proto.graph.input] == ["a", "b"]
    x, y = numbers(4), numbers(4, seed=1)
    expected = model.predict({"a": x, "b": y}, verbose=0)
    found = dict(zip((o.name for o in proto.graph.output), run(proto, x, y), strict=True))
    assert found.keys() == expected.keys()
    close(list(found.values()), [expected[key] for key in found])


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.scores = layers.Dense(5), layers.Dense(2)

    def call(self, x, training=False):
        h = ops.sin(self.hidden(x))
        return {"scores": self.scores(layers.Dropout(0.5)(h, training=training)), "energy": ops.sum(h * h, axis=-1)}


def test_a_class_of_ones_own(tmp_path):
    model = Own()
    with pytest.raises(ArgumentError, match="needs the shape of its input"):
        model.export(tmp_path / "m.onnx", verbose=False)
    x = numbers(3)
    expected = model(x)
    proto = exported(model, tmp_path)
    assert sorted(o.name for o in proto.graph.output) == ["energy", "scores"]
    close(run(proto, x), [np.asarray(expected[o.name]) for o in proto.graph.output])
    fixed = exported(model, tmp_path, input_signature=[keras.InputSpec(shape=(2, 3), dtype="float32", name="rows")])
    assert fixed.graph.input[0].name == "rows"
    assert [d.dim_value for d in fixed.graph.input[0].type.tensor_type.shape.dim] == [2, 3]


def test_noise_is_drawn_by_onnx(tmp_path):
    class Sampling(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(1)

        def call(self, x):
            return x * 0 + keras.random.normal(ops.shape(x), stddev=2.0, seed=self.seed)

    proto = exported(sequential(layers.Input((400,)), Sampling()), tmp_path)
    (y,) = run(proto, numbers(400))
    assert abs(y.std() - 2) < 0.2


def test_export_says_where_the_file_is(tmp_path, capsys):
    sequential(layers.Input((2,)), layers.Dense(1)).export(tmp_path / "m.onnx")
    assert capsys.readouterr().out == f"Saved artifact at '{tmp_path / 'm.onnx'}'.\n"
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


# ---- what cannot be exported -------------------------------------------------------------------------------------


def refused(model, folder, match, **options):
    with pytest.raises(ArgumentError, match=match):
        model.export(folder / "m.onnx", verbose=False, **options)
    assert list(folder.iterdir()) == []


def test_an_op_without_a_translation(tmp_path):
    x = keras.Input((3, 3))
    model = keras.Model(x, layers.Lambda(ops.inv, name="inverse")(x))
    refused(model, tmp_path, "layer '.*inverse' uses the op 'inv', which has no translation")


def test_state_and_unrolled_axes(tmp_path):
    stateful = sequential(layers.Input(batch_shape=(2, 6, 3)), layers.LSTM(3, stateful=True))
    refused(stateful, tmp_path, r"changes the variable '.*' .*an ONNX model keeps nothing between runs")
    unrolled = sequential(layers.Input((None, 3)), layers.SimpleRNN(3, name="steps"))
    refused(unrolled, tmp_path, re.escape("fix the length, Input((steps, ...))"))


def test_arguments(tmp_path):
    model = sequential(layers.Input((3,)), layers.Dense(2))
    refused(model, tmp_path, "pynn writes format='onnx'", format="tf_saved_model")
    refused(model, tmp_path, "received dynamo", dynamo=True)
    refused(model, tmp_path, "writes ONNX's opset 18, received opset_version=12", opset_version=12)
    refused(model, tmp_path, "for each of its 1 inputs", input_signature=[[keras.InputSpec(shape=(1, 3))] * 2])
