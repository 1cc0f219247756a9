"""Two forecasts: airline passengers of the next month (LSTM), tomorrow's coldest hour in Melbourne (dense network).

Each is compared with the plainest guess: a year ago for passengers, today for temperatures.
"""

import csv

import numpy as np
from common import find, options

import pynn as keras
from pynn import layers

args = options(__doc__, epochs=200, picture="time_series.png")
keras.utils.set_random_seed(0)


def read(name):
    path = find(f"tabular/{name}.csv", "github.com/jbrownlee/Datasets")
    with open(path, newline="") as file:
        return np.array([float(row[1]) for row in list(csv.reader(file))[1:]], "float32")


def windows(series, length):
    """Each window of ``length`` numbers, and the number after it."""
    cuts = np.lib.stride_tricks.sliding_window_view(series, length + 1)
    return cuts[:, :-1, None].copy(), cuts[:, -1:].copy()


def forecast(model, series, length, first, epochs):
    """Train on what is before ``first``, and forecast the rest, each step from the numbers before it."""
    mean, scale = series[:first].mean(), series[:first].std()
    x, y = windows((series - mean) / scale, length)
    known = first - length
    model.compile(keras.optimizers.Adam(0.003), "mean_squared_error")
    history = model.fit(x[:known], y[:known], batch_size=32, epochs=epochs, verbose=0)
    print(
        f"  {known} windows to learn from; loss {history.history['loss'][0]:.3f} -> {history.history['loss'][-1]:.4f}"
    )
    return model.predict(x[known:], verbose=0)[:, 0] * scale + mean


def mean_error(a, b):
    return float(np.abs(a - b).mean())


print("airline passengers, thousands a month, 1949 to 1960: the last two years are forecast")
passengers = read("airline-passengers")
lstm = keras.Sequential([keras.Input((12, 1)), layers.LSTM(16), layers.Dense(1)])
# A network cannot guess numbers larger than it has seen: it learns the growth within a year, whose size stays the same.
growth = np.log(passengers[12:] / passengers[:-12])
expected = passengers[108:132] * np.exp(forecast(lstm, growth, 12, 108, args.epochs))
error, naive = mean_error(expected, passengers[120:]), mean_error(passengers[108:132], passengers[120:])
print(f"  mean error: network {error:.1f}, the same month a year ago {naive:.1f}")

print("coldest temperature of each day in Melbourne, 1981 to 1990: the last two years are forecast")
cold = read("daily-min-temperatures")
first = len(cold) - 730
dense = keras.Sequential([keras.Input((30, 1)), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(1)])
tomorrow = forecast(dense, cold, 30, first, max(1, args.epochs // 10))
error, naive = mean_error(tomorrow, cold[first:]), mean_error(cold[first - 1 : -1], cold[first:])
print(f"  mean error: network {error:.2f} degrees, the day before {naive:.2f}")

from matplotlib.figure import Figure  # noqa: E402

figure = Figure(figsize=(9, 6), layout="constrained")
above, below = figure.subplots(2)
above.plot(passengers, label="passengers")
above.plot(range(120, 144), expected, label="forecast, a month ahead")
below.plot(cold[first : first + 120], label="coldest temperature")
below.plot(tomorrow[:120], label="forecast, a day ahead")
for ax in (above, below):
    ax.legend()
figure.savefig(args.picture, dpi=100)
print(f"curves: {args.picture}")
