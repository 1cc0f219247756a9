"""Knowledge distillation: a small student learns from a larger teacher's soft predictions, by its own ``compute_loss``.

Runs with Keras (``python distillation.py``) and with pynn (``python -m pynn.compat distillation.py``), with equal
results.
"""

import keras
import numpy as np
from keras import layers, ops


class Distiller(keras.Model):
    """The student's loss on labels, and its distance from the teacher at a raised temperature."""

    def __init__(self, student, teacher):
        super().__init__()
        self.teacher = teacher
        self.student = student

    def compile(self, optimizer, metrics, student_loss_fn, distillation_loss_fn, alpha=0.1, temperature=3):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss_fn = student_loss_fn
        self.distillation_loss_fn = distillation_loss_fn
        self.alpha = alpha
        self.temperature = temperature

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False, training=True):
        teacher_pred = self.teacher(x, training=False)
        student_loss = self.student_loss_fn(y, y_pred)
        distillation_loss = self.distillation_loss_fn(
            ops.softmax(teacher_pred / self.temperature, axis=1),
            ops.softmax(y_pred / self.temperature, axis=1),
        ) * (self.temperature**2)
        return self.alpha * student_loss + (1 - self.alpha) * distillation_loss

    def call(self, x):
        return self.student(x)


def network(filters, name):
    return keras.Sequential(
        [
            keras.Input(shape=(10, 10, 1)),
            layers.Conv2D(filters, (3, 3), strides=(2, 2), padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),
            layers.Conv2D(2 * filters, (3, 3), strides=(2, 2), padding="same"),
            layers.Flatten(),
            layers.Dense(4),
        ],
        name=name,
    )


def draw_weights(model, seed):
    rng = np.random.default_rng(seed)
    model.set_weights([0.2 * rng.standard_normal(w.shape) for w in model.get_weights()])


rng = np.random.default_rng(0)
labels = rng.integers(0, 4, 240)
x = (rng.random((4, 10, 10, 1))[labels] + 0.3 * rng.standard_normal((240, 10, 10, 1))).astype("float32")
x_train, y_train, x_test, y_test = x[:200], labels[:200], x[200:], labels[200:]

teacher, student = network(8, "teacher"), network(2, "student")
student_scratch = keras.models.clone_model(student)
draw_weights(teacher, 1)
draw_weights(student, 2)
student_scratch.set_weights(student.get_weights())


def compile_plain(model):
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
    )


compile_plain(teacher)
history = teacher.fit(x_train, y_train, epochs=4, batch_size=20, shuffle=False, verbose=0)
print("teacher", history.history)
print("teacher evaluate", teacher.evaluate(x_test, y_test, verbose=0))

distiller = Distiller(student=student, teacher=teacher)
distiller.compile(
    optimizer=keras.optimizers.Adam(),
    metrics=[keras.metrics.SparseCategoricalAccuracy()],
    student_loss_fn=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    distillation_loss_fn=keras.losses.KLDivergence(),
    alpha=0.1,
    temperature=10,
)
teacher.trainable = False
history = distiller.fit(x_train, y_train, epochs=3, batch_size=20, shuffle=False, verbose=0)
print("distiller", history.history)
print("distiller evaluate", distiller.evaluate(x_test, y_test, verbose=0, return_dict=True))
print("weights", len(distiller.weights), len(distiller.trainable_weights), distiller.predict(x_test, verbose=0).shape)

compile_plain(student_scratch)
student_scratch.fit(x_train, y_train, epochs=3, batch_size=20, shuffle=False, verbose=0)
print("scratch", student_scratch.evaluate(x_test, y_test, verbose=0))
