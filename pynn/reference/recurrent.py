"""What recurrent layers mean, step by step."""

import numpy as np


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def _positions(steps, go_backwards):
    """The position of each step in the sequence."""
    return range(steps - 1, -1, -1) if go_backwards else range(steps)


def _masked_at(mask, at):
    """Whether each row is masked at a position, as a column."""
    return mask[0][:, at, None] == 0 if mask else False


def lstm(z, recurrent, h0, c0, *mask, go_backwards, masked):
    n, steps, width = z.shape
    sequence, before, cells = (np.empty((n, steps, width // 4), z.dtype) for _ in range(3))
    gates = np.empty_like(z)
    h, c = h0, c0
    for step, at in enumerate(_positions(steps, go_backwards)):
        before[:, at] = h
        zi, zf, zg, zo = np.split(z[:, at] + h @ recurrent, 4, axis=1)
        i, f, g, o = _sigmoid(zi), _sigmoid(zf), np.tanh(zg), _sigmoid(zo)
        stays = _masked_at(mask, at)
        c = np.where(stays, c, f * c + i * g)
        h = np.where(stays, h, o * np.tanh(c))
        i, f, g, o = (np.where(stays, kept, gate) for kept, gate in zip((0, 1, 0, 0), (i, f, g, o), strict=True))
        gates[:, at] = np.concatenate([i, f, g, o], axis=1)
        cells[:, at], sequence[:, step] = c, h
    return sequence, h, c, before, cells, gates


def lstm_grad(gates, cells, c0, recurrent, *arriving, go_backwards, masked, g_sequence, g_last_h, g_last_c):
    steps = gates.shape[1]
    rest = list(arriving)
    mask = [rest.pop(0)] if masked else []
    gs = rest.pop(0) if g_sequence else np.zeros_like(cells)
    dh = rest.pop(0) if g_last_h else np.zeros_like(c0)
    dc = rest.pop(0) if g_last_c else np.zeros_like(c0)
    dz = np.empty_like(gates)
    positions = list(_positions(steps, go_backwards))
    for step in reversed(range(steps)):
        at = positions[step]
        i, f, g, o = np.split(gates[:, at], 4, axis=1)
        t = np.tanh(cells[:, at])
        c_before = cells[:, positions[step - 1]] if step else c0
        dh = dh + gs[:, step]
        dc = dc + dh * o * (1 - t * t)
        d = [dc * g * i * (1 - i), dc * c_before * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)]
        dz[:, at] = np.concatenate(d, axis=1)
        dh, dc = dz[:, at] @ recurrent.T + np.where(_masked_at(mask, at), dh, 0), dc * f
    return dz, dh, dc


def gru(z, recurrent, bias, h0, *mask, go_backwards, masked):
    n, steps, width = z.shape
    sequence, before, inner = (np.empty((n, steps, width // 3), z.dtype) for _ in range(3))
    gates = np.empty_like(z)
    h = h0
    for step, at in enumerate(_positions(steps, go_backwards)):
        before[:, at] = h
        pz, pr, pc = np.split(h @ recurrent + bias, 3, axis=1)
        xz, xr, xc = np.split(z[:, at], 3, axis=1)
        u, r = _sigmoid(xz + pz), _sigmoid(xr + pr)
        c = np.tanh(xc + r * pc)
        stays = _masked_at(mask, at)
        h = np.where(stays, h, u * h + (1 - u) * c)
        u, r, c = (np.where(stays, kept, gate) for kept, gate in zip((1, 0, 0), (u, r, c), strict=True))
        gates[:, at] = np.concatenate([u, r, c], axis=1)
        inner[:, at], sequence[:, step] = np.where(stays, 0, pc), h
    return sequence, h, before, gates, inner


def gru_grad(gates, inner, before, recurrent, *arriving, go_backwards, g_sequence, g_last_h):
    steps = gates.shape[1]
    rest = list(arriving)
    gs = rest.pop(0) if g_sequence else np.zeros_like(before)
    dh = rest.pop(0) if g_last_h else np.zeros_like(before[:, 0])
    dz, d_product = np.empty_like(gates), np.empty_like(gates)
    positions = list(_positions(steps, go_backwards))
    for step in reversed(range(steps)):
        at = positions[step]
        u, r, c = np.split(gates[:, at], 3, axis=1)
        dh = dh + gs[:, step]
        dc = dh * (1 - u) * (1 - c * c)
        du, dr = dh * (before[:, at] - c) * u * (1 - u), dc * inner[:, at] * r * (1 - r)
        dz[:, at] = np.concatenate([du, dr, dc], axis=1)
        d_product[:, at] = np.concatenate([du, dr, dc * r], axis=1)
        dh = dh * u + d_product[:, at] @ recurrent.T
    return dz, d_product, dh


def split_steps(x, *, axis):
    return tuple(np.moveaxis(x, axis, 0))


def join_steps(*xs, axis):
    return np.stack(xs, axis)
