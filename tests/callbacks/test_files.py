"""Callbacks that write files: checkpoints, backups, tables, event files."""

import csv
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import pynn
from pynn import callbacks, layers
from pynn.errors import ArgumentError

X = np.random.default_rng(0).random((24, 6)).astype("float32")
Y = np.random.default_rng(1).random((24, 2)).astype("float32")


@pytest.fixture(autouse=True)
def _h5py():
    pytest.importorskip("h5py")


def model(dropout=0.0):
    pynn.utils.set_random_seed(3)
    parts = [pynn.Input((6,)), layers.Dense(8, activation="relu"), layers.Dropout(dropout), layers.Dense(2)]
    made = pynn.Sequential(parts)
    made.compile(pynn.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return made


def fit(trained, *used, epochs=3, **options):
    return trained.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(used), **options)


# ---- ModelCheckpoint ---------------------------------------------------------------------------------------------


def test_a_checkpoint_after_each_epoch(tmp_path):
    trained = model()
    pattern = tmp_path / "new" / "{epoch:02d}-{val_loss:.2f}.keras"
    history = fit(trained, callbacks.ModelCheckpoint(pattern), validation_data=(X, Y))
    names = [f"{i + 1:02d}-{loss:.2f}.keras" for i, loss in enumerate(history.history["val_loss"])]
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == names
    last = pynn.saving.load_model(tmp_path / "new" / names[-1])
    np.testing.assert_array_equal(last.predict(X, verbose=0), trained.predict(X, verbose=0))
    assert last.train_on_batch(X, Y) == trained.train_on_batch(X, Y)


@pytest.mark.parametrize("ending", ["weights.h5", "safetensors", "npz"])
def test_weights_after_batches(tmp_path, ending):
    pattern = str(tmp_path / ("{epoch}-{batch}." + ending))
    trained = model()
    fit(trained, callbacks.ModelCheckpoint(pattern, save_weights_only=True, save_freq=2))
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{n}.{ending}" for n in ("1-2", "2-1", "2-3", "3-2")][:4]
    other = pynn.Sequential.from_config(trained.get_config())
    other.load_weights(tmp_path / f"3-2.{ending}")
    with pytest.raises(AssertionError):  # one more batch was trained since
        np.testing.assert_array_equal(other.get_weights()[0], trained.get_weights()[0])


def test_the_best_only(tmp_path, capsys):
    path = tmp_path / "best.keras"
    best = callbacks.ModelCheckpoint(path, monitor="score", save_best_only=True, mode="max", verbose=1,
                                     initial_value_threshold=1.0)  # fmt: skip
    best.set_model(model())
    for epoch, score in enumerate([0.5, 2.0, 1.5, 3.0]):
        before = path.stat().st_mtime_ns if path.exists() else 0
        best.on_epoch_begin(epoch)
        best.on_epoch_end(epoch, {"score": score})
        after = path.stat().st_mtime_ns if path.exists() else 0
        assert (after != before) == (score in (2.0, 3.0))
    said = capsys.readouterr().out
    assert "score did not improve from 1.00000" in said
    assert "Epoch 4: score improved from 2.00000 to 3.00000, saving model to" in said


def test_errors_of_checkpoints(tmp_path):
    with pytest.raises(ArgumentError, match=r"must end in \.keras or \.h5"):
        callbacks.ModelCheckpoint("x.txt")
    with pytest.raises(ArgumentError, match=r"must end in \.weights\.h5"):
        callbacks.ModelCheckpoint("x.keras", save_weights_only=True)
    with pytest.raises(ArgumentError, match="save_freq must be 'epoch'"):
        callbacks.ModelCheckpoint("x.keras", save_freq="batch")
    with pytest.raises(KeyError, match="'val_loss', which is not there"):
        fit(model(), callbacks.ModelCheckpoint(tmp_path / "{val_loss}.keras"))
    with pytest.warns(UserWarning, match="only with val_loss available"):
        fit(model(), callbacks.ModelCheckpoint(tmp_path / "m.keras", save_best_only=True), epochs=1)


# ---- BackupAndRestore --------------------------------------------------------------------------------------------


class Stop(callbacks.Callback):
    """Ends the training as a crash would."""

    def __init__(self, epoch, batch=None):
        super().__init__()
        self.at, self.batch, self.epoch = epoch, batch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if self.batch is None and epoch == self.at:
            raise KeyboardInterrupt

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.at and self.batch == batch:
            raise KeyboardInterrupt


