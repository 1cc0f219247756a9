"""The kernels that are compared one by one: sizes, work, and what is asked of pynn.

Images are ``(n, h, w, c)`` here; PyTorch's side turns them into what it likes before the clock starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class KernelCase:
    """One kernel at one size.

    ``bar`` is how many times faster than PyTorch's best pynn is meant to be, with AVX-512 and on an AVX2 machine;
    ``peak_bar`` the share of the machine's limit that it is meant to reach.  ``flops`` counts the plain formula,
    ``nbytes`` every operand once.
    """

    name: str
    family: str
    sizes: dict[str, Any]
    flops: int
    nbytes: int
    bar: float | None = None
    avx2_bar: float | None = None
    peak_bar: float | None = None
    #: What stops it at best: "compute" or "memory".
    limit: str = "compute"

    def array(self, i: int, *shape: int) -> np.ndarray:
        """The ``i``-th operand: the same numbers for every framework."""
        rng = np.random.default_rng([7, i])
        return rng.standard_normal(shape, dtype=np.float32)

    def labels(self, i: int, n: int, classes: int) -> np.ndarray:
        return np.random.default_rng([7, i]).integers(0, classes, n).astype(np.int32)


def digest(*results: np.ndarray) -> list[float]:
    """Two numbers for each result that tell whether two frameworks computed the same.

    Its norm, and how it lies to a direction that depends on the order of the elements.
    """
    numbers = []
    for result in results:
        flat = np.asarray(result, np.float64).ravel()
        norm = float(np.linalg.norm(flat)) or 1.0
        signs = np.random.default_rng(3).choice([-1.0, 1.0], flat.size)
        numbers += [norm, float(flat @ signs) / norm]
    return numbers


def _gemms() -> Iterator[KernelCase]:
    bars = {2048: 0.80, 512: 0.90}
    for m, k, n in ((2048, 2048, 2048), (512, 512, 512), (128, 784, 64), (64, 3136, 128), (256, 4096, 4096)):
        for layout in ("nn", "tn", "nt"):
            sizes = {"m": m, "n": n, "k": k, "transpose_a": layout[0] == "t", "transpose_b": layout[1] == "t"}
            name = f"gemm-{m}x{k}x{n}-{layout}"
            peak = bars.get(m, 0.70)
            work, traffic = 2 * m * n * k, 4 * (m * n + m * k + n * k)
            yield KernelCase(name, "gemm", sizes, work, traffic, bar=2.0, avx2_bar=1.0, peak_bar=peak)


def _conv(
    kind: str, shape: tuple[int, int, int, int], bar: float, window: int = 3, stride: int = 1, exact: bool = False
) -> KernelCase:
    n, c, h, filters = shape
    pad = window // 2
    out = (h + 2 * pad - window) // stride + 1
    sizes = {"n": n, "c": c, "h": h, "filters": filters, "window": window, "stride": stride, "pad": pad, "out": out}
    name = f"conv{window}x{window}{f's{stride}' if stride > 1 else ''}-{n}x{h}x{h}x{c}-{filters}-{kind}"
    flops = 2 * n * out * out * filters * window * window * c
    nbytes = 4 * (n * h * h * c + n * out * out * filters + window * window * c * filters)
    suffix = "-exact" if exact else ""
    return KernelCase(name + suffix, "conv", {**sizes, "kind": kind, "exact": exact}, flops, nbytes, bar=bar)


def _convs() -> Iterator[KernelCase]:
    square = ((32, 64, 56, 64), (32, 128, 28, 128), (32, 256, 14, 256), (32, 512, 7, 512), (1, 64, 56, 64))
    for shape in square:
        for exact in (False, True):
            for kind in ("forward", "input", "kernel"):
                yield _conv(kind, shape, 1.0 if exact else 1.9, exact=exact)
    for kind in ("forward", "input", "kernel"):
        yield _conv(kind, (128, 32, 32, 32), 1.7)
    for kind in ("forward", "kernel"):
        yield _conv(kind, (128, 3, 32, 32), 1.4)
    for kind in ("forward", "input", "kernel"):
        yield _conv(kind, (32, 256, 56, 64), 1.2, window=1)
    yield _conv("forward", (16, 3, 224, 64), 1.0, window=7, stride=2)
    yield _conv("kernel", (16, 3, 224, 64), 1.3, window=7, stride=2)


def _depthwise(n: int, h: int, c: int) -> KernelCase:
    size = n * h * h * c
    sizes = {"n": n, "h": h, "c": c}
    return KernelCase(f"depthwise-{n}x{h}x{h}x{c}", "depthwise", sizes, 18 * size, 8 * size, 1.5, limit="memory")


def _rows_and_sequences() -> Iterator[KernelCase]:
    """Nothing special is asked here: not to be slower than PyTorch."""
    for rows, columns in ((4096, 768), (512, 128)):
        size = rows * columns
        for kind, arrays in (("forward", 2), ("backward", 3)):
            sizes = {"rows": rows, "columns": columns, "kind": kind}
            name = f"layer_norm-{rows}x{columns}-{kind}"
            yield KernelCase(name, "layer_norm", sizes, 6 * size, 4 * arrays * size, 1.0, 1.0, limit="memory")
    n, steps, units = 32, 80, 128
    for kind, times in (("forward", 1), ("training", 3)):
        sizes = {"n": n, "steps": steps, "units": units, "kind": kind}
        work = times * 2 * n * steps * 4 * units * (units + units)  # products with the input and with the state
        nbytes = 4 * times * (n * steps * units * 2 + 8 * units * units)
        yield KernelCase(f"lstm-{n}x{steps}x{units}-{kind}", "lstm", sizes, work, nbytes, 1.0, 1.0)
    for n, length, heads, dim in ((32, 128, 4, 32), (8, 512, 8, 64)):
        for kind, products, arrays in (("forward", 2, 4), ("backward", 5, 8)):
            sizes = {"n": n, "length": length, "heads": heads, "dim": dim, "kind": kind}
            work = products * 2 * n * heads * length * length * dim
            nbytes = 4 * arrays * n * heads * length * dim
            yield KernelCase(f"attention-{n}x{length}x{heads}x{dim}-{kind}", "attention", sizes, work, nbytes, 1.0, 1.0)


def _others() -> Iterator[KernelCase]:
    yield _depthwise(32, 56, 144)
    yield _depthwise(1, 112, 32)
    image = {"n": 32, "h": 56, "c": 64}
    size = 32 * 56 * 56 * 64
    for kind, arrays in (("forward", 1.25), ("backward", 2.5)):
        nbytes = int(4 * arrays * size)
        sizes = {**image, "kind": kind}
        yield KernelCase(f"max_pool-32x56x56x64-{kind}", "max_pool", sizes, size, nbytes, 2.0, limit="memory")
    for kind, arrays, bar in (("forward", 3, 2.0), ("backward", 5, 1.2)):
        # Forward: x is read for the statistics and again for the result; backward reads g and x twice.
        sizes = {**image, "kind": kind}
        nbytes = 4 * arrays * size
        yield KernelCase(
            f"batch_norm_relu-32x56x56x64-{kind}", "batch_norm_relu", sizes, 8 * size, nbytes, bar, limit="memory"
        )
    for rows, classes in ((128, 10), (128, 1000), (4096, 1000)):
        sizes, size = {"rows": rows, "classes": classes}, rows * classes
        name = f"softmax_crossentropy-{rows}x{classes}"
        yield KernelCase(name, "softmax_crossentropy", sizes, 6 * size, 8 * size, 2.2, limit="memory")
    yield from _rows_and_sequences()
    count, each = 200, 50_000
    total = count * each
    yield KernelCase(
        "adam-200x50000", "adam", {"count": count, "each": each}, 11 * total, 28 * total, 1.2,
        peak_bar=0.9, limit="memory",
    )  # fmt: skip


CASES = {case.name: case for case in (*_gemms(), *_convs(), *_others())}
