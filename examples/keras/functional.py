"""The functional API: several inputs and outputs, shared layers, models in models, parts of models.

Runs with Keras (``python functional.py``) and with pynn (``python -m pynn.compat functional.py``), with equal results.
"""

import keras
import numpy as np
from keras import layers


def draw_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([0.2 * rng.standard_normal(w.shape).astype("float32") for w in model.get_weights()])


def show(model):
    model.summary(line_length=100, print_fn=lambda line, line_break=True: print(line))


rng = np.random.default_rng(1)

# Models in models: an autoencoder of an encoder and a decoder.
image = keras.Input(shape=(12, 12, 1), name="image")
h = layers.Conv2D(4, 3, activation="relu")(image)
h = layers.MaxPooling2D(2)(h)
h = layers.Conv2D(8, 3, activation="relu")(h)
encoder = keras.Model(image, layers.GlobalMaxPooling2D()(h), name="encoder")
code = keras.Input(shape=(8,), name="code")
h = layers.Reshape((2, 2, 2))(code)
h = layers.Conv2DTranspose(4, 3, activation="relu")(h)
h = layers.UpSampling2D(3)(h)
decoder = keras.Model(code, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h), name="decoder")
start = keras.Input(shape=(12, 12, 1), name="picture")
autoencoder = keras.Model(start, decoder(encoder(start)), name="autoencoder")
draw_weights(autoencoder)
show(encoder)
show(autoencoder)
pictures = rng.random((8, 12, 12, 1)).astype("float32")
autoencoder.compile(keras.optimizers.RMSprop(1e-2), "binary_crossentropy")
history = autoencoder.fit(pictures, pictures, epochs=2, batch_size=4, shuffle=False, verbose=0)
print("autoencoder", history.history["loss"])

# Several inputs and outputs: tickets to sort by priority and department.
title = keras.Input(shape=(None,), name="title", dtype="int32")
body = keras.Input(shape=(None,), name="body", dtype="int32")
tags = keras.Input(shape=(5,), name="tags")
words = layers.Embedding(50, 8)  # shared by both texts
title_features = layers.LSTM(8)(words(title))
body_features = layers.LSTM(6)(words(body))
joined = layers.concatenate([title_features, body_features, tags])
priority = layers.Dense(1, name="priority")(joined)
department = layers.Dense(3, name="department")(joined)
tickets = keras.Model(inputs=[title, body, tags], outputs={"priority": priority, "department": department})
draw_weights(tickets)
tickets.compile(
    optimizer=keras.optimizers.Adam(1e-2),
    loss={
        "priority": keras.losses.BinaryCrossentropy(from_logits=True),
        "department": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
    loss_weights={"priority": 1.0, "department": 0.2},
    metrics={"department": ["accuracy"]},
)
inputs = {
    "title": rng.integers(0, 50, (16, 4)).astype("int32"),
    "body": rng.integers(0, 50, (16, 9)).astype("int32"),
    "tags": rng.integers(0, 2, (16, 5)).astype("float32"),
}
targets = {
    "priority": rng.random((16, 1)).astype("float32"),
    "department": np.eye(3, dtype="float32")[rng.integers(0, 3, 16)],
}
history = tickets.fit(inputs, targets, epochs=2, batch_size=8, shuffle=False, verbose=0)
print("tickets", {name: np.round(values, 5).tolist() for name, values in sorted(history.history.items())})
print("outputs", {name: value.shape for name, value in sorted(tickets.predict(inputs, verbose=0).items())})

# A residual network, and a model of what its layers put out.
start = keras.Input(shape=(8, 8, 3), name="img")
x = layers.Conv2D(4, 3, activation="relu", padding="same", name="first")(start)
block = layers.Conv2D(4, 3, activation="relu", padding="same")(x)
block = layers.Conv2D(4, 3, padding="same")(block)
x = layers.add([x, block], name="residual")
x = layers.GlobalAveragePooling2D()(layers.ReLU()(x) * 0.5 + 1.0)
outputs = layers.Dense(3)(x)
resnet = keras.Model(start, outputs, name="toy_resnet")
draw_weights(resnet)
show(resnet)
features = keras.Model(inputs=resnet.inputs, outputs=[layer.output for layer in resnet.layers[1:4]])
print("features", [tuple(f.shape) for f in features(np.ones((1, 8, 8, 3), "float32"))])
head = keras.Model(resnet.input, resnet.get_layer("residual").output)
print("residual", float(np.mean(head.predict(np.ones((1, 8, 8, 3)), verbose=0))))
print("connected", resnet.get_layer("residual").output.shape, len(resnet.layers), resnet.layers[1].input.shape)

# An ensemble, sequential models as layers, and a model from its config.
members = [keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(1)]) for _ in range(3)]
start = keras.Input(shape=(6,))
ensemble = keras.Model(start, layers.average([member(start) for member in members]), name="ensemble")
draw_weights(ensemble)
again = keras.Model.from_config(ensemble.get_config())
again.set_weights(ensemble.get_weights())
x = rng.standard_normal((4, 6)).astype("float32")
print("ensemble", ensemble.predict(x, verbose=0).ravel(), np.allclose(again.predict(x, verbose=0), ensemble(x)))
