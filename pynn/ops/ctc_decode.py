"""Sequences of labels read out of predictions step by step: best path, or the best of several."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.symbolic import on_its_own
from pynn.graph.tensor import Tensor
from pynn.ops.host import numbers_of


@on_its_own
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Any, Any]:
    """The labels that predictions spell, on arrays only.

    Args:
        inputs: logits, (batch, steps, classes).
        sequence_lengths: how many steps of each count.
        strategy: ``"greedy"``: the likeliest class of each step; ``"beam_search"``: the likeliest labels found while
            keeping the ``beam_width`` best after each step.
        beam_width: see above.
        top_paths: how many sequences beam search gives.
        merge_repeated: whether equal neighbours are one label.
        mask_index: the class that stands for no label.

    Returns:
        Labels, int32 (paths, batch, steps), filled up with -1, and scores: for ``greedy`` (batch, 1), the negative sum
        of the largest logits; for ``beam_search`` (batch, paths), the logarithm of the probability.

    Source: Graves et al., 2006 (best path), Hannun et al., 2014 (prefix beam search).
    """
    logits = numbers_of("ctc_decode", inputs).astype("float64")
    lengths = numbers_of("ctc_decode", sequence_lengths)
    if logits.ndim != 3 or lengths.shape != logits.shape[:1] or not logits.shape[2]:
        raise ShapeError(
            "ctc_decode: expected logits (batch, steps, classes) and a length for each, received shapes "
            f"{logits.shape} and {lengths.shape}"
        )
    if strategy not in ("greedy", "beam_search"):
        raise ArgumentError(f"ctc_decode: strategy must be 'greedy' or 'beam_search', received {strategy!r}")
    blank = mask_index % logits.shape[-1]
    rows = [x[: int(n)] for x, n in zip(logits, lengths, strict=True)]
    if strategy == "greedy":
        found = [[(_merged(r.argmax(-1), merge_repeated, blank), -r.max(-1).sum())] for r in rows]
    else:
        found = [_beam_search(r, beam_width, top_paths, blank) for r in rows]
    paths = 1 if strategy == "greedy" else top_paths
    labels = np.full((paths, *logits.shape[:2]), -1, "int32")
    scores = np.full((len(rows), paths), -np.inf, "float32")
    for i, best in enumerate(found):
        for k, (sequence, score) in enumerate(best):
            labels[k, i, : len(sequence)] = sequence
            scores[i, k] = score
    return labels.view(Tensor), scores.view(Tensor)


def _merged(classes: np.ndarray, merge: bool, blank: int) -> list[int]:
    kept = [c for i, c in enumerate(classes) if not merge or i == 0 or c != classes[i - 1]]
    return [int(c) for c in kept if c != blank]


def _beam_search(logits: np.ndarray, width: int, paths: int, blank: int) -> list[tuple[list[int], float]]:
    """Prefixes with the logarithms of the probabilities of ending in a blank and in their last label."""
    log_p = logits - np.logaddexp.reduce(logits, -1, keepdims=True)
    none = -np.inf
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, none)}
    for step in log_p:
        new: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (ends_blank, ends_label) in beams.items():
            either = np.logaddexp(ends_blank, ends_label)
            _put(new, prefix, either + step[blank], none)
            for c in range(len(step)):
                if c == blank:
                    continue
                if prefix and prefix[-1] == c:
                    _put(new, prefix, none, ends_label + step[c])
                    _put(new, (*prefix, c), none, ends_blank + step[c])
                else:
                    _put(new, (*prefix, c), none, either + step[c])
        best = sorted(new.items(), key=lambda item: -np.logaddexp(*item[1]))
        beams = dict(best[:width])
    ranked = sorted(((list(p), float(np.logaddexp(*s))) for p, s in beams.items()), key=lambda item: -item[1])
    return ranked[:paths]


def _put(beams: dict[tuple[int, ...], tuple[float, float]], prefix: tuple[int, ...], a: float, b: float) -> None:
    old = beams.get(prefix, (-np.inf, -np.inf))
    beams[prefix] = (float(np.logaddexp(old[0], a)), float(np.logaddexp(old[1], b)))
