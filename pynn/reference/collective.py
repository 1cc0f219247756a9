"""What several processes compute together.  Numbers travel by ``transport``; who is alone keeps its own."""

import numpy as np


class _Alone:
    """The transport of a process that has no others beside it."""

    def sum(self, array):
        """The sum of all ranks' arrays."""
        return array

    def start(self, array):
        """Begin to replace ``array`` by the sum of all ranks' arrays."""

    def finish(self, array):
        """Wait until that is done."""


#: Replaced by ``pynn.distribute`` when a process joins others.
transport = _Alone()


def rank_mean(x, weight, index):
    """sum over ranks of weight * x."""
    return transport.sum(_weighted(x, weight))


def rank_sum(x, weight, index):
    """sum over ranks of weight * x."""
    return transport.sum(_weighted(x, weight))


def bucket_start(*arrays, weights, number):
    """weight * array of each, one behind the other."""
    return np.concatenate([_weighted(a, w).reshape(-1) for a, w in zip(arrays, weights, strict=True)])


def bucket_finish(flat, shapes):
    """The sum over ranks, cut into arrays again."""
    total = transport.sum(flat)
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return tuple(part.reshape(shape) for part, shape in zip(np.split(total, ends[:-1]), shapes, strict=True))


def rank_seed(state, rank):
    """Another seed for each rank, the given one for rank 0 (2^32 / golden ratio: far from any small seed)."""
    seed, step = state
    return np.array([(int(seed) + rank * 0x9E3779B9) % 2**32, step], state.dtype)


def _weighted(x, weight):
    return np.zeros_like(x) if weight == 0 else x * np.asarray(weight, x.dtype)
