"""Models: layers put together, trained, used, copied and saved."""

from pynn.models.cloning import clone_model, model_from_json
from pynn.models.model import Functional, Model
from pynn.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def __getattr__(name: str) -> object:
    if name in ("load_model", "save_model"):
        from pynn.saving import saving_api

        return getattr(saving_api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
