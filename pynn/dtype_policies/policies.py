"""The policy classes."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from pynn.errors import ArgumentError, DtypeError

#: Policy -> the dtype its name promises for results.
_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_PLAIN = ("float32", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool", "string")


class DTypePolicy:
    """What the weights and the results of a layer are.

    Args:
        name: ``"float32"`` (also if None), ``"mixed_float16"``, ``"mixed_bfloat16"``, or a whole-number type.

    ``compute_dtype`` is what the name means in Keras; layers of a mixed policy compute in float32 here, and their own
    ``compute_dtype`` says so.

    Raises:
        DtypeError: pynn does not compute in it.

    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    quantization_mode = None

    def __init__(self, name: str | None = None):
        name = name or "float32"
        if name not in _PLAIN and name not in _MIXED:
            raise DtypeError(
                f"dtype must be 'float32', a policy 'mixed_float16' or 'mixed_bfloat16' (computed in float32, too), or "
                f"a whole-number type, received {name!r}"
            )
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        return _MIXED.get(self._name, self._name)

    @property
    def variable_dtype(self) -> str:
        return "float32" if self._name in _MIXED else self._name

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'


class FloatDTypePolicy(DTypePolicy):
    """Another name of :class:`DTypePolicy`."""


class DTypePolicyMap(MutableMapping[str, DTypePolicy]):
    """Policies by the names of layers.

    Args:
        default_policy: of layers that have none of their own; the global one if None.
        policy_map: policies, or their names, by layer.

    Example:
        >>> DTypePolicyMap("float32", {"head": "mixed_float16"})["head"]
        <DTypePolicy "mixed_float16">
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None):
        if policy_map is not None and not isinstance(policy_map, dict):
            raise ArgumentError(f"DTypePolicyMap: policy_map must be a dictionary, received {policy_map!r}")
        self._default = default_policy
        self._policies: dict[str, DTypePolicy] = {}
        for name, policy in (policy_map or {}).items():
            self[name] = policy

    @property
    def default_policy(self) -> Any:
        from pynn.dtype_policies import get

        return get(self._default)

    def __getitem__(self, name: str) -> DTypePolicy:
        return self._policies.get(name, self.default_policy)

    def __setitem__(self, name: str, policy: Any) -> None:
        from pynn.dtype_policies import get

        self._policies[name] = get(policy)

    def __delitem__(self, name: str) -> None:
        del self._policies[name]

    def __contains__(self, name: object) -> bool:
        return name in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        from pynn.dtype_policies import serialize

        default = None if self._default is None else serialize(self.default_policy)
        return {"default_policy": default, "policy_map": {n: serialize(p) for n, p in self._policies.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicyMap:
        return cls(**config)
