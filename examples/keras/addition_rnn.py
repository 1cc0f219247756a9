"""Learning to add: sequences of characters in, sequences of characters out, by an encoder and a decoder LSTM.

Runs with Keras (``python addition_rnn.py``) and with pynn (``python -m pynn.compat addition_rnn.py``), with equal
results.
"""

import keras
import numpy as np
from keras import layers

DIGITS = 2
LENGTH = DIGITS + 1 + DIGITS
CHARACTERS = "0123456789+ "


class CharacterTable:
    """Text to one-hot rows and back."""

    def __init__(self, chars):
        self.chars = sorted(set(chars))
        self.indices = {c: i for i, c in enumerate(self.chars)}

    def encode(self, text, rows):
        x = np.zeros((rows, len(self.chars)), "float32")
        for i, c in enumerate(text):
            x[i, self.indices[c]] = 1
        return x

    def decode(self, x, calc_argmax=True):
        return "".join(self.chars[i] for i in (x.argmax(axis=-1) if calc_argmax else x))


table = CharacterTable(CHARACTERS)
rng = np.random.default_rng(0)
questions, answers = [], []
for a, b in rng.integers(0, 100, (256, 2)):
    questions.append(f"{a}+{b}".ljust(LENGTH)[::-1])  # reversed, which makes it easier to learn
    answers.append(str(a + b).ljust(DIGITS + 1))
x = np.stack([table.encode(q, LENGTH) for q in questions])
y = np.stack([table.encode(a, DIGITS + 1) for a in answers])
x_train, x_val, y_train, y_val = x[:224], x[224:], y[:224], y[224:]

model = keras.Sequential()
model.add(layers.Input((LENGTH, len(CHARACTERS))))
model.add(layers.LSTM(32))
model.add(layers.RepeatVector(DIGITS + 1))
for _ in range(1):
    model.add(layers.LSTM(32, return_sequences=True))
model.add(layers.TimeDistributed(layers.Dense(16, activation="relu")))
model.add(layers.Dense(len(CHARACTERS), activation="softmax"))
model.set_weights([0.2 * rng.standard_normal(w.shape) for w in model.get_weights()])
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.summary()

for epoch in range(1, 4):
    history = model.fit(
        x_train, y_train, batch_size=32, epochs=1, validation_data=(x_val, y_val), shuffle=False, verbose=0
    )
    print("epoch", epoch, {name: round(values[0], 5) for name, values in history.history.items()})
predictions = np.argmax(model.predict(x_val[:5], verbose=0), axis=-1)
for i in range(5):
    question, correct = table.decode(x_val[i])[::-1], table.decode(y_val[i])
    print("Q", question, "T", correct, "guess", repr(table.decode(predictions[i], calc_argmax=False)))

# The same, with the state of a bidirectional encoder handed to the decoder, and one more kind of cell.
start = keras.Input((None, len(CHARACTERS)))
encoded, *states = layers.Bidirectional(layers.GRU(8, return_state=True), merge_mode="concat")(start)
decoded = layers.GRU(8, return_sequences=True)(layers.RepeatVector(DIGITS + 1)(encoded), initial_state=states[0])
model = keras.Model(start, layers.Dense(len(CHARACTERS))(decoded))
model.set_weights([0.2 * rng.standard_normal(w.shape) for w in model.get_weights()])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.01, clipnorm=1.0),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True),
)
print("gru", model.fit(x_train, y_train, epochs=2, shuffle=False, verbose=0).history["loss"])
print("shorter", model.predict(x_val[:1, :3], verbose=0)[0, :, :3])
