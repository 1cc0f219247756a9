"""Cases of recurrent ops: units around the width of a vector, rows around a tile and a block, both directions."""

from itertools import product

from pynn.graph.ir import Spec
from pynn.ops.recurrent import Gru, GruGrad, JoinSteps, Lstm, LstmGrad, SplitSteps
from pynn.testing.op_case import OpCase

#: Rows, steps, units: less than a vector, just more, several blocks of rows, a single row.
_SIZES = [(3, 4, 5), (1, 6, 16), (15, 3, 33), (60, 2, 20), (2, 1, 8), (29, 5, 64)]


def _small(rng, spec):
    """Recurrent kernels: their products must not saturate every gate."""
    return rng.uniform(-0.3, 0.3, spec.shape)


def _between(rng, spec):
    """Gates as a forward op leaves them."""
    return rng.uniform(0.05, 0.95, spec.shape)


#: Which of a gradient op's three gradients arrive.
_ARRIVING = [
    (True, True, True), (True, False, False), (False, True, False), (False, False, True), (True, False, True),
    (False, True, True),
]  # fmt: skip


def _mask(rng, spec):
    """About a third of the steps are masked, anywhere."""
    return rng.uniform(size=spec.shape) > 0.35


def _lstm(n: int, steps: int, units: int, backwards: bool, masked: bool = False) -> OpCase:
    sequence, state = (n, steps, units), (n, units)
    specs = [(n, steps, 4 * units), (units, 4 * units), state, state, *([(n, steps)] if masked else [])]
    expect = [sequence, state, state, sequence, sequence, specs[0]]
    draw = {1: _small, 4: _mask}
    op = Lstm(backwards, masked)
    return OpCase(op, [Spec(s) for s in specs], draw=draw, expect=expect, rtol=1e-5, atol=1e-5)


def _lstm_grad(
    n: int, steps: int, units: int, backwards: bool, g: tuple[bool, bool, bool], masked: bool = False
) -> OpCase:
    sequence, state = (n, steps, units), (n, units)
    specs = [(n, steps, 4 * units), sequence, state, (units, 4 * units), *([(n, steps)] if masked else [])]
    specs += [shape for shape, wanted in zip((sequence, state, state), g, strict=True) if wanted]
    draw = {0: _between, 3: _small, **({4: _mask} if masked else {})}
    op = LstmGrad(backwards, masked, *g)
    return OpCase(op, [Spec(s) for s in specs], draw=draw, grad=(), rtol=1e-5, atol=1e-5)


def _gru(n: int, steps: int, units: int, backwards: bool, masked: bool = False) -> OpCase:
    sequence, state = (n, steps, units), (n, units)
    specs = [(n, steps, 3 * units), (units, 3 * units), (3 * units,), state, *([(n, steps)] if masked else [])]
    expect = [sequence, state, sequence, specs[0], sequence]
    draw = {1: _small, 4: _mask}
    op = Gru(backwards, masked)
    return OpCase(op, [Spec(s) for s in specs], draw=draw, expect=expect, rtol=1e-5, atol=1e-5)


def _gru_grad(n: int, steps: int, units: int, backwards: bool, g: tuple[bool, bool]) -> OpCase:
    sequence, state = (n, steps, units), (n, units)
    specs = [(n, steps, 3 * units), sequence, sequence, (units, 3 * units)]
    specs += [shape for shape, wanted in zip((sequence, state), g, strict=True) if wanted]
    draw = {0: _between, 3: _small}
    return OpCase(GruGrad(backwards, *g), [Spec(s) for s in specs], draw=draw, grad=(), rtol=1e-5, atol=1e-5)


CASES = [
    *(case(*size, backwards) for size, backwards in product(_SIZES, (False, True)) for case in (_lstm, _gru)),
    *(case(*size, i % 2 == 0, True) for i, size in enumerate(_SIZES) for case in (_lstm, _gru)),
    *(_lstm_grad(*size, i % 2 == 0, g, True)
      for i, (size, g) in enumerate(zip(_SIZES, _ARRIVING, strict=True))),
    *(_lstm_grad(*size, i % 2 == 1, g)
      for i, (size, g) in enumerate(zip(_SIZES, _ARRIVING, strict=True))),
    *(_gru_grad(*size, i % 2 == 0, g)
      for i, (size, g) in enumerate(zip(_SIZES, [(True, True), (True, False), (False, True)] * 2, strict=True))),
    *(OpCase(SplitSteps(axis), [Spec((3, 1, 4))]) for axis in (0, 1, 2)),
    *(OpCase(JoinSteps(axis), [Spec((3, 2))] * count) for axis, count in ((0, 3), (1, 2), (2, 1))),
]  # fmt: skip
