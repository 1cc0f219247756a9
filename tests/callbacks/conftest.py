import pytest


class Metric:
    def __init__(self, name, direction):
        self.name = name
        self._direction = direction


class Model:
    """As much of a model as callbacks touch."""

    def __init__(self):
        self.stop_training = False
        self.history = None
        directions = {"loss": "down", "accuracy": "up", "mean_absolute_error": "down"}
        self.metrics = [Metric(name, direction) for name, direction in directions.items()]
        self.weights = [0.0]

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = list(weights)


def fit(callbacks, epochs, batches=(), validation=False):
    """Call ``callbacks`` as ``fit`` does; ``epochs`` and ``batches`` are the logs of each."""
    model = callbacks.model
    callbacks.on_train_begin()
    logs = {}
    for epoch, logs in enumerate(epochs):
        callbacks.on_epoch_begin(epoch)
        for batch, batch_logs in enumerate(batches):
            callbacks.on_train_batch_begin(batch)
            callbacks.on_train_batch_end(batch, batch_logs)
        if validation:
            callbacks.on_test_begin()
            callbacks.on_test_batch_begin(0)
            callbacks.on_test_batch_end(0, {"loss": 9.0})
            callbacks.on_test_end({"loss": 9.0})
        model.weights = [float(epoch)]
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def make_model():
    return Model


@pytest.fixture(name="fit")
def fit_fixture():
    return fit
