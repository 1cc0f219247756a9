"""``tensorflow.linalg``."""

from __future__ import annotations

from typing import Any

from pynn.compat.importing import lookup
from pynn.compat.tensorflow import WAY_OUT

_NAMES: dict[str, Any] = {
    **{f: f"pynn.compat.tensorflow.functions:{f}" for f in ("einsum", "eye", "matmul", "norm", "tensordot")},
    **{f: f"pynn.ops:{f}" for f in ("cholesky", "det", "eigh", "inv", "lstsq", "qr", "slogdet", "solve", "trace")},
    "diag": "pynn.ops:diag",
    "matrix_transpose": "pynn.compat.tensorflow.linalg:_matrix_transpose",
}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return lookup(_NAMES, "tensorflow.linalg", name, WAY_OUT)


def _matrix_transpose(a: Any, name: Any = None) -> Any:
    from pynn import ops

    return ops.swapaxes(a, -1, -2)
