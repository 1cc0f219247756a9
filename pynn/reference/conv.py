"""What the convolutions mean: sums over the kernel's taps, one tap at a time."""

import numpy as np

from pynn.reference.epilogue import finish


def _tap(padded, r, s, strides, dilation, positions):
    """The part of ``padded`` (n, h, w, c) that tap (r, s) meets: one pixel per window, (n, oh, ow, c); a view."""
    top, left = r * dilation[0], s * dilation[1]
    bottom = top + (positions[0] - 1) * strides[0] + 1
    right = left + (positions[1] - 1) * strides[1] + 1
    return padded[:, top : bottom : strides[0], left : right : strides[1]]


def _pad(x, padding):
    return np.pad(x, ((0, 0), *padding, (0, 0)))


def _positions(x_shape, w_shape, strides, padding, dilation):
    return tuple(
        (x_shape[1 + d] + sum(padding[d]) - (w_shape[d] - 1) * dilation[d] - 1) // strides[d] + 1 for d in (0, 1)
    )


#: G of Winograd's algorithm, by the size of its tiles: what takes a kernel's column to its values at the points.
_WINOGRAD_G = {
    2: np.array([[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]]),
    4: np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24,
}


def pack_conv2d_kernel(w, *, tile):
    """Panels of 32 filters, the last filled up with zeros; of ``G w G^T`` if there is a tile."""
    kh, kw, c = w.shape[:3]
    rows: tuple[int, ...] = (kh * kw * c,)
    if tile:
        g = _WINOGRAD_G[tile].astype(w.dtype)
        w = np.einsum("ir,js,rsco->ijco", g, g, w)
        rows = ((tile + 2) ** 2, c)
    filters = w.shape[3]
    panels = -(-filters // 32)
    w = np.pad(w.reshape(*rows, filters), [(0, 0)] * len(rows) + [(0, 32 * panels - filters)])
    return np.ascontiguousarray(np.moveaxis(w.reshape(*rows, panels, 32), -2, 0))


def _unpack(packed, shape, tile):
    """The kernel of this shape that was packed."""
    rows = np.moveaxis(packed, 0, -2).reshape(*packed.shape[1:-1], -1)[..., : shape[3]]
    if not tile:
        return rows.reshape(shape)
    inverse = np.linalg.pinv(_WINOGRAD_G[tile]).astype(packed.dtype)
    return np.einsum("ri,sj,ijco->rsco", inverse, inverse, rows.reshape(tile + 2, tile + 2, *shape[2:]))


def conv2d(x, w, *added, strides, padding, dilation, groups, activation="linear", packed=(), tile=0):
    """``added``: a bias, a residual, both or none."""
    if packed:
        w = _unpack(w, packed, tile)
    kh, kw, _, filters = w.shape
    positions = _positions(x.shape, w.shape, strides, padding, dilation)
    padded = _pad(x, padding)
    y = np.zeros((x.shape[0], *positions, filters), np.result_type(x, w))
    for r in range(kh):
        for s in range(kw):
            taps = _tap(padded, r, s, strides, dilation, positions)
            parts = zip(np.split(taps, groups, -1), np.split(w[r, s], groups, -1), strict=True)
            y += np.concatenate([x_part @ w_part for x_part, w_part in parts], -1)
    return finish(y, sum(added[1:], added[0]) if added else None, activation)


def conv2d_grad_input(g, w, *, strides, padding, dilation, groups, input_shape):
    kh, kw = w.shape[:2]
    dx = _pad(np.zeros(input_shape, np.result_type(g, w)), padding)
    for r in range(kh):
        for s in range(kw):
            parts = zip(np.split(g, groups, -1), np.split(w[r, s], groups, -1), strict=True)
            tap = _tap(dx, r, s, strides, dilation, g.shape[1:3])
            tap += np.concatenate([g_part @ w_part.T for g_part, w_part in parts], -1)
    (top, _), (left, _) = padding
    return dx[:, top : top + input_shape[1], left : left + input_shape[2]]


def conv2d_grad_kernel(x, g, *, strides, padding, dilation, groups, kernel_shape):
    kh, kw = kernel_shape[:2]
    padded = _pad(x, padding)
    dw = np.zeros(kernel_shape, np.result_type(x, g))
    for r in range(kh):
        for s in range(kw):
            taps = _tap(padded, r, s, strides, dilation, g.shape[1:3])
            parts = zip(np.split(taps, groups, -1), np.split(g, groups, -1), strict=True)
            dw[r, s] = np.concatenate([np.einsum("nhwc,nhwo->co", a, b) for a, b in parts], -1)
    return dw
