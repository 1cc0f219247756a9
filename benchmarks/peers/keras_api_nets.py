"""The classifiers in the API that Keras and pynn share."""

from __future__ import annotations

from typing import Any

from vision_nets import EPSILON, INPUT_SHAPE, LEARNING_RATE, Net, Node


def build(api: Any, net: Net) -> Any:
    """A model of the nodes, with their weights."""
    layers = api.layers

    def layer_of(node: Node) -> Any:
        if node.kind == "conv":
            window, _, per_group, filters = node.arrays[0].shape
            options = {"strides": node.stride, "padding": "same", "use_bias": len(node.arrays) == 2}
            if node.groups > 1 and per_group == 1 and hasattr(layers, "DepthwiseConv2D"):
                return layers.DepthwiseConv2D(window, **options)
            return layers.Conv2D(filters, window, groups=node.groups, **options)
        if node.kind == "norm":
            return layers.BatchNormalization(epsilon=EPSILON)
        if node.kind == "dense":
            return layers.Dense(node.arrays[0].shape[1])
        if node.kind == "max_pool":
            return layers.MaxPooling2D(node.window, node.stride, padding="same")
        simple = {
            "relu": lambda: layers.Activation("relu"),
            "relu6": lambda: layers.ReLU(max_value=6),
            "flatten": layers.Flatten,
            "mean": layers.GlobalAveragePooling2D,
        }
        return simple[node.kind]()

    class Nodes(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [None if node.kind == "add" else layer_of(node) for node in net.nodes]

        def call(self, x: Any) -> Any:
            results: list[Any] = []
            for node, part in zip(net.nodes, self.parts, strict=True):
                inputs = [x if i < 0 else results[i] for i in node.inputs]
                results.append(part(inputs[0]) if part is not None else inputs[0] + inputs[1])
            return results[-1]

    nodes = Nodes()
    model = api.Sequential([api.Input(INPUT_SHAPE), nodes])
    for node, part in zip(net.nodes, nodes.parts, strict=True):
        if node.arrays:
            kernel, *rest = node.arrays
            if type(part).__name__ == "DepthwiseConv2D":
                kernel = kernel.transpose(0, 1, 3, 2)
            part.set_weights([kernel, *rest])
    return model


def trainer(api: Any, net: Net) -> Any:
    """The same, compiled for gradient descent on the cross-entropy of its logits."""
    model = build(api, net)
    loss = api.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=api.optimizers.SGD(LEARNING_RATE), loss=loss)
    return model
