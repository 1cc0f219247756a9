"""Writes what TensorBoard shows."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from pynn.callbacks.callback import Callback, Logs
from pynn.callbacks.learning_rate_scheduler import learning_rate_of
from pynn.errors import ArgumentError


class TensorBoard(Callback):
    """Write event files for TensorBoard: metrics, learning rate, weights, kernels as images, the model's graph.

    Needs the package tensorboard, and no TensorFlow: ``pip install 'pynn-engine[tensorboard]'``.

    Args:
        log_dir: the folder; ``tensorboard --logdir`` shows it.  Training is written to ``train`` in it, validation to
            ``validation``.
        histogram_freq: every how many epochs histograms of all weights are written; 0: never.
        write_graph: write the model's layers and their connections.
        write_images: with the histograms, write kernels as images.
        write_steps_per_second: write how many steps were done per second, by epoch and by batch.
        update_freq: ``"epoch"``, ``"batch"``, or every how many batches their losses and metrics are written, too.
        profile_batch, embeddings_freq, embeddings_metadata: not supported, only their defaults are taken;
            ``pynn.utils.profile`` shows where a step's time goes.

    Raises:
        ImportError: tensorboard is not installed.

    Example:

    >>> import pynn
    >>> board = pynn.callbacks.TensorBoard("logs", histogram_freq=1)
    """

    rank_0_only = True

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        if profile_batch:
            raise ArgumentError(
                f"TensorBoard: profile_batch={profile_batch!r} is not supported; pynn.utils.profile(model, x, y) shows "
                "where a step's time goes"
            )
        if embeddings_freq or embeddings_metadata is not None:
            raise ArgumentError(
                "TensorBoard: embeddings_freq and embeddings_metadata are not supported; leave them out"
            )
        if update_freq not in ("epoch", "batch") and (not isinstance(update_freq, int) or update_freq < 1):
            raise ArgumentError(
                f"TensorBoard: update_freq must be 'epoch', 'batch' or a number of batches, received {update_freq!r}"
            )
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, _Writer] = {}
        self._batches = 0
        self._batch_began = self._epoch_began = 0.0
        self._steps_before = 0

    def _writer(self, kind: str) -> _Writer:
        if kind not in self._writers:
            self._writers[kind] = _Writer(Path(self.log_dir) / kind)
        return self._writers[kind]

    def listens_to(self, hook: str) -> bool:
        if hook in ("on_train_batch_begin", "on_train_batch_end") and self.update_freq == "epoch":
            return False
        return super().listens_to(hook)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._writers = {}
        if self.write_graph and type(model).__name__ in ("Functional", "Sequential"):
            self._writer("train").graph(model)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._batches = 0

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._batches % self.update_freq:
            return
        writer = self._writer("train")
        if self.write_steps_per_second:
            rate = 1.0 / (time.perf_counter() - self._batch_began)
            writer.scalar("batch_steps_per_second", rate, self._batches)
        for name, value in (logs or {}).items():
            writer.scalar(f"batch_{name}", value, self._batches)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch_began = time.perf_counter()
        self._steps_before = int(self.model.optimizer.iterations)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if getattr(self.model, "optimizer", None) is None:
            return
        for name, value in (logs or {}).items():
            step = int(self.model.optimizer.iterations)
            self._writer("validation").scalar(f"evaluation_{name}_vs_iterations", value, step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        points = dict(logs or {})
        if points:
            if hasattr(self.model.optimizer, "learning_rate"):  # a MultiOptimizer has several
                points["learning_rate"] = learning_rate_of(self.model)
            if self.write_steps_per_second:
                steps = int(self.model.optimizer.iterations) - self._steps_before
                points["steps_per_second"] = steps / (time.perf_counter() - self._epoch_began)
        for name, value in points.items():
            short = name.removeprefix("val_")
            kind = "train" if short == name else "validation"
            self._writer(kind).scalar(f"epoch_{short}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                name = weight.path.replace(":", "_")
                writer.histogram(f"{name}/histogram", weight.numpy(), epoch)
                if self.write_images:
                    images = as_images(weight.numpy())
                    if images is not None:
                        writer.images(f"{name}/image", images, epoch)
        writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


class _Writer:
    """One event file, in the forms that TensorBoard's plugins read."""

    def __init__(self, folder: Path):
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.plugins.histogram.summary_v2 import histogram_pb
            from tensorboard.plugins.image import metadata as image_metadata
            from tensorboard.plugins.scalar.summary_v2 import scalar_pb
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
            from tensorboard.util import tensor_util
        except ImportError as error:
            raise ImportError(
                "the TensorBoard callback needs the package tensorboard: pip install 'pynn-engine[tensorboard]'"
            ) from error
        self._event, self._summary = event_pb2.Event, summary_pb2
        self._scalar, self._histogram, self._tensor = scalar_pb, histogram_pb, tensor_util.make_tensor_proto
        self._image_metadata = image_metadata
        folder.mkdir(parents=True, exist_ok=True)
        self._file = EventFileWriter(str(folder))

    def _add(self, summary: Any, step: int) -> None:
        self._file.add_event(self._event(wall_time=time.time(), step=step, summary=summary))

    def scalar(self, name: str, value: Any, step: int) -> None:
        if np.ndim(value) == 0:
            self._add(self._scalar(name, float(value)), step)

    def histogram(self, name: str, array: np.ndarray, step: int) -> None:
        self._add(self._histogram(name, array), step)

    def images(self, name: str, images: np.ndarray, step: int) -> None:
        """``images``: (count, height, width, channels)."""
        shown = images[:3]
        metadata = self._image_metadata.create_summary_metadata(
            display_name=name, description="", converted_to_tensor=True
        )
        height, width = shown.shape[1:3]
        parts = [str(width).encode(), str(height).encode(), *map(png, shown)]
        self._tagged(name, parts, metadata, step)

    def graph(self, model: Any) -> None:
        """The model's config, which the graphs plugin draws."""
        plugin = self._summary.SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
        metadata = self._summary.SummaryMetadata(plugin_data=plugin)
        self._tagged("keras", model.to_json().encode(), metadata, 0)

    def _tagged(self, name: str, content: Any, metadata: Any, step: int) -> None:
        summary = self._summary.Summary()
        summary.value.add(tag=name, metadata=metadata, tensor=self._tensor(np.array(content, object)))
        self._add(summary, step)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def as_images(weight: np.ndarray) -> np.ndarray | None:
    """A weight as ``(count, height, width, channels)``, or None if it has no such form."""
    w = np.squeeze(weight)
    if w.ndim == 1:
        w = w[None, :, None]
    elif w.ndim == 2:  # wide rather than tall
        w = (w if w.shape[0] <= w.shape[1] else w.T)[None]
    elif w.ndim == 3:  # one image for each of the last axis
        w = np.moveaxis(w, -1, 0)
    if w.ndim == 3:
        w = w[..., None]
    return w if w.ndim == 4 and w.shape[-1] in (1, 3, 4) else None


def png(image: np.ndarray) -> bytes:
    """``(height, width, channels)`` as a PNG file; numbers from 0 to 1 become 0 to 255, others are clipped."""
    height, width, channels = image.shape
    pixels = (np.clip(image.astype("float32"), 0.0, 1.0) * 255).astype("uint8")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)  # filter 0 before each row

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
