"""What a config may name of pynn itself: the public classes and functions of its packages, and nothing else.

There is no list to keep: a family's table is made from what its package exports.  Names come from files, so they are
looked up in these tables only; nothing is ever imported because a file says so.
"""

from __future__ import annotations

import importlib
import inspect
from functools import cache
from typing import Any

#: Keras's module, as configs write it -> package of pynn.
_PACKAGES = {
    "activations": "pynn.activations",
    "losses": "pynn.losses",
    "metrics": "pynn.metrics",
    "initializers": "pynn.initializers",
    "regularizers": "pynn.regularizers",
    "constraints": "pynn.constraints",
    "layers": "pynn.layers",
    "optimizers": "pynn.optimizers",
    "optimizers.schedules": "pynn.optimizers.schedules",
    "models": "pynn.models",
    "dtype_policies": "pynn.dtype_policies",
    "random": "pynn.layers.seed_generator",
    "utils": "pynn.utils.feature_space",
    "inception_resnet_v2": "pynn.applications.inception_resnet_v2",
    "alexnet": "pynn.applications.alexnet",
    "convnext": "pynn.applications.convnext",
}
#: Modules of ``applications`` that Keras has, too.
_KERAS_APPLICATIONS = ("inception_resnet_v2", "convnext")
#: Where a config says that an object is from if it is one of ours.
_ROOTS = ("keras", "tf_keras", "tensorflow", "pynn")
#: Functions are taken from these families only: not from ``layers`` or ``models``, whose functions do other things.
_WITH_FUNCTIONS = ("activations", "losses", "metrics", "initializers", "regularizers", "constraints")
#: What a family's package also exports and is none of its objects.
_NOT_OBJECTS = {"get", "serialize", "deserialize", "as_loss", "resolve_accuracy", "resolve_crossentropy"}


@cache
def _package(family: str) -> Any:
    try:
        return importlib.import_module(_PACKAGES[family])
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("pynn."):
            raise
        return None


def family_of(module: str | None) -> str | None:
    """``layers`` for ``keras.layers``, ``keras.src.layers.core.dense`` and the like of every version; else None."""
    parts = (module or "").split(".")
    if parts[0] not in _ROOTS:
        return None
    if "schedules" in parts or "learning_rate_schedule" in parts:
        return "optimizers.schedules"
    return next((part for part in parts[1:] if part in _PACKAGES), "models")


def is_builtin_module(module: str | None) -> bool:
    """Whether the config says that the object is Keras's own, or pynn's."""
    return (module or "").split(".")[0] in _ROOTS


def _public(family: str, name: str) -> Any:
    """What the family's package exports under ``name``; None if nothing."""
    package = _package(family)
    if package is None or name not in getattr(package, "__all__", vars(package)) or name.startswith("_"):
        return None
    return vars(package).get(name)


def find_class(name: str, family: str | None = None) -> Any:
    """The public class ``name``, looked for in ``family`` first; None if there is none."""
    for one in ([family] if family else []) + list(_PACKAGES):
        found = _public(one, name)
        if inspect.isclass(found) and hasattr(found, "from_config"):
            return found
    return None


def find_function(name: str, family: str | None = None) -> Any:
    """The public function ``name`` of the families whose functions configs may name; None if there is none."""
    for one in [family] if family in _WITH_FUNCTIONS else _WITH_FUNCTIONS:
        found = _public(one, name)
        if inspect.isfunction(found) and name not in _NOT_OBJECTS:
            return found
    return None


def public_module(cls: type) -> str | None:
    """``keras.layers`` for a class of pynn that configs name by Keras's module; None for classes of users."""
    module = cls.__module__
    if not module.startswith("pynn."):
        return None
    for family, package in reversed(_PACKAGES.items()):
        if module == package or module.startswith(package + "."):
            if family == "models":
                return "keras.src.models.functional" if cls.__name__ == "Functional" else "keras"
            if package.startswith("pynn.applications"):
                return f"keras.src.applications.{family}" if family in _KERAS_APPLICATIONS else package
            return "keras" if family == "dtype_policies" else f"keras.{family}"
    return None
