"""``python -m pynn.compat SCRIPT.py [arguments]``: the command."""

import sys

from pynn.compat.running import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