def test_a_resumed_training_ends_with_the_same_numbers(tmp_path):
    """Shuffling, dropout and the optimizer included."""
    whole, broken = model(0.3), model(0.3)
    pynn.utils.set_random_seed(5)
    expected = fit(whole, epochs=5).history["loss"]
    pynn.utils.set_random_seed(5)
    with pytest.raises(KeyboardInterrupt):
        fit(broken, callbacks.BackupAndRestore(tmp_path / "b"), Stop(3, batch=1), epochs=5)
    resumed = model(0.3)
    history = fit(resumed, callbacks.BackupAndRestore(tmp_path / "b"), epochs=5)
    assert history.epoch == [3, 4]
    assert history.history["loss"] == expected[3:]
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not (tmp_path / "b").exists()


def test_backups_by_batches(tmp_path):
    broken = model()
    backup = callbacks.BackupAndRestore(tmp_path / "b", save_freq=1, delete_checkpoint=False)
    with pytest.raises(KeyboardInterrupt):
        fit(broken, backup, Stop(1, batch=1))
    resumed = model()
    seen = []
    note = callbacks.LambdaCallback(on_train_begin=lambda logs: seen.append(resumed.get_weights()))
    history = fit(resumed, callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False), note)
    assert history.epoch == [1, 2]
    for a, b in zip(seen[0], broken.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (tmp_path / "b").exists()


def test_a_damaged_backup(tmp_path):
    options = {"delete_checkpoint": False, "double_checkpoint": True}
    fit(model(), callbacks.BackupAndRestore(tmp_path / "b", **options))
    (tmp_path / "b" / "latest.weights.h5").write_bytes(b"broken")
    assert fit(model(), callbacks.BackupAndRestore(tmp_path / "b", **options)).epoch == [2]
    (tmp_path / "b" / "latest.weights.h5").write_bytes(b"broken")
    (tmp_path / "b" / "latest.weights.h5.bkp").unlink()
    with pytest.raises(OSError, match="is not a readable"):
        fit(model(), callbacks.BackupAndRestore(tmp_path / "b", **options))
    with pytest.raises(ArgumentError, match="backup_dir must be"):
        callbacks.BackupAndRestore("")
    backup = callbacks.BackupAndRestore(tmp_path / "b")
    backup.set_model(pynn.Sequential([layers.Dense(2)]))
    with pytest.raises(ArgumentError, match="must be built before fit"):
        backup.on_train_begin()


KILLED = """
import sys
import numpy as np
import pynn
from pynn import layers

pynn.utils.set_random_seed(0)
model = pynn.Sequential([pynn.Input((64,)), layers.Dense(256), layers.Dense(1)])
model.compile("adam", "mse")
x = np.random.default_rng(0).random((64, 64)).astype("float32")
folder = sys.argv[1]
used = [
    pynn.callbacks.BackupAndRestore(folder + "/b", save_freq=1),
    pynn.callbacks.ModelCheckpoint(folder + "/m.keras", save_freq=1),
]
print("ready", flush=True)
model.fit(x, x[:, :1], batch_size=16, epochs=10**6, verbose=0, callbacks=used)
"""


def _wait_for(*paths):
    end = time.monotonic() + 300  # far more than the slowest machine takes
    while not all(path.exists() for path in paths):
        assert time.monotonic() < end, "nothing was written"
        time.sleep(0.01)


def test_killed_while_it_writes(tmp_path):
    """At a random moment of a training that writes all the time.  PYNN_KILLS=100 does it a hundred times."""
    draw = random.Random(0)
    epochs = []
    for _ in range(int(os.environ.get("PYNN_KILLS", "2"))):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        _wait_for(tmp_path / "m.keras", tmp_path / "b" / "latest.weights.h5")
        time.sleep(draw.random() * 0.3)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        # Whatever moment it was: both files are whole, and training goes on from the backup.
        assert pynn.saving.load_model(tmp_path / "m.keras").count_params() == 64 * 256 + 256 + 257
        resumed = pynn.Sequential([pynn.Input((64,)), layers.Dense(256), layers.Dense(1)])
        resumed.compile("adam", "mse")
        backup = callbacks.BackupAndRestore(tmp_path / "b")
        backup.set_model(resumed)
        backup.on_train_begin()
        epochs.append(resumed._initial_epoch)
        assert int(resumed.optimizer.iterations) > 0
    assert epochs == sorted(epochs)  # never back
    leftovers = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert {"m.keras", "latest.weights.h5"} <= set(leftovers)


# ---- tables, rates -----------------------------------------------------------------------------------------------


def test_csv(tmp_path):
    path = tmp_path / "log.csv"
    trained = model()
    first = fit(trained, callbacks.CSVLogger(path, separator=";"))
    fit(trained, callbacks.CSVLogger(path, separator=";", append=True), epochs=4, initial_epoch=3)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert list(rows[0]) == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [float(row["loss"]) for row in rows[:3]] == first.history["loss"]
    assert rows[0]["val_loss"] == "NA"


def test_learning_rate_scheduler(capsys):
    trained = model()
    history = fit(trained, callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1))
    np.testing.assert_allclose(history.history["learning_rate"], [0.005, 0.0025, 0.00125], rtol=1e-6)
    assert "Epoch 2: LearningRateScheduler setting learning rate to 0.00249" in capsys.readouterr().out
    history = fit(trained, callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)))
    np.testing.assert_allclose(history.history["learning_rate"], [0.1, 0.05, 0.1 / 3], rtol=1e-6)
    with pytest.raises(ArgumentError, match="schedule must give a float, it gave 1 for epoch 0"):
        fit(trained, callbacks.LearningRateScheduler(lambda epoch: 1))


