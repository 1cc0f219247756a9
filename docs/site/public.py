"""The public names of pynn, family by family: what the API reference shows and what tests ask examples of."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

#: Modules users import names from, in the order in which a name that several have is looked for.
MODULES = (
    "pynn.errors", "pynn.layers", "pynn.losses", "pynn.metrics", "pynn.optimizers", "pynn.optimizers.schedules",
    "pynn.models", "pynn.autodiff", "pynn.callbacks", "pynn.initializers", "pynn.regularizers", "pynn.constraints",
    "pynn.activations", "pynn.ops", "pynn.ops.image", "pynn.ops.linalg", "pynn.ops.nn", "pynn.ops.numpy", "pynn.random",
    "pynn.data", "pynn.datasets", "pynn.datasets.boston_housing", "pynn.datasets.california_housing",
    "pynn.datasets.cifar10", "pynn.datasets.cifar100", "pynn.datasets.fashion_mnist", "pynn.datasets.imdb",
    "pynn.datasets.mnist", "pynn.datasets.reuters", "pynn.applications", "pynn.applications.imagenet_utils",
    "pynn.saving", "pynn.dtype_policies", "pynn.mixed_precision", "pynn.config", "pynn.backend", "pynn.tree",
    "pynn.utils", "pynn.preprocessing", "pynn.preprocessing.image", "pynn.preprocessing.sequence",
    "pynn.preprocessing.text", "pynn.wrappers", "pynn.compat", "pynn.distribute", "pynn.onnx", "pynn",
)  # fmt: skip


@dataclass
class Public:
    """One object and the names it goes by, the main one first."""

    value: Any
    names: list[str] = field(default_factory=list)

    @property
    def module(self) -> str:
        """The module of the main name."""
        return self.names[0].rpartition(".")[0]

    @property
    def defined(self) -> str:
        """Where its code is, as the module and the name there."""
        return f"{self.value.__module__}.{self.value.__qualname__}"


def objects() -> list[Public]:
    """Each public class and function once, by family."""
    found: dict[str, Public] = {}
    for module in MODULES:
        for name, value in _names(module):
            public = found.setdefault(f"{value.__module__}.{value.__qualname__}", Public(value))
            public.names.append(f"{module}.{name}")
    for public in found.values():
        # The name it was given, before its other ones: MaxPooling2D, not MaxPool2D.
        own = public.value.__name__
        home = public.module
        public.names.sort(key=lambda name: (name.rpartition(".")[0] != home, name.rpartition(".")[2] != own, name))
    return list(found.values())


def _names(module: str) -> Iterator[tuple[str, Any]]:
    try:
        namespace = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return
    for name in getattr(namespace, "__all__", None) or dir(namespace):
        value = None if name.startswith("_") else getattr(namespace, name)
        if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__.startswith("pynn"):
            yield name, value
