"""Lambdas in configs: Python's own byte code in base64, as Keras writes it.  Read only with ``safe_mode=False``."""

from __future__ import annotations

import codecs
import marshal
import types
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pynn.errors import ArgumentError
from pynn.saving.safe_mode import in_safe_mode

#: Functions of the model that is being copied in this process, which need no byte code: the copy shares them.
_shared: ContextVar[list[types.FunctionType] | None] = ContextVar("shared functions", default=None)


@contextmanager
def shared_functions() -> Iterator[None]:
    """Inside the block, configs refer to functions in memory: for copies that do not leave the process."""
    token = _shared.set([])
    try:
        yield
    finally:
        _shared.reset(token)


def dump_lambda(function: types.FunctionType) -> dict[str, Any]:
    """The config of a lambda."""
    shared = _shared.get()
    if shared is not None:
        shared.append(function)
        return {"class_name": "__lambda__", "config": {"shared": len(shared) - 1}}
    closure = tuple(cell.cell_contents for cell in function.__closure__) if function.__closure__ else None
    return {
        "class_name": "__lambda__",
        "config": {
            "code": codecs.encode(marshal.dumps(function.__code__), "base64").decode("ascii"),
            "defaults": function.__defaults__,
            "closure": closure,
        },
    }


def load_lambda(config: Any) -> Any:
    """The function that such a config holds.

    Raises:
        ArgumentError: in safe mode, where nothing is even decoded.
    """
    shared = _shared.get()
    if shared is not None and isinstance(config, dict) and "shared" in config:
        return shared[config["shared"]]
    if in_safe_mode():
        raise ArgumentError(
            "the config holds a Python lambda, that is, program code of whoever made the file; it was refused. "
            "If you trust its source, load it with safe_mode=False (pickles: call "
            "pynn.config.enable_unsafe_deserialization() before); better, have it made anew with a named function "
            "that is registered by @pynn.saving.register_keras_serializable()"
        )
    try:
        code, defaults, closure = _parts(config)
        raw = codecs.decode(code.encode("ascii"), "base64")
        body = marshal.loads(raw)
        if not isinstance(body, types.CodeType):
            raise ValueError("it is no code")
    except (ValueError, TypeError, KeyError, EOFError, AttributeError) as error:
        raise ArgumentError(
            f"the lambda in the config cannot be read ({error}); it may come from another version of Python"
        ) from error
    import pynn
    from pynn import ops

    cells = tuple(types.CellType(value) for value in closure) if closure else None
    names = {"keras": pynn, "pynn": pynn, "ops": ops, "__builtins__": __builtins__}
    return types.FunctionType(body, names, "<lambda>", tuple(defaults) if defaults else None, cells)


def _parts(config: Any) -> tuple[str, Any, Any]:
    """Code, defaults and closure: by name, or in Keras 2 and early 3 a list of the three."""
    if isinstance(config, dict) and "value" in config:
        config = config["value"]
    if isinstance(config, dict):
        return config["code"], config.get("defaults"), config.get("closure")
    code, defaults, closure = config
    return code, defaults, closure
