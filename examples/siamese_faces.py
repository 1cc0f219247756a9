"""Are these two photographs of one person?  A Siamese network on the ORL faces: 40 people, ten photographs each.

Both pictures go through the same network; a contrastive loss pulls codes of one person together, and pushes those of
two people apart.  It is tested on ten people whom it has never seen.
"""

import numpy as np
from common import draw_sheet, find, options

import pynn as keras
from pynn import layers, ops

MARGIN, SIZE = 1.0, (56, 46)

args = options(__doc__, epochs=30, pairs=4000, picture="siamese_faces.png")
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
folder = find("orl-faces", "cam-orl.co.uk/facedatabase.html")
faces = np.stack([
    [keras.utils.img_to_array(keras.utils.load_img(file, "grayscale", SIZE)) for file in sorted(person.glob("*.pgm"))]
    for person in sorted(folder.glob("s*"))
]) / 255  # fmt: skip
people, photographs = faces.shape[:2]
print(f"{people} people, {photographs} photographs each, {faces.shape[2]}x{faces.shape[3]} points")


def pairs(first, last, count):
    """Pairs of photographs of the people first ... last - 1, half of them (label 1) of one person."""
    label = np.arange(count) % 2
    a = rng.integers(first, last, count)
    b = np.where(label, a, first + (a - first + rng.integers(1, last - first, count)) % (last - first))
    i = rng.integers(0, photographs, count)
    j = (i + rng.integers(1, photographs, count)) % photographs
    return (faces[a, i], faces[b, j]), label.astype("float32")[:, None]


def contrastive(same, distance):
    return ops.mean(same * distance**2 + (1 - same) * ops.maximum(MARGIN - distance, 0.0) ** 2)


def accuracy(same, distance):
    return ops.equal(same, ops.cast(distance < MARGIN / 2, "float32"))


encoder = keras.Sequential([
    keras.Input(faces.shape[2:]),
    layers.RandomTranslation(0.05, 0.05),
    layers.Conv2D(16, 5, strides=2, activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(32, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Flatten(),
    layers.Dropout(0.2),
    layers.Dense(64),
    layers.UnitNormalization(),
], name="encoder")  # fmt: skip
left, right = keras.Input(faces.shape[2:], name="left"), keras.Input(faces.shape[2:], name="right")
difference = layers.Subtract()([encoder(left), encoder(right)])
distance = layers.Lambda(lambda d: ops.sqrt(ops.sum(d**2, axis=1, keepdims=True) + 1e-7), name="distance")(difference)
model = keras.Model([left, right], distance)
model.summary()
model.compile(keras.optimizers.Adam(0.001), contrastive, metrics=[accuracy])

x, same = pairs(0, 30, args.samples or args.pairs)
strangers, strangers_same = pairs(30, 40, 1000)
model.fit(
    list(x), same, batch_size=64, epochs=args.epochs, verbose=2, validation_data=(list(strangers), strangers_same)
)
distances = model.predict(list(strangers), verbose=0)
near, far = (distances[strangers_same == label].mean() for label in (1, 0))
print(f"strangers: mean distance {near:.2f} in pairs of one person, {far:.2f} in pairs of two; ", end="")
print(f"{np.mean(accuracy(strangers_same, distances)):.1%} right")
titles = [
    f"{'one' if same else 'two'}: {d:.2f}" for same, d in zip(strangers_same[:10, 0], distances[:10, 0], strict=True)
]
draw_sheet(args.picture, np.concatenate(strangers, axis=2), titles)
