"""Where an ``ImageDataGenerator`` finds its pictures: arrays, folders, tables."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.utils.py_dataset import PyDataset

if TYPE_CHECKING:
    from pynn.legacy.image.generator import ImageDataGenerator

#: Files with other endings are passed over.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff")


class ImageIterator(PyDataset):
    """Batches without end for ``next()``; batches of one epoch, by number, for ``fit``.

    Args:
        n: how many pictures there are.
        pictures: makes them differ.
        shuffle: in a new order in each epoch.
        seed: of the order and of the changes; with it they are those that Keras draws.
    """

    white_list_formats = tuple(suffix[1:] for suffix in SUFFIXES)

    def __init__(
        self,
        n: int,
        pictures: ImageDataGenerator,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
    ):
        super().__init__()
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ArgumentError(f"{type(self).__name__}: batch_size must be from 1 up, received {batch_size!r}")
        self.n = self.samples = n
        self.image_data_generator = pictures
        self.batch_size, self.shuffle, self.seed = int(batch_size), shuffle, seed
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.total_batches_seen = 0
        self.reset()

    def reset(self) -> None:
        """Start an epoch from its first batch."""
        self.batch_index = 0
        self._order: np.ndarray | None = None
        self._lock = threading.Lock()
        #: NumPy's global generator, as in Keras, unless there is a seed.
        self._rng: Any = np.random

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def on_epoch_end(self) -> None:
        self._reorder()

    def _reorder(self) -> None:
        self._order = self._rng.permutation(self.n) if self.shuffle else np.arange(self.n)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"{type(self).__name__}: there is no batch {index}, there are {len(self)}")
        with self._lock:  # what is drawn follows from the number of batches seen, one after another
            if self.seed is not None:
                self._rng = np.random.RandomState(self.seed + self.total_batches_seen)
            self.total_batches_seen += 1
            if self._order is None:
                self._reorder()
            assert self._order is not None
            return self._batch(self._order[index * self.batch_size : (index + 1) * self.batch_size])

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        if self.batch_index == 0:
            self._order = None
        batch = self[self.batch_index]
        self.batch_index = (self.batch_index + 1) % len(self)
        return batch

    next = __next__

    def _batch(self, indices: np.ndarray) -> Any:
        """The batch of the pictures with these numbers."""
        raise NotImplementedError

    def _changed(self, picture: np.ndarray) -> np.ndarray:
        maker = self.image_data_generator
        return maker.standardize(maker.random_transform(picture.astype(maker.dtype), self._rng)).astype(maker.dtype)

    def _save(self, indices: Sequence[int], x: np.ndarray) -> None:
        if self.save_to_dir:
            from pynn.utils.images import array_to_img

            for index, picture in zip(indices, x, strict=True):
                name = f"{self.save_prefix}_{index}_{self._rng.randint(10**7)}.{self.save_format}"
                order = self.image_data_generator.data_format
                array_to_img(picture, data_format=order, scale=True).save(Path(self.save_to_dir) / name)


class NumpyArrayIterator(ImageIterator):
    """Pictures that are in an array: what ``ImageDataGenerator.flow`` gives."""

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: ImageDataGenerator,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ):
        others: Any = []
        if isinstance(x, tuple | list):
            x, others = x[0], x[1] if isinstance(x[1], list) else [x[1]]
        x, others = np.asarray(x), [np.asarray(other) for other in others]
        y = None if y is None else np.asarray(y)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        if x.ndim != 4:
            raise ShapeError(f"ImageDataGenerator.flow: x must have four axes, received shape {x.shape}")
        named = [("y", y), ("sample_weight", weights), *(("an input beside x", other) for other in others)]
        for name, array in named:
            if array is not None and len(array) != len(x):
                raise ShapeError(f"ImageDataGenerator.flow: x has {len(x)} samples, {name} has {len(array)}")
        chosen = _subset(subset, image_data_generator.validation_split, len(x))
        whole = y
        self.x, self.x_misc = x[chosen], [other[chosen] for other in others]
        self.y = None if y is None else y[chosen]
        self.sample_weight = None if weights is None else weights[chosen]
        if subset is not None and whole is not None and self.y is not None and not ignore_class_split:
            rest = np.delete(whole, chosen, axis=0)
            if not np.array_equal(np.unique(rest), np.unique(self.y)):
                raise ArgumentError(
                    "ImageDataGenerator.flow: training and validation subsets have different classes; shuffle the data "
                    "before, or pass ignore_class_split=True if y are no classes"
                )
        super().__init__(
            len(self.x), image_data_generator, batch_size, shuffle, seed, save_to_dir, save_prefix, save_format
        )

    def _batch(self, indices: np.ndarray) -> Any:
        x: Any = np.stack([self._changed(self.x[i]) for i in indices])
        self._save(indices.tolist(), x)
        if self.x_misc:
            x = (x, *(other[indices] for other in self.x_misc))
        if self.y is None:
            return x
        return (x, self.y[indices]) if self.sample_weight is None else (
            x, self.y[indices], self.sample_weight[indices])  # fmt: skip


class _FileIterator(ImageIterator):
    """Pictures in files."""

    def __init__(
        self,
        paths: Sequence[Path],
        targets: Any,
        weights: Any,
        pictures: ImageDataGenerator,
        target_size: tuple[int, int],
        color_mode: str,
        interpolation: str,
        keep_aspect_ratio: bool,
        **options: Any,
    ):
        channels = {"grayscale": 1, "rgb": 3, "rgba": 4}
        if color_mode not in channels:
            raise ArgumentError(
                f"{type(self).__name__}: color_mode must be 'grayscale', 'rgb' or 'rgba', received {color_mode!r}"
            )
        height, width = target_size
        self.target_size, self.color_mode = (height, width), color_mode
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        shape = (*self.target_size, channels[color_mode])
        self.image_shape = shape if pictures.data_format == "channels_last" else (shape[2], *shape[:2])
        self.filepaths = [str(path) for path in paths]
        self._targets, self.sample_weight = targets, weights
        super().__init__(len(paths), pictures, **options)

    def _batch(self, indices: np.ndarray) -> Any:
        from pynn.utils.images import img_to_array, load_img

        x = np.zeros((len(indices), *self.image_shape), self.image_data_generator.dtype)
        for row, i in zip(x, indices, strict=True):
            picture = load_img(
                self.filepaths[i], color_mode=self.color_mode, target_size=self.target_size,
                interpolation=self.interpolation, keep_aspect_ratio=self.keep_aspect_ratio,
            )  # fmt: skip
            row[...] = self._changed(img_to_array(picture, data_format=self.image_data_generator.data_format))
        self._save(indices.tolist(), x)
        if self._targets is None:
            return x
        if isinstance(self._targets, str):  # "input"
            return x, x.copy()
        y = [t[indices] for t in self._targets] if isinstance(self._targets, list) else self._targets[indices]
        return (x, y) if self.sample_weight is None else (x, y, self.sample_weight[indices])


class DirectoryIterator(_FileIterator):
    """Pictures in a folder with one folder for each class.

    Args:
        directory: the folder.
        image_data_generator: what changes them.
        target_size: height and width to which they are resized.
        color_mode: ``"rgb"``, ``"grayscale"`` or ``"rgba"``.
        classes: the folders to use, in the order of their numbers; all, sorted, by default.
        class_mode: ``"categorical"`` (one-hot), ``"binary"`` or ``"sparse"`` (numbers), ``"input"`` (the picture
            itself), None (no targets).
        batch_size, shuffle, seed: as in ``fit``; the seed is that of the changes, too.
        save_to_dir, save_prefix, save_format: where the changed pictures are written to.
        follow_links: into folders that are links.
        subset: ``"training"`` or ``"validation"``, with ``validation_split``: the first files of each class validate.
        interpolation, keep_aspect_ratio: of resizing.

    Attributes:
        class_indices: from folders to numbers.
        classes: the number of each picture.
        filenames: relative to the folder.
    """

    def __init__(
        self,
        directory: Any,
        image_data_generator: ImageDataGenerator,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ):
        folder = Path(directory)
        if not folder.is_dir():
            raise FileNotFoundError(f"flow_from_directory: there is no folder {str(directory)!r}")
        modes = ("categorical", "binary", "sparse", "input", None)
        if class_mode not in modes:
            raise ArgumentError(f"flow_from_directory: class_mode must be one of {modes}, received {class_mode!r}")
        names = list(classes or sorted(path.name for path in folder.iterdir() if path.is_dir()))
        split = image_data_generator.validation_split
        paths: list[Path] = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            found = _files(folder / name, follow_links)
            found = [found[i] for i in _subset(subset, split, len(found))]
            paths += found
            numbers += [number] * len(found)
        self.directory, self.class_mode = str(directory), class_mode
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.num_classes = len(names)
        self.classes = np.array(numbers, "int32")
        self.filenames = [str(path.relative_to(folder)) for path in paths]
        print(f"Found {len(paths)} images belonging to {len(names)} classes.")
        super().__init__(
            paths, _encoded(self.classes, class_mode, len(names)), None, image_data_generator, target_size, color_mode,
            interpolation, keep_aspect_ratio, batch_size=batch_size, shuffle=shuffle, seed=seed,
            save_to_dir=save_to_dir, save_prefix=save_prefix, save_format=save_format,
        )  # fmt: skip

    @property
    def labels(self) -> np.ndarray:
        """The number of each picture's class."""
        return self.classes


