"""Callbacks are called at every stage, and only where they listen."""

import subprocess
import sys

import numpy as np
import pytest

import pynn.callbacks
from pynn.callbacks import Callback, CallbackList, History, LambdaCallback, ProgbarLogger
from pynn.callbacks.callback_list import plain_logs
from pynn.errors import ArgumentError

HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class Recorder(Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


def _recording(name):
    def hook(self, *args, **kwargs):
        self.calls.append(name)

    return hook


for _name in HOOKS:
    setattr(Recorder, _name, _recording(_name))


def test_stages_in_order(model, fit):
    recorder = Recorder()
    callbacks = CallbackList([recorder], model=model, epochs=1, steps=1)
    fit(callbacks, [{"loss": 1.0}], batches=[{"loss": 2.0}], validation=True)
    assert recorder.calls == [
        "on_train_begin",
        "on_epoch_begin",
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_test_begin",
        "on_test_batch_begin",
        "on_test_batch_end",
        "on_test_end",
        "on_epoch_end",
        "on_train_end",
    ]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_is_not_overridden_has_no_listeners(hook):
    silent, loud = CallbackList([Callback(), History()]), CallbackList([Recorder()])
    assert silent.listens_to(hook) == (hook in ("on_train_begin", "on_epoch_end"))
    assert loud.listens_to(hook)


def test_older_names_of_batch_hooks_are_listened_to(model, fit):
    seen = []

    class Old(Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append((batch, logs["loss"]))

    callbacks = CallbackList([Old()], model=model)
    assert callbacks.listens_to("on_train_batch_end")
    assert not callbacks.listens_to("on_train_batch_begin")
    fit(callbacks, [{}], batches=[{"loss": 2.0}, {"loss": 1.0}])
    assert seen == [(0, 2.0), (1, 1.0)]


def test_method_given_later_is_found(model, fit):
    seen = []
    callback = Callback()
    callbacks = CallbackList([callback], model=model)
    callback.on_train_batch_end = lambda batch, logs=None: seen.append(batch)
    fit(callbacks, [{}], batches=[{}, {}])
    assert seen == [0, 1]


def test_logs_as_a_function_are_worked_out_once_and_only_for_listeners():
    calls = []

    def logs():
        calls.append(1)
        return {"loss": np.float32(0.5)}

    CallbackList([Callback()]).on_train_batch_end(0, logs)
    assert not calls
    seen = []
    listener = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    CallbackList([listener, listener]).on_train_batch_end(0, logs)
    assert seen == [0.5, 0.5]
    assert len(calls) == 1


def test_logs_are_python_floats_in_order_of_names():
    outputs = np.ones((1, 1))
    logs = plain_logs({"loss": np.float32(0.5), "group": {"b": np.array(2)}, "accuracy": 1, "outputs": outputs})
    assert list(logs) == ["accuracy", "b", "loss", "outputs"]
    assert [type(logs[name]) for name in ("accuracy", "b", "loss")] == [float] * 3
    assert logs["outputs"] is outputs


def test_history_and_bar_are_added_once(model):
    callbacks = CallbackList(add_history=True, add_progbar=True, model=model)
    assert [type(c) for c in callbacks.callbacks] == [History, ProgbarLogger]
    assert model.history is callbacks.history
    own = History()
    assert CallbackList([[own], ProgbarLogger()], add_history=True, add_progbar=True).history is own


def test_params_and_model_reach_everyone(model):
    callback = Callback()
    CallbackList(callback, model=model, verbose=0, epochs=3, steps=7)
    assert callback.params == {"verbose": 0, "epochs": 3, "steps": 7}
    assert callback.model is model


def test_appended_callback_is_called(model, fit):
    seen = []
    callbacks = CallbackList(model=model)
    callbacks.append(LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch)))
    callbacks.on_train_batch_end(3)
    assert seen == [3]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: None, r"callbacks is <function .*LambdaCallback\(on_epoch_end=function\)"),
        ([Callback(), History], r"callbacks\[1\] is the class History; expected an object of a subclass"),
    ],
)
def test_what_is_no_callback_is_refused(wrong, message):
    with pytest.raises(ArgumentError, match=message):
        CallbackList(wrong)


def test_callbacks_are_imported_when_first_used():
    code = "import sys, pynn.callbacks as c; assert 'pynn.callbacks.history' not in sys.modules; c.History()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert all(getattr(pynn.callbacks, name).__name__ == name for name in pynn.callbacks.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Hystory'"):
        _ = pynn.callbacks.Hystory
