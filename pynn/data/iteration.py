"""How the elements of data sets come about: generators for the steps of a pipeline that need more than a line."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

#: Let pynn choose: as many threads as there are cores, two elements ahead.
AUTOTUNE = -1

Source = Callable[[], Iterator[Any]]


def shuffled(source: Source, buffer_size: int, rng: np.random.Generator) -> Iterator[Any]:
    """Elements in random order: each one is drawn from the next ``buffer_size``."""
    iterator = source()
    buffer = list(islice(iterator, buffer_size))
    for item in iterator:
        at = int(rng.integers(len(buffer)))
        yield buffer[at]
        buffer[at] = item
    for at in rng.permutation(len(buffer)):
        yield buffer[at]


def groups(source: Source, size: int, drop_remainder: bool) -> Iterator[list[Any]]:
    """Lists of ``size`` elements; the last one may be shorter."""
    iterator = source()
    while group := list(islice(iterator, size)):
        if len(group) < size and drop_remainder:
            return
        yield group


def windows(source: Source, size: int, shift: int, stride: int, drop_remainder: bool) -> Iterator[list[Any]]:
    """Lists of ``size`` elements, ``stride`` apart, each beginning ``shift`` after the one before."""
    iterator = source()
    reach = (size - 1) * stride + 1
    buffer: deque[Any] = deque(islice(iterator, reach))
    while buffer:
        window = list(islice(buffer, 0, None, stride))
        if len(window) < size and drop_remainder:
            return
        yield window
        for _ in range(shift):
            if buffer:
                buffer.popleft()
            else:
                next(iterator, None)
        buffer.extend(islice(iterator, reach - len(buffer)))


def attempts(source: Source, function: Callable[[Any], Any], threads: int | None) -> Iterator[Callable[[], Any]]:
    """For each element a call that gives ``function`` of it or raises its error; the rest can still be had after one.

    Threads work ahead, several elements at a time; the order is that of the elements.
    """
    if threads is None:
        for item in source():
            yield partial(function, item)
        return
    workers = (os.cpu_count() or 1) if threads == AUTOTUNE else threads
    iterator = source()
    pending: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="Dataset.map") as executor:
        try:
            for item in islice(iterator, 2 * workers):
                pending.append(executor.submit(function, item))
            while pending:
                yield pending.popleft().result
                for item in islice(iterator, 1):
                    pending.append(executor.submit(function, item))
        finally:  # also when nobody wants the rest
            for future in pending:
                future.cancel()
            close(iterator)


def interleaved(source: Source, open_one: Callable[[Any], Iterator[Any]], cycle: int, block: int) -> Iterator[Any]:
    """``block`` elements from each of ``cycle`` iterators in turn; one that ends makes room for the next."""
    rest = source()
    slots: list[Iterator[Any] | None] = [open_one(item) for item in islice(rest, cycle)]
    while any(slot is not None for slot in slots):
        for i, slot in enumerate(slots):
            if slot is None:
                continue
            count = 0
            for item in islice(slot, block):
                count += 1
                yield item
            if count < block:
                following = next(rest, _END)
                slots[i] = None if following is _END else open_one(following)


_END = object()


class _Failure:
    def __init__(self, error: BaseException):
        self.error = error


def prefetched(source: Source, size: int) -> Iterator[Any]:
    """Elements that a thread makes ahead of time; its errors come out here, and it ends when this is closed."""
    ready: queue.Queue[Any] = queue.Queue(size)
    unwanted = threading.Event()
    thread = threading.Thread(target=_produce, args=(source, ready, unwanted), name="Dataset.prefetch", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        unwanted.set()
        with contextlib.suppress(queue.Empty):  # make room, so that a thread that waits sees it
            while True:
                ready.get_nowait()
        if thread is not threading.current_thread():
            thread.join()


def _produce(source: Source, ready: queue.Queue[Any], unwanted: threading.Event) -> None:
    iterator: Any = None

    def put(item: Any) -> bool:
        while not unwanted.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=0.1)
                return True
        return False

    try:
        iterator = source()
        for item in iterator:
            if not put(item):
                return
        put(_END)
    except BaseException as error:  # whatever it is, the consumer must get it
        put(_Failure(error))
    finally:
        close(iterator)


def close(iterator: Any) -> None:
    """Tell a generator that nobody wants the rest."""
    if hasattr(iterator, "close"):
        iterator.close()
