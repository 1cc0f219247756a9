"""What Keras 3 has removed and older books and courses still use.

``pynn.legacy.image`` (``ImageDataGenerator``), ``text`` (``Tokenizer``), ``sequence`` (``TimeseriesGenerator``,
``skipgrams``) and ``backend`` (``K.sum``, ``K.mean`` ...).  Each is also where it used to be, such as
``keras.preprocessing.image``, and says once, by a DeprecationWarning, what has taken its place.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["backend", "image", "sequence", "text"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"pynn.legacy.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
