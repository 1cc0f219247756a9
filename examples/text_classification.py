"""Is a film review kind or not?  Text to numbers of words, an embedding, and a small convolutional network (IMDB)."""

import json
import lzma

import numpy as np
from common import find, options

import pynn as keras
from pynn import layers

args = options(__doc__, epochs=3, words=20_000, length=250)
keras.utils.set_random_seed(0)


def load(part):
    """Texts and labels (1 is a kind review) of ``imdb/train.jsonl.xz``: a line of JSON for each review."""
    path = find(f"imdb/{part}.jsonl.xz", "the IMDB reviews (ai.stanford.edu/~amaas/data/sentiment) as lines of JSON")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    np.random.default_rng(0).shuffle(rows)
    rows = rows[: args.samples]
    return [row["text"] for row in rows], np.array([row["label"] for row in rows], "float32")


(train_texts, y_train), (test_texts, y_test) = load("train"), load("test")
vectorize = layers.TextVectorization(max_tokens=args.words, output_sequence_length=args.length)
vectorize.adapt(train_texts)
x_train, x_test = vectorize(train_texts), vectorize(test_texts)
print(f"{len(vectorize.get_vocabulary()):,} words; most frequent: {' '.join(vectorize.get_vocabulary()[2:12])}")

model = keras.Sequential([
    keras.Input((args.length,), dtype="int32"),
    layers.Embedding(args.words, 64),
    layers.Dropout(0.4),
    layers.Conv1D(64, 7, activation="relu"),
    layers.GlobalMaxPooling1D(),
    layers.Dense(64, activation="relu"),
    layers.Dropout(0.4),
    layers.Dense(1, activation="sigmoid"),
])  # fmt: skip
model.summary()
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=64, epochs=args.epochs, validation_data=(x_test, y_test), verbose=2)

for text in (
    "What a wonderful film. I laughed, I cried, and I want to see it again.",
    "Boring from the first minute to the last. A waste of time and money.",
):
    print(f"{model.predict(vectorize([text]), verbose=0)[0, 0]:.2f}  {text}")
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.2%}")
