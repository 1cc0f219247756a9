"""Arrays of other libraries (PyTorch, JAX, CuPy ...) as NumPy arrays: by the array or the DLPack protocol."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import DtypeError, PynnError


def as_numpy(x: Any, where: str = "") -> np.ndarray:
    """``np.asarray(x)`` for anything that holds numbers; memory on this machine is shared, not copied.

    Args:
        where: opens the message of errors.

    Raises:
        DtypeError: an array of another library that NumPy cannot read: on a device, of a dtype it does not know, with
            a gradient to record.
        ValueError: nested lists of different lengths.
    """
    if type(x) is np.ndarray:
        return x
    foreign = hasattr(x, "__array__")
    try:
        if not foreign and hasattr(x, "__dlpack__"):
            foreign = True
            return np.from_dlpack(x)
        return np.asarray(x)
    except PynnError:
        raise
    except (TypeError, RuntimeError, BufferError) as error:
        if not foreign:
            raise
        kind = f"{type(x).__module__.partition('.')[0]}.{type(x).__name__}"
        raise DtypeError(
            f"{where + ': ' if where else ''}a {kind} of dtype {getattr(x, 'dtype', '?')} cannot be read as a NumPy "
            f"array ({str(error).rstrip('.')}); convert it first, a PyTorch tensor by x.detach().cpu().float()"
        ) from error
