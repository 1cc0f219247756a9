"""``fit_generator``, ``evaluate_generator`` and ``predict_generator`` of Keras 2."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError
from pynn.legacy.notice import say_once

#: How batches are made ahead; their order and content do not depend on it.
_AHEAD = {"max_queue_size": 10, "workers": 1, "use_multiprocessing": False}


class GeneratorMethods:
    """The old methods of :class:`~pynn.Model`; each is the method without ``_generator`` in its name."""

    def fit_generator(self, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1, **kwargs: Any) -> Any:
        """``fit(generator, ...)``.  ``workers``, ``use_multiprocessing`` and ``max_queue_size`` change nothing."""
        return self._without("fit", generator, {"steps_per_epoch": steps_per_epoch, "epochs": epochs, **kwargs})

    def evaluate_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """``evaluate(generator, ...)``."""
        return self._without("evaluate", generator, {"steps": steps, **kwargs})

    def predict_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """``predict(generator, ...)``."""
        return self._without("predict", generator, {"steps": steps, **kwargs})

    def _without(self, method: str, generator: Any, kwargs: dict[str, Any]) -> Any:
        say_once(f"Model.{method}_generator", f"Model.{method}, which takes generators, too", stacklevel=4)
        if hasattr(generator, "shape"):
            raise ArgumentError(f"{method}_generator takes a generator of batches, received an array; use {method}")
        options = {name: value for name, value in kwargs.items() if name not in _AHEAD}
        return getattr(self, method)(generator, **options)
