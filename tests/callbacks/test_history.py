"""History records epochs and draws them."""

import sys

import pytest

from pynn.callbacks import CallbackList
from pynn.errors import ArgumentError

EPOCHS = [{"loss": 1.0, "val_loss": 2.0, "accuracy": 0.5}, {"loss": 0.5, "val_loss": 1.5, "accuracy": 0.75}]


@pytest.fixture
def history(model, fit):
    callbacks = CallbackList(add_history=True, model=model, verbose=0, epochs=2, steps=1)
    fit(callbacks, EPOCHS)
    return model.history


def test_epochs_are_recorded(history):
    assert history.history == {"accuracy": [0.5, 0.75], "loss": [1.0, 0.5], "val_loss": [2.0, 1.5]}
    assert history.epoch == [0, 1]
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 1}


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_plot_has_a_panel_per_metric_the_loss_first(history, pyplot, tmp_path):
    figure = history.plot()
    assert [panel.get_title() for panel in figure.axes] == ["loss", "accuracy"]
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert list(loss.lines[1].get_ydata()) == [2.0, 1.5]
    assert list(loss.lines[0].get_xdata()) == [1, 2]
    assert len(accuracy.lines) == 1
    figure.savefig(tmp_path / "curves.png")


def test_plot_of_some_metrics_after_a_second_fit(history, model, fit, pyplot):
    fit(CallbackList([history], model=model), EPOCHS)
    (panel,) = history.plot(["accuracy"]).axes
    assert list(panel.lines[0].get_xdata()) == [1, 2, 3, 4]


def test_plot_of_an_unknown_metric_names_the_known(history):
    with pytest.raises(ArgumentError, match="got metric 'f1'; recorded are: accuracy, loss, val_loss"):
        history.plot(["f1"])


def test_plot_of_nothing_is_an_error():
    from pynn.callbacks import History

    with pytest.raises(ArgumentError, match="no epoch was recorded"):
        History().plot()


def test_plot_without_matplotlib_says_what_to_install(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'pynn-engine\[plot\]'"):
        history.plot()
