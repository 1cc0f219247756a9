"""Runs a script as Python itself would, with ``keras`` and ``tensorflow`` in pynn's hands."""

from __future__ import annotations

import os
import sys
import tokenize
import traceback
import warnings
from collections.abc import Sequence
from types import CodeType, ModuleType

from pynn.compat.importing import install

USAGE = """usage: python -m pynn.compat SCRIPT.py [arguments]

Run a Keras script on pynn: `import keras` and `import tensorflow` give pynn.  KERAS_MAX_EPOCHS=1 and
KERAS_MAX_STEPS_PER_EPOCH=5 try a long script out; plots are drawn without a window unless MPLBACKEND says otherwise."""


def main(arguments: Sequence[str]) -> int:
    """The command line; what it returns is the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    if not os.path.isfile(arguments[0]):
        print(f"python -m pynn.compat: there is no script {arguments[0]!r}", file=sys.stderr)
        return 2
    return run_script(arguments[0], arguments[1:])


def run_script(path: str, arguments: Sequence[str] = ()) -> int:
    """Run the script at ``path`` as ``__main__`` of this process.

    Returns:
        0, or 1 after an error, whose traceback starts in the script.  ``sys.exit`` in the script passes through.
    """
    install()
    _plot_without_windows()
    main_module = ModuleType("__main__")
    vars(main_module).update(__file__=path, __builtins__=__builtins__, __spec__=None)
    sys.modules["__main__"] = main_module  # where pickle and inspect look for the script's classes
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    try:
        exec(_compiled(path), vars(main_module))
    except SystemExit:
        raise
    except BaseException as error:
        _print_traceback(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    finally:
        sys.stdout.flush()
    return 0


def _compiled(path: str) -> CodeType:
    with tokenize.open(path) as file:  # as Python reads it: with its encoding declaration
        return compile(file.read(), path, "exec", dont_inherit=True)


def _print_traceback(error: BaseException) -> None:
    """As Python prints it, from the script's first line on: this file and ``runpy`` are none of its business."""
    sys.stdout.flush()
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") == __name__:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _plot_without_windows() -> None:
    if "MPLBACKEND" not in os.environ:
        os.environ["MPLBACKEND"] = "Agg"
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive", category=UserWarning)
