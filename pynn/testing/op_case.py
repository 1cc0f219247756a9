"""One row of the table of op cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pynn.graph.ir import Op, Spec


def _normal(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    if not spec.is_float:
        return rng.integers(0, 5, spec.shape).astype(spec.dtype)
    return rng.standard_normal(spec.shape).astype(spec.dtype)


@dataclass
class OpCase:
    """An op on inputs of given specs.

    Args:
        op: the op with its attributes.
        specs: the inputs' specs, written for float32; the gradient check runs them in float64.
        draw: fills an input that standard normal numbers (or integers 0..4) would not suit: index -> function.
        rtol, atol: native float32 against the reference in float64.
        grad: which inputs the gradient check moves; None means every float input that the rule gives one for.
        expect: the outputs' shapes, worked out by hand.
        note: why this case is here.
    """

    op: Op
    specs: Sequence[Spec]
    draw: dict[int, Callable[[np.random.Generator, Spec], np.ndarray]] = field(default_factory=dict)
    rtol: float = 2e-6
    atol: float = 1e-6
    grad: Sequence[int] | None = None
    expect: Sequence[tuple[int, ...]] | None = None
    note: str = ""

    def inputs(self, dtype: str = "float32", seed: int = 0) -> list[np.ndarray]:
        """The case's input arrays; float inputs in ``dtype``."""
        rng = np.random.default_rng(seed)
        arrays = []
        for i, spec in enumerate(self.specs):
            array = np.asarray(self.draw.get(i, _normal)(rng, spec))
            arrays.append(array.astype(dtype if spec.is_float else spec.dtype))
        return arrays

    @property
    def id(self) -> str:
        shapes = "-".join("x".join(map(str, s.shape)) or "scalar" for s in self.specs)
        return f"{self.op}-{shapes}"
