"""Callbacks: every hook, early stopping by hand, schedules, checkpoints, logs.

Runs with Keras (``python callbacks.py``) and with pynn (``python -m pynn.compat callbacks.py``), with equal results.
"""

import csv
import os
import tempfile

import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.standard_normal((60, 6)).astype("float32")
y = (x @ rng.standard_normal((6, 1)) + 0.1 * rng.standard_normal((60, 1))).astype("float32")


def get_model(learning_rate=0.05):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(1)])
    weights = np.random.default_rng(1)
    model.set_weights([0.5 * weights.standard_normal(w.shape) for w in model.get_weights()])
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=learning_rate), loss="mean_squared_error", metrics=["mae"]
    )
    return model


class Diary(keras.callbacks.Callback):
    """Says which hook was called, with which keys of logs."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def note(self, hook, logs):
        self.calls.append(f"{hook}({', '.join(sorted(logs or {}))})")

    def on_train_begin(self, logs=None):
        self.note("train_begin", logs)

    def on_train_end(self, logs=None):
        self.note("train_end", logs)

    def on_epoch_begin(self, epoch, logs=None):
        self.note(f"epoch_begin {epoch}", logs)

    def on_epoch_end(self, epoch, logs=None):
        self.note(f"epoch_end {epoch}", logs)

    def on_train_batch_end(self, batch, logs=None):
        self.note(f"train_batch_end {batch}", logs)

    def on_test_begin(self, logs=None):
        self.note("test_begin", logs)

    def on_test_batch_end(self, batch, logs=None):
        self.note(f"test_batch_end {batch}", logs)

    def on_predict_begin(self, logs=None):
        self.note("predict_begin", logs)

    def on_predict_batch_end(self, batch, logs=None):
        self.note(f"predict_batch_end {batch}", logs)


class StopAtMinimum(keras.callbacks.Callback):
    """Stops when the loss has not fallen for ``patience`` epochs, and takes the best weights back."""

    def __init__(self, patience=0):
        super().__init__()
        self.patience, self.best_weights = patience, None

    def on_train_begin(self, logs=None):
        self.wait, self.stopped_epoch, self.best = 0, 0, np.inf

    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < self.best:
            self.best, self.wait, self.best_weights = logs["loss"], 0, self.model.get_weights()
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            self.model.set_weights(self.best_weights)


class Decay(keras.callbacks.Callback):
    """Halves the learning rate in each epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.model.optimizer.learning_rate = rate * 0.5


diary = Diary()
model = get_model()
model.fit(x, y, batch_size=20, epochs=2, shuffle=False, validation_split=0.5, verbose=0, callbacks=[diary])
model.evaluate(x, y, batch_size=30, verbose=0, callbacks=[diary])
model.predict(x, batch_size=30, verbose=0, callbacks=[diary])
print("\n".join(diary.calls))

stop = StopAtMinimum(patience=1)
model = get_model(0.3)
history = model.fit(x, y, batch_size=20, epochs=30, shuffle=False, verbose=0, callbacks=[stop])
print("stopped", stop.stopped_epoch, len(history.epoch), float(model.evaluate(x, y, verbose=0)[0]))

model = get_model()
model.fit(x, y, epochs=3, verbose=0, shuffle=False, callbacks=[Decay()])
print("rate", float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))

with tempfile.TemporaryDirectory() as folder:
    seen = []
    model = get_model(0.1)
    callbacks = [
        keras.callbacks.ModelCheckpoint(os.path.join(folder, "best_{epoch:02d}.keras"), save_best_only=True),
        keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.1, patience=1),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, min_delta=1e-3, restore_best_weights=True),
        keras.callbacks.CSVLogger(os.path.join(folder, "log.csv")),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)),
        keras.callbacks.TerminateOnNaN(),
    ]
    history = model.fit(
        x, y, validation_data=(x[:20], y[:20]), epochs=25, verbose=0, shuffle=False, callbacks=callbacks
    )
    with open(os.path.join(folder, "log.csv")) as file:
        rows = list(csv.DictReader(file))
    print("epochs", len(seen), len(rows), list(rows[0]), sorted(history.history))
    print("files", sorted(name for name in os.listdir(folder) if name.endswith(".keras")))
    print("last", {name: float(values[-1]) for name, values in history.history.items()})

schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else rate * 0.1)
history = get_model().fit(x, y, epochs=4, verbose=0, shuffle=False, callbacks=[schedule])
print("schedule", history.history["learning_rate"])
