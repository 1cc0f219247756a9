"""Which tune is it?  Sounds of one second, their spectrograms, and a small convolutional network.

The eight "words" are made here: tones that rise, fall, tremble or repeat, with other pitch, speed, loudness and noise
each time.
"""

import numpy as np
from common import draw_rows, options

import pynn as keras
from pynn import layers

RATE = 8_000  # samples a second
WORDS = ("steady", "rising", "falling", "trembling", "beeps", "two tones", "chord", "noise")

args = options(__doc__, epochs=12, sounds=1600, picture="audio.png")
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)


def sound(word):
    t = np.arange(RATE) / RATE
    pitch = np.full(RATE, rng.uniform(300, 900))
    loudness = np.ones(RATE)
    if word == "rising":
        pitch *= 1 + rng.uniform(0.5, 1.0) * t
    elif word == "falling":
        pitch *= 1 - rng.uniform(0.3, 0.6) * t
    elif word == "trembling":
        pitch *= 1 + 0.1 * np.sin(2 * np.pi * rng.uniform(4, 8) * t)
    elif word == "beeps":
        loudness = (np.sin(2 * np.pi * rng.uniform(4, 7) * t) > 0).astype(float)
    elif word == "two tones":
        pitch = np.where(t < rng.uniform(0.4, 0.6), pitch, 1.5 * pitch)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    wave = np.sin(phase) + (np.sin(1.25 * phase) + np.sin(1.5 * phase) if word == "chord" else 0)
    wave = rng.standard_normal(RATE) if word == "noise" else loudness * wave
    return rng.uniform(0.3, 1.0) * wave + 0.3 * rng.standard_normal(RATE)


def spectrograms(waves):
    """(sounds, times, frequencies, 1): loudness in logarithms, of windows of 32 ms every 16 ms, up to 2 kHz."""
    windows = np.lib.stride_tricks.sliding_window_view(waves, 256, axis=1)[:, ::128] * np.hanning(256)
    return np.log1p(np.abs(np.fft.rfft(windows)))[:, :, :64, None].astype("float32")


count = args.samples or args.sounds
labels = np.arange(count) % len(WORDS)
x = spectrograms(np.stack([sound(WORDS[label]) for label in labels]).astype("float32"))
known = count * 3 // 4

normalize = layers.Normalization(axis=None)
normalize.adapt(x[:known])
model = keras.Sequential([
    keras.Input(x.shape[1:]),
    normalize,
    layers.Conv2D(16, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(32, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Flatten(),
    layers.Dropout(0.4),
    layers.Dense(len(WORDS), activation="softmax"),
])  # fmt: skip
model.summary()
model.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[:known], labels[:known], batch_size=32, epochs=args.epochs, verbose=2)
answers = model.predict(x[known:], verbose=0).argmax(1)
for i, word in enumerate(WORDS):
    print(f"{word:10} {np.mean(answers[labels[known:] == i] == i):6.1%}")
print(f"test accuracy {np.mean(answers == labels[known:]):.2%}")
pictures = {word: [np.rot90(x[j, :, :, 0] / x.max()) for j in range(i, 32, 8)] for i, word in enumerate(WORDS)}
draw_rows(args.picture, **pictures)
