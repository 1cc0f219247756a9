"""Small questions about symbolic tensors, and a dictionary with attributes."""

from __future__ import annotations

import json
from typing import Any

from pynn.graph.symbolic import KerasTensor
from pynn.layers.input_layer import InputLayer


def is_keras_tensor(x: Any) -> bool:
    """Whether it is a symbolic tensor: what ``Input`` gives, and layers called on it.

    Example:
        >>> from pynn import Input
        >>> is_keras_tensor(Input((2,))), is_keras_tensor(3.0)
        (True, False)
    """
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The inputs of the model that a symbolic tensor is computed from.

    Example:
        >>> from pynn import Input
        >>> a, b = Input((2,)), Input((2,))
        >>> [t is a or t is b for t in get_source_inputs(a + b)]
        [True, True]
    """
    found: list[KerasTensor] = []
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one.call.operation, InputLayer):
            found.append(one)
        stack.extend(reversed(one.call.inputs))
    return found


class Config:
    """Settings as attributes and as a dictionary; after :meth:`freeze` they stay as they are.

    Example:
        >>> config = Config(units=3)
        >>> config.rate = 0.5
        >>> config["units"], config.as_dict()
        (3, {'units': 3, 'rate': 0.5})
    """

    def __init__(self, **kwargs: Any):
        object.__setattr__(self, "_config", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    def freeze(self) -> None:
        """Allow no more changes."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    def _check(self) -> None:
        if self._frozen:
            raise ValueError("this Config is frozen; call unfreeze() before changing it")

    def __setitem__(self, key: str, value: Any) -> None:
        self._check()
        self._config[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __delitem__(self, key: str) -> None:
        self._check()
        del self._config[key]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __getattr__(self, name: str) -> Any:
        config = self.__dict__.get("_config", {})
        if name not in config:
            raise AttributeError(f"this Config has no setting {name!r}; it has {', '.join(config) or 'none'}")
        return config[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change several settings, as ``dict.update`` does."""
        self._check()
        self._config.update(*args, **kwargs)

    def pop(self, key: str, *args: Any) -> Any:
        """Take a setting out."""
        self._check()
        return self._config.pop(key, *args)

    def get(self, key: str, default: Any = None) -> Any:
        """A setting, or ``default``."""
        return self._config.get(key, default)

    def keys(self) -> Any:
        return self._config.keys()

    def values(self) -> Any:
        return self._config.values()

    def items(self) -> Any:
        return self._config.items()

    def __iter__(self) -> Any:
        return iter(self._config)

    def __len__(self) -> int:
        return len(self._config)

    def __contains__(self, key: object) -> bool:
        return key in self._config

    def as_dict(self) -> dict[str, Any]:
        """A copy."""
        return dict(self._config)

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"
