"""The same random loops through Keras's progress bar and ours leave the same line."""

import importlib
import random
import re

import pytest

from pynn.utils import progbar


class Clock:
    """Stands for the module ``time`` in both."""

    def __init__(self):
        self.now = 1000.0

    def time(self):
        return self.now

    perf_counter = time


def _last_line(bar_class, seed, clock, capsys):
    draw = random.Random(seed)
    target = draw.choice([None, 1, 9, 10, 99, 100, 469, 1000])
    lists = draw.choice([{}, {"stateful_metrics": ["a"]}, {"stateless_metrics": ["a"]}])
    unit = draw.choice(["step", "sample"])
    bar = bar_class(target, width=draw.choice([20, 30]), verbose=draw.choice([1, 1, 2]), unit_name=unit, **lists)
    steps = target or 7
    for step in range(1, steps + 1):
        clock.now += draw.choice([1e-5, 1e-3, 0.5, 5])
        values = [("a", abs(draw.gauss(0, 1)) * 10.0 ** draw.randint(-5, 2)), ("loss", abs(draw.gauss(0, 1)))]
        if step < steps:
            bar.update(step, values)
        else:
            bar.update(step, [*values, ("val_loss", 0.25)], finalize=True)
    plain = re.sub(r"\x1b\[\d*m|\x08", "", capsys.readouterr().out)
    return plain.rstrip("\n").split("\r")[-1].split("\n")[-1].rstrip()


@pytest.mark.parametrize("seed", range(40))
def test_last_line(keras, seed, capsys, monkeypatch):
    lines = []
    keras_module = importlib.import_module("keras.src.utils.progbar")
    for module in (keras_module, progbar):
        clock = Clock()
        monkeypatch.setattr(module, "time", clock)
        lines.append(_last_line(module.Progbar, seed, clock, capsys))
    assert lines[0] == lines[1]
