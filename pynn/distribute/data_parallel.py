"""``DataParallel``: several processes train one model, each on its part of every batch."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pynn import config
from pynn.distribute.communicator import Communicator, communicator
from pynn.errors import ArgumentError, DistributedError
from pynn.graph.ir import Graph
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.ops.collective import Replica
from pynn.utils.random_seed import generator

if TYPE_CHECKING:
    from pynn.models.trainer import Trainer

_BATCH_NORMS = ("synchronized", "local")


class DataParallel:
    """Synchronous data parallelism: the processes of an MPI job train one model.

    Each *rank* computes with its part of the rows of each batch, and the gradients are averaged before the optimizer's
    step, so that the result is the one of a single process with the same ``batch_size``, up to the order of sums.
    ``fit``, ``evaluate``, ``predict`` and ``train_on_batch`` take the same arguments as ever, and all ranks must call
    them alike.  Started without ``mpiexec`` there is one rank, and nothing changes.

    Args:
        batch_norm: ``"synchronized"``, over the whole batch as in one process, or ``"local"``: each rank normalises by
            the statistics of its own rows (layers with ``synchronized=True`` excepted), and the moving averages are
            averaged.
        auto_shard_dataset: whether all ranks give the same data, of which each takes its part; with False every rank
            gives its own part: its rows, or batches of its rows.
        bucket_mb: gradients of so many megabytes begin to travel together, while the others are computed.
        overlap: whether a thread keeps them travelling meanwhile; by default if the process has a core to spare for it.
        timeout: seconds after which a rank that waits for the others gives up, and all end.

    Raises:
        ImportError: mpi4py or an MPI library is missing: ``pip install 'pynn-engine[mpi]'``.

    Example:
        >>> import pynn
        >>> with pynn.distribute.DataParallel() as ranks:  # mpiexec -n 4 python script.py
        ...     model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        >>> ranks.rank, ranks.size
        (0, 1)
    """

    #: Those whose ``with`` block is open.
    _open: ClassVar[list[DataParallel]] = []

    def __init__(
        self,
        batch_norm: str = "synchronized",
        auto_shard_dataset: bool = True,
        bucket_mb: float = 4.0,
        overlap: bool | None = None,
        timeout: float = 600.0,
    ):
        if batch_norm not in _BATCH_NORMS:
            raise ArgumentError(f"DataParallel: batch_norm must be 'synchronized' or 'local', received {batch_norm!r}")
        for name, number in (("bucket_mb", bucket_mb), ("timeout", timeout)):
            if isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
                raise ArgumentError(f"DataParallel: {name} must be a number above 0, received {number!r}")
        self.batch_norm = batch_norm
        self.auto_shard_dataset = bool(auto_shard_dataset)
        self.bucket_mb, self.timeout = float(bucket_mb), float(timeout)
        self._ranks: Communicator = communicator()
        self.rank, self.size = self._ranks.rank, self._ranks.size
        if self.size > 1:
            spare = _share_cores(self._ranks)
            self._ranks.timeout = self.timeout
            self._ranks.has_helper(spare if overlap is None else bool(overlap))

    def __enter__(self) -> DataParallel:
        DataParallel._open.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        DataParallel._open.remove(self)

    def __repr__(self) -> str:
        return f"<DataParallel rank={self.rank}, size={self.size}, batch_norm={self.batch_norm}>"

    # ---- for loops of one's own ------------------------------------------------------------------------------

    def mean(self, arrays: Any) -> Any:
        """The mean over ranks of an array, or of each in a list, such as the gradients of a ``GradientTape``."""
        if isinstance(arrays, list | tuple):
            return [self.mean(array) for array in arrays]
        array = np.asarray(arrays)
        return (self._ranks.sum(array) / array.dtype.type(self.size)).astype(array.dtype) if self.size > 1 else array

    def part(self, rows: int) -> slice:
        """This rank's part of so many rows; the parts differ by one row at most."""
        return part_of(rows, self.rank, self.size)

    # ---- steps -----------------------------------------------------------------------------------------------

    def begin(self, trace: Trace, share: float) -> None:
        """Let what is traced know that there are others."""
        trace.replica = Replica(self.rank, self.size, share, self.batch_norm == "synchronized")

    def combine(self, graph: Graph, trace: Trace, model: Trainer, kind: str) -> Graph:
        """The traced step as a part of the step of all."""
        from pynn.distribute.combining import combine

        metrics = [] if kind == "predict" else [v for metric in model.metrics for v in metric.variables]
        return combine(graph, trace, metrics, kind == "predict", int(self.bucket_mb * 1e6))

    # ---- runs ------------------------------------------------------------------------------------------------

    def synchronize(self, model: Trainer) -> None:
        """Give all ranks rank 0's weights, optimizer and random numbers."""
        if model.optimizer is not None and model.built:
            model.optimizer.ensure_built(model.trainable_variables)
        state = state_of(model)
        shapes = [(v.shape, v.dtype) for v in state]
        host = {"random": generator().bit_generator.state, "epoch": model._initial_epoch, "shapes": shapes}
        first, *others = self._ranks.gather(host)
        for rank, other in enumerate(others, 1):
            if other["shapes"] != first["shapes"]:
                raise DistributedError(
                    f"model '{model.name}': rank {rank} has {_described(other['shapes'])}, rank 0 has "
                    f"{_described(first['shapes'])}: all ranks must build the same model and optimizer"
                )
        generator().bit_generator.state = first["random"]
        model._initial_epoch = first["epoch"]
        for variable in state:
            variable.announce_change()
            self._ranks.broadcast(variable.array)
            variable.mark_changed()
        model._synchronized = True

    def agree(self, model: Trainer) -> None:
        """At the end of an epoch: wait until rank 0 has written its files, stop together, and look whether all ranks
        still have the same weights.

        Raises:
            DistributedError: they have not.
        """
        check = 0
        for variable in model.trainable_variables:
            check = zlib.crc32(variable.array.data, check)
        found = self._ranks.gather((bool(model.stop_training), check))
        model.stop_training = any(stop for stop, _ in found)
        if len({check for _, check in found}) > 1:
            raise DistributedError(
                f"model '{model.name}': the ranks' weights are no longer the same; something changes them on some "
                "ranks only, such as a callback that assigns random numbers or looks at the clock"
            )

    def gather_rows(self, parts: Sequence[Sequence[np.ndarray]]) -> list[list[np.ndarray]]:
        """Outputs of ``predict`` by batch, one array for each output, of all ranks together."""
        everywhere = self._ranks.gather(parts)
        return [
            [np.concatenate(rows) for rows in zip(*(mine[step] for mine in everywhere), strict=True)]
            for step in range(len(parts))
        ]

    def counts(self, rows: int) -> np.ndarray:
        """How many rows each rank has."""
        counts = np.zeros(self.size, np.int64)
        counts[self.rank] = rows
        return self._ranks.sum(counts)

    def barrier(self) -> None:
        """Wait until all ranks are here."""
        if self.size > 1:
            self._ranks.barrier()


