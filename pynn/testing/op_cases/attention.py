"""Cases of attention: masks of each shape, causal, several blocks of keys and queries, dims off the vector's width."""

from collections.abc import Callable

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.attention import Attention, AttentionGrad
from pynn.reference.attention import MASKED_SCORE
from pynn.testing.op_case import OpCase


def _some_masked(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    """A third of the keys hidden, and every key from the first query."""
    mask = np.where(rng.uniform(size=spec.shape) < 0.33, MASKED_SCORE, 0.0)
    mask[:, :, 0] = MASKED_SCORE if spec.shape[2] > 1 else mask[:, :, 0]
    return mask


def _case(b: int, t: int, s: int, h: int, d: int, dv: int, causal: bool = False, mask: tuple[int, ...] = ()) -> OpCase:
    specs = [Spec((b, t, h, d)), Spec((b, s, h, d)), Spec((b, s, h, dv))]
    if mask:
        specs.append(Spec(mask))
    return OpCase(
        Attention(d**-0.5, causal), specs, draw={3: _some_masked} if mask else {}, rtol=2e-5, atol=5e-6,
        grad=(0, 1, 2), expect=[(b, t, h, dv), (b, h, t, 2)],
    )  # fmt: skip


def _positive(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    return rng.uniform(0.5, 2, spec.shape)


def _grad_case(forward: OpCase) -> OpCase:
    """The gradient alone, a function of any y and statistics; with those of the result in tests/ops/test_attention."""
    op = forward.op
    assert isinstance(op, Attention)
    q, k, v, *mask = forward.specs
    y, statistics = op.infer(*forward.specs)
    draw: dict[int, Callable[[np.random.Generator, Spec], np.ndarray]] = {4: _positive}
    if mask:
        draw[6] = _some_masked
    specs = [q, k, v, y, statistics, y, *mask]
    return OpCase(
        AttentionGrad(op.scale, op.causal), specs, draw=draw, rtol=1e-4, atol=5e-5, grad=(),
        expect=[q.shape, k.shape, v.shape],
    )  # fmt: skip


_FORWARD = [
    _case(1, 1, 1, 1, 1, 1),
    _case(2, 5, 7, 3, 4, 6),
    _case(2, 17, 33, 2, 16, 8, causal=True),
    _case(1, 40, 40, 2, 32, 32, causal=True, mask=(1, 1, 40, 40)),
    _case(2, 20, 29, 2, 33, 40, mask=(2, 1, 1, 29)),
    _case(2, 6, 9, 3, 8, 8, mask=(1, 3, 6, 9)),
    _case(1, 150, 300, 1, 24, 20),
    _case(1, 300, 290, 2, 8, 64, causal=True),
    _case(2, 30, 530, 1, 16, 16, mask=(2, 1, 30, 530)),
]
CASES = [*_FORWARD, *(_grad_case(case) for case in _FORWARD)]
