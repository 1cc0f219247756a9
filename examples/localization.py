"""Where is it?  A network answers with the box around a shape, and with its kind (localization of one object).

The pictures are made here: a disc, a square or a triangle of any size, somewhere before a busy ground.  The figure of
merit is the intersection of both boxes over their union (IoU).
"""

import numpy as np
from common import draw_sheet, options

import pynn as keras
from pynn import layers, ops

SIZE, KINDS = 64, ("disc", "square", "triangle")

args = options(__doc__, epochs=12, pictures=5000, picture="localization.png")
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)


def scene(kind):
    """A picture in grey, and its box (left, top, right, bottom) in parts of the picture's side."""
    half = rng.uniform(6, 16)
    x0, y0 = rng.uniform(half, SIZE - half, 2)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    u, v = (x - x0) / half, (y - y0) / half
    inside = {"disc": u**2 + v**2 < 1, "square": np.maximum(abs(u), abs(v)) < 1}.get(
        kind, (v < 1) & (v > 2 * abs(u) - 1)
    )
    ground = rng.uniform(0, 0.2) * np.sin(rng.uniform(-0.3, 0.3) * x + rng.uniform(-0.3, 0.3) * y) + 0.3
    picture = np.where(inside, rng.uniform(0.7, 1.0), ground) + 0.05 * rng.standard_normal((SIZE, SIZE))
    return picture[..., None], np.array([x0 - half, y0 - half, x0 + half, y0 + half]) / SIZE


def overlap(a, b):
    """Intersection over union of boxes of shape (n, 4)."""
    corner = ops.minimum(a[:, 2:], b[:, 2:]) - ops.maximum(a[:, :2], b[:, :2])
    both = ops.prod(ops.maximum(corner, 0.0), axis=1)
    return both / (ops.prod(a[:, 2:] - a[:, :2], axis=1) + ops.prod(b[:, 2:] - b[:, :2], axis=1) - both)


count = args.samples or args.pictures
kinds = np.arange(count) % len(KINDS)
scenes = [scene(KINDS[kind]) for kind in kinds]
x, boxes = (np.stack(part).astype("float32") for part in zip(*scenes, strict=True))
known = count * 9 // 10

image = keras.Input((SIZE, SIZE, 1))
h = image
for filters in (16, 32, 64, 96):
    h = layers.MaxPooling2D()(layers.Conv2D(filters, 3, padding="same", activation="relu")(h))
h = layers.Dense(128, activation="relu")(layers.Flatten()(h))
model = keras.Model(image, {
    "box": layers.Dense(4, name="box")(h),
    "kind": layers.Dense(len(KINDS), activation="softmax", name="kind")(h),
})  # fmt: skip
model.summary()
model.compile(
    keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.002, max(1, args.epochs * (known // 64 + 1)))),
    loss={"box": keras.losses.Huber(0.1), "kind": "sparse_categorical_crossentropy"},
    loss_weights={"box": 20.0, "kind": 1.0},
    metrics={"box": keras.metrics.MeanMetricWrapper(overlap, name="iou"), "kind": "accuracy"},
)
model.fit(
    x[:known], {"box": boxes[:known], "kind": kinds[:known]}, batch_size=64, epochs=args.epochs, verbose=2,
    validation_data=(x[known:], {"box": boxes[known:], "kind": kinds[known:]}),
)  # fmt: skip
found = model.predict(x[known:], verbose=0)
print(f"mean overlap (IoU) {np.mean(overlap(found['box'], boxes[known:])):.3f}, ", end="")
print(f"right kind {np.mean(found['kind'].argmax(1) == kinds[known:]):.1%}")
print("green: the true box, red: the network's")
chosen, titles = slice(known, known + 10), [KINDS[kind] for kind in found["kind"][:10].argmax(1)]
draw_sheet(args.picture, x[chosen], titles, [(SIZE * boxes[chosen], "lime"), (SIZE * found["box"], "red")])
