"""LambdaCallback and TerminateOnNaN."""

import math

import pytest

from pynn.callbacks import CallbackList, LambdaCallback, TerminateOnNaN
from pynn.errors import ArgumentError


def test_functions_are_called(model, fit):
    seen = []
    callback = LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(("epoch", epoch, logs["loss"])),
        on_train_batch_begin=lambda batch, logs: seen.append(("batch", batch)),
        on_test_end=lambda logs: seen.append(("test", logs["loss"])),
    )
    fit(CallbackList([callback], model=model), [{"loss": 1.0}], batches=[{}], validation=True)
    assert seen == [("batch", 0), ("test", 9.0), ("epoch", 0, 1.0)]


def test_hook_that_nobody_calls_is_an_error():
    with pytest.raises(ArgumentError, match="got on_epoch_ends, which nobody calls; the hooks are: on_b"):
        LambdaCallback(on_epoch_ends=print)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_training_ends_when_the_loss_is_no_number(model, fit, capsys, loss):
    fit(CallbackList([TerminateOnNaN()], model=model), [{}, {}], batches=[{"loss": 1.0}, {"loss": loss}])
    assert model.stop_training
    assert capsys.readouterr().out == "Batch 1: Invalid loss, terminating training\n"


def test_error_on_request(model, fit):
    callbacks = CallbackList([TerminateOnNaN(raise_error=True)], model=model)
    with pytest.raises(RuntimeError, match=r"NaN or Inf loss encountered at batch 0\. Loss value: nan"):
        fit(callbacks, [{}], batches=[{"loss": math.nan}])


def test_finite_loss_goes_on(model, fit):
    fit(CallbackList([TerminateOnNaN()], model=model), [{}], batches=[{"loss": 1e30}, {}])
    assert not model.stop_training
