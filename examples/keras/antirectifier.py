"""A custom layer with its own activation, in place of ReLU, in a dense network.

Runs with Keras (``python antirectifier.py``) and with pynn (``python -m pynn.compat antirectifier.py``), with equal
results.
"""

import keras
import numpy as np
from keras import layers, ops


class Antirectifier(layers.Layer):
    """The positive and the negative part of the centred and normed input, mixed back by a matrix."""

    def __init__(self, initializer="he_normal", **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        output_dim = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(output_dim * 2, output_dim), initializer=self.initializer, name="kernel", trainable=True
        )

    def call(self, inputs):
        inputs = inputs - ops.mean(inputs, axis=-1, keepdims=True)
        normed = keras.utils.normalize(inputs) if isinstance(inputs, np.ndarray) else ops.normalize(inputs, axis=-1)
        positive, negative = ops.relu(normed), ops.relu(-normed)
        return ops.matmul(ops.concatenate([positive, negative], axis=-1), self.kernel)

    def get_config(self):
        base_config = super().get_config()
        config = {"initializer": keras.initializers.serialize(self.initializer)}
        return dict(list(base_config.items()) + list(config.items()))


rng = np.random.default_rng(0)
labels = rng.integers(0, 10, 400)
x = (rng.random((10, 49))[labels] + 0.3 * rng.standard_normal((400, 49))).astype("float32")
x_train, y_train, x_test, y_test = x[:300], labels[:300], x[300:], labels[300:]

model = keras.Sequential(
    [
        keras.Input(shape=(49,)),
        layers.Dense(32),
        Antirectifier(),
        layers.Dense(32),
        Antirectifier(initializer=keras.initializers.Orthogonal(gain=0.5, seed=3)),
        layers.Dropout(0.0),
        layers.Dense(10),
    ]
)
model.set_weights([0.2 * rng.standard_normal(w.shape) for w in model.get_weights()])
model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=keras.optimizers.RMSprop(),
    metrics=[
        keras.metrics.SparseCategoricalAccuracy(),
        keras.metrics.SparseTopKCategoricalAccuracy(k=3, name="top3"),
    ],
)
model.summary()
history = model.fit(x_train, y_train, batch_size=32, epochs=4, validation_split=0.15, shuffle=False, verbose=0)
print("history", {name: np.round(values, 4).tolist() for name, values in history.history.items()})
print("evaluate", np.round(model.evaluate(x_test, y_test, verbose=0), 4))
print("config", model.layers[1].get_config()["initializer"]["class_name"], model.layers[3].initializer.gain)
print("weights", [(w.name, tuple(w.shape)) for w in model.layers[1].weights], model.layers[1].output.shape)
again = Antirectifier.from_config(model.layers[3].get_config())
print("again", again.initializer.get_config()["gain"], float(ops.max(ops.abs(again(x_test)))) > 0)
