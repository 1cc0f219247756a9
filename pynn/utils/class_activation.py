"""Grad-CAM: where in an image a network saw what it says (Selvaraju et al., 2016, arXiv:1610.02391)."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops, settings
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.symbolic import KerasTensor
from pynn.ops.softmax import input_of


def grad_cam(model: Any, image: Any, class_index: int | None = None, layer: Any = None) -> np.ndarray:
    """How much each place of an image speaks for a class.

    The feature maps of ``layer`` are added up, each weighted by the mean of the class's gradient over it; what is
    negative becomes 0.  The gradient is that of the number before a last softmax or sigmoid.

    Args:
        model: functional or sequential, with one input and one output of ``(images, classes)``.
        image: one, as the model takes it: ``(height, width, channels)`` or with a leading axis of 1.
        class_index: the class; None for the most probable one.
        layer: whose feature maps: a layer of the model or its name; the last one that gives maps of more than one
            place if it is None.

    Returns:
        ``(height, width)`` of the image, float32 from 0 to 1; all 0 where nothing speaks for the class.

    Raises:
        ArgumentError: a model, layer or class for which this cannot be done.
        ShapeError: not one image.

    Example:
        >>> import numpy as np, pynn
        >>> inputs = pynn.Input((4, 4, 1))
        >>> maps = pynn.layers.Conv2D(1, 1, kernel_initializer="ones", name="maps")(inputs)
        >>> model = pynn.Model(inputs, pynn.layers.GlobalAveragePooling2D()(maps))
        >>> grad_cam(model, np.eye(4)[..., None]).tolist() == np.eye(4).tolist()
        True
    """
    from pynn.autodiff import GradientTape, jit
    from pynn.models import Model

    x = one_image("grad_cam", image)
    maps = maps_of("grad_cam", model, layer)
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(t.shape)) for t in model.outputs)
        raise ArgumentError(f"grad_cam: the model must give numbers of (images, classes), it gives {shapes}")
    classes = model.outputs[0].shape[1]
    if class_index is not None and not 0 <= int(class_index) < classes:
        raise ArgumentError(f"grad_cam: class_index must be 0 ... {classes - 1}, received {class_index!r}")
    both = Model(model.inputs, [maps, model.outputs[0]])

    def weighted(batch: Any) -> Any:
        with GradientTape() as tape:
            tape.watch(batch)  # all of it is recorded also where no weight is trainable
            features, scores = both(batch, training=False)
            before = [input_of(kind, scores) for kind in ("softmax", "sigmoid")]
            scores = next((v for v in before if v is not None), scores)
            score = ops.max(scores) if class_index is None else scores[0, int(class_index)]
        gradient = tape.gradient(score, features, unconnected_gradients="zero")
        first = settings.image_data_format() == "channels_first"
        places = (2, 3) if first else (1, 2)
        weights = ops.mean(gradient, axis=places, keepdims=True)
        heat = ops.relu(ops.sum(weights * features, axis=1 if first else -1))  # (1, rows, columns)
        rows, columns = x.shape[2:] if first else x.shape[1:3]
        return ops.image.resize(heat[..., None], (rows, columns), data_format="channels_last")[0, ..., 0]

    heat = np.asarray(jit(weighted)(x))
    most = heat.max()
    return heat / most if most > 0 else heat


def one_image(where: str, image: Any) -> np.ndarray:
    """``image`` as a batch of one."""
    x = np.asarray(image, "float32")
    if x.ndim == 3:
        x = x[None]
    if x.ndim != 4 or len(x) != 1:
        raise ShapeError(f"{where}: image must be one image of (height, width, channels), received {np.shape(image)}")
    return x


def maps_of(where: str, model: Any, layer: Any = None) -> KerasTensor:
    """The symbolic feature maps that a layer gives within a model; without a layer, the last of more than one place."""
    graph = getattr(model, "_graph", None)
    if graph is None or len(model.inputs) != 1:
        raise ArgumentError(
            f"{where}: needs a functional or built sequential model with one input, to look into it; {model.name!r} is "
            f"a {type(model).__name__}" + ("" if graph is None else f" with {len(model.inputs)} inputs")
        )
    candidates = [
        (call.operation, call.outputs)
        for call in graph.calls
        if call.inputs and isinstance(call.outputs, KerasTensor) and len(call.outputs.shape) == 4
    ]
    if layer is None:
        first = settings.image_data_format() == "channels_first"
        for _, maps in reversed(candidates):
            if any(n is None or n > 1 for n in (maps.shape[2:] if first else maps.shape[1:3])):
                return maps
        raise ArgumentError(
            f"{where}: model {model.name!r} has no layer that gives maps of (images, rows, columns, maps)"
        )
    found = [maps for operation, maps in candidates if layer is operation or layer == operation.name]
    if not found:
        names = ", ".join(operation.name for operation, _ in candidates)
        raise ArgumentError(
            f"{where}: {getattr(layer, 'name', layer)!r} is no layer of model {model.name!r} that gives feature maps; "
            f"these do: {names}"
        )
    return found[-1]
