"""EarlyStopping ends at the epoch where Keras's does, with the same weights."""

import random

import pytest

from pynn.callbacks import EarlyStopping


def _train(callback, values, model):
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = [float(epoch)]
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, model.weights, callback.stopped_epoch, callback.best, callback.wait


@pytest.mark.parametrize("seed", range(40))
def test_early_stopping(keras, make_model, seed):
    draw = random.Random(seed)
    arguments = {
        "monitor": "loss",
        "min_delta": draw.choice([0, 0.1, -0.3]),
        "patience": draw.randint(0, 3),
        "mode": draw.choice(["auto", "min", "max"]),
        "baseline": draw.choice([None, None, 1.5]),
        "restore_best_weights": draw.choice([True, False]),
        "start_from_epoch": draw.choice([0, 0, 2]),
    }
    values = [draw.choice([draw.uniform(0, 3), 1.0]) for _ in range(12)]
    ours = _train(EarlyStopping(**arguments), values, make_model())
    theirs = _train(keras.callbacks.EarlyStopping(**arguments), values, make_model())
    assert ours == theirs


class _Optimizer:
    def __init__(self):
        self.learning_rate = 0.5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(40))
def test_reduce_lr_on_plateau(keras, make_model, seed):
    draw = random.Random(seed)
    arguments = {
        "monitor": "loss",
        "factor": draw.choice([0.1, 0.5]),
        "patience": draw.randint(0, 3),
        "mode": draw.choice(["auto", "min", "max"]),
        "min_delta": draw.choice([1e-4, 0.2]),
        "cooldown": draw.randint(0, 2),
        "min_lr": draw.choice([0.0, 0.01]),
    }
    values = [draw.choice([draw.uniform(0, 3), 1.0]) for _ in range(15)]

    def rates(callback):
        model = make_model()
        model.optimizer = _Optimizer()
        callback.set_model(model)
        callback.on_train_begin()
        seen = []
        for epoch, value in enumerate(values):
            logs = {"loss": value}
            callback.on_epoch_end(epoch, logs)
            seen.append((logs["learning_rate"], float(model.optimizer.learning_rate)))
        return seen

    from pynn.callbacks import ReduceLROnPlateau

    assert rates(ReduceLROnPlateau(**arguments)) == rates(keras.callbacks.ReduceLROnPlateau(**arguments))


def test_csv_logger(keras, make_model, tmp_path):
    from pynn.callbacks import CSVLogger

    texts = []
    for i, cls in enumerate((CSVLogger, keras.callbacks.CSVLogger)):
        for append in (False, True):
            callback = cls(tmp_path / f"{i}.csv", append=append)
            callback.set_model(make_model())
            callback.on_train_begin()
            for epoch in range(3):
                callback.on_epoch_end(epoch, {"loss": epoch / 3, "a": [1, 2], **({"val_loss": 1.5} if epoch else {})})
            callback.on_train_end()
        texts.append((tmp_path / f"{i}.csv").read_text())
    assert texts[0] == texts[1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("save_freq", "best"),
    # Keras itself fails on the best of several batches within the first epoch.
    [("epoch", False), ("epoch", True), (2, False), (3, False), (5, False), (3, True), (5, True)],
)
def test_model_checkpoint(keras, make_model, tmp_path, save_freq, best):
    from pynn.callbacks import ModelCheckpoint

    written = []
    for cls in (ModelCheckpoint, keras.callbacks.ModelCheckpoint):
        model = make_model()
        names = []
        model.save = lambda path, overwrite, names=names: names.append(str(path))
        pattern = "{epoch:02d}-{loss:.2f}.keras" if save_freq == "epoch" else "{epoch:02d}-{batch}-{loss:.2f}.keras"
        callback = cls(str(tmp_path / pattern), monitor="loss", save_best_only=best, save_freq=save_freq)
        callback.set_model(model)
        draw = random.Random(1)
        for epoch in range(5):
            callback.on_epoch_begin(epoch)
            for batch in range(4):
                callback.on_train_batch_end(batch, {"loss": draw.random()})
            callback.on_epoch_end(epoch, {"loss": draw.random()})
        written.append(names)
    assert written[0] == written[1]
    assert written[0]
