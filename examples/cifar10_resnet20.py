"""ResNet-20 (He et al., 2015) on CIFAR-10; started again, it goes on where it stopped.

python examples/cifar10_resnet20.py --epochs 30
"""

import argparse
import os

import numpy as np

import pynn as keras
from pynn import layers

MEAN, STD = np.float32((125.3, 123.0, 113.9)), np.float32((63.0, 62.1, 66.7))
BATCH, RATE, DECAY = 128, 0.3, 2.5e-4


def convolution(x, filters, size=3, stride=1):
    decay = keras.regularizers.L2(DECAY)
    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False, kernel_initializer="he_normal",
                      kernel_regularizer=decay)(x)  # fmt: skip
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def residual(x, filters, stride):
    y = layers.ReLU()(convolution(x, filters, stride=stride))
    y = convolution(y, filters)
    if stride > 1:
        x = convolution(x, filters, 1, stride)
    return layers.ReLU()(layers.Add()([x, y]))


def resnet20():
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(convolution(inputs, 16))
    for stage in range(3):
        for block in range(3):
            x = residual(x, 16 * 2**stage, 2 if stage and not block else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, kernel_regularizer=keras.regularizers.L2(DECAY))(x))


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--steps", type=int, help="batches in an epoch (all)")
parser.add_argument("--data", help="a folder with cifar-10-batches-bin (default: PYNN_DATA_DIR, the cache, a download)")
parser.add_argument("--backup", default="resnet20_backup", help="where the state is kept (default: %(default)s)")
options = parser.parse_args()
if options.data:
    os.environ["PYNN_DATA_DIR"] = options.data

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
batches = keras.data.ImageBatches(
    x_train, y_train, BATCH, flip=True, crop=4, mean=MEAN, std=STD, shuffle=True, drop_remainder=True, seed=0
)
steps = options.epochs * (options.steps or len(batches))
rise = steps // 6
rate = keras.optimizers.schedules.CosineDecay(0.02, max(steps - rise, 1), 0.001, warmup_target=RATE, warmup_steps=rise)
model = resnet20()
model.compile(
    keras.optimizers.SGD(rate, 0.9, nesterov=True),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
backup = keras.callbacks.BackupAndRestore(options.backup, delete_checkpoint=False)
model.fit(batches, epochs=options.epochs, steps_per_epoch=options.steps, verbose=2, callbacks=[backup])
for count in (1000, 10000):
    _, accuracy = model.evaluate((x_test[:count] - MEAN) / STD, y_test[:count], 500, verbose=0)
    print(f"test accuracy on the first {count:,} images: {accuracy:.2%}")
