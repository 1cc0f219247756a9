"""Exceptions that pynn raises on purpose.

Each is also one of Python's own exceptions, so ``except ValueError`` in a user's script keeps working.
Messages follow one pattern: what was wrong and where, what came, what was expected, the way out.
"""


class PynnError(Exception):
    """Base of all errors that pynn raises on purpose."""


class ShapeError(PynnError, ValueError):
    """Shapes that do not fit together: names the op or layer, what came and what was expected."""


class DtypeError(PynnError, TypeError):
    """An array or value of the wrong kind of number."""


class NoNumbersError(PynnError, TypeError):
    """Python or NumPy asked a traced value or a symbolic tensor for numbers, which exist only when a program runs."""


class ArgumentError(PynnError, ValueError):
    """A value that an argument cannot take."""


class StructureError(PynnError, ValueError):
    """Nested lists, tuples and dictionaries that are not built alike."""


class NotBuiltError(PynnError, ValueError):
    """A layer or model was used before its input shape was known."""


class CallError(PynnError, TypeError):
    """A layer was called with arguments that its ``call`` does not take."""


class NotInitializedError(PynnError, RuntimeError):
    """A subclass does not call ``super().__init__()``."""


class TapeError(PynnError, RuntimeError):
    """A gradient tape was asked for what it has not, or no longer, recorded."""


class GraphError(PynnError, RuntimeError):
    """A pass broke one of the graph's invariants: a defect in pynn or in a user's own op."""


class DistributedError(PynnError, RuntimeError):
    """Processes that train together have lost each other, or do not do the same."""


class DataNotFoundError(PynnError, FileNotFoundError):
    """A data set is in none of the places looked at and could not be downloaded."""


class CorruptDataError(PynnError, ValueError):
    """A data file is there, but its content is not what it should be."""


class UnreadableImageError(CorruptDataError, OSError):
    """A file is no image, or ends before its last point."""
