"""Errors of reading files."""

from pynn.errors import PynnError, ShapeError


class WeightsFileError(PynnError, OSError):
    """A file that cannot be read, or that holds what no file of its kind may hold."""


class MissingArrayError(ShapeError, KeyError):
    """A file without an array that the model needs: what a ``load_own_variables`` is told by its mapping."""

    __str__ = Exception.__str__
