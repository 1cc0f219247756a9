"""Cases of connectionist temporal classification: equal neighbours, short sequences, labels that do not fit."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.ctc import CtcLoss
from pynn.testing.op_case import OpCase


def _given(*numbers):
    return lambda rng, spec: np.array(numbers, "int32").reshape(spec.shape)


def _case(logits, labels, lengths, steps, note, **options):
    batch = logits[0]
    specs = [Spec(logits), *(Spec(s, "int32") for s in ((batch, len(labels) // batch), (batch,), (batch,)))]
    draw = {1: _given(*labels), 2: _given(*lengths), 3: _given(*steps), **options.pop("draw", {})}
    op = CtcLoss(options.pop("mask_index", 0))
    return OpCase(op, specs, draw, rtol=1e-5, atol=1e-5, expect=[(batch,), logits], note=note, **options)


CASES = [
    _case((2, 6, 4), [1, 2, 3, 2, 2, 0], [3, 2], [6, 6], "equal neighbours need a blank between them"),
    _case((3, 5, 3), [1, 0, 2, 1, 0, 0], [1, 2, 0], [5, 3, 4], "short sequences, and one without labels"),
    _case((1, 1, 2), [1], [1], [1], "one step"),
    _case((2, 3, 4), [3, 0, 1, 0], [1, 2], [3, 2], "another blank", mask_index=2),
    _case((2, 2, 3), [1, 1, 2, 1], [2, 2], [2, 2], "the first does not fit: 1e5", grad=()),
    _case((2, 4, 3), [1, 2, 2, 1], [2, 2], [4, 4], "logits of +-1e4", grad=(),
          draw={0: lambda rng, spec: rng.choice([-1e4, 1e4], spec.shape)}),
]  # fmt: skip
