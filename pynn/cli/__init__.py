"""The command ``pynn``: look at networks, name what is on photographs, train on known data sets, time this machine.

Each subcommand is a file with ``add_to(parsers)``, which says its arguments, and ``run(options)``, which gives the exit
code.  What went wrong is one line on stderr, in the words of the error; ``--traceback`` shows where.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence

from pynn import __version__
from pynn.errors import PynnError

_COMMANDS = ("summary", "predict", "train", "bench")

#: What a user can cause; anything else is a defect and comes with its traceback.
_EXPECTED = (PynnError, OSError, ImportError)


def make_parser() -> argparse.ArgumentParser:
    """All arguments of all subcommands."""
    parser = argparse.ArgumentParser(prog="pynn", description="Train and run neural networks on a CPU.")
    parser.add_argument("--version", action="version", version=f"pynn {__version__}")
    parser.add_argument("--traceback", action="store_true", help="show where an error came from")
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        importlib.import_module(f"pynn.cli.{name}").add_to(parsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default the process's own; gives the exit code."""
    options = make_parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        hint = getattr(options, "if_stopped", None)
        print(f"\npynn {options.command}: stopped{f'; {hint}' if hint else ''}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as in `pynn summary VGG16 | head`
        sys.stderr.close()
        return 141
    except _EXPECTED as error:
        if options.traceback:
            traceback.print_exc()
        else:
            print(f"pynn {options.command}: {error}", file=sys.stderr)
        return 1
