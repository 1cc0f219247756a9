"""Trainings that every rank runs, started by ``mpiexec`` from the tests: ``python scenarios.py FOLDER``.

Each writes what came out as numbers; the tests compare the files of one process and of several.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np

import pynn as keras
from pynn import distribute, layers, ops

SCENARIOS = {}
ROWS = 45


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def numbers(seed=0, classes=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, ROWS)
    x = rng.standard_normal((ROWS, 6)).astype("float32") + y[:, None]
    return x, y


def images(seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (ROWS, 6, 6, 1), dtype=np.uint8), rng.integers(0, 3, ROWS)


def classifier(*inner, size=6):
    return keras.Sequential([keras.Input((size,)), *inner, layers.Dense(3, activation="softmax")])


def compiled(model, optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=("accuracy",), **options):
    model.compile(optimizer, loss, metrics=list(metrics), distribute=distribute.DataParallel(bucket_mb=1e-4, **options))
    return model


def result(model, history=None, **more):
    found = {f"weights_{i}": w for i, w in enumerate(model.get_weights())}
    if history is not None:
        found.update({f"history_{name}": np.array(values) for name, values in history.history.items()})
    return {**found, **more}


@scenario
def arrays():
    """Shuffled, a shorter last batch, sample weights, a validation split, a regularizer; evaluate and predict."""
    x, y = numbers()
    model = compiled(classifier(layers.Dense(8, activation="relu", kernel_regularizer="l2")), "adam", overlap=True)
    history = model.fit(x, y, batch_size=11, epochs=3, verbose=0, validation_split=0.2, sample_weight=1 + y / 2)
    found = model.evaluate(x, y, batch_size=7, verbose=0)
    return result(model, history, evaluated=found, predicted=model.predict(x, batch_size=4, verbose=0))


@scenario
def more_ranks_than_rows():
    """The last batch has one row: the others compute on a row that does not count."""
    x, y = numbers()
    model = compiled(classifier(layers.Dense(5, use_bias=False), layers.BatchNormalization()), "rmsprop")
    history = model.fit(x, y, batch_size=22, epochs=2, verbose=0, shuffle="batch", class_weight={0: 1, 1: 2, 2: 0.5})
    return result(model, history, predicted=model.predict(x[:1], verbose=0))


@scenario
def batch_norm():
    x, y = images()
    model = keras.Sequential([
        keras.Input((6, 6, 1)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.Conv2D(3, 3),
        layers.BatchNormalization(axis=1, scale=False), layers.Flatten(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    compiled(model, keras.optimizers.SGD(0.1, momentum=0.9))
    return result(model, model.fit(x, y, batch_size=16, epochs=3, verbose=0, validation_data=(x, y)))


@scenario
def local_batch_norm():
    x, y = numbers()
    model = compiled(classifier(layers.BatchNormalization(momentum=0.5)), batch_norm="local")
    return result(model, model.fit(x, y, batch_size=16, epochs=2, verbose=0))


@scenario
def layers_own_synchronized():
    x, y = numbers()
    model = compiled(classifier(layers.BatchNormalization(synchronized=True)), batch_norm="local")
    return result(model, model.fit(x, y, batch_size=16, epochs=2, verbose=0))


@scenario
def masks():
    """Masked steps do not count, in losses, metrics and batch normalization, wherever they are."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 9, (ROWS, 5))
    for row in x:
        row[rng.integers(1, 5) :] = 0
    y = rng.integers(0, 3, (ROWS, 5))
    inputs = keras.Input((5,), dtype="int32")
    h = layers.Embedding(9, 4, mask_zero=True)(inputs)
    h = layers.BatchNormalization()(layers.LSTM(6, return_sequences=True)(h))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(h))
    compiled(model, "adam")
    return result(model, model.fit(x, y, batch_size=10, epochs=2, verbose=0))


@scenario
def reductions():
    """Losses that are sums, and means by weight."""
    found = {}
    x, y = numbers()
    for reduction in ("sum", "mean_with_sample_weight"):
        loss = keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
        model = compiled(classifier(), keras.optimizers.SGD(0.01), loss)
        history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, sample_weight=np.linspace(0, 2, ROWS))
        found.update({f"{reduction}_{name}": value for name, value in result(model, history).items()})
    return found


