"""Lets a training that was killed go on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pynn.callbacks.callback import Callback, Logs
from pynn.callbacks.save_frequency import SaveFrequency
from pynn.errors import ArgumentError

_STATE = "pynn_training"


class BackupAndRestore(Callback):
    """Keep the state of a training in a folder; a ``fit`` that finds one goes on from there.

    The state is weights, optimizer, random numbers and the epoch, in one file that is replaced at once: whenever the
    process is killed, the file is the old one or the new one; a training in several processes (:mod:`pynn.distribute`)
    can go on in another number of them.  Trained with ``save_freq="epoch"``, the model ends up
    with the same numbers as without the interruption.

    Args:
        backup_dir: the folder; each training needs its own.
        save_freq: ``"epoch"``, or after how many batches.  A training that is resumed begins the epoch it was in anew,
            with the latest weights.
        double_checkpoint: keep the state before the latest, too, and take it if the latest cannot be read.
        delete_checkpoint: remove the folder when the training has come to its end.

    Example:

    >>> import pynn
    >>> backup = pynn.callbacks.BackupAndRestore("backup")
    """

    rank_0_only = True

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not str(backup_dir):
            raise ArgumentError("BackupAndRestore: backup_dir must be the name of a folder, received ''")
        self.backup_dir = str(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._frequency = SaveFrequency("BackupAndRestore", save_freq)
        self._folder = Path(backup_dir)
        self._path = self._folder / "latest.weights.h5"
        self._before = self._folder / "latest.weights.h5.bkp"
        self._epoch = 0

    def listens_to(self, hook: str) -> bool:
        if hook == "on_train_batch_end" and self._frequency.by_epoch:
            return False
        return super().listens_to(hook)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self.model.built:
            raise ArgumentError(
                "BackupAndRestore: the model must be built before fit(): start it with Input, or call build(shape)"
            )
        if not self._path.exists():
            return
        try:
            self._restore(self._path)
        except OSError:
            if not self._before.exists():
                raise
            self._restore(self._before)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._frequency.is_due(batch):
            self._save(self._epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._frequency.by_epoch:
            self._save(epoch + 1)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint and self._folder.is_dir():
            shutil.rmtree(self._folder)

    def _save(self, epoch: int) -> None:
        """Write the state; ``epoch`` is where to go on."""
        from pynn.saving.atomic import atomic_path
        from pynn.saving.h5 import h5py, write_h5
        from pynn.saving.state import folders_of, state_of
        from pynn.utils.random_seed import generator

        self._folder.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self._path.exists():
            with atomic_path(self._before) as beside:
                shutil.copyfile(self._path, beside)
        state = {"epoch": epoch, "random": generator().bit_generator.state}
        with atomic_path(self._path) as beside, h5py().File(beside, "w") as file:
            write_h5(file, state_of(self.model, with_random=True), folders_of(self.model))
            file.attrs[_STATE] = json.dumps(state)

    def _restore(self, path: Path) -> None:
        from pynn.saving.h5 import H5Source, open_h5
        from pynn.saving.state import load_state
        from pynn.utils.random_seed import generator

        where = f"BackupAndRestore: {path}"
        if self.model.optimizer is not None:
            self.model.optimizer.build(self.model.trainable_variables)
        with open_h5(path, where) as file:
            source = H5Source(file, where)
            text = source.text(_STATE)
            if text is None:  # a backup of Keras's has its epoch in a file of its own
                metadata = path.with_name("training_metadata.json")
                text = metadata.read_text() if metadata.exists() else '{"epoch": 0}'
            epoch, random = _training_state(where, text)
            load_state(self.model, source, with_random=True)
        self.model._initial_epoch = epoch
        if random is not None:
            generator().bit_generator.state = random


def _training_state(where: str, text: str) -> tuple[int, Any]:
    """The epoch to go on with, and the state of the random numbers, if the file has one.

    Raises:
        WeightsFileError: the text is not what a backup holds.
    """
    from pynn.saving.errors import WeightsFileError
    from pynn.utils.random_seed import generator

    try:
        state = json.loads(text)
        epoch, random = state["epoch"], state.get("random")
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0:
            raise ValueError(f"epoch is {epoch!r}")
        if random is not None:
            type(generator().bit_generator)().state = random  # a generator that nobody uses: does it take it?
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise WeightsFileError(f"{where}: the state of the training cannot be read ({error!r})") from error
    return epoch, random
