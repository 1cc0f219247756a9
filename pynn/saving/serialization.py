"""Objects to plain dictionaries and back, in Keras's format.

A dictionary says module, class name, config and, for classes of users, the name they are registered by; models add how
they were built and compiled.  Reading one makes objects of the classes in :mod:`pynn.saving.registry` and of custom
objects only (:mod:`pynn.saving.registration`); no module is imported because a file names it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, PynnError
from pynn.saving import registration, registry
from pynn.saving.functions import dump_lambda, load_lambda
from pynn.saving.registration import CustomObjectScope, get_registered_name, get_registered_object
from pynn.saving.safe_mode import SafeModeScope
from pynn.utils.naming import unknown_name

_PLAIN = (str, int, float, bool)
#: Deeper configs than any model has are an attack on the interpreter's stack.
MAX_DEPTH = 200


class DeserializationError(ArgumentError, TypeError):
    """A config that describes no object: an unknown class, or something that is no config."""


class SerializationError(ArgumentError, TypeError, NotImplementedError):
    """An object that no config can describe."""


def serialize_keras_object(obj: Any) -> Any:
    """The config of ``obj``: plain Python objects that JSON can hold.

    Args:
        obj: a layer, model, loss, metric, optimizer, function ...; or numbers, arrays, lists and dictionaries of them.

    Raises:
        SerializationError: an object without ``get_config()``.

    Example:
        >>> from pynn import initializers
        >>> serialize_keras_object(initializers.Constant(2.0))["class_name"]
        'Constant'
    """
    if obj is None or (isinstance(obj, _PLAIN) and type(obj).__module__ == "builtins"):
        return obj
    if isinstance(obj, list | tuple):
        return type(obj)(map(serialize_keras_object, obj)) if type(obj) in (list, tuple) else [
            serialize_keras_object(item) for item in obj
        ]  # fmt: skip
    if isinstance(obj, Mapping) and not hasattr(obj, "get_config"):  # an OptimizerMap is a mapping, too
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    special = _serialize_special(obj)
    if special is not None:
        return special
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and obj.ndim == 0):
        return float(obj) if obj.dtype == np.longdouble else obj.item()
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, type):
        return _named("type", get_registered_name(obj))
    if inspect.isroutine(obj):
        return serialize_function(obj)
    return _serialize_object(obj)


def serialize_function(function: Any) -> dict[str, Any]:
    """The config of a function: its name; of a lambda: its code, which only ``safe_mode=False`` reads again."""
    if getattr(function, "__name__", "") == "<lambda>":
        return dump_lambda(function)
    return _named("function", get_registered_name(function))


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"module": "builtins", "class_name": kind, "config": name, "registered_name": kind}


def _serialize_special(obj: Any) -> dict[str, Any] | None:
    """Values that JSON does not have."""
    from pynn.graph.symbolic import KerasTensor

    def special(name: str, config: dict[str, Any]) -> dict[str, Any]:
        return {"class_name": name, "config": config}

    if isinstance(obj, bytes):
        return special("__bytes__", {"value": obj.decode("utf-8")})
    if isinstance(obj, slice):
        ends = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return special("__slice__", {key: serialize_keras_object(value) for key, value in ends.items()})
    if obj is Ellipsis:
        return special("__ellipsis__", {})
    if isinstance(obj, KerasTensor):
        history = [obj.call.operation.name, obj.call.index, obj.index]
        return special("__keras_tensor__", {"shape": obj.shape, "dtype": obj.dtype, "keras_history": history})
    if isinstance(obj, np.ndarray) and obj.ndim:
        name = "__tensor__" if type(obj) is not np.ndarray else "__numpy__"
        return special(name, {"value": obj.tolist(), "dtype": obj.dtype.name})
    return None


def _serialize_object(obj: Any) -> dict[str, Any]:
    if not hasattr(obj, "get_config"):
        raise SerializationError(
            f"cannot serialize {obj!r} ({type(obj).__name__}): its class has no get_config(); "
            "give it one that returns the constructor's arguments"
        )
    config = obj.get_config()
    if not isinstance(config, dict):
        raise SerializationError(f"{type(obj).__name__}.get_config() must return a dictionary, it returned {config!r}")
    cls = type(obj)
    module = registry.public_module(cls)
    registered: str | None = None
    if module is None or cls.__name__ == "Functional":
        registered = get_registered_name(cls)
    if module is None:
        module = None if cls.__module__ == "__main__" else cls.__module__
    result = {
        "module": module,
        "class_name": cls.__name__,
        "config": serialize_keras_object(config),
        "registered_name": registered,
    }
    for key in ("build_config", "compile_config"):
        method = getattr(obj, f"get_{key}", None)
        value = method() if method is not None else None
        if value is not None:
            result[key] = serialize_keras_object(value)
    return result


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool | None = None, **kwargs: Any
) -> Any:
    """The object that ``config`` describes.

    Args:
        config: what :func:`serialize_keras_object` or Keras's function of that name gave.
        custom_objects: name -> class or function, beside pynn's own and the registered ones.
        safe_mode: with False, lambdas inside the config are made again, that is, code of the config's author is run
            when they are called.  By default they are refused.

    Raises:
        DeserializationError: a class that is neither pynn's nor given, or something that is no config.

    Example:
        >>> from pynn import layers
        >>> deserialize_keras_object(serialize_keras_object(layers.Dense(3, name="hidden")))
        <Dense name=hidden, built=False>
    """
    module_objects = kwargs.pop("module_objects", None)
    if kwargs:
        raise ArgumentError(f"deserialize_keras_object: unknown argument {', '.join(kwargs)}")
    with CustomObjectScope({**(module_objects or {}), **(custom_objects or {})}), SafeModeScope(safe_mode):
        return _deserialize(config, 0)


def _deserialize(config: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise DeserializationError(f"the config is nested more than {MAX_DEPTH} levels deep; refused")
    if isinstance(config, str):
        custom = get_registered_object(config)
        return config if custom is None else custom
    if config is None or isinstance(config, _PLAIN):
        return config
    if isinstance(config, list | tuple):
        return [_deserialize(item, depth + 1) for item in config]
    if not isinstance(config, Mapping):
        raise DeserializationError(f"expected a config of plain Python objects, received {config!r}")
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value, depth + 1) for key, value in config.items()}
    name = config["class_name"]
    if not isinstance(name, str):
        raise DeserializationError(f"class_name must be a string, received {name!r}")
    if not isinstance(config.get("module"), str | None):
        raise DeserializationError(f"the module of a {name} must be a string, received {config['module']!r}")
    inner = {} if config["config"] is None else config["config"]
    if name.startswith("__"):
        return _deserialize_special(name, inner, depth)
    if name == "function":
        return find_function(inner, config.get("module"))
    if name == "type":
        return _find_type(inner)
    if not isinstance(inner, Mapping):
        raise DeserializationError(f"the config of a {name} must be a dictionary, received {inner!r}")
    return make(find_class(name, config.get("registered_name"), config.get("module")), inner, config)


def _deserialize_special(name: str, inner: Any, depth: int) -> Any:
    if name == "__lambda__":
        return load_lambda(inner)
    if name == "__ellipsis__":
        return Ellipsis
    try:
        if name == "__bytes__":
            return inner["value"].encode("utf-8")
        if name == "__slice__":
            return slice(*(_deserialize(inner[end], depth + 1) for end in ("start", "stop", "step")))
        if name in ("__numpy__", "__tensor__"):
            return _array(inner["value"], inner["dtype"], as_tensor=name == "__tensor__")
        if name == "__keras_tensor__":
            from pynn.layers import Input

            return Input(batch_shape=inner["shape"], dtype=inner["dtype"])
    except (KeyError, AttributeError, TypeError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise DeserializationError(f"the config of a {name} is incomplete: {inner!r}") from error
    raise DeserializationError(f"unknown kind of value {name} in a config")


def _array(value: Any, dtype: Any, as_tensor: bool) -> np.ndarray:
    kind = np.dtype("float32" if dtype == "bfloat16" else dtype)
    if kind.kind not in "fiubc":
        raise DeserializationError(f"an array in a config has dtype {dtype!r}, expected numbers")
    array = np.array(value, kind)
    if not as_tensor:
        return array
    from pynn.graph.tensor import Tensor

    return array.view(Tensor)


def find_class(name: str, registered_name: Any = None, module: str | None = None) -> Any:
    """The class that a config names: a custom one, or pynn's own.

    Raises:
        DeserializationError: neither knows it.
    """
    for key in (registered_name, name):
        found = get_registered_object(key) if isinstance(key, str) else None
        # A bare name stands for a class of the user only where the file does not say that it is Keras's.
        if found is not None and (key == registered_name or not registry.is_builtin_module(module)):
            return found
    if module is None or registry.is_builtin_module(module):
        found = registry.find_class(name, registry.family_of(module))
        if found is not None and not (module is None and registered_name):
            return found
    raise _unknown("class", name, registered_name, module)


def find_function(name: Any, module: str | None = None) -> Any:
    """The function that a config names: a custom one, an activation, loss, metric, initializer ... by its name."""
    if not isinstance(name, str):
        raise DeserializationError(f"the name of a function must be a string, received {name!r}")
    found = get_registered_object(name)
    if found is None and (module in (None, "builtins") or registry.is_builtin_module(module)):
        found = registry.find_function(name, registry.family_of(module))
    if found is None:
        raise _unknown("function", name, None, module)
    return found


def _find_type(name: Any) -> Any:
    known = {t.__name__: t for t in (bool, int, float, str)}
    found = known.get(name) or get_registered_object(name)
    if found is None:
        raise _unknown("class", name, None, None)
    return found


def _unknown(kind: str, name: Any, registered_name: Any, module: Any) -> DeserializationError:
    said = f"registered as {registered_name!r}" if registered_name else f"of module {module!r}"
    return DeserializationError(
        f"cannot locate the {kind} {name!r} ({said}): it is none of pynn's. If it is your own, decorate it with "
        "@pynn.saving.register_keras_serializable() and import it before loading, or pass "
        f"custom_objects={{{str(name)!r}: {name}}}"
    )


def make(cls: Any, inner: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """The object of ``cls`` with this inner config, built and compiled as ``config`` says."""
    if not hasattr(cls, "from_config"):
        if inspect.isclass(cls) or not callable(cls):
            raise DeserializationError(f"cannot make a {cls!r} from a config: the class has no from_config()")
        return cls  # a function registered under the name
    try:
        obj = cls.from_config(dict(inner))
    except (PynnError, MemoryError, NotImplementedError):
        raise
    except Exception as error:
        if not isinstance(error, TypeError) and not cls.__module__.startswith("pynn."):
            raise  # what a class of the user's has to say
        raise DeserializationError(
            f"{cls.__name__} cannot be made from its config ({type(error).__name__}: {error}); "
            "objects that get_config() writes, such as layers, must be made again in the class's own from_config(). "
            f"The config: {_shortened(inner)}"
        ) from error
    for key, method in (("build_config", "build_from_config"), ("compile_config", "compile_from_config")):
        given = config.get(key)
        if given and hasattr(obj, method) and not (key == "build_config" and obj.built):
            follow(obj, method, given)
    return obj


def follow(obj: Any, method: str, config: Any) -> None:
    """``obj.build_from_config(config)``, or ``compile_from_config``.

    Raises:
        DeserializationError: the config is not what the method of a class of pynn's own expects.
    """
    try:
        getattr(obj, method)(config)
    except (PynnError, MemoryError, NotImplementedError):
        raise
    except Exception as error:
        if not type(obj).__module__.startswith("pynn."):
            raise
        raise DeserializationError(
            f"{type(obj).__name__}.{method}() cannot follow its config ({type(error).__name__}: {error}): "
            f"{_shortened(config)}"
        ) from error


def _shortened(inner: Any, length: int = 500) -> str:
    text = repr(inner)
    return text if len(text) <= length else text[:length] + " ..."


# What the families (losses, initializers ...) share for their own serialize, deserialize and get.


def serialize_object(obj: Any, module: str) -> dict[str, Any]:
    """:func:`serialize_keras_object` for an object of the family ``module``."""
    result: dict[str, Any] = serialize_keras_object(obj)
    return result


def deserialize_object(
    config: Mapping[str, Any],
    table: Mapping[str, Any],
    kind: str,
    custom_objects: Mapping[str, Any] | None = None,
) -> Any:
    """The object of one family that ``config`` describes.

    Args:
        config: the full form, or only ``class_name`` and ``config``, or a bare ``{"class_name": name}``.
        table: the family's names -> classes.
        kind: what to call it in errors.
    """
    name, inner = config.get("class_name"), config.get("config", {})
    if not isinstance(name, str) or not isinstance(inner, Mapping | str | None):
        raise ArgumentError(f"cannot make a {kind} of {dict(config)!r}: expected {{'class_name': str, 'config': dict}}")
    with CustomObjectScope(custom_objects):
        if name.startswith("__") or name == "function":
            return _deserialize(config, 0)
        cls = get_registered_object(config.get("registered_name"))
        if cls is None and not registry.is_builtin_module(config.get("module")):
            cls = get_registered_object(name)
        if cls is None and (config.get("module") is None or registry.is_builtin_module(config.get("module"))):
            cls = table.get(name) or registry.find_class(name, registry.family_of(config.get("module")))
        if cls is None:
            if config.get("registered_name"):
                raise _unknown("class", name, config["registered_name"], config.get("module"))
            raise unknown_name(f"{kind} class", name, table)
        return make(cls, inner if isinstance(inner, Mapping) else {}, config)


def custom_named(name: Any) -> Any:
    """The custom object called ``name``, or None: what a family's ``get`` asks before its own table."""
    return registration.get_registered_object(name) if isinstance(name, str) else None
