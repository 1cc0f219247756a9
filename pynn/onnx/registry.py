"""Which function translates which op."""

from __future__ import annotations

from collections.abc import Callable

from pynn.graph.ir import Node
from pynn.onnx.arrays import Arrays

Translator = Callable[[Arrays, Node], None]

#: By the op's name.  A translator puts an array for each output that is read.
TRANSLATORS: dict[str, Translator] = {}


def translates(*names: str) -> Callable[[Translator], Translator]:
    """Marks the function that translates the ops of these names."""

    def note(function: Translator) -> Translator:
        for name in names:
            TRANSLATORS[name] = function
        return function

    return note
