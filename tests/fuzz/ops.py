"""A fuzzer for the functions of ``pynn.ops``: ``python tests/fuzz/ops.py --cases 100000 --seed 1``.

Each case calls one function on arrays of hostile shapes, layouts, dtypes and numbers, often with a wrong argument or
two.  It must give what the reference executor (NumPy, op by op) gives, the same bits on one and on three threads, and
leave its inputs as they were; or refuse with one of pynn's errors.  Every other exception is a finding, and so is a
killed process: inputs and results lie against pages that nobody may touch.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import harness
import numpy as np
from guarded import GuardedNumpy
from harness import Finding
from op_arguments import BUILDERS, FUNCTIONS, functions, parameters
from values import Draw, decode, is_wild

from pynn import config, ops
from pynn.errors import PynnError
from pynn.executor import eager, native
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Value
from pynn.utils.structure import flatten

#: A result may differ by so much of the largest number involved: other orders of summation, Winograd's tiles.
TOLERANCE = 2e-4
#: Functions whose numbers are only compared where all that goes in is tame.  They add up many numbers, so whether 3e38
#: and its like overflow on the way depends on the order; or they are products and differences in another arrangement
#: than the reference's, where 0 times inf is NaN in one of them; or their sigmoid ends at 1e-38 and not at 0.
ONLY_TAME = {
    "matmul", "dot", "inner", "vdot", "tensordot", "einsum", "outer", "correlate", "corrcoef", "cdist", "cross",
    "sum", "mean", "var", "std", "average", "moments", "norm", "normalize", "trapezoid", "cumsum", "cumprod", "prod",
    "conv", "conv_transpose", "depthwise_conv", "separable_conv", "average_pool", "adaptive_average_pool",
    "batch_norm_train", "batch_normalization", "layer_normalization", "rms_normalization", "dot_product_attention",
    "lstm", "gru", "ctc_loss", "silu", "glu", "softmax", "log_softmax", "sparsemax", "logsumexp", "cholesky", "det",
    "eigh", "inv", "logdet", "slogdet", "lstsq", "qr", "solve", "solve_triangular", "svd", "segment_sum", "scatter",
    "scatter_update", "trace", "quantile", "percentile", "median", "adam_step", "sgd_step", "histogram",
    "categorical_crossentropy", "binary_crossentropy", "sparse_categorical_crossentropy", "image.resize",
    "image.affine_transform", "image.rgb_to_grayscale", "image.rgb_to_hsv", "image.hsv_to_rgb", "image.extract_patches",
    "linspace", "logspace", "geomspace", "segment_prod", "scan", "fori_loop", "while_loop", "map", "vectorized_map",
}  # fmt: skip


def strategy(only: str | None = None) -> Any:
    from hypothesis import strategies as st

    names = [only] if only else sorted(BUILDERS)

    @st.composite
    def cases(draw: Callable[[Any], Any]) -> dict[str, Any]:
        d = Draw(draw)
        name = d.choice(names)
        arguments = BUILDERS[name](d)
        for _ in range(d.choice((0, 0, 0, 1, 1, 2))):
            spoil(d, name, arguments)
        return {"name": name, "arguments": arguments, "gradient": d.one_in(3)}

    return cases()


def spoil(d: Draw, name: str, arguments: dict[str, Any]) -> None:
    """Put something else in the place of an argument, or in the shape of an array."""
    if "*" in arguments:
        given = arguments["*"]
        if given:
            given[d.integer(0, len(given) - 1)] = d.hostile()
        return
    key = d.choice([*arguments, *(p for p in parameters(name) if p not in ("x", "operands", "kwargs"))] or ["x"])
    given = arguments.get(key)
    if isinstance(given, dict) and "layout" in given and d.one_in(2):
        shape = given["array"] = list(given["array"])
        change = d.integer(0, 2)
        if change == 0 or not shape:
            shape.insert(d.integer(0, len(shape)), d.choice((1, 2, 0)))
        elif change == 1:
            shape[d.integer(0, len(shape) - 1)] = d.length()
        else:
            del shape[d.integer(0, len(shape) - 1)]
    else:
        arguments[key] = d.hostile()


# ---- running -----------------------------------------------------------------------------------------------------


def prepare() -> None:
    native.np = GuardedNumpy()  # type: ignore[assignment]
    warnings.simplefilter("ignore")
    for name in ("add", "max_pool"):
        check({"name": name, "arguments": {}, "gradient": False})


def check(case: dict[str, Any]) -> Finding | str:
    name = case["name"]
    function = functions()[name]
    arguments = decode(case["arguments"], FUNCTIONS)
    positional = arguments.pop("*", [])
    before = [a.copy() for a in flatten(arguments) if isinstance(a, np.ndarray)]

    def call() -> list[Any]:
        results = leaves(function(*positional, **arguments))
        if case["gradient"]:
            results += gradient(function, positional, arguments)
        return results

    for required in parameters(name):  # without them it is Python that refuses
        if required not in arguments and not positional and _is_required(function, required):
            return "incomplete"
    eager._programs.clear()
    try:
        config.set_num_threads(1)
        one = call()
        config.set_num_threads(3)
        three = call()
    except (PynnError, MemoryError) as error:
        return "refused" if str(error) else Finding(f"{name}: no reason", repr(error))
    except Exception as error:
        if harness.is_pythons_own(error):
            return "refused"
        return harness.unexpected(error, name)
    for a, b in zip(before, [a for a in flatten(arguments) if isinstance(a, np.ndarray)], strict=True):
        if a.dtype.kind != "O" and a.tobytes() != b.tobytes():
            return Finding(f"{name}: an input was changed", f"{a} became {b}")
    if any(a.tobytes() != b.tobytes() for a, b in zip(one, three, strict=True)):
        return Finding(f"{name}: threads matter", f"{one} on one, {three} on three threads")
    try:
        eager._programs.clear()
        os.environ["PYNN_EXECUTOR"] = "reference"
        want = call()
    except MemoryError:
        return "refused"
    except Exception as error:
        return harness.unexpected(error, f"{name}: the reference refuses what the kernels take")
    finally:
        del os.environ["PYNN_EXECUTOR"]
        eager._programs.clear()
    return compare(name, case, one, want)


def _is_required(function: Callable[..., Any], name: str) -> bool:
    import inspect

    parameter = inspect.signature(function).parameters[name]
    return parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD


def leaves(result: Any) -> list[np.ndarray]:
    return [np.asarray(r) for r in flatten(result) if r is not None and not callable(r)]


def gradient(function: Callable[..., Any], positional: list[Any], arguments: dict[str, Any]) -> list[Any]:
    """Gradients of the sum of all results with respect to all inputs that hold floats."""

    def summed(*args: Any, **kwargs: Any) -> Any:
        results = flatten(function(*args, **kwargs))
        results = [r for r in results if isinstance(r, Value) and r.spec.is_float]
        inputs = [v for v in flatten([args, kwargs]) if isinstance(v, Value) and v.spec.is_float]
        if not results or not inputs:
            return None
        total = results[0] if results[0].ndim == 0 else ops.sum(results[0])
        return gradients(total, inputs)

    return leaves(eager.run_traced_with(summed, tuple(positional), arguments))


# ---- comparing ---------------------------------------------------------------------------------------------------


def compare(name: str, case: dict[str, Any], got: list[np.ndarray], want: list[np.ndarray]) -> Finding | str:
    wild = is_wild(case["arguments"])
    if wild and name in ONLY_TAME:
        return "ran"
    if len(got) != len(want):
        return Finding(f"{name}: number of results", f"{len(got)} results, {len(want)} by the reference")
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        if a.shape != b.shape or (a.dtype.kind != b.dtype.kind):
            return Finding(f"{name}: shape or dtype", f"{a.dtype}{a.shape}, {b.dtype}{b.shape} by the reference")
        if not close(a, b, case):
            where = "wild numbers" if wild else "plain numbers"
            what = "gradient" if case["gradient"] and i == len(got) - 1 else "result"
            return Finding(f"{name}: {what} differs for {where}", f"result {i}:\n{a}\nby the reference:\n{b}")
    return "equal"


def close(a: np.ndarray, b: np.ndarray, case: dict[str, Any]) -> bool:
    if a.dtype.kind not in "fc":
        return bool((a == b).all())
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        both = np.isfinite(a) & np.isfinite(b)
        if not (same | both).all():
            return False
        scale = max([1e-30, *(float(np.abs(x[np.isfinite(x)]).max(initial=0)) for x in (*_inputs(case), b))])
        return bool((same | ~both | (np.abs(np.where(both, a - b, 0)) <= TOLERANCE * scale)).all())


def _inputs(case: dict[str, Any]) -> list[np.ndarray]:
    arrays = flatten(decode(case["arguments"], FUNCTIONS))
    return [a.astype("float64") for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind in "fiub"]


FUZZER = harness.Fuzzer("ops", strategy, check, prepare)

if __name__ == "__main__":
    harness.main(FUZZER, __file__)