def part_of(rows: int, rank: int, size: int) -> slice:
    """The rows of one rank: in order, the first ranks have one more where they cannot be divided evenly."""
    each, more = divmod(rows, size)
    start = rank * each + min(rank, more)
    return slice(start, start + each + (rank < more))


def active(given: Any = None) -> DataParallel | None:
    """What a model is compiled for: ``given``, else the innermost ``with`` block, else what ``PYNN_DISTRIBUTE`` says;
    None for a process that is alone."""
    if given is not None and not isinstance(given, DataParallel):
        raise ArgumentError(f"compile: distribute must be a pynn.distribute.DataParallel() or None, received {given!r}")
    if given is None and DataParallel._open:
        given = DataParallel._open[-1]
    if given is None and config.distribute():
        given = _from_environment()
    return given if given is not None and given.size > 1 else None


_default: DataParallel | None = None


def _from_environment() -> DataParallel:
    global _default
    if _default is None:
        _default = DataParallel()
    return _default


def state_of(model: Any) -> list[Variable]:
    """All variables that a training goes on from: weights, seeds, optimizer."""
    found = {id(v): v for v in model.variables}
    if model.optimizer is not None:
        found.update((id(v), v) for v in model.optimizer.variables)
        found[id(model.optimizer._learning_rate)] = model.optimizer._learning_rate
    return list(found.values())


def _described(shapes: Sequence[Any]) -> str:
    return f"{len(shapes)} variables with {sum(int(np.prod(shape)) for shape, _ in shapes):,} numbers"


def _share_cores(ranks: Communicator) -> bool:
    """Divide this host's cores among its ranks, unless the launcher or the user has; tells whether one is left over."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else frozenset(range(os.cpu_count() or 1))
    masks = ranks.gather((sorted(ranks.ranks_on_this_host()), cores))
    neighbours = sum(mask == masks[ranks.rank] for mask in masks)
    mine = max(1, config.usable_cores() // neighbours)
    if not config.threads_are_chosen():
        config.set_num_threads(mine)
    return config.num_threads() < mine
