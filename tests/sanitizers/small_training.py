"""A training with layers of most families, an image pipeline, files and predictions, as small as can be.

`tests/sanitizers/run valgrind` runs it, and checks each instruction for what it reads and writes.
"""

import tempfile
from pathlib import Path

import numpy as np

import pynn as keras
from pynn import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)


def trained(model, x, y, loss="sparse_categorical_crossentropy", optimizer="adam"):
    model.compile(optimizer, loss, metrics=["accuracy"])
    history = model.fit(x, y, batch_size=6, epochs=1, verbose=0, validation_split=0.25)  # a shorter last batch, too
    assert np.isfinite(history.history["loss"]).all()
    return model.predict(x, verbose=0)


images, labels = rng.random((15, 11, 13, 3), "float32"), rng.integers(0, 4, 15)
convolutions = keras.Sequential(
    [
        keras.Input((11, 13, 3)),
        layers.Conv2D(7, 3, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.SeparableConv2D(16, 3),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Dropout(0.3),
        layers.GlobalAveragePooling2D(),
        layers.Dense(4, activation="softmax"),
    ]
)
expected = trained(convolutions, images, labels)

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder, "model.keras")
    convolutions.save(file)
    np.testing.assert_array_equal(keras.saving.load_model(file).predict(images, verbose=0), expected)

words = rng.integers(1, 30, (15, 9)) * (np.arange(9) < rng.integers(1, 10, (15, 1)))
inputs = keras.Input((9,), dtype="int32")
x = layers.Embedding(30, 8, mask_zero=True)(inputs)
x = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x)
x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 5)(x, x)]))
x = layers.GRU(6)(x)
trained(keras.Model(inputs, layers.Dense(4, activation="softmax")(x)), words, labels, optimizer="rmsprop")

pixels = (255 * images).astype("uint8")
augmented = keras.data.ImageBatches(pixels, labels, batch_size=5, crop=2, flip=True, seed=1)
convolutions.fit(augmented, epochs=1, verbose=0)

variable = keras.Variable(rng.random((5, 3), "float32"))
with keras.GradientTape() as tape:
    value = ops.sum(ops.cumsum(ops.sort(variable, axis=0), axis=1) ** 2)  # ops of Python in the middle
assert tape.gradient(value, variable).shape == (5, 3)
print("small_training: done")
