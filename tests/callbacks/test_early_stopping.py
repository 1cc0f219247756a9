"""EarlyStopping stops, waits and restores as in Keras."""

import pytest

from pynn.callbacks import CallbackList, EarlyStopping
from pynn.errors import ArgumentError


def _run(model, fit, values, name="val_loss", **arguments):
    """Number of epochs that ran with ``values`` of the monitored metric."""
    callback = EarlyStopping(monitor=name, **arguments)
    callbacks = CallbackList([callback], add_history=True, model=model)
    fit(callbacks, [{name: value} for value in values])
    return len(model.history.epoch)


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({}, [3, 2, 2, 1], 3),
        ({"patience": 2}, [3, 2, 2, 1, 1, 1, 0], 6),
        ({"min_delta": 0.5}, [3, 2, 1.6, 1], 3),
        ({"min_delta": -0.5, "patience": 1}, [3, 2, 1.4, 1.2, 0], 4),  # its size counts, not its sign
        ({"baseline": 2.5}, [3, 2.9, 2.8, 2.7], 4),
        ({"baseline": 2.5, "patience": 1}, [3, 4, 2.8, 2.7], 2),
        ({"start_from_epoch": 2}, [1, 2, 3, 4, 5], 4),
        ({"mode": "max"}, [1, 2, 1, 0], 3),
        ({}, [float("nan")] * 3, 2),
    ],
)
def test_number_of_epochs(model, fit, arguments, values, epochs):
    assert _run(model, fit, values, **arguments) == epochs


@pytest.mark.parametrize(
    ("name", "values", "epochs"),
    [
        ("val_accuracy", [0.1, 0.2, 0.1, 0.1], 3),
        ("mean_absolute_error", [3, 2, 3, 1], 3),
        ("loss", [3, 2, 3, 1], 3),
    ],
)
def test_direction_is_the_metrics_own(model, fit, name, values, epochs):
    assert _run(model, fit, values, name=name) == epochs


def test_unknown_direction_is_an_error(model, fit):
    with pytest.raises(ArgumentError, match=r"monitor='beauty'.*pass mode='max'"):
        _run(model, fit, [1, 2], name="beauty")


def test_weights_of_the_best_epoch_come_back(model, fit, capsys):
    _run(model, fit, [3, 1, 2, 2], patience=2, restore_best_weights=True, verbose=1)
    assert model.weights == [1.0]
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )


def test_one_object_serves_two_fits(model, fit):
    callback = EarlyStopping("loss", patience=1)
    for _ in range(2):
        callbacks = CallbackList([callback], add_history=True, model=model)
        model.stop_training = False
        fit(callbacks, [{"loss": v} for v in (3, 2, 2, 2)])
        assert model.history.epoch == [0, 1, 2]


def test_missing_metric_warns_and_goes_on(model, fit):
    callbacks = CallbackList([EarlyStopping("val_loss")], add_history=True, model=model)
    with pytest.warns(UserWarning, match="`val_loss` which is not available. Available metrics are: loss"):
        fit(callbacks, [{"loss": 1.0}])


def test_unknown_mode_warns():
    with pytest.warns(UserWarning, match="mode 'up' is unknown"):
        EarlyStopping(mode="up")
