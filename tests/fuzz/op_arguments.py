"""What each function of ``pynn.ops`` is called with: mostly arguments that fit, which the fuzzer then spoils.

``BUILDERS[name](d)`` gives arguments by name, as JSON (see ``values.py``); positional ones are under ``"*"``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache, partial
from types import FunctionType
from typing import Any

from values import Draw

from pynn import ops
from pynn.ops import image

Arguments = dict[str, Any]
BUILDERS: dict[str, Callable[[Draw], Arguments]] = {}

#: What functions that take functions are given.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "negative": lambda x: ops.negative(x),
    "sum": lambda x: ops.sum(x),
    "grow": lambda x: ops.concatenate([x, x]),
    "nothing": lambda *x: None,
    "one": lambda *x: ops.ones((2,)),
    "two": lambda *x: ops.zeros((2,)),
    "step": lambda carry, x: (ops.add(carry, 1.0), carry),
    "bad step": lambda carry, x: carry,
    "shrink": lambda carry, x: (ops.sum(carry), x),
    "body": lambda i, x: ops.add(x, ops.cast(i, "float32")),
    "less": lambda x: ops.less(ops.sum(x), 100.0),
    "more": lambda x: ops.add(ops.multiply(x, x), 30.0),
    "number": lambda x: 1.0,
}


def functions() -> dict[str, Callable[..., Any]]:
    """All public functions of ``pynn.ops`` and of the images among them."""
    names = {n: getattr(ops, n) for n in dir(ops) if not n.startswith("_")}
    names |= {f"image.{n}": getattr(image, n) for n in dir(image) if not n.startswith("_")}
    return {name: f for name, f in names.items() if isinstance(f, FunctionType) and name != "custom_gradient"}


def takes(*names: str) -> Callable[[Callable[[Draw], Arguments]], Callable[[Draw], Arguments]]:
    """These functions of ``pynn.ops`` take what the decorated function builds."""

    def enter(build: Callable[[Draw], Arguments]) -> Callable[[Draw], Arguments]:
        BUILDERS.update(dict.fromkeys(names, build))
        return build

    return enter


@cache
def parameters(name: str) -> tuple[str, ...]:
    return tuple(inspect.signature(functions()[name]).parameters)


def some(d: Draw, arguments: Arguments, **optional: Any) -> Arguments:
    """With each optional argument in one case of two."""
    return {**arguments, **{k: v() if callable(v) else v for k, v in optional.items() if d.one_in(2)}}


# ---- one array, two arrays ---------------------------------------------------------------------------------------


def one_array(d: Draw, first: str) -> Arguments:
    return {first: d.array(d.shape()) if not d.one_in(20) else d.number()}


for _name in functions():
    _given = list(inspect.signature(functions()[_name]).parameters.values())
    if len([p for p in _given if p.default is p.empty]) == 1 and len(_given) == 1 and _given[0].kind < 2:
        BUILDERS[_name] = partial(one_array, first=_given[0].name)


@takes(
    "add", "arctan2", "correlate", "divide", "divide_no_nan", "equal", "floor_divide", "fmax", "fmin", "fmod",
    "greater",
    "greater_equal", "less", "less_equal", "logaddexp", "logaddexp2", "logical_and", "logical_or", "logical_xor",
    "maximum", "minimum", "mod", "multiply", "not_equal", "outer", "power", "subtract", "true_divide", "vdot", "isin",
)  # fmt: skip
def two_arrays(d: Draw) -> Arguments:
    shape = d.shape()
    second = d.number() if d.one_in(4) else d.array(d.broadcastable(shape))
    return {"x1": d.array(shape), "x2": second}


@takes("allclose", "isclose")
def close(d: Draw) -> Arguments:
    return some(d, two_arrays(d), rtol=d.number, atol=d.number, equal_nan=True)


@takes("polar")
def polar(d: Draw) -> Arguments:
    shape = d.shape()
    return {"abs_": d.array(shape), "angle": d.array(d.broadcastable(shape))}


def _numbered(name: str, *names: str) -> None:
    BUILDERS[name] = lambda d: {"x": d.array(d.shape()), **{n: d.number() for n in names}}


for _name, _more in {
    "celu": ["alpha"],
    "elu": ["alpha"],
    "leaky_relu": ["negative_slope"],
    "hard_shrink": ["threshold"],
    "soft_shrink": ["threshold"],
    "squareplus": ["b"],
    "threshold": ["threshold", "default_value"],
    "clip": ["x_min", "x_max"],
}.items():
    _numbered(_name, *_more)


BUILDERS["gelu"] = lambda d: some(d, {"x": d.array(d.shape())}, approximate=False)


@takes("round")
def rounded(d: Draw) -> Arguments:
    return some(d, {"x": d.array(d.shape())}, decimals=partial(d.integer, -3, 3))


@takes("where")
def where(d: Draw) -> Arguments:
    shape = d.shape()
    some_of = d.array(d.broadcastable(shape), "bool" if d.one_in(2) else None)
    if d.one_in(6):
        return {"condition": some_of}
    return {"condition": some_of, "x1": d.array(shape), "x2": d.array(d.broadcastable(shape))}


@takes("select")
def select(d: Draw) -> Arguments:
    shape, n = d.shape(0, 3), d.integer(0, 3)
    return {
        "condlist": [d.array(d.broadcastable(shape), "bool") for _ in range(n)],
        "choicelist": [d.array(d.broadcastable(shape)) for _ in range(n)],
        "default": d.number(),
    }


# ---- axes --------------------------------------------------------------------------------------------------------


@takes("all", "any", "mean", "std", "sum", "var", "max", "min", "amax", "amin", "logsumexp", "median", "prod")
def reduction(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape)}, axis=lambda: d.axes(len(shape)), keepdims=True)


@takes("count_nonzero")
def counted(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape)}, axis=lambda: d.axes(len(shape)))


@takes("average")
def average(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape)}, axis=lambda: d.axes(len(shape)), weights=lambda: d.array(shape))


@takes("moments")
def moments(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape), "axes": d.axes(len(shape))}, keepdims=True)


@takes("norm", "normalize")
def norm(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape)}, axis=lambda: d.axes(len(shape)))


@takes("norm")
def matrix_norm(d: Draw) -> Arguments:
    order = partial(d.choice, (None, 1, 2, -1, -2, 0, 0.5, 3, "fro", "nuc", float("inf"), float("-inf")))
    return some(d, norm(d), ord=order, keepdims=True)


@takes("normalize")
def normalized(d: Draw) -> Arguments:
    return some(d, norm(d), order=d.number, epsilon=d.number)


@takes("argmax", "argmin", "argsort", "sort", "cumsum", "cumprod", "softmax", "log_softmax", "sparsemax", "glu")
def along(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape)}, axis=lambda: d.axis(len(shape)))


@takes("argpartition")
def argpartition(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape), "kth": d.integer(-1, 8)}, axis=lambda: d.axis(len(shape)))


@takes("top_k")
def top_k(d: Draw) -> Arguments:
    return some(d, {"x": d.array(d.shape()), "k": d.integer(0, 9)}, sorted=d.one_in(2))


@takes("in_top_k")
def in_top_k(d: Draw) -> Arguments:
    n, c = d.length(), d.length()
    return {"targets": d.array([n], "int32"), "predictions": d.array([n, c]), "k": d.integer(0, 9)}


@takes("flip", "squeeze", "expand_dims")
def some_axes(d: Draw) -> Arguments:
    shape = d.shape()
    return {"x": d.array(shape), "axis": d.axes(len(shape) + 1)}


@takes("roll")
def roll(d: Draw) -> Arguments:
    shape = d.shape()
    shift = d.choice((1, -1, 3, 100, [1, 2], 2**31))
    return some(d, {"x": d.array(shape), "shift": shift}, axis=lambda: d.axes(len(shape)))


@takes("diff")
def diff(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"a": d.array(shape)}, n=partial(d.integer, 0, 4), axis=lambda: d.axis(len(shape)))


@takes("trapezoid")
def trapezoid(d: Draw) -> Arguments:
    shape = d.shape(1)
    return some(d, {"y": d.array(shape)}, x=lambda: d.array(shape), dx=d.number, axis=lambda: d.axis(len(shape)))


@takes("percentile", "quantile")
def quantile(d: Draw) -> Arguments:
    shape = d.shape()
    q = d.choice((0.0, 0.5, 1.0, 30.0, 100.0, [0.1, 0.9], [[0.5]], -1.0, 200.0, float("nan")))
    methods = ("linear", "lower", "higher", "midpoint", "nearest")
    more = {"axis": lambda: d.axes(len(shape)), "method": partial(d.choice, methods), "keepdims": True}
    return some(d, {"x": d.array(shape), "q": q}, **more)


@takes("stack", "concatenate", "append", "hstack", "vstack", "dstack", "join_steps")
def several(d: Draw) -> Arguments:
    shape = d.shape()
    return {"xs": [d.array(shape) for _ in range(d.integer(0, 4))], "axis": d.axis(len(shape))}


BUILDERS["hstack"] = BUILDERS["vstack"] = BUILDERS["dstack"] = lambda d: {"xs": several(d)["xs"]}
BUILDERS["stack"] = lambda d: {"x": (given := several(d))["xs"], "axis": given["axis"]}


@takes("append")
def append(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x1": d.array(shape), "x2": d.array(shape)}, axis=lambda: d.axis(len(shape)))


@takes("split_steps")
def split_steps(d: Draw) -> Arguments:
    shape = d.shape(1)
    return {"x": d.array(shape), "axis": d.axis(len(shape))}


@takes("unstack")
def unstack(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"x": d.array(shape)}, axis=lambda: d.axis(len(shape)), num=d.length)


@takes("split", "array_split", "hsplit", "vsplit", "dsplit")
def split(d: Draw) -> Arguments:
    sections = d.choice((1, 2, 3, [1], [1, 3], [], [5, 2], [-1], [0, 0], 1000))
    return {"x": d.array(d.shape()), "indices_or_sections": sections}


@takes("split", "array_split")
def split_along(d: Draw) -> Arguments:
    return {**split(d), "axis": d.integer(-3, 3)}


# ---- shapes ------------------------------------------------------------------------------------------------------


@takes("reshape")
def reshape(d: Draw) -> Arguments:
    shape = d.shape()
    flat = 1
    for n in shape:
        flat *= n
    new = d.choice((-1, [flat], [-1, 1], shape[::-1], [0, -1], [flat, 1], [-1, -1], [*shape, 1], flat))
    return {"x": d.array(shape), "newshape": new}


@takes("transpose", "swapaxes", "moveaxis", "rot90")
def transpose(d: Draw) -> Arguments:
    shape = d.shape()
    order = list(range(len(shape)))
    return {"x": d.array(shape), "axes": d.choice((None, order, order[::-1], order[1:] + order[:1], [-1, 0]))}


@takes("swapaxes")
def swapaxes(d: Draw) -> Arguments:
    shape = d.shape()
    return {"x": d.array(shape), "axis1": d.axis(len(shape)), "axis2": d.axis(len(shape))}


@takes("moveaxis")
def moveaxis(d: Draw) -> Arguments:
    shape = d.shape()
    if d.one_in(3):
        return {"x": d.array(shape), "source": [0, 1], "destination": [-1, 0]}
    return {"x": d.array(shape), "source": d.axis(len(shape)), "destination": d.axis(len(shape))}


@takes("rot90")
def rot90(d: Draw) -> Arguments:
    return some(
        d, {"array": d.array(d.shape(2))}, k=partial(d.integer, -5, 5), axes=partial(d.choice, ([0, 1], [1, 0]))
    )


@takes("broadcast_to")
def broadcast_to(d: Draw) -> Arguments:
    shape = d.shape()
    return {"x": d.array(d.broadcastable(shape)), "shape": shape}


@takes("tile", "repeat")
def tile(d: Draw) -> Arguments:
    shape = d.shape(0, 3)
    return {"x": d.array(shape), "repeats": d.choice((0, 1, 2, 3, [2], [1, 2], [0, 1], [2] * len(shape)))}


@takes("repeat")
def repeat(d: Draw) -> Arguments:
    given = tile(d)
    return some(d, given, axis=lambda: d.axis(len(given["x"]["array"])))


@takes("pad", "image.pad_images")
def pad(d: Draw) -> Arguments:
    shape = d.shape()
    width = d.choice((0, 1, [1, 2], [[1, 0]] * len(shape), [[0, 2]] * len(shape), [[9, 9]] * len(shape), [[-1, 0]]))
    modes = ("constant", "reflect", "symmetric", "edge", "wrap")
    return some(d, {"x": d.array(shape), "pad_width": width}, mode=partial(d.choice, modes), constant_values=d.number)


@takes("slice")
def slice_(d: Draw) -> Arguments:
    shape = d.shape()
    starts = [d.integer(0, max(0, n)) for n in shape]
    return {
        "inputs": d.array(shape),
        "start_indices": starts,
        "shape": [d.integer(0, max(0, n - s)) for n, s in zip(shape, starts, strict=True)],
    }


@takes("slice_update")
def slice_update(d: Draw) -> Arguments:
    given = slice_(d)
    start = d.array([len(given["shape"])], "int32", "zeros") if d.one_in(3) else given["start_indices"]
    return {"inputs": given["inputs"], "start_indices": start, "updates": d.array(given["shape"])}


@takes("get_item")
def get_item(d: Draw) -> Arguments:
    shape = d.shape()
    ends = (None, 0, 1, -1, 2, 100, -100)
    parts: list[Any] = [
        d.choice(
            (
                d.integer(-3, 3),
                {"slice": [d.choice(ends), d.choice(ends), d.choice((None, 1, 2, -1, -2, 0))]},
                None,
                {"ellipsis": 1},
                {"array": [2], "dtype": "int32", "fill": "normal", "layout": "plain", "seed": 0},
            )
        )
        for _ in range(d.integer(1, len(shape) + 1))
    ]
    return {"x": d.array(shape), "key": {"tuple": parts} if len(parts) > 1 or d.one_in(2) else parts[0]}


@takes("diag", "diagflat", "tril", "triu")
def diag(d: Draw) -> Arguments:
    return some(d, {"x": d.array(d.shape(1, 3))}, k=partial(d.integer, -9, 9))


@takes("diagonal", "trace")
def diagonal(d: Draw) -> Arguments:
    shape = d.shape(2)
    axis = partial(d.axis, len(shape))
    return some(d, {"x": d.array(shape)}, offset=partial(d.integer, -9, 9), axis1=axis, axis2=axis)


@takes("meshgrid")
def meshgrid(d: Draw) -> Arguments:
    grids = [d.array(d.shape(0, 1)) for _ in range(d.integer(0, 3))]
    return some(d, {"*": grids}, indexing=partial(d.choice, ("xy", "ij")))


@takes("rearrange")
def rearrange(d: Draw) -> Arguments:
    patterns = (
        "a b -> b a",
        "a b -> (a b)",
        "a (b c) -> a b c",
        "... c -> c ...",
        "a b -> a",
        "a a -> a",
        "->",
        "(a",
        "a b",
    )
    return some(d, {"tensor": d.array(d.shape(0, 3)), "pattern": d.choice(patterns)}, b=2, c=partial(d.integer, 0, 3))


@takes("einsum")
def einsum(d: Draw) -> Arguments:
    i, j, k = d.length(), d.length(), d.length()
    text, shapes = d.choice(
        (
            ("ij,jk->ik", ([i, j], [j, k])),
            ("ij,ij->", ([i, j], [i, j])),
            ("ii->i", ([i, i],)),
            ("ij->ji", ([i, j],)),
            ("...i,...i->...", ([j, i], [i])),
            ("bij,bjk->bik", ([2, i, j], [2, j, k])),
            ("ij,jk", ([i, j], [j, k])),
            ("i,j,k->ijk", ([i], [j], [k])),
            ("ij->k", ([i, j],)),
            ("i-j", ([i],)),
            ("abcd,abce->de", ([2, i, 1, j], [2, i, 1, k])),
        )
    )
    return {"*": [text, *(d.array(s) for s in shapes)]}


# ---- indices -----------------------------------------------------------------------------------------------------


@takes("take", "take_along_axis")
def take(d: Draw) -> Arguments:
    shape = d.shape()
    indices = d.array(d.shape(0, 2), "int32") if not d.one_in(4) else d.integer(-9, 9)
    return some(d, {"x": d.array(shape), "indices": indices}, axis=lambda: d.axis(len(shape)))


@takes("take_along_axis")
def take_along_axis(d: Draw) -> Arguments:
    shape = d.shape(1)
    axis = d.axis(len(shape))
    other = [*shape]
    other[axis] = d.length()
    return {"x": d.array(shape), "indices": d.array(other, d.choice(INTEGER)), "axis": axis}


INTEGER = ("int32", "int64", "uint8", "float32")


@takes("scatter")
def scatter(d: Draw) -> Arguments:
    n, k, shape = d.length(), d.integer(0, 2), d.shape(1, 3)
    return {"indices": d.array([n, k], d.choice(INTEGER)), "values": d.array([n, *shape[k:]]), "shape": shape}


@takes("scatter_update")
def scatter_update(d: Draw) -> Arguments:
    given = scatter(d)
    ways = (None, "add", "max", "min", "mul")
    arguments = {"inputs": d.array(given["shape"]), "indices": given["indices"], "updates": given["values"]}
    return some(d, arguments, reduction=partial(d.choice, ways))


@takes("segment_sum", "segment_max", "segment_min", "segment_prod")
def segments(d: Draw) -> Arguments:
    shape = d.shape(1, 3)
    given = {"data": d.array(shape), "segment_ids": d.array(shape[:1], d.choice(INTEGER))}
    return some(d, given, num_segments=partial(d.integer, 0, 9), sorted=True)


@takes("one_hot", "multi_hot")
def one_hot(d: Draw) -> Arguments:
    shape = d.shape(0, 3)
    return some(
        d, {"x": d.array(shape, d.choice(INTEGER)), "num_classes": d.integer(0, 9)}, axis=partial(d.integer, -3, 3)
    )


BUILDERS["multi_hot"] = lambda d: {"inputs" if k == "x" else k: v for k, v in one_hot(d).items()}


@takes("unravel_index")
def unravel_index(d: Draw) -> Arguments:
    return {"indices": d.array(d.shape(0, 2), d.choice(INTEGER)), "shape": d.shape(0, 3)}


@takes("bincount")
def bincount(d: Draw) -> Arguments:
    shape = d.shape(0, 2)
    given = {"x": d.array(shape, d.choice(INTEGER))}
    return some(d, given, weights=lambda: d.array(shape), minlength=partial(d.integer, 0, 9))


@takes("digitize", "histogram", "searchsorted", "unique")
def digitize(d: Draw) -> Arguments:
    return {"x": d.array(d.shape()), "bins": d.choice(([0.0, 1.0], [], [1.0, 0.0], [[1.0]], [float("nan")]))}


@takes("histogram")
def histogram(d: Draw) -> Arguments:
    limits = ([0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [float("nan"), 1.0])
    return some(d, {"x": d.array(d.shape())}, bins=partial(d.integer, 0, 9), range=partial(d.choice, limits))


@takes("searchsorted")
def searchsorted(d: Draw) -> Arguments:
    given = {"sorted_sequence": d.choice(([0.0, 1.0], [], [1.0, 0.0], [[1.0]])), "values": d.array(d.shape())}
    return some(d, given, side=partial(d.choice, ("left", "right")))


@takes("unique")
def unique(d: Draw) -> Arguments:
    shape = d.shape()
    flags = dict.fromkeys(("return_index", "return_inverse", "return_counts"), True)
    more = {"axis": lambda: d.axis(len(shape)), "size": partial(d.integer, 0, 9), "fill_value": d.number}
    return some(d, {"x": d.array(shape)}, **flags, **more)


# ---- making arrays -----------------------------------------------------------------------------------------------

DTYPES = (None, "float32", "int32", "bool", "uint8", "float64", "float16", "int64", "complex64", "string", "bfloat16")


@takes("zeros", "ones", "empty", "full")
def filled(d: Draw) -> Arguments:
    return some(d, {"shape": d.shape()}, dtype=partial(d.choice, DTYPES))


BUILDERS["full"] = lambda d: {**filled(d), "fill_value": d.number()}


@takes("zeros_like", "ones_like", "empty_like", "full_like", "cast", "saturate_cast", "array", "convert_to_tensor")
def like(d: Draw) -> Arguments:
    return some(d, {"x": d.array(d.shape())}, dtype=partial(d.choice, DTYPES))


BUILDERS["full_like"] = lambda d: {**like(d), "fill_value": d.number()}
BUILDERS["cast"] = BUILDERS["saturate_cast"] = lambda d: {"x": d.array(d.shape()), "dtype": d.choice(DTYPES)}


@takes("arange")
def arange(d: Draw) -> Arguments:
    return some(d, {"start": d.number()}, stop=d.number, step=d.number, dtype=partial(d.choice, DTYPES))


@takes("linspace", "logspace", "geomspace")
def linspace(d: Draw) -> Arguments:
    given = {"start": d.number(), "stop": d.number()}
    if d.one_in(3):
        given = {k: d.array(d.shape(0, 2)) for k in given}
    return some(d, given, num=d.length, endpoint=False, axis=partial(d.integer, -2, 2), dtype=partial(d.choice, DTYPES))


@takes("eye", "tri", "identity")
def eye(d: Draw) -> Arguments:
    return some(d, {"N": d.length()}, M=d.length, k=partial(d.integer, -9, 9), dtype=partial(d.choice, DTYPES))


BUILDERS["identity"] = lambda d: {"n": d.length()}

# ---- matrices ----------------------------------------------------------------------------------------------------


@takes("matmul", "dot", "inner", "cross", "tensordot", "cdist")
def matmul(d: Draw) -> Arguments:
    m, k, n = d.length(), d.length(), d.length()
    batch = d.shape(0, 2)
    a = d.choice(([m, k], [k], [*batch, m, k], [1, m, k], []))
    b = d.choice(([k, n], [k], [*batch[-1:], k, n], []))
    return {"x1": d.array(a), "x2": d.array(b)}


@takes("inner", "cdist")
def inner(d: Draw) -> Arguments:
    shape = d.shape(1, 3)
    return {"x1": d.array(shape), "x2": d.array([d.length(), shape[-1]])}


BUILDERS["cdist"] = lambda d: {"x": (given := inner(d))["x1"], "y": given["x2"]}


@takes("cross")
def cross(d: Draw) -> Arguments:
    shape = [*d.shape(0, 2), d.choice((3, 2))]
    return some(
        d, {"x1": d.array(shape), "x2": d.array([*shape[:-1], d.choice((3, 2))])}, axis=partial(d.integer, -2, 2)
    )


@takes("tensordot")
def tensordot(d: Draw) -> Arguments:
    m, k, n = d.length(), d.length(), d.length()
    axes = d.choice((1, 0, 2, [1, 0], [[1], [0]], [[0], [1]], 3, -1))
    return {"x1": d.array([m, k]), "x2": d.array([k, n]), "axes": axes}


@takes("cholesky", "det", "eigh", "inv", "logdet", "slogdet", "qr", "svd", "corrcoef")
def matrix(d: Draw) -> Arguments:
    n = d.choice((2, 3, 1, 0, 5, 17))
    return {"x": d.array([*d.shape(0, 2), n, n if not d.one_in(4) else d.length()], d.choice(("float32", "float64")))}


BUILDERS["qr"] = lambda d: some(d, matrix(d), mode=partial(d.choice, ("reduced", "complete", "r", "x")))
BUILDERS["svd"] = lambda d: some(d, matrix(d), full_matrices=False, compute_uv=False)
BUILDERS["cholesky"] = lambda d: some(d, matrix(d), upper=True)


@takes("solve", "solve_triangular", "lstsq")
def solve(d: Draw) -> Arguments:
    a = matrix(d)["x"]
    rows = a["array"][:-1]
    return {"a": a, "b": d.array(rows if d.one_in(2) else [*rows, d.length()], "float32")}


BUILDERS["solve_triangular"] = lambda d: some(d, solve(d), lower=True)
BUILDERS["lstsq"] = lambda d: some(d, solve(d), rcond=d.number)

# ---- networks ----------------------------------------------------------------------------------------------------

PADDINGS = ("valid", "same", "causal", "full")
FORMATS = ("channels_last", "channels_first", None)


def images(d: Draw, rank: int, channels: int) -> list[int]:
    return [d.choice((1, 2, 0, 3)), *(d.choice((5, 6, 1, 2, 8, 9, 0, 12, 17)) for _ in range(rank)), channels]


def window(d: Draw, rank: int, options: tuple[int, ...]) -> Any:
    return d.choice(options) if d.one_in(2) else [d.choice(options) for _ in range(rank)]


def convolution(d: Draw, kind: str) -> Arguments:
    rank, c, m = d.integer(1, 3), d.choice((1, 2, 3, 4, 8, 16, 17, 32)), d.choice((1, 2, 3, 8, 9, 16, 0))
    size = [d.choice((1, 2, 3, 5, 4, 0)) for _ in range(rank)]
    given: Arguments = {"inputs": d.array(images(d, rank, c))}
    if kind == "conv":
        given["kernel"] = d.array([*size, c // 2 if c % 2 == 0 and d.one_in(5) else c, m])
    elif kind == "transpose":
        given["kernel"] = d.array([*size, m, c])
    elif kind == "depthwise":
        given["kernel"] = d.array([*size, c, d.choice((1, 2, 0))])
    else:
        given |= {"depthwise_kernel": d.array([*size, c, 1]), "pointwise_kernel": d.array([*[1] * rank, c, m])}
    more = {
        "strides": lambda: window(d, rank, (1, 2, 3, 7)),
        "padding": partial(d.choice, PADDINGS),
        "dilation_rate": lambda: window(d, rank, (1, 2, 3)),
        "data_format": partial(d.choice, FORMATS),
    }
    if kind == "transpose":
        more["output_padding"] = lambda: window(d, rank, (0, 1, 2))
    return some(d, given, **more)


BUILDERS["conv"] = partial(convolution, kind="conv")
BUILDERS["conv_transpose"] = partial(convolution, kind="transpose")
BUILDERS["depthwise_conv"] = partial(convolution, kind="depthwise")
BUILDERS["separable_conv"] = partial(convolution, kind="separable")


@takes("max_pool", "average_pool")
def pool(d: Draw) -> Arguments:
    rank = d.integer(1, 3)
    x = d.array(images(d, rank, d.choice((1, 3, 8, 17, 0))))
    given = {"inputs": x, "pool_size": window(d, rank, (1, 2, 3, 5, 100))}
    more = {"padding": partial(d.choice, PADDINGS), "data_format": partial(d.choice, FORMATS)}
    return some(d, given, strides=lambda: window(d, rank, (1, 2, 3, 100)), **more)


@takes("adaptive_max_pool", "adaptive_average_pool")
def adaptive_pool(d: Draw) -> Arguments:
    rank = d.integer(1, 3)
    x = d.array(images(d, rank, d.choice((1, 3, 8))))
    given = {"inputs": x, "output_size": window(d, rank, (1, 2, 3, 7))}
    return some(d, given, data_format=partial(d.choice, FORMATS))


@takes("batch_norm_train")
def batch_norm_train(d: Draw) -> Arguments:
    shape = d.shape(2)
    return some(d, {"x": d.array(shape), "gamma": d.array(shape[-1:]), "beta": d.array(shape[-1:])}, epsilon=d.number)


@takes("batch_normalization")
def batch_normalization(d: Draw) -> Arguments:
    shape = d.shape(1)
    axis = d.axis(len(shape))
    line = [shape[axis]]
    given = {"x": d.array(shape), "mean": d.array(line), "variance": d.array(line), "axis": axis}
    return some(d, given, offset=lambda: d.array(line), scale=lambda: d.array(line), epsilon=d.number)


@takes("layer_normalization", "rms_normalization")
def layer_normalization(d: Draw) -> Arguments:
    shape = d.shape(1)
    return some(d, {"x": d.array(shape)}, gamma=lambda: d.array(shape[-1:]), beta=lambda: d.array(shape[-1:]))


@takes("rms_normalization")
def rms_normalization(d: Draw) -> Arguments:
    shape = d.shape(1)
    return some(d, {"x": d.array(shape)}, scale=lambda: d.array(shape[-1:]), axis=lambda: d.axes(len(shape)))


@takes("categorical_crossentropy", "binary_crossentropy", "sparse_categorical_crossentropy")
def crossentropy(d: Draw) -> Arguments:
    shape = d.shape()
    return some(d, {"target": d.array(shape), "output": d.array(shape)}, from_logits=True)


@takes("sparse_categorical_crossentropy")
def sparse_crossentropy(d: Draw) -> Arguments:
    shape = d.shape(1)
    given = {"target": d.array(shape[:-1], d.choice(INTEGER)), "output": d.array(shape)}
    return some(d, given, from_logits=True, axis=lambda: d.axis(len(shape)))


@takes("dot_product_attention")
def attention(d: Draw) -> Arguments:
    b, t, s, n, k = (d.choice((2, 1, 3, 0)), d.length(), d.length(), d.choice((1, 2, 4)), d.choice((4, 1, 8, 0, 17)))
    given = {"query": d.array([b, t, n, k]), "key": d.array([b, s, n, k]), "value": d.array([b, s, n, k])}
    more = {
        "mask": lambda: d.array(d.choice(([b, n, t, s], [1, 1, t, s], [t, s])), "bool"),
        "bias": lambda: d.array(d.choice(([b, n, t, s], [1, n, t, s]))),
        "scale": d.number,
        "is_causal": True,
        "attn_logits_soft_cap": d.number,
    }
    return some(d, given, **more)


@takes("lstm", "gru")
def lstm(d: Draw) -> Arguments:
    n, t, u = d.choice((2, 1, 3, 0, 9)), d.choice((3, 1, 0, 5)), d.choice((4, 1, 8, 0, 17))
    state = d.array([n, u])
    given = {"z": d.array([n, t, 4 * u]), "recurrent_kernel": d.array([u, 4 * u]), "h0": state, "c0": state}
    return some(d, given, go_backwards=True, mask=lambda: d.array([n, t], "bool"))


@takes("gru")
def gru(d: Draw) -> Arguments:
    n, t, u = d.choice((2, 1, 3, 0, 9)), d.choice((3, 1, 0, 5)), d.choice((4, 1, 8, 0, 17))
    given = {"z": d.array([n, t, 3 * u]), "recurrent_kernel": d.array([u, 3 * u]), "bias": d.array([3 * u])}
    return some(d, {**given, "h0": d.array([n, u])}, go_backwards=True, mask=lambda: d.array([n, t], "bool"))


@takes("ctc_loss")
def ctc_loss(d: Draw) -> Arguments:
    n, t, s, c = d.choice((2, 1, 0)), d.choice((5, 1, 0, 9)), d.choice((2, 1, 0, 6)), d.choice((4, 2, 1, 0))
    lengths = {"target_length": d.array([n], "int32"), "output_length": d.array([n], "int32")}
    return some(
        d,
        {"target": d.array([n, s], "int32"), "output": d.array([n, t, c]), **lengths},
        mask_index=partial(d.integer, -1, 4),
    )


@takes("ctc_decode")
def ctc_decode(d: Draw) -> Arguments:
    n, t, c = d.choice((2, 1, 0)), d.choice((5, 1, 0)), d.choice((4, 2, 1, 0))
    given = {"inputs": d.array([n, t, c]), "sequence_lengths": d.array([n], "int32")}
    more = {"strategy": partial(d.choice, ("greedy", "beam_search")), "beam_width": d.length, "top_paths": d.length}
    return some(d, given, **more, merge_repeated=False, mask_index=partial(d.integer, -1, 4))


@takes("sgd_step")
def sgd_step(d: Draw) -> Arguments:
    shapes = [d.shape(0, 2) for _ in range(d.integer(0, 3))]
    given = {k: [d.array(s) for s in shapes] for k in ("weights", "grads")}
    return some(
        d, {"lr": 0.1, **given}, velocities=lambda: [d.array(s) for s in shapes], momentum=d.number, nesterov=True
    )


@takes("adam_step")
def adam_step(d: Draw) -> Arguments:
    shapes = [d.shape(0, 2) for _ in range(d.integer(0, 3))]
    given = {k: [d.array(s) for s in shapes] for k in ("weights", "grads", "m", "v")}
    return some(d, {"lr": 0.1, "iterations": d.array([], "int64"), **given}, beta_1=d.number, epsilon=d.number)


@takes("increment")
def increment(d: Draw) -> Arguments:
    return some(d, {"x": d.array(d.shape(), d.choice(INTEGER))}, by=partial(d.integer, -9, 9))


SEEDS = {"array": [2], "dtype": "uint32", "fill": "normal", "layout": "plain", "seed": 0}


@takes("random_normal", "random_uniform", "dropout", "next_seed")
def random(d: Draw) -> Arguments:
    state = d.choice((SEEDS, {**SEEDS, "dtype": "int64"}, {**SEEDS, "array": [3]}))
    return some(d, {"shape": d.shape(), "state": state}, stream=partial(d.integer, 0, 3))


BUILDERS["next_seed"] = lambda d: {"state": random(d)["state"]}
BUILDERS["dropout"] = lambda d: {"x": d.array(d.shape()), "rate": d.number(), "state": random(d)["state"]}

# ---- functions of functions --------------------------------------------------------------------------------------


def function(d: Draw, *names: str) -> dict[str, str]:
    return {"function": d.choice(names) if not d.one_in(5) else d.choice(tuple(FUNCTIONS))}


@takes("cond")
def cond(d: Draw) -> Arguments:
    return {"pred": d.array([], "bool"), "true_fn": function(d, "one"), "false_fn": function(d, "two")}


@takes("map", "vectorized_map")
def mapped(d: Draw) -> Arguments:
    return {"f": function(d, "negative", "sum"), "xs": d.array(d.shape(1, 3))}


BUILDERS["vectorized_map"] = lambda d: {"function": function(d, "negative", "sum"), "elements": d.array(d.shape(1, 3))}
BUILDERS["vectorize"] = lambda d: {"pyfunc": function(d, "negative", "sum")}
BUILDERS["switch"] = lambda d: {"*": [d.integer(-1, 3), [function(d, "one"), function(d, "two")], d.array(d.shape())]}


@takes("fori_loop")
def fori_loop(d: Draw) -> Arguments:
    return {
        "lower": d.integer(-1, 2),
        "upper": d.integer(-2, 5),
        "body_fun": function(d, "body"),
        "init_val": d.array(d.shape(0, 2)),
    }


@takes("scan")
def scan(d: Draw) -> Arguments:
    given = {"f": function(d, "step"), "init": d.array(d.shape(0, 2)), "xs": d.array([d.integer(0, 5)])}
    return some(d, given, length=partial(d.integer, 0, 5), reverse=True)


@takes("while_loop")
def while_loop(d: Draw) -> Arguments:
    given = {"cond": function(d, "less"), "body": function(d, "more"), "loop_vars": [d.array(d.shape(0, 2))]}
    return {**given, "maximum_iterations": d.integer(0, 9)}


# ---- images ------------------------------------------------------------------------------------------------------


def picture(d: Draw, name: str = "images") -> Arguments:
    channels = d.choice((3, 1, 4, 0))
    shape = images(d, 2, channels)
    return {name: d.array(shape if not d.one_in(4) else shape[1:])}


BUILDERS["image.resize"] = lambda d: some(
    d,
    {**picture(d), "size": [d.choice((3, 1, 7, 0, 20)), d.choice((3, 1, 7))]},
    interpolation=partial(d.choice, ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "x")),
    antialias=True,
    crop_to_aspect_ratio=True,
    pad_to_aspect_ratio=True,
    data_format=partial(d.choice, FORMATS),
)
for _name in ("image.rgb_to_grayscale", "image.rgb_to_hsv", "image.hsv_to_rgb"):
    BUILDERS[_name] = lambda d: some(d, picture(d), data_format=partial(d.choice, FORMATS))
BUILDERS["image.extract_patches"] = lambda d: some(
    d,
    {**picture(d), "size": window(d, 2, (1, 2, 3))},
    strides=lambda: window(d, 2, (1, 2, 3)),
    dilation_rate=partial(d.choice, (1, 2)),
    padding=partial(d.choice, PADDINGS),
)
BUILDERS["image.affine_transform"] = lambda d: some(
    d,
    {**picture(d), "transform": d.array(d.choice(([8], [2, 8], [1, 8], [3])), "float32")},
    interpolation=partial(d.choice, ("bilinear", "nearest")),
    fill_mode=partial(d.choice, ("constant", "nearest", "wrap", "mirror", "reflect")),
    fill_value=d.number,
)


def _edges(what: str) -> Callable[[Draw], Arguments]:
    sides = ("top", "left", "bottom", "right")
    return lambda d: {
        **picture(d),
        **{f"{side}_{what}": d.integer(0, 3) for side in sides if d.one_in(2)},
        **{f"target_{side}": d.length() for side in ("height", "width") if d.one_in(2)},
    }


BUILDERS["image.pad_images"], BUILDERS["image.crop_images"] = _edges("padding"), _edges("cropping")
