"""Windows over a time series."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.data.dataset import Dataset
from pynn.errors import ArgumentError
from pynn.utils.random_seed import next_seed


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Batches of windows, with the target that belongs to the beginning of each.

    Args:
        data: ``(steps, ...)``.
        targets: ``(steps, ...)``, of which number i belongs to the window that begins at i; or None.
        sequence_length: steps in a window.
        sequence_stride: from the beginning of one window to that of the next.
        sampling_rate: from one step in a window to the next.
        batch_size: windows in a batch; None: windows one by one.
        shuffle: in random order, anew each time.
        seed: of that order.
        start_index, end_index: use this part of the data only.
        format: Keras's choice between data sets of TensorFlow and of Grain; both give pynn's.

    Example:
        >>> series = np.arange(8)
        >>> for x, y in timeseries_dataset_from_array(series[:-3], series[3:], sequence_length=3):
        ...     print(x.tolist(), y.tolist())
        [[0, 1, 2], [1, 2, 3], [2, 3, 4]] [3, 4, 5]
    """
    data = np.asarray(data)
    length = len(data)

    def refuse(argument: str, value: Any, expected: str) -> None:
        raise ArgumentError(f"timeseries_dataset_from_array: {argument} must be {expected}, received {value}")

    if format not in ("tf", "grain"):
        refuse("format", repr(format), "'tf' or 'grain'")
    if start_index is not None and not 0 <= start_index < length:
        refuse("start_index", start_index, f"from 0 to {length - 1}, within the data")
    if end_index is not None and not max(0, start_index or 0) < end_index < length:
        refuse("end_index", end_index, f"above start_index and below {length}, the length of the data")
    if sequence_length < 1:
        refuse("sequence_length", sequence_length, "at least 1")
    for argument, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if not 0 < value < length:
            refuse(argument, value, f"from 1 to {length - 1}, within the data")
    start, end = start_index or 0, length if end_index is None else end_index
    count = end - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)
        count = min(count, len(targets))
    starts = np.arange(0, max(count, 0), sequence_stride)
    seed = next_seed() % 10**6 if shuffle and seed is None else seed
    if shuffle:
        np.random.RandomState(seed).shuffle(starts)
    part, steps = data[start:end], np.arange(0, sequence_length * sampling_rate, sampling_rate)
    part_of_targets = None if targets is None else targets[start:end]

    def window(at: Any) -> Any:
        x = part[int(at) + steps]
        return x if part_of_targets is None else (x, part_of_targets[int(at)])

    dataset = Dataset.from_tensor_slices(starts)
    if shuffle:
        dataset = dataset.shuffle(1024 if batch_size is None else batch_size * 8, seed=seed)
    dataset = dataset.map(window)
    return dataset if batch_size is None else dataset.batch(batch_size)