@scenario
def optimizers():
    """What looks at all gradients, and what keeps them for later."""
    found = {}
    x, y = numbers()
    for name, optimizer in (
        ("clipped", keras.optimizers.Adam(0.01, global_clipnorm=0.1)),
        ("accumulated", keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)),
        ("averaged", keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.5)),
        ("scheduled", keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9)),
    ):
        model = compiled(classifier(layers.Dense(4, activation="tanh")), optimizer)
        history = model.fit(x, y, batch_size=9, epochs=2, verbose=0)
        found.update({f"{name}_{key}": value for key, value in result(model, history).items()})
    return found


@scenario
def all_metrics():
    """Every metric of a binary classifier, of a regression and of classes counts what all ranks have seen."""
    m = keras.metrics
    x, y = numbers(classes=2)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1, activation="sigmoid")])
    metrics = [
        m.BinaryAccuracy(), m.AUC(), m.Precision(), m.Recall(), m.FalsePositives(), m.F1Score(threshold=0.5),
        m.R2Score(), m.MeanSquaredError(), m.RootMeanSquaredError(),
        m.SensitivityAtSpecificity(0.5), m.BinaryIoU([0, 1]), m.CosineSimilarity(), m.LogCoshError(),
    ]  # fmt: skip
    compiled(model, "adam", "binary_crossentropy", metrics)
    history = model.fit(x, y[:, None].astype("float32"), batch_size=16, epochs=2, verbose=0)
    several = compiled(classifier(), "adam", metrics=["sparse_top_k_categorical_accuracy"])
    several.compile(
        "adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"],
        metrics=[m.MeanIoU(3, sparse_y_pred=False), m.SparseCategoricalCrossentropy()],
        distribute=distribute.DataParallel(),
    )  # fmt: skip
    more = several.fit(x, y, batch_size=16, epochs=2, verbose=0, sample_weight=1.0 + y)
    return {**result(model, history), **{f"several_{k}": v for k, v in result(several, more).items()}}


@scenario
def sources():
    """Whatever gives batches: a generator, a PyDataset, a data set, images that are changed at random."""
    found = {}
    x, y = numbers()

    def generated():
        while True:
            for start in range(0, ROWS, 8):
                yield x[start : start + 8], y[start : start + 8]

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return x[i * 8 : i * 8 + 8], y[i * 8 : i * 8 + 8]

    dataset = keras.data.Dataset.from_tensor_slices((x, y)).shuffle(20, seed=3).batch(8)
    for name, source, options in (
        ("generator", generated(), {"steps_per_epoch": 5}),
        ("py_dataset", Batches(), {"validation_data": Batches()}),
        ("dataset", dataset, {}),
    ):
        model = compiled(classifier())
        history = model.fit(source, epochs=2, verbose=0, **options)
        found.update({f"{name}_{key}": value for key, value in result(model, history).items()})
    found["predicted"] = model.predict(Batches(), verbose=0)
    pictures, labels = images()
    batches = keras.data.ImageBatches(
        pictures, labels, 8, flip=True, crop=1, mean=127.5, std=127.5, shuffle=True, seed=0
    )
    model = compiled(
        keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3, activation="softmax")])
    )
    history = model.fit(batches, epochs=2, verbose=0)
    return {**found, **{f"images_{key}": value for key, value in result(model, history).items()}}


@scenario
def own_data():
    """``auto_shard_dataset=False``: every rank has its own rows; one process has them all, as the ranks would."""
    x, y = (a[:24] for a in numbers())
    model = compiled(classifier(), auto_shard_dataset=False)
    ranks = distribute.DataParallel()
    # batch k of the whole is rows 6 k ... 6 k + 5
    mine = np.arange(24).reshape(4, 6)[:, ranks.part(6)].reshape(-1)
    history = model.fit(x[mine], y[mine], batch_size=6, epochs=2, verbose=0, shuffle=False)

    def batches():
        for rows in mine.reshape(4, -1):
            yield x[rows], y[rows]

    again = model.fit(batches(), verbose=0)
    return result(model, history, again=again.history["loss"])


@scenario
def single_batches():
    x, y = numbers()
    model = compiled(classifier())
    losses = [model.train_on_batch(x[i : i + 10], y[i : i + 10]) for i in range(0, 40, 10)]
    return result(model, losses=losses, tested=model.test_on_batch(x, y), predicted=model.predict_on_batch(x))