def test_errors_of_plateaus():
    with pytest.raises(ArgumentError, match="factor must be below 1"):
        callbacks.ReduceLROnPlateau(factor=1.0)
    with pytest.warns(UserWarning, match="val_loss` which is not available"):
        fit(model(), callbacks.ReduceLROnPlateau(), epochs=1)


# ---- TensorBoard -------------------------------------------------------------------------------------------------


def events(folder):
    """Tag -> {step: value}, by TensorBoard's own reader."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0})
    reader.Reload()
    return {tag: {e.step: e.tensor_proto for e in reader.Tensors(tag)} for tag in reader.Tags()["tensors"]}, reader


@pytest.mark.filterwarnings("ignore")
def test_tensorboard(tmp_path):
    util = pytest.importorskip("tensorboard.util.tensor_util")
    trained = model()
    board = callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True, update_freq=2)
    history = fit(trained, board, validation_data=(X, Y)).history
    train, reader = events(tmp_path / "train")
    losses = [float(util.make_ndarray(train["epoch_loss"][epoch])) for epoch in range(3)]
    np.testing.assert_allclose(losses, history["loss"], rtol=1e-6)
    assert float(util.make_ndarray(train["epoch_learning_rate"][2])) == pytest.approx(0.01)
    assert sorted(train["batch_loss"]) == [2, 4, 6, 8]
    weights = trained.layers[0].weights[0]
    assert sorted(train[f"{weights.path}/histogram"]) == [0, 1, 2]
    last = util.make_ndarray(train[f"{weights.path}/histogram"][2])
    assert last[:, 2].sum() == weights.size
    width, height, picture = util.make_ndarray(train[f"{weights.path}/image"][2])[:3]
    assert (width, height, picture[:8]) == (b"8", b"6", b"\x89PNG\r\n\x1a\n")
    graph = bytes(util.make_ndarray(train["keras"][0]).item())
    assert pynn.models.model_from_json(graph).count_params() == trained.count_params()
    assert reader.SummaryMetadata("keras").plugin_data.plugin_name == "graph_keras_model"
    validation, _ = events(tmp_path / "validation")
    assert set(validation) == {f"{a}_{n}{b}" for n in ("loss", "mae")
                               for a, b in (("epoch", ""), ("evaluation", "_vs_iterations"))}  # fmt: skip


def test_pictures_can_be_read():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    import io

    from pynn.callbacks.tensorboard import png

    image = np.random.default_rng(0).random((3, 5, 3))
    shown = pyplot.imread(io.BytesIO(png(image)), format="png")
    np.testing.assert_allclose(shown, image, atol=1 / 255)


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ((4,), (1, 4, 1, 1)),
        ((2, 5), (1, 2, 5, 1)),
        ((5, 2), (1, 2, 5, 1)),
        ((3, 4, 1, 6), (6, 3, 4, 1)),
        ((7, 5, 4, 3), (7, 5, 4, 3)),
        ((7, 5, 4, 2), None),
        ((), None),
    ],
)
def test_weights_as_pictures(shape, shown):
    from pynn.callbacks.tensorboard import as_images

    images = as_images(np.arange(np.prod(shape)).reshape(shape))
    assert (None if images is None else images.shape) == shown
    if shape == (3, 4, 1, 6):
        np.testing.assert_array_equal(images[2, ..., 0], np.arange(72).reshape(3, 4, 6)[..., 2])


def test_errors_of_tensorboard(monkeypatch, tmp_path):
    wrong = [({"profile_batch": 2}, "profile_batch=2 is not supported"), ({"embeddings_freq": 1}, "embeddings_freq"),
             ({"update_freq": "x"}, "update_freq")]  # fmt: skip
    for options, message in wrong:
        with pytest.raises(ArgumentError, match=message):
            callbacks.TensorBoard(tmp_path, **options)
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(ImportError, match=r"pip install 'pynn-engine\[tensorboard\]'"):
        callbacks.TensorBoard(tmp_path).set_model(model())
