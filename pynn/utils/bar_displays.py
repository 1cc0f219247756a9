"""Where a progress bar goes: a log file, a terminal or a notebook.

A display gets ready-made text from :class:`pynn.utils.Progbar`; it only knows how to put it there:

- :class:`LogDisplay`: a file or a pipe. Nothing until the bar is complete, then one line, without colours.
- :class:`TerminalDisplay`: redraws one line in place with tqdm, which fits it to the window's width, and
  leaves the complete line when it is done.
- :class:`NotebookDisplay`: one display object that changes in place. It needs no widgets, and the last state
  stays in the saved notebook.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from pynn import settings

_BOLD, _GREEN, _GREY, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


@dataclass(frozen=True)
class BarState:
    """What a bar shows at one moment."""

    current: int
    target: int | None
    width: int  # of the bar, in characters
    elapsed: str  # "1s", or the time that is left while the bar is running
    info: str  # " 2ms/step - loss: 0.0921"

    def text(self, done: str = "━", left: str = "━", colours: bool = False) -> str:
        """The whole line, as Keras writes it."""
        bold, reset = (_BOLD, _RESET) if colours else ("", "")
        if not self.target:
            counts = f"{self.current:7d}/Unknown"
        else:
            digits = len(str(self.target))
            filled = min(int(self.width * self.current / self.target), self.width)
            bar = done * filled
            rest = left * (self.width - filled)
            if colours:
                bar = f"{_GREEN}{bar}{_RESET}" if bar else ""
                rest = f"{_GREY}{rest}{_RESET}"
            counts = f"{bold}{self.current:{digits}d}/{self.target}{reset} {bar}{rest}"
        return f"{counts} {bold}{self.elapsed}{reset}{self.info}"


def write_text(text: str) -> None:
    """Write to standard output as it is now (it may be replaced any time), whatever its encoding can show."""
    stdout = sys.stdout
    try:
        stdout.write(text)
    except UnicodeEncodeError:
        encoding = stdout.encoding or "ascii"
        text = text.replace("━", "=").replace("─", "-")
        stdout.write(text.encode(encoding, errors="replace").decode(encoding))
    stdout.flush()


class LogDisplay:
    """Standard output is a file or a pipe: only complete lines."""

    live = False

    def draw(self, state: BarState) -> None:
        """Intermediate states do not go to a log."""

    def finish(self, state: BarState) -> None:
        write_text(state.text() + "\n")

    def print_line(self, text: str) -> None:
        write_text(text + "\n")

    def close(self) -> None:
        """Nothing is open."""


class TerminalDisplay:
    """One line that tqdm redraws in place."""

    live = True

    def __init__(self) -> None:
        self._bar: Any = None
        self._colours = os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")

    def draw(self, state: BarState) -> None:
        if self._bar is None:
            self._bar = self._open(state)
        self._bar.n = state.current
        bold, reset = (_BOLD, _RESET) if self._colours else ("", "")
        text = f"{bold}{state.elapsed}{reset}{state.info}"
        if not state.target:
            text = f"{state.current:7d}/Unknown {text}"
        self._bar.set_description_str(text, refresh=False)
        self._bar.refresh()

    def _open(self, state: BarState) -> Any:
        # Imported here: a run that shows no bar does not pay for tqdm.
        from tqdm import tqdm

        class Bar(tqdm):
            # No thread that watches for stalled bars: Progbar decides when to redraw.
            monitor_interval = 0

        layout = "{desc}"
        if state.target:
            bold, reset = (_BOLD, _RESET) if self._colours else ("", "")
            digits = len(str(state.target))
            layout = f"{bold}{{n_fmt:>{digits}}}/{{total_fmt}}{reset} {{bar:{state.width}}} {{desc}}"
        unicode = "utf" in (sys.stdout.encoding or "").lower()
        return Bar(
            total=state.target,
            file=sys.stdout,
            bar_format=layout,
            ascii="─━" if unicode else "-=",
            colour="green" if self._colours else None,
            dynamic_ncols=True,
            leave=False,
            delay=1e-9,  # the first drawing is ours, with the numbers in it
        )

    def finish(self, state: BarState) -> None:
        if self._bar is not None:
            self._bar.close()  # wipes its line
            self._bar = None
        self.print_line(state.text(colours=self._colours))

    def print_line(self, text: str) -> None:
        """Print above any bar that is open, such as a tqdm loop of the user's around ``fit``."""
        tqdm = sys.modules.get("tqdm")
        if tqdm is None:
            write_text(text + "\n")
            return
        with tqdm.tqdm.external_write_mode(file=sys.stdout):
            write_text(text + "\n")

    def close(self) -> None:
        if self._bar is not None:
            # Interrupted: what was reached stays readable, and the next output starts on a line of its own.
            self._bar.leave = True
            self._bar.close()
            self._bar = None


class NotebookDisplay:
    """One output of a Jupyter cell, updated in place."""

    live = True

    def __init__(self) -> None:
        self._handle: Any = None

    def draw(self, state: BarState) -> None:
        self._show(state.text(left="─"))

    def _show(self, text: str) -> None:
        data = {"text/plain": text}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def finish(self, state: BarState) -> None:
        if self._handle is None:
            # Over before the first redraw: plain text, so that many short epochs stay one output.
            self.print_line(state.text())
        else:
            self._show(state.text())
            self._handle = None

    def print_line(self, text: str) -> None:
        write_text(text + "\n")

    def close(self) -> None:
        self._handle = None


Display = LogDisplay | TerminalDisplay | NotebookDisplay


def _in_notebook() -> bool:
    """Whether printed text ends in a Jupyter cell (not so after a redirection of standard output)."""
    iostream = sys.modules.get("ipykernel.iostream")
    return iostream is not None and isinstance(sys.stdout, iostream.OutStream)


def _on_terminal() -> bool:
    if settings.interactive_logging() is not None:
        return bool(settings.interactive_logging())
    isatty = getattr(sys.stdout, "isatty", None)
    return isatty is not None and bool(isatty())


def choose_display() -> Display:
    """The display that fits standard output as it is now."""
    if _in_notebook():
        return NotebookDisplay()
    if _on_terminal():
        return TerminalDisplay()
    return LogDisplay()


def resolve_verbose(verbose: int | str) -> int:
    """``verbose`` as 0, 1 or 2; ``"auto"`` is 1 on a terminal or in a notebook, and silent in a log.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(verbose, str) and verbose == "auto":
        return int(_in_notebook() or _on_terminal())
    if isinstance(verbose, int) and verbose in (0, 1, 2):
        return int(verbose)
    from pynn.errors import ArgumentError

    raise ArgumentError(
        f"verbose={verbose!r} is not known; expected 0 (silent), 1 (progress bar), 2 (one line per epoch) or 'auto'"
    )
