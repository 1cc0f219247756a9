"""Batches of images for training: shuffled, cropped, mirrored and normalised in compiled code, ahead of the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pynn.data import elements as el
from pynn.data import iteration as it
from pynn.data.augmentation import Augmentation
from pynn.data.batcher import Batcher
from pynn.data.dataset import Dataset
from pynn.data.image_reference import epoch_key
from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.utils.random_seed import checked_seed, next_seed


class ImageBatches(Dataset):
    """Batches of images in memory and their labels, changed at random; a data set for ``fit``.

    Images stay uint8 in memory.  The rows of a batch are gathered, cropped, mirrored and normalised in one go, without
    Python: in ``fit`` by threads of the running step that would wait otherwise, so that a step never waits for its
    images; where somebody else iterates, by a thread of its own that is ``prefetch`` batches ahead.

    What an image becomes follows from ``seed``, the number of the epoch and its place in the epoch: it does not depend
    on the number of threads.  Each iteration is one epoch, and the next begins with other numbers; the attribute
    ``epoch`` is the number of the next one.  ``fit`` sets it where a training goes on that was interrupted (by its
    ``initial_epoch`` or by ``BackupAndRestore``), so that the images are those of a training without a break.

    Args:
        x: (n, height, width, channels), uint8 or float32.
        y: labels (n,) or (n, 1), or rows of numbers (n, ...); None: batches are images alone.
        batch_size: images in a batch; the last one may be shorter.
        flip: mirror each image left to right with probability 1/2.
        crop: add so many pixels on each side and cut out a piece of the old size at a random place.
        crop_mode: what is added: ``"constant"``, zeros (after normalising), or ``"reflect"``, the mirrored image.
        cutout: side of a square that is set to zero around a random pixel (DeVries and Taylor, 2017).
        mean, std: numbers or one for each channel, in the units of ``x``; images become ``(x - mean) / std``.
        one_hot: number of classes, if labels shall become rows of zeros and a one.
        shuffle: a new order in each epoch.
        drop_remainder: leave out the last batch if it is shorter.
        seed: for the same batches in every run; by default it follows from ``set_random_seed``.
        prefetch: how many batches a thread is ahead where no step does the work.

    Raises:
        ArgumentError, ShapeError, DtypeError: an argument is not as described.

    Example:
        >>> x, y = np.zeros((10, 32, 32, 3), np.uint8), np.arange(10)
        >>> batches = ImageBatches(x, y, 4, flip=True, crop=4, mean=127.5, std=127.5, one_hot=10, shuffle=True, seed=0)
        >>> [(images.shape, labels.shape) for images, labels in batches][-1]
        ((2, 32, 32, 3), (2, 10))
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        *,
        flip: bool = False,
        crop: int = 0,
        crop_mode: str = "constant",
        cutout: int = 0,
        mean: Any = None,
        std: Any = None,
        one_hot: int | None = None,
        shuffle: bool = False,
        drop_remainder: bool = False,
        seed: int | None = None,
        prefetch: int = 2,
    ):
        images = np.asarray(x)
        if images.ndim != 4:
            raise ShapeError(
                f"ImageBatches: x must be images (n, height, width, channels), received shape {images.shape}"
                + ("; for gray images give x[..., None]" if images.ndim == 3 else "")
            )
        if images.dtype not in (np.uint8, np.float32):
            raise DtypeError(
                f"ImageBatches: x must be uint8 or float32, received {images.dtype}: use x.astype('float32')"
            )
        self.augmentation = Augmentation(flip, crop, crop_mode, cutout, mean, std)
        self.augmentation.check("ImageBatches", *images.shape[1:])
        for name, value, least in (("batch_size", batch_size, 1), ("prefetch", prefetch, 0)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ArgumentError(f"ImageBatches: {name} must be a whole number from {least} up, received {value!r}")
        self._arrays, self._dtypes, self._one_hot = [images], ["float32"], [None]
        if y is None and one_hot is not None:
            raise ArgumentError(f"ImageBatches: one_hot={one_hot} needs labels, but y is None")
        if y is not None:
            labels = np.asarray(y)
            self._arrays.append(labels)
            self._dtypes.append("int32" if labels.dtype.kind in "iub" and one_hot is None else "float32")
            self._one_hot.append(one_hot)  # type: ignore[arg-type]
        self.batch_size, self._shuffle, self._lead = int(batch_size), bool(shuffle), int(prefetch)
        self.epoch = 0
        seed = checked_seed("ImageBatches", seed)
        self.seed = next_seed() if seed is None else seed
        rows = self._batcher().rows  # made to check the arrays
        self._rows = rows - rows % self.batch_size if drop_remainder else rows
        if not self._rows:
            raise ArgumentError(f"ImageBatches: {rows} images are less than one batch of {self.batch_size}")
        super().__init__(self._source_of_elements, -(-self._rows // self.batch_size), self._spec_of_elements)

    def _batcher(self) -> Batcher:
        names = ["x", "y"][: len(self._arrays)]
        return Batcher(
            self._arrays, self._dtypes, self.batch_size, one_hot=self._one_hot, names=names, images=self.augmentation
        )

    def resume_at(self, epoch: int, steps: int | None = None) -> None:
        """Go on as after so many epochs, each of ``steps`` batches if not of all."""
        self.epoch = epoch if steps is None else epoch * steps // len(self)

    def _begin_epoch(self) -> Batcher:
        batcher = self._batcher()
        order = None
        if self._shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(batcher.rows)[: self._rows]
        elif self._rows < batcher.rows:
            order = np.arange(self._rows)
        batcher.begin_epoch(order, epoch_key(self.seed, self.epoch))
        self.epoch += 1
        return batcher

    def _as_element(self, arrays: list[np.ndarray]) -> Any:
        return tuple(arrays) if len(self._arrays) > 1 else arrays[0]

    def _source_of_elements(self) -> Iterator[Any]:
        batcher = self._begin_epoch()

        def made() -> Iterator[Any]:
            for step in range(batcher.steps):
                yield self._as_element([array.copy() for array in batcher.fill(step)])  # its buffers are used again

        return it.prefetched(made, self._lead) if self._lead else made()

    def _spec_of_elements(self) -> Any:
        shapes = [
            array.shape[1:] if depth is None else (depth,)
            for array, depth in zip(self._arrays, self._one_hot, strict=True)
        ]
        rows = self.batch_size if self._rows % self.batch_size == 0 else None
        specs = [el.TensorSpec((rows, *shape), dtype) for shape, dtype in zip(shapes, self._dtypes, strict=True)]
        return tuple(specs) if len(specs) > 1 else specs[0]

    def beside_steps(self) -> StepsAhead:
        """The batches of an epoch for a loop of compiled steps, whose idle threads make the next one."""
        return StepsAhead(self._begin_epoch(), self._as_element)


class StepsAhead:
    """An iterator over batches, with a task that makes the next one while the latest is used.

    A batch is there until the one after the next is asked for.
    """

    def __init__(self, batcher: Batcher, as_element: Any):
        self._batcher, self._as_element = batcher, as_element
        self._step = 0
        self._task: Any = None

    def __iter__(self) -> StepsAhead:
        return self

    def __next__(self) -> Any:
        step = self._step
        if step == self._batcher.steps:
            raise StopIteration
        arrays = self._batcher.buffers(step) if self._task is not None else self._batcher.fill(step)
        self._task = None
        self._step += 1
        return self._as_element(arrays)

    def ahead(self) -> Any:
        """A capsule for ``Program.run`` that makes the next batch; None at the end."""
        if self._step == self._batcher.steps:
            return None
        self._task = self._batcher.task(self._step)
        return self._task
