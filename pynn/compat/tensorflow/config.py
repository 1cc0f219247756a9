"""``tensorflow.config``: there is one CPU, and functions are always compiled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pynn.compat.importing import missing

PhysicalDevice = SimpleNamespace


def __getattr__(name: str) -> Any:
    raise missing("tensorflow.config", name, "leave it out") if not name.startswith("__") else AttributeError(name)


def list_physical_devices(device_type: str | None = None) -> list[Any]:
    """One CPU and nothing else."""
    cpu = SimpleNamespace(name="/physical_device:CPU:0", device_type="CPU")
    return [cpu] if device_type in (None, "CPU") else []


list_logical_devices = list_physical_devices
#: ``set_memory_growth`` is called for each GPU, so never.
experimental = SimpleNamespace(list_physical_devices=list_physical_devices)
