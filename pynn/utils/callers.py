"""Where warnings point to: the line that somebody can change."""

import sys


def users_line() -> int:
    """The ``stacklevel`` for ``warnings.warn`` of the first caller outside pynn.

    Python shows a DeprecationWarning only if it points into the script that runs, and how deep inside pynn a warning is
    raised depends on how many base classes a layer has.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "pynn":
        level, frame = level + 1, frame.f_back
    return level
