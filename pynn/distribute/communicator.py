"""What the ranks of an MPI job tell each other; everything that knows about MPI is in this file.

All sums are non-blocking, and whoever waits for one asks again and again: so Ctrl-C works, a rank that waits too long
can say so, and a process that has no core for itself lets others run meanwhile.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from functools import cache
from types import TracebackType
from typing import Any

import numpy as np

from pynn.errors import DistributedError
from pynn.reference import collective

#: Seconds that a rank waits at full speed; after that it lets other processes run between two looks.
_SPIN = 0.0005
#: From when on it sleeps a little between two looks.
_PATIENCE = 0.02
#: How often it looks whether another rank has left.
_LOOK = 0.5
#: How long other ranks wait with their message after an error: the same error everywhere is shown once.
_COURTESY = 1.0


class Communicator:
    """The ranks of the job this process belongs to.

    Attributes:
        rank, size: which of how many processes this is.
        timeout: seconds after which a rank that waits for the others gives up.
    """

    def __init__(self) -> None:
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:
            raise ImportError(
                "training in several processes needs mpi4py and an MPI library: pip install 'pynn-engine[mpi]' brings "
                f"both; or install mpi4py beside the MPI of your cluster ({error})"
            ) from error
        self._mpi = MPI
        self._comm, self._farewells = MPI.COMM_WORLD.Dup(), MPI.COMM_WORLD.Dup()
        self.rank, self.size = self._comm.Get_rank(), self._comm.Get_size()
        self.timeout = 600.0
        #: Sums under way, by the address of their array.
        self._requests: dict[int, Any] = {}
        self._lock = threading.Lock()
        self._helper: _Helper | None = None

    # ---- the transport of programs (``pynn.reference.collective``) --------------------------------------------

    def sum(self, array: np.ndarray) -> np.ndarray:
        """The sum of all ranks' arrays, which are of one shape and dtype."""
        total = np.array(array, order="C", copy=True)
        self.start(total)
        self.finish(total)
        return total

    def start(self, array: np.ndarray) -> None:
        """Begin to replace ``array``, which stays where it is, by the sum of all ranks' arrays."""
        with self._lock:
            self._requests[array.ctypes.data] = self._comm.Iallreduce(self._mpi.IN_PLACE, array)
            for request in self._requests.values():
                request.Test()  # what came before may go on
        if self._helper is not None:
            self._helper.wake()

    def finish(self, array: np.ndarray) -> None:
        """Wait until the sum is there."""
        request = self._requests[array.ctypes.data]
        self._wait(request)
        with self._lock:
            del self._requests[array.ctypes.data]

    def _wait(self, request: Any) -> None:
        began, look = 0.0, float("inf")
        while True:
            with self._lock:
                if request.Test():
                    return
            now = time.perf_counter()
            if not began:
                began, look = now, now + _LOOK
            if now - began > _SPIN:
                time.sleep(0 if now - began < _PATIENCE else 5e-5)
            if now > look:
                look = now + _LOOK
                self._look_who_left()
            if now - began > self.timeout:
                raise DistributedError(
                    f"rank {self.rank} of {self.size} has waited {self.timeout:g} s for the other ranks: one of them "
                    "is gone, or does something else, such as calling fit() or evaluate() on some ranks only. All "
                    "ranks must make the same calls; if one of them needs longer, use DataParallel(timeout=...)"
                )

    def _look_who_left(self) -> None:
        """
        Raises:
            DistributedError: a rank has come to the end of its script, so waiting for it is in vain.
        """
        status = self._mpi.Status()
        with self._lock:
            left = self._farewells.Iprobe(source=self._mpi.ANY_SOURCE, status=status)
        if left:
            raise DistributedError(
                f"rank {status.Get_source()} of {self.size} has come to the end of its script, while rank {self.rank} "
                "waits for it in fit(), evaluate(), predict() or a barrier: all ranks must make the same calls"
            )

    def say_goodbye(self) -> None:
        """At the end of the script: tell the other ranks, and wait until they are there, too."""
        others = [rank for rank in range(self.size) if rank != self.rank]
        nothing = np.empty(0, np.uint8)
        waiting = [self._farewells.Isend(nothing, rank) for rank in others]
        waiting += [self._farewells.Irecv(np.empty(0, np.uint8), rank) for rank in others]
        while not self._mpi.Request.Testall(waiting):
            time.sleep(0.01)

    def has_helper(self, wanted: bool) -> None:
        """Whether a thread of its own keeps sums going while the program computes."""
        if wanted and self._helper is None:
            self._helper = _Helper(self)
        elif not wanted and self._helper is not None:
            self._helper.stop()
            self._helper = None

    # ---- what loops tell each other -----------------------------------------------------------------------------

    def gather(self, thing: Any) -> list[Any]:
        """What each rank gives, in their order; any Python object."""
        import pickle

        own = np.frombuffer(pickle.dumps(thing, protocol=5), np.uint8)
        lengths = np.zeros(self.size, np.int64)
        lengths[self.rank] = len(own)
        lengths = self.sum(lengths)
        ends = np.cumsum(lengths)
        everything = np.empty(int(ends[-1]), np.uint8)
        self._wait(self._comm.Iallgatherv(own, [everything, (lengths, ends - lengths), self._mpi.BYTE]))
        return [pickle.loads(part.tobytes()) for part in np.split(everything, ends[:-1])]

    def broadcast(self, array: np.ndarray) -> None:
        """Fill ``array`` with rank 0's numbers."""
        self._wait(self._comm.Ibcast(array.view(np.uint8) if array.ndim else array.reshape(1).view(np.uint8)))

    def barrier(self) -> None:
        """Wait until all ranks are here."""
        self._wait(self._comm.Ibarrier())

    def ranks_on_this_host(self) -> list[int]:
        """The ranks that share this machine's memory."""
        local = self._comm.Split_type(self._mpi.COMM_TYPE_SHARED)
        found: list[int] = local.allgather(self.rank)
        local.Free()
        return found

    def abort(self, code: int = 1) -> None:
        """End all ranks, now."""
        sys.stdout.flush()
        sys.stderr.flush()
        self._comm.Abort(code)


class _Helper(threading.Thread):
    """Keeps sums going: MPI makes progress only while somebody calls it."""

    def __init__(self, communicator: Communicator):
        super().__init__(name="pynn.distribute", daemon=True)
        self._communicator = communicator
        self._work = threading.Event()
        self._ends = False
        self.start()

    def wake(self) -> None:
        self._work.set()

    def stop(self) -> None:
        self._ends = True
        self._work.set()
        self.join()

    def run(self) -> None:
        known = self._communicator
        while not self._ends:
            self._work.wait()
            self._work.clear()
            busy = True
            while busy and not self._ends:
                with known._lock:
                    waiting = [request for request in known._requests.values() if not request.Test()]
                busy = bool(waiting)
                time.sleep(0)


@cache
def communicator() -> Communicator:
    """This process's place among the others; asked for the first time, MPI is initialised.

    From then on an exception that nobody catches ends all ranks, with a message.
    """
    found = Communicator()
    if found.size > 1:
        collective.transport = found  # type: ignore[assignment]
        atexit.register(found.say_goodbye)
        _end_all_by_errors(found)
    return found


def _end_all_by_errors(found: Communicator) -> None:
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if found.rank:
            time.sleep(_COURTESY)
        before(kind, error, traceback)
        what = "was interrupted" if issubclass(kind, KeyboardInterrupt) else f"stopped with {kind.__name__}"
        print(f"pynn: rank {found.rank} of {found.size} {what}; ending all ranks", file=sys.stderr)
        found.abort(130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = hook
