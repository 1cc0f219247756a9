"""The progress bar in a log file and on a terminal (a real pseudo terminal, in a child process)."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from pynn.errors import ArgumentError
from pynn.utils import Progbar
from pynn.utils import progbar as progbar_module
from pynn.utils.bar_displays import BarState, resolve_verbose
from pynn.utils.progbar import format_metric, format_step_time


class Clock:
    """Replaces the module's clock: time passes only when the test says so."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progbar_module.time, "perf_counter", lambda: self.now)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s/step"), (25e-6, "25us/step"), (0.0021, "2ms/step"), (0.9994, "999ms/step"), (1.2, "1s/step")],
)
def test_step_time_has_a_readable_unit(seconds, text):
    assert format_step_time(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "m: 0.1235"),
        (0.001, "m: 1.0000e-03"),
        (-2.5, "m: -2.5000"),
        (0.0, "m: 0.0000e+00"),
        (1e-7, "m: 1.0000e-07"),
    ],
)
def test_metrics_have_four_decimals_and_small_ones_an_exponent(value, text):
    assert format_metric("m", value) == text


def test_log_file_gets_only_the_last_state(capsys, monkeypatch):
    clock = Clock(monkeypatch)
    bar = Progbar(20, stateful_metrics=["loss"])
    for step in range(20):
        clock.now += 0.5 if step == 0 else 0.1
        bar.update(step + 1, [("loss", 1 / (step + 1))])
    # The first step is not representative and left out of the time per step.
    assert capsys.readouterr().out == f"20/20 {'━' * 20} 2s 100ms/step - loss: 0.0500\n"


def test_verbose_2_is_one_line_without_bar(capsys, monkeypatch):
    clock = Clock(monkeypatch)
    bar = Progbar(128, verbose=2)
    clock.now += 128 * 0.003
    bar.update(128, [("accuracy", 0.9), ("loss", 9e-4)])
    assert capsys.readouterr().out == "128/128 - 0s - 3ms/step - accuracy: 0.9000 - loss: 9.0000e-04\n"


def test_verbose_0_is_silent(capsys):
    bar = Progbar(3, verbose=0)
    bar.add(3, [("loss", 1.0)])
    assert capsys.readouterr().out == ""


def test_values_are_averaged_over_steps_unless_stateful():
    bar = Progbar(10, stateful_metrics=["last"])
    bar.update(2, [("mean", 1.0), ("last", 1.0)])
    bar.add(1, [("mean", 4.0), ("last", 4.0)])
    assert bar._metrics() == " - mean: 2.0000 - last: 4.0000"


def test_unknown_target(capsys):
    bar = Progbar(None)
    bar.add(1)
    bar.update(7, finalize=True)
    assert re.fullmatch(r"      7/Unknown 0s \d+us/step\n", capsys.readouterr().out)


def test_counts_are_padded_and_the_bar_grows():
    state = BarState(current=25, target=100, width=8, elapsed="3s", info=" 4ms/step")
    assert state.text(left="─") == " 25/100 ━━────── 3s 4ms/step"
    assert state.text(colours=True).startswith("\x1b[1m 25/100\x1b[0m \x1b[32m━━\x1b[0m\x1b[37m━━━━━━\x1b[0m")


def test_output_that_cannot_show_the_bar_gets_ascii():
    code = "from pynn.utils import Progbar; Progbar(3).update(3)"
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3/3 ==================== 0s")


@pytest.mark.parametrize("verbose", [3, -1, "yes", None, 1.0])
def test_unknown_verbose_is_an_error(verbose):
    with pytest.raises(ArgumentError, match=r"verbose=.* is not known; expected 0 \(silent\), 1"):
        resolve_verbose(verbose)


def test_auto_is_quiet_in_a_log(capsys):
    assert resolve_verbose("auto") == 0


def test_two_kinds_of_metric_lists_are_an_error():
    with pytest.raises(ArgumentError, match="both stateful_metrics and stateless_metrics"):
        Progbar(3, stateful_metrics=[], stateless_metrics=[])


def _run_in_terminal(code: str, columns: int = 120) -> str:
    """Everything ``code`` writes to a pseudo terminal of that width."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    import struct

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    env |= {"TERM": "xterm", "PYTHONUTF8": "1"}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=child, env=env)
    os.close(child)
    written = b""
    while True:
        try:
            block = os.read(parent, 65536)
        except OSError:  # Linux reports the closed end this way
            break
        if not block:
            break
        written += block
    os.close(parent)
    assert process.wait() == 0
    return written.decode()


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[\d*m", "", text)


def test_terminal_redraws_one_line_in_place_and_leaves_the_last_state():
    written = _run_in_terminal("""
        from types import SimpleNamespace
        from pynn.utils import Progbar, progbar
        now = 100.0
        progbar.time = SimpleNamespace(perf_counter=lambda: now)
        bar = Progbar(400, stateless_metrics=[])
        for step in range(400):
            now += 0.0015
            bar.update(step + 1, [("loss", 0.5)], finalize=False)
        bar.update(400, [("loss", 0.25)], finalize=True)
        """)
    states = [s for s in _plain(written).replace("\n", "").split("\r") if s.strip()]
    assert written.count("\n") == 1
    assert re.fullmatch(rf"400/400 {'━' * 20} 1s \dms/step - loss: 0.2500", states[-1])
    # 0.6 s at one redraw every 50 ms or a step later, against 400 updates.
    assert 10 <= len(states) <= 14
    assert all(re.match(r"[ \d]{3}/400 ━*─* +\d+s \dms/step - loss: 0.5000", s) for s in states[:-1]), states
    assert "\x1b[32m━" in written


def test_terminal_line_is_cut_to_the_window_while_it_is_redrawn():
    written = _run_in_terminal(
        """
        import time
        from pynn.utils import Progbar
        bar = Progbar(3, interval=0)
        bar.update(1, [("a_metric_with_a_long_name", 0.5), ("another_one_that_does_not_fit", 0.5)])
        """,
        columns=50,
    )
    assert max(len(s) for s in _plain(written).split("\r")) < 51


def test_short_run_on_a_terminal_does_not_import_tqdm():
    written = _run_in_terminal("""
        import sys
        from pynn.utils import Progbar
        Progbar(3).update(3)
        assert "tqdm" not in sys.modules
        """)
    assert written.count("\r") == 1  # of the line's end


def test_closed_bar_leaves_the_cursor_on_a_new_line():
    written = _run_in_terminal("""
        from pynn.utils import Progbar
        bar = Progbar(3, interval=0)
        bar.update(1)
        bar.close()
        print("next")
        """)
    assert re.search(r"1/3 ━+─+ [^\r]*\r\nnext\r\n$", _plain(written))


def test_update_without_redraw_is_cheap():
    """In calls, since times depend on the machine: the property, and the clock that it reads."""
    bar = Progbar(10**9, verbose=1)
    calls = []
    sys.setprofile(lambda frame, event, function: calls.append(event))
    try:
        for _ in range(100):
            bar.redraw_is_due  # noqa: B018
    finally:
        sys.setprofile(None)
    assert calls.count("call") == 100
    assert calls.count("c_call") <= 101  # and of setprofile itself
