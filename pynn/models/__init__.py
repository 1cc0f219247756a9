"""Models: layers put together, trained and used."""

from pynn.models.model import Functional, Model
from pynn.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential"]
