"""A Siamese network: one sub-model embeds two pictures, a contrastive loss pulls equal pairs together; then triplets.

Runs with Keras (``python siamese.py``) and with pynn (``python -m pynn.compat siamese.py``), with equal results.
"""

import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(0)
classes = rng.integers(0, 4, 120)
centres = rng.random((4, 8, 8, 1))
images = (centres[classes] + 0.1 * rng.standard_normal((120, 8, 8, 1))).astype("float32")


def make_pairs(x, y):
    pairs, labels = [], []
    by_class = [np.where(y == i)[0] for i in range(4)]
    for i in range(len(x)):
        for other in (y[i], (y[i] + rng.integers(1, 4)) % 4):
            pairs.append([x[i], x[rng.choice(by_class[other])]])
            labels.append(float(other != y[i]))
    return np.array(pairs), np.array(labels, "float32")


def euclidean_distance(vectors):
    a, b = vectors
    return ops.sqrt(ops.maximum(ops.sum(ops.square(a - b), axis=1, keepdims=True), keras.backend.epsilon()))


def contrastive_loss(margin=1.0):
    def loss(y_true, y_pred):
        near = (1 - y_true) * ops.square(y_pred)
        far = y_true * ops.square(ops.maximum(margin - y_pred, 0))
        return ops.mean(near + far)

    return loss


def embedding_network():
    start = layers.Input((8, 8, 1))
    h = layers.BatchNormalization()(start)
    h = layers.Conv2D(4, (3, 3), activation="tanh")(h)
    h = layers.AveragePooling2D(pool_size=(2, 2))(h)
    h = layers.Flatten()(h)
    h = layers.BatchNormalization()(h)
    return keras.Model(start, layers.Dense(6, activation="tanh")(h), name="embedding")


def draw_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    for weight in model.trainable_variables:
        if "kernel" in weight.path:
            weight.assign(0.3 * rng.standard_normal(weight.shape))


pairs, labels = make_pairs(images, classes)
embedding = embedding_network()
left, right = layers.Input((8, 8, 1)), layers.Input((8, 8, 1))
distance = layers.Lambda(euclidean_distance, output_shape=(1,))([embedding(left), embedding(right)])
score = layers.Dense(1, activation="sigmoid")(layers.BatchNormalization()(distance))
siamese = keras.Model(inputs=[left, right], outputs=score)
draw_weights(siamese)
siamese.compile(loss=contrastive_loss(margin=1), optimizer="RMSprop", metrics=["accuracy"])
siamese.summary(line_length=110, show_trainable=True)
history = siamese.fit(
    [pairs[:200, 0], pairs[:200, 1]],
    labels[:200],
    validation_data=([pairs[200:, 0], pairs[200:, 1]], labels[200:]),
    batch_size=20,
    epochs=4,
    shuffle=False,
    verbose=0,
)
print("contrastive", {name: np.round(v, 4).tolist() for name, v in history.history.items()})


class SiameseModel(keras.Model):
    """Trained on triplets (anchor, equal, other), without targets."""

    def __init__(self, embedding, margin=0.5):
        super().__init__()
        self.embedding, self.margin = embedding, margin
        self.cosine = keras.metrics.Mean(name="cosine")

    def call(self, inputs):
        anchor, positive, negative = (self.embedding(x) for x in inputs)
        return ops.sum(ops.square(anchor - positive), -1), ops.sum(ops.square(anchor - negative), -1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        near, far = y_pred
        self.cosine.update_state(ops.mean(near) / (ops.mean(far) + 1e-6))
        return ops.mean(ops.maximum(near - far + self.margin, 0.0))


base = embedding_network()
draw_weights(base, seed=3)
for layer in base.layers[:3]:
    layer.trainable = False
triplets = SiameseModel(base)
triplets.compile(optimizer=keras.optimizers.Adam(0.005))
order = np.argsort(classes, kind="stable")
chosen = [images[order], images[np.roll(order, 1)], images[np.roll(order, 50)]]
history = triplets.fit(chosen, batch_size=24, epochs=3, shuffle=False, verbose=0)
print("triplets", history.history["loss"], len(triplets.trainable_weights), len(triplets.non_trainable_weights))
print("embedding", base.predict(images[:2], verbose=0))
