"""Data sets to learn with: those of Keras, and ``synthetic_digits``.

>>> from pynn.datasets import mnist
>>> (x_train, y_train), (x_test, y_test) = mnist.load_data()  # doctest: +SKIP

Files are looked for in ``PYNN_DATA_DIR``, then in the user cache, then downloaded (``pip install
"pynn-engine[data]"``).  ``synthetic_digits`` needs no file at all.

Everything here is imported on first use: a program that brings its own data pays nothing for this folder.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynn.datasets import (
        boston_housing,
        california_housing,
        cifar10,
        cifar100,
        fashion_mnist,
        imdb,
        mnist,
        reuters,
    )
    from pynn.datasets.synthetic import synthetic_digits

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
    "synthetic_digits",
]


def __getattr__(name: str) -> Any:
    if name == "synthetic_digits":
        return importlib.import_module("pynn.datasets.synthetic").synthetic_digits
    if name in __all__:
        return importlib.import_module(f"pynn.datasets.{name}")
    raise AttributeError(f"module 'pynn.datasets' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
