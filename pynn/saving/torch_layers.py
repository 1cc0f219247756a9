"""Weights of layers as PyTorch's modules hold them: their names, their axes, the order of their gates.

Sources: the shapes that PyTorch's documentation gives for ``torch.nn``'s parameters, and Keras's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pynn import layers
from pynn.errors import ArgumentError
from pynn.graph.variable import Variable

Change = Callable[[np.ndarray], np.ndarray]


def same(x: np.ndarray) -> np.ndarray:
    return x


@dataclass(frozen=True)
class Entry:
    """One array of a state dict.

    ``variable`` None is an array that PyTorch has and the layer has not: ``fixed`` is what it must hold.
    Several entries of one variable are summed when they are read: PyTorch's recurrent modules have two biases.
    ``zeroed`` is a variable that this array has taken in, and that becomes zero when the array is read.
    """

    name: str
    variable: Variable | None
    there: Change = same
    back: Change = same
    fixed: np.ndarray | None = None
    zeroed: Variable | None = None

    def array(self) -> np.ndarray:
        """What PyTorch holds, C-contiguous and not shared with the layer."""
        source = self.fixed if self.fixed is not None else self.variable.array  # type: ignore[union-attr]
        return np.array(self.there(source), order="C", copy=True)

    def under(self, prefix: str, suffix: str = "") -> Entry:
        return replace(self, name=f"{prefix}{self.name}{suffix}")


def moved(name: str, variable: Variable, *axes: int) -> Entry:
    """An array whose axis i is the variable's axis ``axes[i]``."""
    inverse = tuple(np.argsort(axes))
    return Entry(name, variable, lambda x: x.transpose(axes), lambda x: x.transpose(inverse))


def _bias(layer: Any) -> Iterator[Entry]:
    if getattr(layer, "bias", None) is not None:
        yield Entry("bias", layer.bias)


def _dense(layer: Any, flattened: tuple[int, ...] | None) -> Iterator[Entry]:
    """``torch.nn.Linear``; after a Flatten of images the rows in the order in which channels-first images flatten."""
    kernel = layer.kernel
    if flattened is None:
        yield moved("weight", kernel, 1, 0)
    else:
        *spatial, channels = flattened
        units, rank = kernel.shape[1], len(spatial)
        forth = (rank + 1, rank, *range(rank))  # units, channels, height, width
        back = (*range(2, rank + 2), 1, 0)
        yield Entry(
            "weight",
            kernel,
            lambda x: x.reshape(*spatial, channels, units).transpose(forth).reshape(units, -1),
            lambda x: x.reshape(units, channels, *spatial).transpose(back).reshape(-1, units),
        )
    yield from _bias(layer)


def _convolution(layer: Any) -> Iterator[Entry]:
    """``torch.nn.Conv1d`` ... ``Conv3d``: (out, in / groups, height, width).  Transposed: (in, out, height, width)."""
    rank = len(layer.kernel.shape)
    yield moved("weight", layer.kernel, rank - 1, rank - 2, *range(rank - 2))
    yield from _bias(layer)


def _depthwise(name: str, kernel: Variable) -> Entry:
    """A ``torch.nn.Conv2d`` with as many groups as channels: (channels * multiplier, 1, height, width)."""
    *spatial, channels, multiplier = kernel.shape
    rank = len(spatial)
    return Entry(
        name,
        kernel,
        lambda x: x.transpose(rank, rank + 1, *range(rank)).reshape(channels * multiplier, 1, *spatial),
        lambda x: x.reshape(channels, multiplier, *spatial).transpose(*range(2, rank + 2), 0, 1),
    )


def _depthwise_convolution(layer: Any) -> Iterator[Entry]:
    yield _depthwise("weight", layer.kernel)
    yield from _bias(layer)


def _separable_convolution(layer: Any) -> Iterator[Entry]:
    """Two modules, ``depthwise`` and ``pointwise``."""
    rank = len(layer.pointwise_kernel.shape)
    yield _depthwise("depthwise.weight", layer.depthwise_kernel)
    yield moved("pointwise.weight", layer.pointwise_kernel, rank - 1, rank - 2, *range(rank - 2))
    yield from (entry.under("pointwise.") for entry in _bias(layer))


def _scale_and_shift(layer: Any, length: int) -> Iterator[Entry]:
    """``weight`` and ``bias`` of PyTorch's normalizations, which has both or none."""
    gamma, beta = getattr(layer, "gamma", None), getattr(layer, "beta", None)
    if gamma is not None or beta is not None:
        yield Entry("weight", gamma, fixed=None if gamma is not None else np.ones(length, "float32"))
        yield Entry("bias", beta, fixed=None if beta is not None else np.zeros(length, "float32"))


def _batch_normalization(layer: Any) -> Iterator[Entry]:
    yield from _scale_and_shift(layer, layer.moving_mean.size)
    yield Entry("running_mean", layer.moving_mean)
    yield Entry("running_var", layer.moving_variance)


def _normalization(layer: Any) -> Iterator[Entry]:
    own = layer.weights
    yield from _scale_and_shift(layer, own[0].size if own else 0)


