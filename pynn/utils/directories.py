"""Data sets of files in folders, of which each is named like a class."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pynn import settings
from pynn.data.dataset import AUTOTUNE, Dataset
from pynn.errors import ArgumentError, CorruptDataError, DataNotFoundError
from pynn.ops.image_sampling import INTERPOLATIONS
from pynn.utils.images import load_img, resized
from pynn.utils.numerical import to_categorical
from pynn.utils.random_seed import next_seed

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_LABEL_MODES = ("int", "binary", "categorical", None)
_SUBSETS = ("training", "validation", "both", None)


@dataclass
class _Files:
    """Where the samples are, in their order, and what they are."""

    where: str
    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None

    def part(self, chosen: slice) -> _Files:
        labels = None if self.labels is None else self.labels[chosen]
        return _Files(self.where, self.paths[chosen], labels, self.class_names)

    def split(self, fraction: float | None, subset: str | None, verbose: bool) -> list[_Files]:
        if not fraction:
            return [self]
        held_out = int(fraction * len(self.paths))
        parts = {
            "training": self.part(slice(0, len(self.paths) - held_out)),
            "validation": self.part(slice(len(self.paths) - held_out, None)),
        }
        chosen = list(parts) if subset == "both" else [str(subset)]
        for name in chosen:
            if verbose:
                print(f"Using {len(parts[name].paths)} files for {name}.")
            if not parts[name].paths:
                raise DataNotFoundError(f"{self.where}: no file is left for {name}; change validation_split")
        return [parts[name] for name in chosen]


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of images (float32, 0 to 255) and their classes, read from files when they are needed.

    Args:
        directory: holds a folder for each class.
        labels: ``"inferred"`` from the folders; a list of class numbers for the files in their sorted order; or None
            for images without classes.
        label_mode: ``"int"``, ``"binary"`` (float32 ``(batch, 1)``), ``"categorical"`` (one-hot), or None for images
            alone.
        class_names: the folders to use, in the order of their class numbers; by default all, sorted.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        batch_size: images in a batch; None: images one by one.
        image_size: ``(height, width)`` that all images are resized to.
        shuffle: in random order, anew each time.
        seed: of that order and of the split.
        validation_split: the fraction of the files that is for validation.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a pair of data sets.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        follow_links: go into folders that are symbolic links.
        crop_to_aspect_ratio: cut off what does not fit the ratio of ``image_size``.
        pad_to_aspect_ratio: fill up with zeros instead.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        format: Keras's choice between data sets of TensorFlow and of Grain; both give pynn's.
        verbose: print how many files were found.

    Returns:
        A :class:`pynn.data.Dataset` with attributes ``class_names`` and ``file_paths``.
    """
    where = "image_dataset_from_directory"
    _check_format(where, format)
    order = settings.image_data_format() if data_format is None else data_format
    if interpolation not in INTERPOLATIONS:
        raise ArgumentError(f"{where}: interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
    if color_mode not in ("rgb", "rgba", "grayscale"):
        raise ArgumentError(f"{where}: color_mode must be 'rgb', 'rgba' or 'grayscale', received {color_mode!r}")
    if order not in ("channels_last", "channels_first"):
        raise ArgumentError(f"{where}: data_format must be 'channels_last' or 'channels_first', got {data_format!r}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError(f"{where}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True")
    size = (int(image_size[0]), int(image_size[1]))

    def read(path: str) -> np.ndarray:
        image = np.asarray(load_img(path, color_mode))
        image = image[..., None] if image.ndim == 2 else image
        image = resized(image, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio)
        return image.transpose(2, 0, 1) if order == "channels_first" else image

    return _datasets(
        where, directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
        follow_links, verbose, _IMAGES, read,
    )  # fmt: skip


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of texts, arrays of ``str``, and their classes, read from ``.txt`` files (UTF-8) when they are needed.

    Args:
        max_length: cut texts off after so many characters.

    The other arguments are those of :func:`image_dataset_from_directory`.
    """
    _check_format("text_dataset_from_directory", format)

    def read(path: str) -> np.ndarray:
        text = Path(path).read_bytes().decode("utf-8", "replace")
        return np.asarray(text if max_length is None else text[:max_length])

    return _datasets(
        "text_dataset_from_directory", directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose, (".txt",), read,
    )  # fmt: skip


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Batches of sounds ``(batch, samples, channels)``, float32 from -1 to 1, and their classes, from ``.wav`` files.

    Args:
        sampling_rate: the rate that all files must have; they are not converted.
        output_sequence_length: cut sounds off, or fill them up with zeros, to so many samples; by default all in a
            batch are filled up to the longest.
        ragged: not supported, since arrays have equal rows.

    The other arguments are those of :func:`image_dataset_from_directory`.

    Raises:
        CorruptDataError: while reading, a file that is not 16-bit PCM, or of another rate.
    """
    where = "audio_dataset_from_directory"
    if ragged:
        raise ArgumentError(f"{where}: ragged=True is not supported; sounds are filled up with zeros instead")

    def read(path: str) -> np.ndarray:
        sound = _read_wave(path, sampling_rate)
        if output_sequence_length is None:
            return sound
        sound = sound[:output_sequence_length]
        return np.pad(sound, ((0, output_sequence_length - len(sound)), (0, 0)))

    return _datasets(
        where, directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
        follow_links, verbose, (".wav",), read, padded=True,
    )  # fmt: skip


def _read_wave(path: str, sampling_rate: int | None) -> np.ndarray:
    try:
        with wave.open(path, "rb") as stream:
            rate, width, channels = stream.getframerate(), stream.getsampwidth(), stream.getnchannels()
            data = stream.readframes(stream.getnframes())
    except (wave.Error, EOFError) as error:
        raise CorruptDataError(f"{path}: not a PCM wave file: {error}") from None
    if width != 2:
        raise CorruptDataError(f"{path}: expected 16 bits per sample, it has {8 * width}")
    if sampling_rate is not None and rate != sampling_rate:
        raise CorruptDataError(
            f"{path}: has {rate} samples a second, expected sampling_rate={sampling_rate}; convert the file first"
        )
    return np.frombuffer(data, "<i2").reshape(-1, channels).astype("float32") / 32768


def _check_format(where: str, format: str) -> None:
    if format not in ("tf", "grain"):
        raise ArgumentError(f"{where}: format must be 'tf' or 'grain', received {format!r}")


def _datasets(
    where: str, directory: Any, labels: Any, label_mode: str | None, class_names: Sequence[str] | None,
    batch_size: int | None, shuffle: bool, seed: int | None, validation_split: float | None, subset: str | None,
    follow_links: bool, verbose: bool, suffixes: tuple[str, ...], read: Callable[[str], np.ndarray],
    padded: bool = False,
) -> Any:  # fmt: skip
    """One data set, or two for ``subset="both"``."""
    if label_mode not in _LABEL_MODES:
        raise ArgumentError(f"{where}: label_mode must be one of {_LABEL_MODES}, received {label_mode!r}")
    if labels is None or label_mode is None:
        labels, label_mode = None, None
    _check_split(where, validation_split, subset, shuffle, seed)
    seed = next_seed() % 10**6 if shuffle and seed is None else seed
    files = _find(where, os.fspath(directory), labels, class_names, suffixes, follow_links, verbose)
    if label_mode == "binary" and len(files.class_names or ()) != 2:
        raise ArgumentError(f"{where}: label_mode='binary' needs two classes, found {files.class_names}")
    if shuffle:
        # Keras's order for a seed, so that splits hold the same files in both libraries.
        order = np.arange(len(files.paths))
        np.random.RandomState(seed).shuffle(order)
        shuffled = None if files.labels is None else files.labels[order]
        files = _Files(where, [files.paths[i] for i in order], shuffled, files.class_names)
    made = [
        _dataset(part, label_mode, batch_size, shuffle, seed, read, padded)
        for part in files.split(validation_split, subset, verbose)
    ]
    return made if len(made) > 1 else made[0]


def _check_split(where: str, fraction: float | None, subset: str | None, shuffle: bool, seed: int | None) -> None:
    if subset not in _SUBSETS:
        raise ArgumentError(f"{where}: subset must be one of {_SUBSETS}, received {subset!r}")
    if fraction and not 0 < fraction < 1:
        raise ArgumentError(f"{where}: validation_split must be between 0 and 1, received {fraction}")
    if bool(fraction) != bool(subset):
        raise ArgumentError(f"{where}: validation_split and subset need each other")
    if fraction and shuffle and seed is None:
        raise ArgumentError(
            f"{where}: with validation_split give a seed (or shuffle=False), so that training and validation share no "
            "file"
        )


def _find(
    where: str, directory: str, labels: Any, class_names: Sequence[str] | None, suffixes: tuple[str, ...],
    follow_links: bool, verbose: bool,
) -> _Files:  # fmt: skip
    if not os.path.isdir(directory):
        raise DataNotFoundError(f"{where}: there is no folder {directory}")
    inferred = isinstance(labels, str) and labels == "inferred"
    if isinstance(labels, str) and not inferred:
        raise ArgumentError(f"{where}: labels must be 'inferred', a list or None, received {labels!r}")
    folders = [""]
    if inferred:
        found = sorted(f for f in os.listdir(directory) if os.path.isdir(os.path.join(directory, f)) and f[0] != ".")
        folders = found if class_names is None else list(class_names)
        if not set(folders) <= set(found):
            raise ArgumentError(f"{where}: class_names={folders}, but the folders of {directory} are {found}")
    elif class_names is not None:
        raise ArgumentError(f"{where}: class_names are for labels='inferred'")
    listed = [_files_below(os.path.join(directory, folder), suffixes, follow_links) for folder in folders]
    paths = [path for one in listed for path in one]
    if not paths:
        raise DataNotFoundError(
            f"{where}: found no file in {directory}; expected {', '.join(suffixes)} in a folder for each class"
        )
    if labels is None:
        numbers, names = None, None
    elif inferred:
        numbers, names = np.repeat(np.arange(len(folders), dtype="int32"), [len(one) for one in listed]), folders
    else:
        numbers, names = np.asarray(labels, "int32"), [str(label) for label in sorted(set(labels))]
        if len(numbers) != len(paths):
            raise ArgumentError(f"{where}: {len(numbers)} labels for the {len(paths)} files in {directory}")
    if verbose:
        print(f"Found {len(paths)} files{'' if names is None else f' belonging to {len(names)} classes'}.")
    return _Files(where, paths, numbers, names)


def _files_below(folder: str, suffixes: tuple[str, ...], follow_links: bool) -> list[str]:
    walk = sorted(os.walk(folder, followlinks=follow_links), key=lambda at: at[0])
    return [
        os.path.join(at, name) for at, _, names in walk for name in sorted(names) if name.lower().endswith(suffixes)
    ]


def _dataset(
    files: _Files, label_mode: str | None, batch_size: int | None, shuffle: bool, seed: int | None,
    read: Callable[[str], np.ndarray], padded: bool,
) -> Dataset:  # fmt: skip
    dataset = Dataset.from_tensor_slices(np.arange(len(files.paths)))
    if shuffle:
        dataset = dataset.shuffle(1024 if batch_size is None else batch_size * 8, seed=seed)
    targets: Any = files.labels
    if targets is not None and label_mode == "binary":
        targets = targets.astype("float32")[:, None]
    elif targets is not None and label_mode == "categorical":
        targets = to_categorical(targets, len(files.class_names or ())).astype("float32")

    def sample(i: Any) -> Any:
        x = read(files.paths[int(i)])
        return x if targets is None else (x, targets[int(i)])

    dataset = dataset.map(sample, num_parallel_calls=AUTOTUNE)
    if batch_size is not None:
        dataset = dataset.padded_batch(batch_size) if padded else dataset.batch(batch_size)
    dataset = dataset.prefetch(AUTOTUNE)
    dataset.class_names = files.class_names  # type: ignore[attr-defined]
    dataset.file_paths = files.paths  # type: ignore[attr-defined]
    return dataset
