"""Python reads this when it starts: the package that a sanitizer built is found, not one that is installed in place."""

import sys

sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
