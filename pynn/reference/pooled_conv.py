"""What the gradients of a max-pooled convolution mean: the pooling's gradient, then the convolution's."""

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
