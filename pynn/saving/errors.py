"""Errors of reading files."""

from pynn.errors import PynnError


class WeightsFileError(PynnError, OSError):
    """A file that cannot be read, or that holds what no file of its kind may hold."""
