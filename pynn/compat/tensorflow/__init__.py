"""The module ``tensorflow`` that scripts import: what Keras scripts use of it around their models, made of pynn.

TensorFlow's names, argument names and defaults (``tf.argmax`` reduces axis 0), NumPy arrays as results.  There are no
graphs, sessions, devices, files or strings here: a name that is missing is an ``AttributeError`` that says so.
``name=`` is accepted everywhere and changes nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from pynn.compat.importing import lookup

#: The last version that scripts for Keras 3 know; they compare it.
__version__ = "2.20.0"

_SUBMODULES = ("config", "data", "image", "linalg", "math", "nn", "random")
_FUNCTIONS = "pynn.compat.tensorflow.functions"
_OBJECTS = "pynn.compat.tensorflow.objects"

_NAMES: dict[str, Any] = {
    **{
        name: np.dtype(name)
        for name in (
            "float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
            "complex64",
        )
    },
    "bool": np.dtype("bool"),
    "bfloat16": "bfloat16",
    "string": np.dtype("object"),
    "newaxis": None,
    "GradientTape": "pynn.autodiff:GradientTape",
    "Tensor": "pynn.graph.tensor:Tensor",
    "custom_gradient": "pynn.ops:custom_gradient",
    "name_scope": "pynn.graph.name_scope:name_scope",
    **{name: f"{_OBJECTS}:{name}" for name in ("TensorShape", "TensorSpec", "Variable", "function")},
    **{
        name: f"{_FUNCTIONS}:{name}"
        for name in (
            "abs", "acos", "add", "add_n", "argmax", "argmin", "argsort", "asin", "atan", "broadcast_to", "cast",
            "clip_by_norm", "clip_by_value", "concat", "cond", "constant", "convert_to_tensor", "cos", "cosh",
            "cumsum", "device", "divide", "einsum", "equal", "executing_eagerly", "exp", "expand_dims", "eye", "fill",
            "floor", "gather", "get_logger", "greater", "greater_equal", "identity", "is_tensor", "less",
            "less_equal", "linspace", "logical_and", "logical_not", "logical_or", "map_fn", "matmul", "maximum",
            "minimum", "multiply", "negative", "norm", "not_equal", "one_hot", "ones", "ones_like", "pad", "pow",
            "print", "range", "rank", "reduce_all", "reduce_any", "reduce_logsumexp", "reduce_max", "reduce_mean",
            "reduce_min", "reduce_prod", "reduce_sum", "repeat", "reshape", "reverse", "roll", "round", "shape",
            "sigmoid", "sign", "sin", "sinh", "size", "sort", "split", "sqrt", "square", "squeeze", "stack",
            "stop_gradient", "subtract", "tan", "tanh", "tensordot", "tile", "transpose", "truediv", "unstack",
            "where", "while_loop", "zeros", "zeros_like",
        )
    },
}  # fmt: skip

WAY_OUT = "use the function of the same purpose in keras.ops, keras.utils or NumPy"


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "keras":
        return importlib.import_module("pynn.compat.keras")
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    return lookup(_NAMES, "tensorflow", name, WAY_OUT)


def __dir__() -> list[str]:
    return sorted({*_NAMES, *_SUBMODULES, "__version__"})