@scenario
def own_step():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(8, activation="relu")
            self.last = layers.Dense(3, activity_regularizer="l2")

        def call(self, x):
            return self.last(self.hidden(x))

        def train_step(self, data):
            x, y = data
            variables = self.trainable_variables
            with keras.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x))
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            for metric in self.metrics:
                if metric.name != "loss":
                    metric.update_state(y, self(x))
            return {"loss": loss, "spread": ops.mean(ops.square(x)), **{m.name: m.result() for m in self.metrics[1:]}}

    x, y = numbers()
    model = Own()
    model.build((None, 6))
    compiled(model, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return result(model, model.fit(x, y, batch_size=15, epochs=2, verbose=0))


@scenario
def own_loop():
    """Without ``fit``: the rows are divided and the gradients averaged by hand."""
    ranks = distribute.DataParallel()
    x, y = numbers()
    model, optimizer = classifier(), keras.optimizers.SGD(0.1)
    loss_fn = keras.losses.SparseCategoricalCrossentropy()
    for start in range(0, 42, 6):
        mine = np.arange(start, start + 6)[ranks.part(6)]
        with keras.GradientTape() as tape:
            loss = loss_fn(y[mine], model(x[mine], training=True))
        gradients = ranks.mean(tape.gradient(loss, model.trainable_variables))
        optimizer.apply(gradients, model.trainable_variables)
    return result(model, loss=ranks.mean(float(loss)))


@scenario
def dropout():
    """Other units on each rank; the same in each run."""

    class Dropping(keras.Sequential):
        def predict_step(self, data):
            return self(data[0] if isinstance(data, tuple) else data, training=True)

    model = Dropping([keras.Input((50,)), layers.Dropout(0.5, seed=3)])
    compiled(model, loss="mse")
    rows = model.predict(np.ones((12, 50), "float32"), batch_size=12, callbacks=[keras.callbacks.Callback()], verbose=0)
    x, y = numbers()
    trained = compiled(classifier(layers.Dense(20), layers.Dropout(0.5)))
    return result(trained, trained.fit(x, y, epochs=3, verbose=0), rows=rows)


@scenario
def beginnings():
    """Ranks that begin with other weights, seeds and orders go on with rank 0's."""
    keras.utils.set_random_seed(100 + distribute.rank())
    x, y = numbers()
    model = compiled(classifier(layers.Dense(4)))
    return result(model, model.fit(x, y, epochs=2, verbose=0))


@scenario
def callbacks(folder):
    """Files are rank 0's; decisions are everybody's."""
    x, y = numbers()
    model = compiled(classifier())
    seen = []
    history = model.fit(x, y, epochs=9, verbose=0, validation_split=0.3, callbacks=[
        keras.callbacks.CSVLogger(folder / "log.csv"),
        keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True),
        keras.callbacks.EarlyStopping("loss", patience=0, min_delta=0.05),
        keras.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=0.08, verbose=1),
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"])),
    ])  # fmt: skip
    model.save(folder / f"rank_{distribute.rank()}.keras")
    best = keras.saving.load_model(folder / "best.keras")
    return result(
        model, history, seen=seen, best=best.predict(x, verbose=0), learning_rate=float(model.optimizer.learning_rate)
    )


@scenario
def training(folder, ends=""):
    """A training that keeps backups; ``ends`` says how rank 1, or everybody, ends in epoch 2."""
    x, y = numbers()
    model = compiled(classifier(layers.Dense(8, activation="relu"), layers.Dropout(0.0)), "adam")

    def on_epoch_begin(epoch, logs):
        if epoch == 2 and distribute.rank() == distribute.size() - 1 and ends:
            print(f"rank {distribute.rank()} is about to end: {ends}", flush=True)
            if ends == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if ends == "exit":
                sys.exit(3)
            raise ValueError("this rank has a problem of its own")

    history = model.fit(x, y, batch_size=9, epochs=4, verbose=0, callbacks=[
        keras.callbacks.LambdaCallback(on_epoch_begin=on_epoch_begin),
        keras.callbacks.BackupAndRestore(folder / "backup"),
    ])  # fmt: skip
    return result(model, epochs=history.epoch)


def main():
    folder, wanted, ends = Path(sys.argv[1]), sys.argv[2].split(",") if sys.argv[2:] else list(SCENARIOS), sys.argv[3:]
    everything = {}
    for name in wanted:
        keras.utils.set_random_seed(11)
        given = {"folder": folder} if name in ("callbacks", "training") else {}
        found = SCENARIOS[name](**given, **({"ends": ends[0]} if ends else {}))
        everything.update({f"{name}/{key}": np.asarray(value) for key, value in found.items()})
    np.savez(folder / f"rank_{distribute.rank()}.npz", **everything)


if __name__ == "__main__":
    main()
