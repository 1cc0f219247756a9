"""What fit, evaluate and predict print."""

import re

import pytest

from pynn.callbacks import CallbackList, ProgbarLogger
from pynn.errors import ArgumentError

BAR = "━" * 20
EPOCHS = [
    {"loss": 0.5, "accuracy": 0.75, "val_loss": 4e-4, "val_accuracy": 0.5},
    {"loss": 0.25, "accuracy": 0.875, "val_loss": 3e-4, "val_accuracy": 0.5},
]
BATCHES = [{"loss": 1.0, "accuracy": 0.1}] * 3


def _run(model, fit, **params):
    callbacks = CallbackList(add_progbar=True, model=model, epochs=2, **params)
    fit(callbacks, EPOCHS, BATCHES, validation=True)
    return callbacks


def test_fit_prints_one_line_per_epoch_into_a_log(model, fit, capsys):
    _run(model, fit, verbose=1, steps=3)
    lines = re.sub(r"\d+(us|ms)/step", "T/step", capsys.readouterr().out).splitlines()
    assert lines == [
        "Epoch 1/2",
        f"3/3 {BAR} 0s T/step - accuracy: 0.7500 - loss: 0.5000 - val_accuracy: 0.5000 - val_loss: 4.0000e-04",
        "Epoch 2/2",
        f"3/3 {BAR} 0s T/step - accuracy: 0.8750 - loss: 0.2500 - val_accuracy: 0.5000 - val_loss: 3.0000e-04",
    ]


def test_verbose_2_is_one_line_without_bar(model, fit, capsys):
    _run(model, fit, verbose=2, steps=3)
    out = capsys.readouterr().out
    line = r"^3/3 - 0s - \d+(us|ms)/step - accuracy: 0.7500 - loss: 0.5000 - val_accuracy: 0.5000"
    assert re.search(line, out, re.MULTILINE)
    assert "━" not in out


@pytest.mark.parametrize("verbose", [0, "auto"])
def test_silence(model, fit, capsys, verbose):
    callbacks = _run(model, fit, verbose=verbose, steps=3)
    assert capsys.readouterr().out == ""
    assert not callbacks.listens_to("on_train_batch_end")


@pytest.mark.parametrize("verbose", [1, 2])
def test_unknown_number_of_steps_is_counted(model, fit, capsys, verbose):
    _run(model, fit, verbose=verbose, steps=None)
    assert len(re.findall(r"^3/3 ", capsys.readouterr().out, re.MULTILINE)) == 2


def test_a_log_never_asks_for_the_numbers_of_a_batch(model):
    callbacks = CallbackList(add_progbar=True, model=model, verbose=1, epochs=1, steps=3)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    for batch in range(3):
        callbacks.on_train_batch_end(batch, lambda: pytest.fail("worked out the logs"))


def test_evaluate_after_fit_has_a_bar_of_its_own(model, fit, capsys):
    callbacks = _run(model, fit, verbose=1, steps=3)
    capsys.readouterr()
    callbacks.set_params({"verbose": 1, "epochs": 1, "steps": 2})
    callbacks.on_test_begin()
    for batch in range(2):
        callbacks.on_test_batch_end(batch, {"loss": 2.0})
    callbacks.on_test_end({"loss": 1.5})
    assert re.fullmatch(rf"2/2 {BAR} 0s \d+us/step - loss: 1.5000\n", capsys.readouterr().out)


def test_predict_shows_no_metrics(model, capsys):
    callbacks = CallbackList(add_progbar=True, model=model, verbose=1, epochs=1, steps=1)
    callbacks.on_predict_begin()
    callbacks.on_predict_batch_end(0, {"outputs": [1.0]})
    callbacks.on_predict_end()
    assert re.fullmatch(rf"1/1 {BAR} 0s \d+(us|ms)/step\n", capsys.readouterr().out)


def test_interrupted_run_can_be_followed_by_another(model, fit, capsys):
    callbacks = CallbackList(add_progbar=True, model=model, verbose=1, epochs=2, steps=3)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_train_batch_end(0, {"loss": 1.0})
    callbacks.close()
    fit(callbacks, EPOCHS, BATCHES)
    assert capsys.readouterr().out.count("3/3") == 2


def test_wrong_verbose_is_an_error(model):
    with pytest.raises(ArgumentError, match="verbose=7 is not known"):
        CallbackList(ProgbarLogger(), model=model, verbose=7)
