"""Nodes and initializers of an ONNX graph as they are added, each with a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.onnx.package import onnx_package

#: The opset: LayerNormalization (17), reductions that take their axes as an input (18).  Runtimes of 2023 know it.
OPSET = 18
#: The file version that goes with it.
IR_VERSION = 8


class GraphWriter:
    """The graph so far.

    Attributes:
        scope: path of the layer whose ops are being written; it names what they add.
    """

    def __init__(self) -> None:
        self.onnx = onnx_package()
        self.nodes: list[Any] = []
        self.initializers: dict[str, np.ndarray] = {}
        self.scope = ""
        self._names: set[str] = set()
        self._small: dict[Any, str] = {}

    def reserve(self, name: str) -> str:
        """``name``, or with a number if it is taken."""
        chosen, n = name, 1
        while chosen in self._names:
            chosen, n = f"{name}_{n}", n + 1
        self._names.add(chosen)
        return chosen

    def node(self, op: str, inputs: Sequence[str], outputs: int | Sequence[str] = 1, **attributes: Any) -> Any:
        """Adds a node; gives the name of its output, or a list of them."""
        label = self.reserve(f"{self.scope}/{op}" if self.scope else op)
        if isinstance(outputs, int):
            names = [label] if outputs == 1 else [self.reserve(f"{label}:{i}") for i in range(outputs)]
        else:
            names = list(outputs)
        self.nodes.append(self.onnx.helper.make_node(op, list(inputs), names, name=label, **attributes))
        return names[0] if outputs == 1 else names

    def initializer(self, array: Any, name: str = "") -> str:
        """Adds numbers; small nameless ones that are there already are shared."""
        array = np.asarray(array, order="C")  # ascontiguousarray would give scalars an axis
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 8 and not name else None
        if key is not None and key in self._small:
            return self._small[key]
        chosen = self.reserve(name or f"const_{'_'.join(f'{x:g}' for x in array.reshape(-1)[:4].tolist())}")
        self.initializers[chosen] = array
        if key is not None:
            self._small[key] = chosen
        return chosen

    def numbers(self, values: Sequence[int]) -> str:
        """An int64 vector: what shapes, axes and places are given as."""
        return self.initializer(np.array(values, "int64"))

    def type_of(self, dtype: str) -> int:
        """ONNX's number of a dtype."""
        try:
            return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
        except (KeyError, ValueError):
            raise ArgumentError(f"export: ONNX has no numbers of dtype {dtype}") from None

    def prune(self, outputs: Sequence[str]) -> None:
        """Leave out what no output needs."""
        wanted = set(outputs)
        kept = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                kept.append(node)
                wanted.update(name for name in node.input if name)
        self.nodes = kept[::-1]
        self.initializers = {name: array for name, array in self.initializers.items() if name in wanted}
