"""The classifiers as ONNX models, in ONNX's own layout (n, c, h, w)."""

from __future__ import annotations

from typing import Any

import numpy as np
from vision_nets import EPSILON, INPUT_SHAPE, Net


def to_onnx(net: Net, batch: int) -> Any:
    """A model from ``x`` (batch, 3, 224, 224) to the logits."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def constant(name: str, array: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    for i, node in enumerate(net.nodes):
        inputs = [f"y{j}" if j >= 0 else "x" for j in node.inputs]
        arrays = list(node.arrays)
        attributes: dict[str, Any] = {}
        kind = {
            "conv": "Conv", "norm": "BatchNormalization", "relu": "Relu", "relu6": "Clip", "max_pool": "MaxPool",
            "mean": "GlobalAveragePool", "flatten": "Transpose", "add": "Add", "dense": "Gemm",
        }[node.kind]  # fmt: skip
        if node.kind == "conv":
            arrays[0] = arrays[0].transpose(3, 2, 0, 1)
            attributes = {"strides": [node.stride] * 2, "group": node.groups, "auto_pad": "SAME_UPPER"}
        elif node.kind == "max_pool":
            pool = {"kernel_shape": [node.window] * 2, "strides": [node.stride] * 2, "auto_pad": "SAME_UPPER"}
            attributes = pool
        elif node.kind == "norm":
            attributes = {"epsilon": EPSILON}
        elif node.kind == "relu6":
            arrays = [np.float32(0), np.float32(6)]
        names = [constant(f"c{i}_{j}", np.asarray(a)) for j, a in enumerate(arrays)]
        if node.kind == "flatten":  # in Keras's order
            nodes.append(helper.make_node("Transpose", inputs, [f"t{i}"], perm=[0, 2, 3, 1]))
            nodes.append(helper.make_node("Flatten", [f"t{i}"], [f"y{i}"]))
        elif node.kind == "mean":
            nodes.append(helper.make_node(kind, inputs, [f"t{i}"]))
            nodes.append(helper.make_node("Flatten", [f"t{i}"], [f"y{i}"]))
        else:
            nodes.append(helper.make_node(kind, inputs + names, [f"y{i}"], **attributes))
    h, w, c = INPUT_SHAPE
    feed = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, c, h, w])
    result = helper.make_tensor_value_info(f"y{len(net.nodes) - 1}", TensorProto.FLOAT, [batch, None])
    graph = helper.make_graph(nodes, "net", [feed], [result], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
