"""pynn: train and run neural networks on a CPU.

The Keras API on NumPy arrays, with C++/OpenMP kernels beneath it.  Submodules load when first used.

Example:
    >>> import pynn as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> model.count_params()
    15
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_SUBMODULES = (
    "activations", "applications", "backend", "callbacks", "compat", "config", "constraints", "data", "datasets",
    "distribute", "dtype_policies", "errors", "initializers", "layers", "legacy", "losses", "metrics",
    "mixed_precision", "models", "onnx", "ops", "optimizers", "preprocessing", "random", "regularizers", "saving",
    "testing", "tree", "utils", "wrappers",
)  # fmt: skip
_NAMES = {
    "Input": "pynn.layers",
    "KerasTensor": "pynn.graph.symbolic",
    "Layer": "pynn.layers",
    "Model": "pynn.models",
    "Sequential": "pynn.models",
    "DTypePolicy": "pynn.dtype_policies",
    "FloatDTypePolicy": "pynn.dtype_policies",
    "Initializer": "pynn.initializers",
    "Regularizer": "pynn.regularizers",
    "Loss": "pynn.losses",
    "Metric": "pynn.metrics",
    "Optimizer": "pynn.optimizers",
    "Variable": "pynn.graph.variable",
    "InputSpec": "pynn.layers",
    "name_scope": "pynn.graph.name_scope",
    "Function": "pynn.models.function",
    "Operation": "pynn.graph.operation",
    "StatelessScope": "pynn.graph.stateless_scope",
    **dict.fromkeys(
        ("GradientTape", "grad", "hessian", "hvp", "jacobian", "jit", "value_and_grad", "vjp"), "pynn.autodiff"
    ),
}

__all__ = [*_NAMES, *_SUBMODULES, "version"]

if TYPE_CHECKING:
    from pynn.autodiff import GradientTape as GradientTape
    from pynn.autodiff import grad as grad
    from pynn.autodiff import hessian as hessian
    from pynn.autodiff import hvp as hvp
    from pynn.autodiff import jacobian as jacobian
    from pynn.autodiff import jit as jit
    from pynn.autodiff import value_and_grad as value_and_grad
    from pynn.autodiff import vjp as vjp
    from pynn.graph.variable import Variable as Variable
    from pynn.layers import Input as Input
    from pynn.layers import Layer as Layer
    from pynn.models import Model as Model
    from pynn.models import Sequential as Sequential


def version() -> str:
    """The version of pynn.

    Example:
        >>> version() == __version__
        True
    """
    return __version__


def __getattr__(name: str) -> Any:
    if name == "_core":
        return _load_core()
    if name in _SUBMODULES:
        return importlib.import_module(f"pynn.{name}")
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'pynn' has no attribute {name!r}")


def _load_core() -> Any:
    """The C++ module; it is missing when Python finds the source folder before the installed package."""
    try:
        return importlib.import_module("pynn._core")
    except ModuleNotFoundError as error:
        if error.name != "pynn._core":
            raise
        raise ImportError(
            f"pynn was imported from {__path__[0]}, where its compiled part is missing: this is the source folder, not "
            "the installed package. Run Python from another folder, or install the sources with: pip install -e ."
        ) from None


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
