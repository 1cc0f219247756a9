"""``ImageDataGenerator``: which changes are drawn for a picture, and in which order they are made."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pynn import settings
from pynn.errors import ArgumentError
from pynn.legacy.image.iterators import DataFrameIterator, DirectoryIterator, NumpyArrayIterator
from pynn.legacy.image.transforms import (
    FILL_MODES,
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
)
from pynn.legacy.notice import say_once


class ImageDataGenerator:
    """Batches of pictures, changed at random and standardized: ``keras.preprocessing.image.ImageDataGenerator``.

    Args:
        featurewise_center, featurewise_std_normalization: with the mean and deviation that :meth:`fit` has found.
        samplewise_center, samplewise_std_normalization: with those of each picture.
        zca_whitening: with the matrix that :meth:`fit` has found; ``zca_epsilon`` keeps it finite.
        rotation_range: degrees, to either side.
        width_shift_range, height_shift_range: a fraction of the picture, from 1 on pixels, or a list to choose from.
            As in Keras 3 what is drawn for the height moves the picture sideways, and the other way round.
        brightness_range: two factors to draw between.
        shear_range: degrees.
        zoom_range: two factors to draw between, or z for (1 - z, 1 + z).
        channel_shift_range: how much is added to the numbers at most.
        fill_mode, cval: what is outside a picture: ``"constant"`` (cval), ``"nearest"``, ``"reflect"``, ``"wrap"``.
        horizontal_flip, vertical_flip: whether half of the pictures are.
        rescale: a factor for all numbers, applied after everything else but standardization.
        preprocessing_function: of one picture, before ``rescale``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        validation_split: the fraction that ``subset="validation"`` gets.
        interpolation_order: 0 takes the nearest pixel, 1 mixes four.
        dtype: of the batches.

    Example:
        >>> import warnings, numpy as np
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     pictures = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
        >>> batches = pictures.flow(np.full((10, 8, 8, 3), 255), np.arange(10), batch_size=4)
        >>> x, y = next(batches)
        >>> x.shape, float(x.max()), len(batches)
        ((4, 8, 8, 3), 1.0, 3)
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ):
        say_once("ImageDataGenerator", "keras.utils.image_dataset_from_directory and layers such as RandomFlip")
        where = "ImageDataGenerator"
        data_format = settings.image_data_format() if data_format is None else data_format
        if data_format not in ("channels_last", "channels_first"):
            raise ArgumentError(
                f"{where}: data_format must be 'channels_last' or 'channels_first', received {data_format!r}"
            )
        if fill_mode not in FILL_MODES:
            raise ArgumentError(f"{where}: fill_mode must be one of {FILL_MODES}, received {fill_mode!r}")
        if interpolation_order not in (0, 1):
            raise ArgumentError(f"{where}: interpolation_order must be 0 or 1, received {interpolation_order!r}")
        if validation_split and not 0 < validation_split < 1:
            raise ArgumentError(f"{where}: validation_split must be between 0 and 1, received {validation_split!r}")
        if isinstance(zoom_range, int | float):
            zoom_range = [1 - zoom_range, 1 + zoom_range]
        self.zoom_range = _two(where, "zoom_range", zoom_range)
        self.brightness_range = None if brightness_range is None else _two(where, "brightness_range", brightness_range)
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        if zca_whitening and featurewise_std_normalization:
            self.featurewise_std_normalization = False
            warnings.warn(f"{where}: zca_whitening replaces featurewise_std_normalization, which is off", stacklevel=2)
        if (featurewise_std_normalization or zca_whitening) and not featurewise_center:
            self.featurewise_center = True
            warnings.warn(f"{where}: this needs featurewise_center=True, which is set now", stacklevel=2)
        if samplewise_std_normalization and not samplewise_center:
            self.samplewise_center = True
            warnings.warn(f"{where}: this needs samplewise_center=True, which is set now", stacklevel=2)
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval, self.interpolation_order = fill_mode, cval, interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.data_format = data_format
        #: Axes in a batch.
        self.row_axis, self.col_axis, self.channel_axis = (1, 2, 3) if data_format == "channels_last" else (2, 3, 1)
        self.validation_split = validation_split
        self.dtype = "float32" if dtype is None else dtype
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None

    # ---- batches ---------------------------------------------------------------------------------------------

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of arrays.

        Args:
            x: ``(samples, height, width, channels)``, or ``(x, others)`` where others are further inputs.
            y: targets.
            save_to_dir: a folder for the changed pictures.
            ignore_class_split: do not mind classes that are in one subset only.
            subset: ``"training"`` or ``"validation"``, with ``validation_split``.
        """
        return NumpyArrayIterator(
            x, y, self, batch_size=batch_size, shuffle=shuffle, sample_weight=sample_weight, seed=seed,
            save_to_dir=save_to_dir, save_prefix=save_prefix, save_format=save_format,
            ignore_class_split=ignore_class_split, subset=subset,
        )  # fmt: skip

    def flow_from_directory(self, directory: Any, target_size: tuple[int, int] = (256, 256), **options: Any) -> Any:
        """Batches of pictures in a folder with one folder for each class: see :class:`DirectoryIterator`."""
        return DirectoryIterator(directory, self, target_size=target_size, **options)

    def flow_from_dataframe(
        self, dataframe: Any, directory: Any = None, x_col: str = "filename", y_col: Any = "class", **options: Any
    ) -> Any:
        """Batches of pictures whose files and targets are columns of a table: see :class:`DataFrameIterator`."""
        return DataFrameIterator(dataframe, directory, self, x_col=x_col, y_col=y_col, **options)

    # ---- one picture -----------------------------------------------------------------------------------------

    def get_random_transform(self, img_shape: tuple[int, ...], seed: Any = None) -> dict[str, Any]:
        """What to do with a picture of this shape, drawn at random.

        Args:
            seed: of NumPy's ``RandomState``, or such a one; NumPy's global generator by default, as in Keras.
        """
        rng = random_stream(seed)
        rows, columns = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]

        def within(limit: float) -> float:
            return rng.uniform(-limit, limit) if limit else 0.0

        # The order is Keras's: the same seed draws the same changes there.
        drawn: dict[str, Any] = {
            "theta": within(self.rotation_range),
            "tx": _shift(rng, self.height_shift_range, rows),
            "ty": _shift(rng, self.width_shift_range, columns),
            "shear": within(self.shear_range),
        }
        low, high = self.zoom_range
        drawn["zx"], drawn["zy"] = (1.0, 1.0) if low == high == 1 else map(float, rng.uniform(low, high, 2))
        drawn["flip_horizontal"] = bool(rng.random_sample() < 0.5) and self.horizontal_flip
        drawn["flip_vertical"] = bool(rng.random_sample() < 0.5) and self.vertical_flip
        drawn["channel_shift_intensity"] = within(self.channel_shift_range) if self.channel_shift_range else None
        drawn["brightness"] = None if self.brightness_range is None else rng.uniform(*self.brightness_range)
        return drawn

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """A picture changed as :meth:`get_random_transform` says; what is not named stays."""
        given = transform_parameters
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        x = apply_affine_transform(
            x, given.get("theta", 0), given.get("tx", 0), given.get("ty", 0), given.get("shear", 0),
            given.get("zx", 1), given.get("zy", 1), row, column, channel, self.fill_mode, self.cval,
            self.interpolation_order,
        )  # fmt: skip
        if given.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, given["channel_shift_intensity"], channel)
        if given.get("flip_horizontal"):
            x = np.flip(x, column)
        if given.get("flip_vertical"):
            x = np.flip(x, row)
        if given.get("brightness") is not None:
            x = apply_brightness_shift(x, given["brightness"], scale=False)
        return x

    def random_transform(self, x: np.ndarray, seed: Any = None) -> np.ndarray:
        """A picture changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """The steps that are the same for all pictures, on one of them or a batch."""
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        if self.rescale:
            x = x * self.rescale
        if self.samplewise_center:
            x = x - np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x = x / (np.std(x, keepdims=True) + 1e-6)
        if self.featurewise_center:
            x = x - self._fitted("featurewise_center", self.mean)
        if self.featurewise_std_normalization:
            x = x / (self._fitted("featurewise_std_normalization", self.std) + 1e-6)
        if self.zca_whitening:
            matrix = self._fitted("zca_whitening", self.zca_whitening_matrix)
            x = (x.reshape(-1, matrix.shape[0]) @ matrix).reshape(x.shape)
        return x

    def _fitted(self, what: str, value: Any) -> Any:
        if value is None:
            raise ArgumentError(f"ImageDataGenerator: {what} needs statistics; call fit(x) before")
        return value

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Find mean, deviation and whitening matrix of these pictures.

        Args:
            augment: of pictures changed at random, each ``rounds`` times.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ArgumentError(f"ImageDataGenerator: fit takes pictures with four axes, received shape {x.shape}")
        if augment:
            rng = random_stream(seed)
            x = np.stack([self.random_transform(x[i % len(x)], rng) for i in range(rounds * len(x))])
        axes = (0, self.row_axis, self.col_axis)
        shape = [1, 1, 1]
        shape[self.channel_axis - 1] = x.shape[self.channel_axis]
        if self.featurewise_center:
            self.mean = x.mean(axes).reshape(shape)
            x = x - self.mean
        if self.featurewise_std_normalization:
            self.std = x.std(axes).reshape(shape)
            x = x / (self.std + 1e-6)
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            variances, directions = np.linalg.eigh(flat.T @ flat / len(flat))
            scales = 1 / np.sqrt(np.maximum(variances, 0) + self.zca_epsilon)
            self.zca_whitening_matrix = (directions * scales) @ directions.T


def _two(where: str, argument: str, value: Any) -> tuple[float, float]:
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(n, int | float) for n in value):
        return float(value[0]), float(value[1])
    raise ArgumentError(f"{where}: {argument} must be two numbers, received {value!r}")


def random_stream(seed: Any) -> Any:
    """What numbers are drawn from: NumPy's global generator for None, a new one for a seed, else what was given.

    It is the old generator, whose numbers Keras draws; so the same seed makes the same pictures there.
    """
    return np.random if seed is None else np.random.RandomState(seed) if isinstance(seed, int | np.integer) else seed


def _shift(rng: Any, spread: Any, length: int) -> float:
    """How many pixels to move by: ``spread`` is a fraction, pixels from 1 on, or a list to choose from."""
    if np.ndim(spread):
        shift = rng.choice(spread) * rng.choice([-1, 1])
    elif not spread:
        return 0.0
    elif isinstance(spread, int):
        shift = rng.choice(spread) * rng.choice([-1, 1])  # whole numbers below it, as in Keras
    else:
        shift = rng.uniform(-spread, spread)
    return float(shift * length) if np.max(spread) < 1 else float(shift)
