"""What softmax and the cross-entropies mean: one NumPy function each, any float dtype, over the last axis."""

import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_grad(g, y):
    return y * (g - (g * y).sum(axis=-1, keepdims=True))


def log_softmax(x):
    d = x - x.max(axis=-1, keepdims=True)
    return d - np.log(np.exp(d).sum(axis=-1, keepdims=True))


def log_softmax_grad(g, y):
    return g - np.exp(y) * g.sum(axis=-1, keepdims=True)


def softmax_crossentropy(logits, targets):
    return -(targets * log_softmax(logits)).sum(axis=-1), softmax(logits)


def softmax_crossentropy_grad(g, probabilities, targets):
    return (probabilities * targets.sum(axis=-1, keepdims=True) - targets) * g[..., None]


def sparse_softmax_crossentropy(logits, labels):
    classes = logits.shape[-1]
    known = (labels >= 0) & (labels < classes)
    at = np.where(known, labels, 0)[..., None]
    loss = -np.take_along_axis(log_softmax(logits), at, axis=-1)[..., 0]
    return np.where(known, loss, np.full_like(loss, np.nan)), softmax(logits)


def sparse_softmax_crossentropy_grad(g, probabilities, labels):
    classes = probabilities.shape[-1]
    known = (labels >= 0) & (labels < classes)
    one_hot = labels[..., None] == np.arange(classes)
    dx = (probabilities - one_hot) * g[..., None]
    return np.where(known[..., None], dx, np.full_like(dx, np.nan))
