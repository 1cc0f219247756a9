"""Models from ONNX files: trained on, cut, saved; and files that are not as they should be, refused by name."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from onnx_checks import close, exported, numbers, onnx, predicted, shake

import pynn as keras
from pynn import layers
from pynn.errors import ArgumentError, CorruptDataError
from pynn.onnx import importing, registry

FLOAT, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def node(op, inputs, outputs=("y",), **attributes):
    return onnx.helper.make_node(op, list(inputs), list(outputs), name=f"the_{op.lower()}", **attributes)


def proto(nodes, weights=None, shape=("batch", 3, 8, 8), outputs=("y",), dtype=FLOAT, opset=17):
    graph = onnx.helper.make_graph(
        nodes, "made by hand",
        [onnx.helper.make_tensor_value_info("x", dtype, shape)],
        [onnx.helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(a), name) for name, a in (weights or {}).items()],
    )  # fmt: skip
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])


def written(folder, model):
    path = folder / "file.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def loaded(folder, *arguments, **options):
    return keras.onnx.load(written(folder, proto(*arguments, **options)))


def weight(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


def network():
    model = keras.Sequential(
        [
            layers.Input((8, 8, 3), name="image"),
            layers.Conv2D(4, 3, padding="same", name="stem"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, name="scores"),
        ]
    )
    shake(model)
    return model


# ---- what a loaded model can do ----------------------------------------------------------------------------------


def test_a_loaded_model_is_trained_cut_and_saved(tmp_path):
    exported(network(), tmp_path)
    model = keras.onnx.load(tmp_path / "model.onnx", name="again")
    assert model.name == "again"
    assert {"stem", "norm", "scores"} <= {layer.name for layer in model.layers}
    assert model.count_params() == network().count_params()
    assert isinstance(model.get_layer("norm"), layers.BatchNormalization)
    model.get_layer("stem").trainable = False
    kernel = model.get_layer("stem").get_weights()[0]
    x, y = numbers(8, 8, 3), numbers(2, seed=1)
    model.compile("adam", "mse")
    history = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert np.array_equal(model.get_layer("stem").get_weights()[0], kernel)
    model.save(tmp_path / "model.keras")
    close(predicted(keras.models.load_model(tmp_path / "model.keras"), x), predicted(model, x), 1e-6)
    features = keras.Model(model.inputs, model.get_layer("norm").output)
    assert features.predict(x, verbose=0).shape == (5, 8, 8, 4)


def test_weights_that_belong_to_no_layer(tmp_path):
    scale, shift = weight(3, 1, 1), weight(1, 3, 1, 1)
    model = loaded(
        tmp_path, [node("Mul", ["x", "scale"], ["s"]), node("Add", ["shift", "s"])], {"scale": scale, "shift": shift}
    )
    x = numbers(3, 8, 8)
    close(predicted(model, x), [shift + x * scale])
    assert model.count_params() == 6
    assert len(model.trainable_variables) == 2


def test_weights_beside_the_file(tmp_path):
    content = proto([node("MatMul", ["x", "w"])], {"w": weight(3, 4)}, shape=("n", 3))
    onnx.save(content, tmp_path / "file.onnx", save_as_external_data=True, location="file.data", size_threshold=0)
    x = numbers(3)
    close(predicted(keras.onnx.load(tmp_path / "file.onnx"), x), [x @ weight(3, 4)])


def test_an_input_of_channels_first_stays_so(tmp_path):
    w = weight(6, 3, 3, 3)
    model = loaded(
        tmp_path,
        [node("Conv", ["x", "w"], ["c"], pads=[1] * 4), node("Relu", ["c"], ["r"]), node("Flatten", ["r"])],
        {"w": w},
    )
    assert model.input_shape == (None, 3, 8, 8)
    x = numbers(3, 8, 8)
    again = keras.ops.conv(np.moveaxis(x, 1, -1), w.transpose(2, 3, 1, 0), padding="same")
    expected = np.moveaxis(np.maximum(again, 0), -1, 1).reshape(5, -1)
    close(predicted(model, x), [expected])


@pytest.mark.parametrize("ceil", [0, 1])
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_poolings_with_borders(op, ceil, tmp_path):
    from onnx.reference import ReferenceEvaluator

    more = {"count_include_pad": 1} if op == "AveragePool" and not ceil else {}
    made = proto([node(op, ["x"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=ceil, **more)])
    x = numbers(3, 8, 8)
    (expected,) = ReferenceEvaluator(made).run(None, {"x": x})
    close(predicted(keras.onnx.load(written(tmp_path, made)), x), [expected])


def test_a_shape_that_is_computed(tmp_path):
    """As PyTorch writes ``x.view(x.size(0), -1)`` and heads of attention that are joined with the batch."""
    shape = onnx.helper.make_node
    nodes = [
        shape("Shape", ["x"], ["s"]),
        shape("Gather", ["s", "zero"], ["n"], axis=0),
        shape("Unsqueeze", ["n", "axes"], ["n1"]),
        shape("Mul", ["n1", "two"], ["2n"]),
        shape("Concat", ["2n", "rest"], ["joined"], axis=0),
        shape("Reshape", ["x", "joined"], ["j"]),
        shape("Softmax", ["j"], ["p"], axis=-1),
        shape("Concat", ["n1", "minus"], ["flat"], axis=0),
        shape("Reshape", ["p", "flat"], ["y"]),
    ]
    ints = {"zero": 0, "axes": [0], "two": [2], "rest": [3, 4], "minus": [-1]}
    model = loaded(tmp_path, nodes, {k: np.array(v, "int64") for k, v in ints.items()}, shape=("n", 6, 4))
    x = numbers(6, 4)
    e = np.exp(x)
    close(predicted(model, x), [(e / e.sum(-1, keepdims=True)).reshape(5, -1)])


# ---- files that are refused --------------------------------------------------------------------------------------


def refused(path, match, error=CorruptDataError):
    with pytest.raises(error, match=match):
        keras.onnx.load(path)


def test_what_is_no_onnx_file(tmp_path):
    path = tmp_path / "file.onnx"
    for content in (b"", b"PK\x03\x04 no", os.urandom(500)):
        path.write_bytes(content)
        refused(path, "no readable ONNX file")
    with pytest.raises(FileNotFoundError):
        keras.onnx.load(tmp_path / "none.onnx")


def test_ops_that_are_not_read(tmp_path):
    refused(
        written(tmp_path, proto([node("Det", ["x"])])),
        r"node 'the_det' \(Det\): pynn does not read this op",
        ArgumentError,
    )
    own = proto([node("Gelu", ["x"], domain="com.microsoft")])
    refused(written(tmp_path, own), "of the domain 'com.microsoft'")
    body = onnx.helper.make_graph([], "body", [], [])
    refused(written(tmp_path, proto([node("If", ["x"], then_branch=body)])), "attribute 'then_branch' is a subgraph")
    refused(written(tmp_path, proto([node("Relu", ["x"])], opset=8)), "opset 8; pynn reads 9 to")


def test_cycles_and_names_given_twice(tmp_path):
    ring = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"])]
    refused(written(tmp_path, proto(ring)), r"\(Add\) reads 'b', which no node before it gives: .* a cycle")
    twice = [node("Relu", ["x"]), node("Sigmoid", ["x"])]
    refused(written(tmp_path, proto(twice)), r"\(Sigmoid\) gives 'y', which is there already")
    refused(written(tmp_path, proto([node("Relu", ["x"], ["z"])])), "the output 'y' is given by no node")


def change_weight(change):
    made = proto([node("MatMul", ["x", "w"])], {"w": weight(3, 4)}, shape=("n", 3))
    change(made.graph.initializer[0])
    return made


def test_weights_that_are_not_what_they_say(tmp_path):
    def claim(tensor):
        tensor.dims[0] = 2**31 - 1

    def negative(tensor):
        tensor.dims[0] = -3

    def unknown(tensor):
        tensor.data_type = 77

    def deep(tensor):
        del tensor.dims[:]
        tensor.dims.extend([1] * 1000)

    for change, match in (
        (claim, r"weight 'w'.*takes [\d,]+ bytes, it has 48|more than"),
        (negative, r"weight 'w' has the shape \[-3, 4\]"),
        (unknown, "weight 'w' has the unknown dtype 77"),
        (deep, "weight 'w' has the shape"),
    ):
        refused(written(tmp_path, change_weight(change)), match)


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "link", "gone", "", ".", "short"])
def test_weights_outside_of_the_folder(location, tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"s" * 48)
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "short").write_bytes(b"s" * 40)

    def outside(tensor):
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location

    refused(written(folder, change_weight(outside)), "weight 'w'")


BROKEN = {
    "kernel": ([node("Conv", ["x", "w"])], {"w": weight(4, 5, 3, 3)}, "a kernel of shape .4, 5, 3, 3. in 1 groups"),
    "groups": ([node("Conv", ["x", "w"], group=0)], {"w": weight(4, 3, 3, 3)}, "in 0 groups"),
    "strides": ([node("Conv", ["x", "w"], strides=[0, 1])], {"w": weight(4, 3, 3, 3)}, r"strides=\[0, 1\]"),
    "pads": ([node("Conv", ["x", "w"], pads=[10**9] * 4)], {"w": weight(4, 3, 3, 3)}, "pads="),
    "window": ([node("MaxPool", ["x"], kernel_shape=[99, 99])], {}, "window"),
    "perm": ([node("Transpose", ["x"], perm=[0, 1, 2, 2])], {}, "perm"),
    "axis": ([node("Concat", ["x", "x"], axis=9)], {}, "the_concat"),
    "reshape": ([node("Reshape", ["x", "s"])], {"s": np.array([-1, 11])}, "the_reshape"),
    "expand": ([node("Expand", ["x", "s"])], {"s": np.array([2**40, 1, 1, 1, 1])}, "a shape of"),
    "memory": (
        [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"])], {"s": np.array([2**20, 2**20])}, "at most"
    ),
    "range": (
        [node("Range", ["a", "b", "c"], ["r"]), node("Add", ["x", "r"])],
        {"a": np.array(0), "b": np.array(2**60), "c": np.array(1)},
        "from 0 to",
    ),
    "tile": (
        [node("Tile", ["w", "s"], ["t"]), node("Add", ["x", "t"])], {"w": weight(8), "s": np.array([2**40])}, "the_tile"
    ),
    "inputs": ([node("MatMul", ["x"])], {}, "expected 2 to 2 inputs, received 1"),
    "normalization": (
        [node("BatchNormalization", ["x", "v", "v", "v", "w"])], {"v": weight(3), "w": weight(4)}, r"shape \(3,\)"
    ),
    "attribute": ([node("LeakyRelu", ["x"], alpha=[1.0, 2.0])], {}, "the_leakyrelu"),
    "recurrence": ([node("LSTM", ["x", "w", "w"])], {"w": weight(1, 8, 2)}, "the_lstm"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_nodes_that_do_not_fit(name, tmp_path):
    nodes, weights, match = BROKEN[name]
    with pytest.raises((CorruptDataError, ArgumentError), match=match) as caught:
        loaded(tmp_path, nodes, weights)
    assert "node 'the_" in str(caught.value)


def test_the_page_lists_what_is_written_and_read():
    page = (Path(__file__).parents[2] / "docs" / "onnx.md").read_text()
    listed = set(re.findall(r"`(\w+)`", page.partition("## Tables")[2])) - {"pynn"}
    assert listed == {*registry.TRANSLATORS, *importing.TRANSLATORS}
