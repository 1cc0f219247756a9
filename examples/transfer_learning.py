"""Three kinds of animals from 600 small photographs: a network trained on ImageNet learns the new question in a minute.

First its features are computed once and a new last layer is trained on them; then the last blocks are tuned, too, with
flipped and shifted pictures.  ``--images`` takes a folder with one folder of pictures for each class; without it, one
is made of photographs of CIFAR-10, 32 x 32 points, which is not much to see a frog by.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from common import find, options

import pynn as keras
from pynn import layers

args = options(__doc__, epochs=10, tuning=5, images=None, weights=None, size=160)
keras.utils.set_random_seed(0)
weights = args.weights or find(
    "models/mobilenet_7_5_224_tf.h5", "github.com/fchollet/deep-learning-models (MobileNet, alpha 0.75, 224)"
)  # fmt: skip


def write_photographs(folder, each):
    (x, y), _ = keras.datasets.cifar10.load_data()
    for number, name in ((2, "bird"), (3, "cat"), (6, "frog")):
        (Path(folder) / name).mkdir()
        for i, picture in enumerate(x[y[:, 0] == number][:each]):
            keras.utils.save_img(Path(folder) / name / f"{i:03}.png", picture)


with tempfile.TemporaryDirectory() as made:
    if args.images is None:
        write_photographs(made, 200 if args.samples is None else args.samples // 3)
    training, test = keras.utils.image_dataset_from_directory(
        args.images or made,
        validation_split=0.5,
        subset="both",
        seed=0,
        image_size=(args.size, args.size),
        batch_size=32,
    )
    names = training.class_names
    (x, y), (x_test, y_test) = (
        tuple(np.concatenate(part) for part in zip(*((np.asarray(a), np.asarray(b)) for a, b in data), strict=True))
        for data in (training, test)
    )

trained = keras.applications.MobileNet(alpha=0.75, weights=weights)
blocks = keras.applications.MobileNet(
    alpha=0.75, weights=None, include_top=False, input_shape=(args.size, args.size, 3)
)
for layer in blocks.layers:  # the published file has the network with its 1000 classes, for 224 x 224 points
    layer.set_weights(trained.get_layer(layer.name).get_weights() if layer.weights else [])

prepare = keras.applications.mobilenet.preprocess_input
x, x_test = prepare(x), prepare(x_test)
start = time.perf_counter()
body = keras.Sequential([blocks, layers.GlobalAveragePooling2D()])
head = keras.Sequential([keras.Input((768,)), layers.Dropout(0.3), layers.Dense(len(names), activation="softmax")])
head.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
features, features_test = (body.predict(part, verbose=0) for part in (x, x_test))
head.fit(features, y, batch_size=32, epochs=args.epochs, verbose=2, validation_data=(features_test, y_test))
frozen = head.evaluate(features_test, y_test, verbose=0)[1]

for layer in blocks.layers:  # the first blocks see edges and colours: those stay; so do means of batch normalization
    layer.trainable = (
        layer.name.startswith(("conv_dw_12", "conv_pw_12", "conv_dw_13", "conv_pw_13")) and "bn" not in layer.name
    )
picture = keras.Input((args.size, args.size, 3))
seen = layers.RandomTranslation(0.1, 0.1)(layers.RandomFlip("horizontal")(picture))
model = keras.Model(picture, head(layers.GlobalAveragePooling2D()(blocks(seen, training=False))))
model.summary()
model.compile(keras.optimizers.Adam(5e-5), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=32, epochs=args.tuning, verbose=2, validation_data=(x_test, y_test))
tuned = model.evaluate(x_test, y_test, verbose=0)[1]
seconds = time.perf_counter() - start
print(f"{', '.join(names)}: {frozen:.1%} with frozen features, {tuned:.1%} after tuning; {seconds:.1f} s")
