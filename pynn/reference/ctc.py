"""Connectionist temporal classification by the forward-backward algorithm, on logarithms."""

import numpy as np

from pynn.reference.softmax import log_softmax

#: The loss of labels that no path gives.
_IMPOSSIBLE = 1e5


def ctc_loss(logits, labels, label_lengths, steps, mask_index=0):
    """Losses ``[b]`` and their gradient with respect to the logits ``[b, steps, classes]``."""
    batch, total, classes = logits.shape
    log_p = log_softmax(logits)
    # States: blank, first label, blank, second label, ..., blank.
    states = np.full((batch, 2 * labels.shape[1] + 1), mask_index)
    states[:, 1::2] = labels
    count = states.shape[1]
    known = (states >= 0) & (states < classes)
    emit = np.take_along_axis(log_p, np.where(known, states, 0)[:, None, :], axis=2)  # [b, steps, states]
    emit = np.where(known[:, None, :], emit, -np.inf)
    # A label may follow another one without a blank between them, unless they are equal.
    skips = np.zeros((batch, count), bool)
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    last = 2 * label_lengths[:, None]
    at = np.arange(count)[None]
    is_end = (at == last) | ((at == last - 1) & (last > 0))

    forward = np.full((total, batch, count), -np.inf, log_p.dtype)
    for t in range(total):
        if t == 0:
            forward[0] = np.where(at <= 1, emit[:, 0], -np.inf)
            continue
        arrived = _logsumexp(
            forward[t - 1], _shift(forward[t - 1], 1), np.where(skips, _shift(forward[t - 1], 2), -np.inf)
        )
        forward[t] = arrived + emit[:, t]

    backward = np.full((total, batch, count), -np.inf, log_p.dtype)
    for t in reversed(range(total)):
        if t + 1 < total:
            onward = backward[t + 1] + emit[:, t + 1]
            leaps = np.where(_shift(skips, -2, False), _shift(onward, -2), -np.inf)
            backward[t] = _logsumexp(onward, _shift(onward, -1), leaps)
        backward[t] = np.where((steps == t + 1)[:, None], np.where(is_end, 0, -np.inf), backward[t])

    through = forward + backward  # log p of all paths that are in a state at a step
    log_likelihood = _logsumexp(*through[0].T) if total else np.full(batch, -np.inf)
    possible = np.isfinite(log_likelihood) & (steps >= 1) & (steps <= total)
    share = np.exp(through - np.where(possible, log_likelihood, 0)[None, :, None])
    expected = np.zeros_like(log_p)
    for state in range(count):
        rows = np.flatnonzero(known[:, state])
        expected[rows, :, states[rows, state]] += share[:, rows, state].T
    counts = (np.arange(total)[None] < steps[:, None]) & possible[:, None]
    gradient = np.where(counts[:, :, None], np.exp(log_p) - expected, 0)
    return np.where(possible, -log_likelihood, _IMPOSSIBLE).astype(log_p.dtype), gradient.astype(log_p.dtype)


def _shift(x, by, fill=-np.inf):
    """States moved on by ``by``, or back."""
    out = np.full_like(x, fill)
    if by > 0:
        out[:, by:] = x[:, :-by]
    else:
        out[:, :by] = x[:, -by:]
    return out


def _logsumexp(first, *rest):
    total = first
    for other in rest:
        total = np.logaddexp(total, other)
    return total
