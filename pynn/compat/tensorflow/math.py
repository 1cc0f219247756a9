"""``tensorflow.math``."""

from __future__ import annotations

from typing import Any

from pynn.compat.importing import lookup
from pynn.compat.tensorflow import WAY_OUT

_SAME = (
    "abs", "acos", "add", "add_n", "argmax", "argmin", "asin", "atan", "cos", "cosh", "cumsum", "divide", "equal",
    "exp", "floor", "greater", "greater_equal", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "maximum", "minimum", "multiply", "negative", "not_equal", "pow", "reduce_all", "reduce_any", "reduce_logsumexp",
    "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "round",
    "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "truediv",
)  # fmt: skip
_NN = ("l2_normalize", "log_softmax", "softmax", "softplus", "top_k")
_OPS = {
    **{name: name for name in ("ceil", "erf", "expm1", "log", "log1p", "logical_xor", "reciprocal", "rsqrt")},
    "atan2": "arctan2", "divide_no_nan": "divide_no_nan", "floordiv": "floor_divide", "floormod": "mod",
    "is_finite": "isfinite", "is_inf": "isinf", "is_nan": "isnan", "mod": "mod", "bincount": "bincount",
    "in_top_k": "in_top_k",
}  # fmt: skip
_NAMES: dict[str, Any] = {
    **{name: f"pynn.compat.tensorflow.functions:{name}" for name in _SAME},
    **{name: f"pynn.compat.tensorflow.nn:{name}" for name in _NN},
    **{name: f"pynn.ops:{op}" for name, op in _OPS.items()},
}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return lookup(_NAMES, "tensorflow.math", name, WAY_OUT)


def squared_difference(x: Any, y: Any, name: Any = None) -> Any:
    from pynn import ops

    return ops.square(ops.subtract(x, y))


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int | None = None, weights: Any = None, dtype: Any = "int32"
) -> Any:
    """``[i, j]``: how often (or with what weight) ``j`` was predicted for label ``i``."""
    import numpy as np

    from pynn.graph.tensor import Tensor

    rows, columns = (np.asarray(a).ravel().astype("int64") for a in (labels, predictions))
    n = num_classes or int(max(rows.max(initial=-1), columns.max(initial=-1))) + 1
    table = np.zeros((n, n), dtype)
    np.add.at(table, (rows, columns), 1 if weights is None else np.asarray(weights).ravel())
    return table.view(Tensor)
