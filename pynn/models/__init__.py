"""Models: layers put together, trained and used."""

from pynn.models.model import Model
from pynn.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