class DataFrameIterator(_FileIterator):
    """Pictures whose files and targets are columns of a pandas table.

    Args:
        dataframe: the table.
        directory: what the file names are relative to; None: they are whole paths.
        image_data_generator: what changes them.
        x_col, y_col: names of the columns; several targets are a list.
        weight_col: the column of sample weights.
        classes: the classes to use, in the order of their numbers; all, sorted, by default.
        class_mode: ``"categorical"``, ``"binary"`` or ``"sparse"`` for classes, ``"raw"`` for numbers as they are,
            ``"multi_output"`` for several columns, ``"input"``, or None.
        validate_filenames: leave rows out whose file is not there, with a warning.
        target_size, color_mode, batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio: as in :class:`DirectoryIterator`.
    """

    def __init__(
        self,
        dataframe: Any,
        directory: Any,
        image_data_generator: ImageDataGenerator,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        validate_filenames: bool = True,
    ):
        modes = ("categorical", "binary", "sparse", "raw", "multi_output", "input", None)
        if class_mode not in modes:
            raise ArgumentError(f"flow_from_dataframe: class_mode must be one of {modes}, received {class_mode!r}")
        root = Path(directory) if directory is not None else Path()
        table = dataframe
        if validate_filenames:
            there = [(root / str(name)).is_file() and str(name).lower().endswith(SUFFIXES) for name in table[x_col]]
            if not all(there):
                missing = len(there) - sum(there)
                warnings.warn(
                    f"flow_from_dataframe: {missing} rows name no image file in {str(root)!r} and are left out",
                    stacklevel=3,
                )
            table = table[there]
        names: list[Any] = []
        if class_mode in ("categorical", "binary", "sparse"):
            lists = [list(c) if isinstance(c, list | tuple) else [c] for c in table[y_col]]
            names = list(classes or sorted({c for row in lists for c in row}))
            kept = [all(c in names for c in row) for row in lists]
            table, lists = table[kept], [row for row, keep in zip(lists, kept, strict=True) if keep]
            if class_mode == "binary" and len(names) != 2:
                raise ArgumentError(f"flow_from_dataframe: class_mode='binary' needs 2 classes, there are {len(names)}")
        chosen = _subset(subset, image_data_generator.validation_split, len(table))
        table = table.iloc[chosen]
        self.class_mode = class_mode
        self.class_indices = {name: number for number, name in enumerate(names)}
        targets: Any = None
        if names:
            rows = [[self.class_indices[c] for c in lists[i]] for i in chosen]
            if class_mode == "categorical":
                targets = np.zeros((len(rows), len(names)), "float32")
                for target, row in zip(targets, rows, strict=True):
                    target[row] = 1
            else:
                targets = _encoded(np.array([row[0] for row in rows], "int32"), class_mode, len(names))
            self.classes = [row if len(row) > 1 else row[0] for row in rows]
            self.labels = self.classes
        elif class_mode == "raw":
            targets = np.asarray(table[y_col])
        elif class_mode == "multi_output":
            targets = [np.asarray(table[column]) for column in y_col]
        elif class_mode == "input":
            targets = "input"
        weights = None if weight_col is None else np.asarray(table[weight_col])
        self.filenames = [str(name) for name in table[x_col]]
        count = f" belonging to {len(names)} classes" if names else ""
        print(f"Found {len(table)} validated image filenames{count}.")
        super().__init__(
            [root / name for name in self.filenames], targets, weights, image_data_generator, target_size, color_mode,
            interpolation, keep_aspect_ratio, batch_size=batch_size, shuffle=shuffle, seed=seed,
            save_to_dir=save_to_dir, save_prefix=save_prefix, save_format=save_format,
        )  # fmt: skip


def _subset(subset: str | None, split: float, n: int) -> np.ndarray:
    """Numbers of the samples in a subset: the first ones validate."""
    if subset not in (None, "training", "validation"):
        raise ArgumentError(f"ImageDataGenerator: subset must be 'training' or 'validation', received {subset!r}")
    if subset is not None and not split:
        raise ArgumentError("ImageDataGenerator: subset needs validation_split, an argument of ImageDataGenerator")
    cut = int(n * split)
    return np.arange(n) if subset is None else np.arange(cut) if subset == "validation" else np.arange(cut, n)


def _files(folder: Path, follow_links: bool) -> list[Path]:
    """Image files in a folder and below it, sorted."""
    import os

    found = []
    for parent, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        found += [Path(parent) / name for name in sorted(names) if name.lower().endswith(SUFFIXES)]
    return found


def _encoded(numbers: np.ndarray, class_mode: str | None, count: int) -> Any:
    if class_mode == "categorical":
        return np.eye(count, dtype="float32")[numbers]
    if class_mode == "binary":
        return numbers.astype("float32")
    return numbers if class_mode == "sparse" else class_mode
