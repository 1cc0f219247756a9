"""What attention means, with all scores in memory."""

import numpy as np

#: What is added to a score that a boolean mask hides.  It rounds every score away, so that a query that may see nothing
#: weighs all keys alike, as in Keras.
MASKED_SCORE = -1e30


def _scores(q, k, mask, scale, causal):
    s = np.einsum("bthd,bshd->bhts", q, k) * q.dtype.type(scale)
    if mask is not None:
        s = s + mask
    return np.where(np.tri(*s.shape[2:]) > 0, s, -np.inf) if causal else s


def attention(q, k, v, mask=None, *, scale, causal):
    s = _scores(q, k, mask, scale, causal)
    top = s.max(axis=-1)
    e = np.exp(s - top[..., None])
    inverse = 1 / e.sum(axis=-1)
    y = np.einsum("bhts,bshd->bthd", e * inverse[..., None], v)
    return y, np.stack([top, inverse], axis=-1)


def attention_grad(q, k, v, y, statistics, g, mask=None, *, scale, causal):
    s = _scores(q, k, mask, scale, causal)
    p = np.exp(s - statistics[..., 0:1]) * statistics[..., 1:2]
    dp = np.einsum("bthd,bshd->bhts", g, v)
    mean = np.einsum("bthd,bthd->bht", g, y)
    ds = p * (dp - mean[..., None]) * q.dtype.type(scale)
    if mask is not None:
        ds = np.where(mask > 0.5 * MASKED_SCORE, ds, 0)  # a score that the mask replaced does not move
    return (
        np.einsum("bhts,bshd->bthd", ds, k),
        np.einsum("bhts,bthd->bshd", ds, q),
        np.einsum("bhts,bthd->bshd", p, g),
    )
