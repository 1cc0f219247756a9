"""Layers and models by subclassing: weights, nested layers, added losses, state, configs.

Runs with Keras (``python subclassing.py``) and with pynn (``python -m pynn.compat subclassing.py``), with equal
results.
"""

import keras
import numpy as np
from keras import layers, ops


class Linear(layers.Layer):
    """Weights are made when the input's shape is known."""

    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config


class RunningSum(layers.Layer):
    """State that is not trained."""

    def __init__(self, dim):
        super().__init__()
        self.total = self.add_weight(shape=(dim,), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.total.assign_add(ops.sum(inputs, axis=0))
        return self.total


class Penalty(layers.Layer):
    """Adds a loss and passes its inputs on."""

    def __init__(self, rate=1e-2):
        super().__init__()
        self.rate = rate

    def call(self, inputs, training=None):
        if training:
            self.add_loss(self.rate * ops.mean(ops.square(inputs)))
        return inputs


class Block(layers.Layer):
    """Layers made of layers."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.linears = [Linear(units) for _ in range(2)]
        self.penalty = Penalty()
        self.norm = layers.LayerNormalization()

    def call(self, inputs, training=False):
        x = inputs
        for linear in self.linears:
            x = ops.relu(linear(x))
        return self.norm(self.penalty(x, training=training)) + inputs


class Regressor(keras.Model):
    """A model is a layer with ``fit``."""

    def __init__(self, units, blocks, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(units, activation="tanh", kernel_regularizer=keras.regularizers.L2(1e-3))
        self.blocks = [Block(units, name=f"block_{i}") for i in range(blocks)]
        self.head = layers.Dense(1)

    def call(self, inputs, training=False):
        x = self.first(inputs)
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(x)


def draw_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([0.3 * rng.standard_normal(w.shape).astype("float32") for w in model.get_weights()])


rng = np.random.default_rng(1)
x = rng.standard_normal((64, 8)).astype("float32")
y = np.sin(x.sum(axis=1, keepdims=True))

linear = Linear(4, name="linear")
print("output", ops.shape(linear(x)), "weights", [tuple(w.shape) for w in linear.weights], linear.built)
print("paths", [w.path for w in linear.weights])
print("config", Linear.from_config(linear.get_config()).units, sorted(linear.get_config()))

total = RunningSum(2)
for _ in range(3):
    sums = total(np.ones((2, 2)))
print("running sum", ops.convert_to_numpy(sums), len(total.weights), len(total.trainable_weights))

model = Regressor(16, 2, name="regressor")
prediction = model(x[:1])
draw_weights(model)
print("names", [layer.name for layer in model.layers], model.count_params())
model(x, training=True)
print("added losses", [round(float(loss), 5) for loss in model.losses])
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse", metrics=["mae"])
history = model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
print("history", {name: np.round(values, 5).tolist() for name, values in history.history.items()})
print("evaluate", {name: round(float(v), 5) for name, v in model.evaluate(x, y, verbose=0, return_dict=True).items()})
print("predict", model.predict(x[:2], verbose=0))
