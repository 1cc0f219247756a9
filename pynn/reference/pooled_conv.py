"""What a max-pooled convolution and its gradients mean: the pooling's gradient, then the convolution's."""

import numpy as np

from pynn.reference.conv import conv2d as _conv2d
from pynn.reference.conv import conv2d_grad_input as _grad_input
from pynn.reference.conv import conv2d_grad_kernel as _grad_kernel
from pynn.reference.pool import max_pool2d_grad as _unpool

_PLAIN = {"strides": (1, 1), "dilation": (1, 1), "groups": 1}


def pooled_conv2d_grad_kernel(x, g, y, pooled, *, padding, pool, pool_strides, pool_padding, kernel_shape):
    spread = _unpool(g, y, pooled, pool=pool, strides=pool_strides, padding=pool_padding)
    return _grad_kernel(x, spread, padding=padding, kernel_shape=kernel_shape, **_PLAIN)


def pooled_conv2d_grad_input(g, y, pooled, w, *, padding, pool, pool_strides, pool_padding, input_shape):
    spread = _unpool(g, y, pooled, pool=pool, strides=pool_strides, padding=pool_padding)
    return _grad_input(spread, w, padding=padding, input_shape=input_shape, **_PLAIN)


def pooled_conv2d(x, w, *bias, padding, pool, pool_strides, pool_padding, activation):
    y = _conv2d(x, w, padding=padding, **_PLAIN)
    y = y + bias[0] if bias else y
    y = np.maximum(y, 0) if activation == "relu" else y
    four = np.stack(_windows(y))
    pooled = four.max(axis=0)
    same = four == pooled
    winners = np.where(same.any(axis=0), same.argmax(axis=0), -1).transpose(0, 1, 3, 2)
    fill = -winners.shape[3] % 16
    winners = np.pad(winners, ((0, 0), (0, 0), (0, 0), (0, fill)), constant_values=-1)
    return pooled, winners.astype(x.dtype)


def pooled_conv2d_grad_kernel_of_winners(x, g, winners, *, padding, pool, pool_strides, pool_padding, kernel_shape):
    rows, columns = (x.shape[1 + d] + sum(padding[d]) - kernel_shape[d] + 1 for d in (0, 1))
    spread = np.zeros((x.shape[0], rows, columns, kernel_shape[3]), x.dtype)
    for i, part in enumerate(_windows(spread)):
        part[...] = np.where(winners[..., : g.shape[2]].transpose(0, 1, 3, 2) == i, g, 0)
    return _grad_kernel(x, spread, padding=padding, kernel_shape=kernel_shape, **_PLAIN)


def _windows(y):
    """The four numbers of each window of 2 x 2, by rows: four views of one shape."""
    rows, columns = y.shape[1] // 2 * 2, y.shape[2] // 2 * 2
    return [y[:, i:rows:2, j:columns:2] for i in (0, 1) for j in (0, 1)]
