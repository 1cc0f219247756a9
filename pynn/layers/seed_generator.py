"""The random state of a layer."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.utils.random_seed import checked_seed, next_seed


class SeedGenerator:
    """A counter that random ops read; each use inside a trace moves it on, so every step draws other numbers.

    Args:
        seed: where to start; drawn from the global seed if None.

    Example:
        >>> from pynn import random
        >>> generator = random.SeedGenerator(1)
        >>> bool((random.uniform((3,), seed=generator) != random.uniform((3,), seed=generator)).all())
        True
    """

    def __init__(self, seed: int | None = None, name: str | None = None):
        self.seed = checked_seed("SeedGenerator", seed)
        self.name = name = name or "seed_generator"
        start = next_seed() if self.seed is None else self.seed
        self.state = Variable([start, 0], trainable=False, name="seed_generator_state", dtype="uint32")
        self.state.path = f"{name}/seed_generator_state"

    def next(self) -> Value:
        """The state for one random op; the next call gives another."""
        state = trace.current().read(self.state)
        self.state.assign(ops.next_seed(state))
        return state

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """A generator that starts where that one did."""
        return cls(**config)