def _gates(count: int, order: tuple[int, ...]) -> tuple[Change, Change]:
    """The gates, side by side on the last axis here, in PyTorch's order, and back."""

    def shuffled(x: np.ndarray, by: tuple[int, ...]) -> np.ndarray:
        return np.concatenate([np.split(x, count, axis=-1)[i] for i in by], axis=-1)

    inverse = tuple(int(i) for i in np.argsort(order))
    return lambda x: shuffled(x, order), lambda x: shuffled(x, inverse)


def _recurrent(layer: Any) -> Iterator[Entry]:
    """``torch.nn.LSTM``, ``GRU`` and ``RNN`` of one layer."""
    cell = layer.cell
    gru = isinstance(layer, layers.GRU)
    if gru and not cell.reset_after:
        raise ArgumentError(f"layer '{layer.name}': PyTorch's GRU is that of reset_after=True, this one has False")
    # Update, reset, new here; reset, update, new there.  An LSTM's four come in the same order.
    forth, back = _gates(3, (1, 0, 2)) if gru else (same, same)
    for name, kernel in (("weight_ih_l0", cell.kernel), ("weight_hh_l0", cell.recurrent_kernel)):
        yield Entry(name, kernel, lambda x: forth(x).T, lambda x: back(x.T))
    if cell.bias is None:
        return
    if gru:
        # Both biases in one variable: each entry fills its row, and the rows are summed.
        for row, name in enumerate(("bias_ih_l0", "bias_hh_l0")):
            yield Entry(name, cell.bias, lambda x, row=row: forth(x[row]), lambda x, row=row: _row(back(x), row))  # type: ignore[misc]
    else:
        yield Entry("bias_ih_l0", cell.bias)
        yield Entry("bias_hh_l0", cell.bias, np.zeros_like)


def _row(x: np.ndarray, row: int) -> np.ndarray:
    rows = np.zeros((2, *x.shape), x.dtype)
    rows[row] = x
    return rows


def _bidirectional(layer: Any) -> Iterator[Entry]:
    for part, suffix in ((layer.forward_layer, ""), (layer.backward_layer, "_reverse")):
        yield from (entry.under("", suffix) for entry in _recurrent(part))


def _multi_head_attention(layer: Any) -> Iterator[Entry]:
    """``torch.nn.MultiheadAttention``'s separate projections, as ``torch.nn.Linear``."""
    for name in ("query", "key", "value"):
        yield from (e.under(f"{name}.") for e in _projection(getattr(layer, f"_{name}_dense"), ins=1))
    yield from (e.under("attention_output.") for e in _projection(layer._output_dense, ins=2))


def _projection(dense: Any, ins: int) -> Iterator[Entry]:
    """An EinsumDense whose first ``ins`` axes are multiplied away."""
    shape = dense.kernel.shape
    rows = int(np.prod(shape[:ins]))
    yield Entry("weight", dense.kernel, lambda x: x.reshape(rows, -1).T, lambda x: x.T.reshape(shape))
    if dense.bias is not None:
        yield Entry("bias", dense.bias, lambda x: x.reshape(-1), lambda x: x.reshape(dense.bias.shape))


def _prelu(layer: Any) -> Iterator[Entry]:
    alpha = layer.alpha
    if alpha.size != alpha.shape[-1]:
        raise ArgumentError(
            f"layer '{layer.name}': PyTorch's PReLU has one slope per channel, this one has slopes of shape "
            f"{alpha.shape}; give shared_axes=[1, 2]"
        )
    yield Entry("weight", alpha, lambda x: x.reshape(-1), lambda x: x.reshape(alpha.shape))


_ENTRIES: tuple[tuple[tuple[type, ...], Callable[[Any], Iterator[Entry]]], ...] = (
    ((layers.SeparableConv1D, layers.SeparableConv2D), _separable_convolution),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), _depthwise_convolution),
    ((layers.Conv1D, layers.Conv2D, layers.Conv3D), _convolution),
    ((layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), _convolution),
    ((layers.BatchNormalization,), _batch_normalization),
    ((layers.LayerNormalization, layers.GroupNormalization), _normalization),
    ((layers.Embedding,), lambda layer: iter((Entry("weight", layer.embeddings),))),
    ((layers.RMSNormalization,), lambda layer: iter((Entry("weight", layer.scale),))),
    ((layers.LSTM, layers.GRU, layers.SimpleRNN), _recurrent),
    ((layers.Bidirectional,), _bidirectional),
    ((layers.MultiHeadAttention,), _multi_head_attention),
    ((layers.PReLU,), _prelu),
)


def entries(layer: Any, flattened: tuple[int, ...] | None) -> list[Entry] | None:
    """The layer's weights under PyTorch's names; None of a layer that is made of other layers.

    Args:
        flattened: of a Dense, the shape of the images (channels last) that were flattened for it.

    Raises:
        ArgumentError: PyTorch has no module with such weights.
    """
    if not layer.weights:
        return []
    if isinstance(layer, layers.Dense):
        return list(_dense(layer, flattened))
    for classes, make in _ENTRIES:
        if isinstance(layer, classes):
            return list(make(layer))
    if isinstance(layer, layers.TimeDistributed):
        return entries(layer.layer, None)
    own = [v.name for v in layer._own_variables()]
    if own:
        raise ArgumentError(
            f"layer '{layer.name}' ({type(layer).__name__}): PyTorch has no module that holds its weights "
            f"({', '.join(own)}); take them from layer.weights"
        )
    return None
