"""Which films will somebody like?  A dot product of two embeddings, learned from ratings.

The ratings are made here: people and films have hidden tastes in three directions; a rating is their product, a mean of
the person and of the film, and noise.  The best that any method can reach is the noise.
"""

import numpy as np
from common import options

import pynn as keras
from pynn import layers

PEOPLE, FILMS, NOISE = 1000, 500, 0.25

args = options(__doc__, epochs=15, ratings=100_000)
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
taste, style = (0.5 * rng.standard_normal((n, 3)) for n in (PEOPLE, FILMS))
kind, good = 0.3 * rng.standard_normal(PEOPLE), 0.4 * rng.standard_normal(FILMS)
truth = 3.5 + taste @ style.T + kind[:, None] + good

count = args.samples or args.ratings
person, film = rng.integers(0, PEOPLE, count), rng.integers(0, FILMS, count)
rating = (truth[person, film] + NOISE * rng.standard_normal(count)).astype("float32")
known = count * 9 // 10


def embedded(number, count, width, name):
    vector = layers.Embedding(count, width, embeddings_regularizer=keras.regularizers.L2(1e-6), name=name)(number)
    return layers.Flatten()(vector)


who, what = keras.Input((1,), dtype="int32", name="person"), keras.Input((1,), dtype="int32", name="film")
match = layers.Dot(axes=1)([embedded(who, PEOPLE, 8, "taste"), embedded(what, FILMS, 8, "style")])
mood = layers.Add()([match, embedded(who, PEOPLE, 1, "kindness"), embedded(what, FILMS, 1, "quality")])
model = keras.Model({"person": who, "film": what}, layers.Dense(1, name="scale")(mood))
model.summary()
model.compile(keras.optimizers.Adam(0.01), "mean_squared_error", metrics=[keras.metrics.RootMeanSquaredError("rmse")])


def part(rows):
    return {"person": person[rows, None], "film": film[rows, None]}, rating[rows]


first, rest = slice(known), slice(known, None)
model.fit(*part(first), batch_size=256, epochs=args.epochs, validation_data=part(rest), verbose=2)

mean_of_film = np.array(
    [rating[first][film[first] == f].mean() if (film[first] == f).any() else 3.5 for f in range(FILMS)]
)
plain = np.sqrt(np.mean((mean_of_film[film[rest]] - rating[rest]) ** 2))
found = model.evaluate(*part(rest), verbose=0, return_dict=True)["rmse"]
print(f"error (root mean square): mean of the film {plain:.3f}, network {found:.3f}, noise {NOISE}")

guess = model.predict({"person": np.full((FILMS, 1), 7), "film": np.arange(FILMS)[:, None]}, verbose=0)[:, 0]
best = guess.argsort()[::-1][:5]
print("person 7 should see:", ", ".join(f"film {f} ({guess[f]:.1f}, really {truth[7, f]:.1f})" for f in best))
