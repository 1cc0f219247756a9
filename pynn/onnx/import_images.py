"""Reading ONNX's convolutions, poolings and batch normalization: channels first in the file, last in the layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import layers, ops
from pynn.errors import ArgumentError
from pynn.onnx.arrays import Perm
from pynn.onnx.file import FileNode
from pynn.onnx.import_layers import Pooling
from pynn.onnx.importing import Importer, Tensor, reads

_CONVOLUTIONS: dict[int, Any] = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}
_TRANSPOSED: dict[int, Any] = {1: layers.Conv1DTranspose, 2: layers.Conv2DTranspose, 3: layers.Conv3DTranspose}
_PADDINGS: dict[int, Any] = {1: layers.ZeroPadding1D, 2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}
_CROPPINGS: dict[int, Any] = {1: layers.Cropping1D, 2: layers.Cropping2D, 3: layers.Cropping3D}
#: Windows, steps and borders beyond this are no network's.
_MOST = 1 << 16


def channels_last(rank: int) -> Perm:
    return (0, *range(2, rank), 1)


def _per_axis(node: FileNode, key: str, rank: int, least: int = 1) -> list[int]:
    values = [int(n) for n in node.attributes.get(key, [1] * rank)]
    if len(values) != rank or not all(least <= n <= _MOST for n in values):
        raise ArgumentError(f"{key}={values}: expected {rank} numbers from {least} to {_MOST}")
    return values


def _pads(node: FileNode, rank: int) -> list[tuple[int, int]] | str:
    """(before, after) for each dimension, or "same"."""
    auto = node.attributes.get("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return "same"
    if auto not in ("NOTSET", "VALID"):
        raise ArgumentError(f"auto_pad={auto!r} is not read")
    flat = [int(n) for n in node.attributes.get("pads", [0] * 2 * rank)] if auto == "NOTSET" else [0] * 2 * rank
    if len(flat) != 2 * rank or not all(0 <= n <= _MOST for n in flat):
        raise ArgumentError(f"pads={flat}: expected {2 * rank} numbers from 0 to {_MOST}")
    return list(zip(flat[:rank], flat[rank:], strict=True))


def _weights(importer: Importer, node: FileNode) -> tuple[Tensor, Tensor, np.ndarray | None]:
    x, w, b = importer.inputs(node, 2, 3)
    if x is None or w is None or w.constant is None or (b is not None and b.constant is None):
        raise ArgumentError("its kernel and bias must be weights")
    if x.constant is not None or w.rank != x.rank or w.rank - 2 not in _CONVOLUTIONS:
        raise ArgumentError(f"expected an input and a kernel of the same 3 to 5 axes, received {x.rank} and {w.rank}")
    return x, w, None if b is None else np.asarray(b.constant)


@reads("Conv")
def convolution(importer: Importer, node: FileNode) -> None:
    x, w, bias = _weights(importer, node)
    rank = w.rank - 2
    assert w.constant is not None
    groups = int(node.attributes.get("group", 1))
    if not groups >= 1 or w.shape[0] % groups or x.shape[1] != w.shape[1] * groups:  # type: ignore[operator]
        raise ArgumentError(f"a kernel of shape {w.shape} in {groups} groups for an input of {x.shape[1]} channels")
    if bias is not None and bias.shape != w.shape[:1]:
        raise ArgumentError(f"a bias of shape {bias.shape} for {w.shape[0]} filters")
    name, pads = importer.name_for(node, w.name), _pads(node, rank)
    value = x.get(channels_last(x.rank))
    if not isinstance(pads, str) and any(map(any, pads)):
        value = _PADDINGS[rank](pads[0] if rank == 1 else pads, name=f"{name}_pad")(value)
    layer = _CONVOLUTIONS[rank](
        w.shape[0], w.shape[2:], _per_axis(node, "strides", rank), padding=pads if isinstance(pads, str) else "valid",
        dilation_rate=_per_axis(node, "dilations", rank), groups=groups, use_bias=bias is not None, name=name,
    )  # fmt: skip
    importer.put(node.outputs[0], layer(value), channels_last(x.rank))
    kernel = np.ascontiguousarray(w.constant.transpose(*range(2, w.rank), 1, 0))
    layer.set_weights([kernel, *([] if bias is None else [bias])])


@reads("ConvTranspose")
def transposed_convolution(importer: Importer, node: FileNode) -> None:
    x, w, bias = _weights(importer, node)
    rank = w.rank - 2
    assert w.constant is not None
    pads = _pads(node, rank)
    if isinstance(pads, str) or "output_shape" in node.attributes or int(node.attributes.get("group", 1)) != 1:
        raise ArgumentError("transposed convolutions with auto_pad, output_shape or groups are not read")
    if x.shape[1] != w.shape[0] or (bias is not None and bias.shape != w.shape[1:2]):
        raise ArgumentError(f"a kernel of shape {w.shape} for an input of {x.shape[1]} channels")
    added = _per_axis(node, "output_padding", rank, 0) if "output_padding" in node.attributes else [0] * rank
    name = importer.name_for(node, w.name)
    layer = _TRANSPOSED[rank](
        w.shape[1], w.shape[2:], _per_axis(node, "strides", rank), padding="valid", output_padding=added,
        dilation_rate=_per_axis(node, "dilations", rank), use_bias=bias is not None, name=name,
    )  # fmt: skip
    value = layer(x.get(channels_last(x.rank)))
    if any(map(any, pads)):
        value = _CROPPINGS[rank](pads[0] if rank == 1 else pads, name=f"{name}_crop")(value)
    importer.put(node.outputs[0], value, channels_last(x.rank))
    kernel = np.ascontiguousarray(w.constant.transpose(*range(2, w.rank), 1, 0))
    layer.set_weights([kernel, *([] if bias is None else [bias])])


@reads("MaxPool", "AveragePool")
def pooling(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    rank = x.rank - 2
    if any(name in importer.readers for name in node.outputs[1:]):
        raise ArgumentError("the places of the largest numbers are read, which pynn does not give")
    if rank not in (1, 2) or any(n != 1 for n in node.attributes.get("dilations", [])):
        if rank == 3:
            return _pooled_volume(importer, node, x)
        raise ArgumentError("poolings over one to three dimensions without dilation are read")
    if "kernel_shape" not in node.attributes:
        raise ArgumentError("kernel_shape is missing")
    layer = Pooling(
        "max" if node.op == "MaxPool" else "average",
        _per_axis(node, "kernel_shape", rank),
        _per_axis(node, "strides", rank),
        _pads(node, rank),
        bool(node.attributes.get("ceil_mode", 0)),
        bool(node.attributes.get("count_include_pad", 0)),
        name=importer.name_for(node),
    )
    importer.put(node.outputs[0], layer(x.get(channels_last(x.rank))), channels_last(x.rank))
    return None


def _pooled_volume(importer: Importer, node: FileNode, x: Tensor) -> None:
    if node.attributes.get("ceil_mode") or _pads(node, 3) != [(0, 0)] * 3:
        raise ArgumentError("poolings of volumes are read without padding only")
    kind = layers.MaxPooling3D if node.op == "MaxPool" else layers.AveragePooling3D
    layer = kind(_per_axis(node, "kernel_shape", 3), _per_axis(node, "strides", 3), name=importer.name_for(node))
    importer.put(node.outputs[0], layer(x.get(channels_last(5))), channels_last(5))


@reads("GlobalAveragePool", "GlobalMaxPool")
def global_pooling(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    axes = tuple(range(1, x.rank - 1))
    function = ops.mean if node.op == "GlobalAveragePool" else ops.max
    value = function(x.get(channels_last(x.rank)), axis=axes, keepdims=True)
    importer.put(node.outputs[0], value, channels_last(x.rank))


@reads("BatchNormalization")
def batch_normalization(importer: Importer, node: FileNode) -> None:
    x, *vectors = importer.inputs(node, 5, 5)
    assert x is not None
    found: Sequence[Any] = [v.constant if v is not None else None for v in vectors]
    channels = (x.shape[1],)
    if any(v is None or v.shape != channels for v in found) or node.attributes.get("training_mode"):
        raise ArgumentError(f"expected weights of shape {channels}, and not the mode of training")
    layer = layers.BatchNormalization(
        epsilon=float(node.attributes.get("epsilon", 1e-5)),
        momentum=float(node.attributes.get("momentum", 0.9)),
        name=importer.name_for(node, vectors[0].name if vectors[0] is not None else ""),
    )
    perm = channels_last(x.rank) if x.rank > 2 else (0, 1)
    importer.put(node.outputs[0], layer(x.get(perm)), perm)
    layer.set_weights([np.asarray(v) for v in found])


@reads("InstanceNormalization")
def instance_normalization(importer: Importer, node: FileNode) -> None:
    x, scale, bias = importer.inputs(node, 3, 3)
    assert x is not None
    if scale is None or bias is None or scale.constant is None or bias.constant is None:
        raise ArgumentError("its scale and bias must be weights")
    layer = layers.GroupNormalization(
        -1, epsilon=float(node.attributes.get("epsilon", 1e-5)), name=importer.name_for(node, scale.name)
    )
    perm = channels_last(x.rank)
    importer.put(node.outputs[0], layer(x.get(perm)), perm)
    layer.set_weights([scale.constant, bias.constant])


@reads("Resize", "Upsample")
def resize(importer: Importer, node: FileNode) -> None:
    """Points repeated a whole number of times, and images resized by the coordinates that Keras has, too."""
    given = importer.inputs(node, 1, 4)
    x, scales, sizes = (given[0], given[1], None) if node.op == "Upsample" else (given[0], given[2], given[3])
    assert x is not None
    mode = node.attributes.get("mode", "nearest")
    coordinates = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    factors = [] if scales is None or scales.constant is None else scales.constant.tolist()
    if mode == "nearest" and len(factors) == x.rank and set(factors) <= set(range(1, 65)):
        form = x.form()
        value = x.get(form)
        for i, axis in enumerate(form):
            if factors[axis] > 1:
                value = ops.repeat(value, int(factors[axis]), axis=i)
        importer.put(node.outputs[0], value, form)
        return
    if x.rank != 4 or mode not in ("linear", "nearest") or coordinates not in ("half_pixel", "pytorch_half_pixel"):
        raise ArgumentError(
            f"mode {mode!r} with coordinates {coordinates!r} of {x.rank} axes; images are read that are resized "
            "linearly by half pixels, and anything that is repeated a whole number of times"
        )
    if sizes is not None:
        wanted = (importer.numbers(sizes, "sizes") or [])[2:]
    elif len(factors) == 4 and factors[:2] == [1, 1] and None not in x.shape[2:]:
        wanted = [int(n * f) for n, f in zip(x.shape[2:], factors[2:], strict=True) if n is not None]
    else:
        raise ArgumentError("sizes must be known")
    interpolation = "bilinear" if mode == "linear" else "nearest"
    perm = channels_last(4)
    y = ops.image.resize(x.get(perm), wanted, interpolation=interpolation)
    importer.put(node.outputs[0], y, perm)
