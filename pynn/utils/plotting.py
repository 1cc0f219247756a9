"""Pictures of models: a graph in the language of Graphviz, drawn by its program ``dot``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from pynn.errors import ArgumentError, NotBuiltError
from pynn.layers.layer import Layer

_SPLINES = ("ortho", "curved", "polyline", "spline", "line", "none")


class Dot:
    """A graph in the language of Graphviz.

    Example:
        >>> dot = Dot(rankdir="TB")
        >>> dot.lines.append('a -> b;')
        >>> print(dot.to_string())
        digraph model {
          rankdir="TB";
          a -> b;
        }
    """

    def __init__(self, **attributes: Any):
        self.lines = [f'{name}="{value}";' for name, value in attributes.items()]

    def to_string(self) -> str:
        """The graph as text."""
        return "\n".join(["digraph model {", *(f"  {line}" for line in self.lines), "}"])

    def create(self, format: str = "png") -> bytes:
        """The picture.

        Raises:
            ImportError: Graphviz is not installed.
        """
        program = shutil.which("dot")
        if program is None:
            raise ImportError(
                "drawing a model needs Graphviz: install it (apt-get install graphviz, or see graphviz.org); without "
                "it plot_model(model, 'model.dot') writes the graph as text"
            )
        run = subprocess.run([program, f"-T{format}"], input=self.to_string().encode(), capture_output=True)
        if run.returncode:
            raise ArgumentError(f"dot cannot draw the model as {format!r}: {run.stderr.decode().strip()}")
        return run.stdout

    def write(self, path: Any, format: str = "png") -> None:
        """Write the picture, or the text for the formats ``"dot"`` and ``"raw"``."""
        text = format in ("dot", "raw")
        Path(path).write_bytes(self.to_string().encode() if text else self.create(format))


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Dot:
    """A model's layers and what each reads, as a graph for Graphviz.

    Args:
        show_shapes, show_dtype: of what each layer gives.
        show_layer_names: beside the layers' classes.
        rankdir: ``"TB"`` from top to bottom, ``"LR"`` from left to right.
        expand_nested: draw models inside the model as boxes of their layers.
        dpi: dots per inch of the picture.
        subgraph: only the lines of a box, without a frame around.
        show_layer_activations, show_trainable: in each layer.
        splines: how lines run: ``"ortho"``, ``"curved"``, ``"polyline"``, ``"spline"``, ``"line"`` or ``"none"``.

    Raises:
        NotBuiltError: the shapes of the model's inputs are not known yet.
    """
    if kwargs:
        raise ArgumentError(f"model_to_dot: unknown arguments: {', '.join(sorted(kwargs))}")
    if splines not in _SPLINES:
        raise ArgumentError(f"model_to_dot: splines must be one of {', '.join(_SPLINES)}, received {splines!r}")
    if not model.built:
        raise NotBuiltError(
            f"model '{model.name}' has no layers to draw before its shapes are known; call build() or fit() first"
        )
    dot = Dot() if subgraph else Dot(rankdir=rankdir, dpi=dpi, splines=splines)
    show = _Shown(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    show.draw(model, dot.lines)
    return dot


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draw a model into a file; its suffix says the format (``.png``, ``.svg``, ``.pdf``, ``.dot`` ...).

    The other arguments are those of :func:`model_to_dot`.

    Returns:
        In a notebook the picture, else None.

    Raises:
        ImportError: Graphviz is not installed, which all but ``.dot`` needs.
    """
    dot = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False, show_layer_activations,
        show_trainable, splines, **kwargs,
    )  # fmt: skip
    path = Path(to_file)
    suffix = path.suffix[1:].lower()
    dot.write(path if suffix else path.with_suffix(".png"), suffix or "png")
    if suffix in ("", "png"):
        try:
            from IPython import display
        except ImportError:
            return None
        return display.Image(filename=str(path if suffix else path.with_suffix(".png")))
    return None


class _Shown:
    """What a drawing shows of each layer."""

    def __init__(self, shapes: bool, dtype: bool, names: bool, activations: bool, trainable: bool, nested: bool):
        self.shapes, self.dtype, self.names = shapes, dtype, names
        self.activations, self.trainable, self.nested = activations, trainable, nested

    def draw(self, model: Any, lines: list[str]) -> dict[int, str]:
        """Add a model's layers; gives the node that stands for each tensor (by id)."""
        graph = getattr(model, "_graph", None)
        nodes: dict[int, str] = {}
        if graph is None:  # a subclass: only its layers are known, not what they read
            for layer in model.layers:
                lines.append(f"{_node(layer)} [{self.label(layer)}];")
            return nodes
        drawn: dict[int, str] = {}
        for call in graph.calls:
            operation = call.operation
            if id(operation) not in drawn:
                drawn[id(operation)] = _node(operation)
                if self.nested and getattr(operation, "_graph", None) is not None:
                    lines.append(f'subgraph "cluster_{id(operation)}" {{ label="{_escaped(operation.name)}";')
                    self.draw(operation, lines)
                    lines.append("}")
                    inner = operation._graph.calls
                    nodes[-id(operation)] = _node(inner[0].operation)
                    drawn[id(operation)] = _node(inner[-1].operation)
                else:
                    lines.append(f"{_node(operation)} [{self.label(operation, call)}];")
            target = nodes.get(-id(operation), drawn[id(operation)])
            for tensor in call.inputs:
                if (source := drawn.get(id(tensor.call.operation))) is not None:
                    lines.append(f"{source} -> {target};")
        return nodes

    def label(self, operation: Any, call: Any = None) -> str:
        title = type(operation).__name__ if isinstance(operation, Layer) else operation.name
        parts = [f"{operation.name} ({title})" if self.names and isinstance(operation, Layer) else title]
        if self.activations and getattr(operation, "activation", None) is not None:
            activation = operation.activation
            parts.append(f"Activation: {getattr(activation, '__name__', type(activation).__name__)}")
        outputs = [] if call is None else _tensors(call.outputs)
        if self.shapes:
            parts.append(f"Output shape: {', '.join(str(tuple(t.shape)) for t in outputs) or '?'}")
        if self.dtype:
            parts.append(f"Output dtype: {', '.join(str(t.dtype) for t in outputs) or '?'}")
        if self.trainable and getattr(operation, "weights", None):
            parts.append("Trainable" if operation.trainable else "Non-trainable")
        text = "\\n".join(_escaped(part) for part in parts)
        return f'label="{text}", shape="box"'


def _tensors(outputs: Any) -> list[Any]:
    from pynn.utils.structure import flatten

    return flatten(outputs)


def _node(operation: Any) -> str:
    return f'"{id(operation)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
