# ruff: noqa: E501
"""The calls of `test_ops_against_keras.py`: name, positional arguments, keyword arguments.

Float arrays among the arguments are drawn once, from a fixed seed; `ROWS` and the like are small, with ties and signs.
"""

import numpy as np

_rng = np.random.default_rng(7)


def _f(*shape, low=None, high=None):
    x = _rng.standard_normal(shape) if low is None else _rng.uniform(low, high, shape)
    return x.astype("float32")


X = _f(3, 4)
Y = _f(3, 4)
V = _f(4)
W = _f(4)
P = _f(3, 4, low=0.2, high=3.0)
U = _f(3, 4, low=-0.9, high=0.9)
T = _f(2, 3, 4)
Q = _f(2, 3, 3)
I = np.array([[3, -4, 5], [0, 2, -1]], "int32")  # noqa: E741
B = np.array([[True, False, True], [False, False, True]])
PLACES = np.array([2, 0, 1], "int32")
SPD = (Q @ Q.transpose(0, 2, 1) + 2 * np.eye(3)).astype("float32")
DOMINANT = (Q + 4 * np.eye(3)).astype("float32")
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -1.5, 2.5], "float32")
TALL = _f(5, 3)

#: Of floats, element by element, with a gradient.
ELEMENTWISE = {
    "X": "abs absolute arcsinh arctan cos cosh elu celu erf exp exp2 expm1 fabs gelu hard_sigmoid hard_silu leaky_relu "
    "log_sigmoid negative relu relu6 selu sigmoid silu sin sinh soft_shrink softplus softsign sparse_plus "
    "sparse_sigmoid square squareplus tan tanh tanh_shrink hard_tanh hard_shrink deg2rad rad2deg real conj conjugate copy",
    "P": "log log10 log1p log2 reciprocal rsqrt sqrt",
    "U": "arcsin arccos arctanh erfinv",
}
#: Of anything, without a gradient or with one that is 0.
FLAT = (
    "ceil floor round sign trunc isfinite isinf isnan isneginf isposinf isreal logical_not any all argmax argmin "
    "count_nonzero imag angle argsort shape ndim size nonzero ones_like zeros_like"
)
BINARY = (
    "add subtract multiply divide true_divide maximum minimum arctan2 fmax fmin logaddexp logaddexp2 mod fmod "
    "divide_no_nan floor_divide"
)
COMPARISONS = (
    "equal not_equal greater greater_equal less less_equal logical_and logical_or logical_xor isclose allclose"
)
REDUCTIONS = "sum mean max min amax amin prod std var median logsumexp average"

#: Keras has no such function of truth values.
_REFUSED = {("round", "bool"), ("sign", "bool")}

CASES = [
    *((name, (globals()[data],), {}) for data, names in ELEMENTWISE.items() for name in names.split()),
    *((name, (x,), {}) for name in FLAT.split() for x in (X, I, B) if (name, str(x.dtype)) not in _REFUSED),
    *((name, (SPECIAL,), {}) for name in (["isfinite", "isinf", "isnan", "isneginf", "isposinf", "round", "trunc", "ceil", "sign"])),
    *((name, pair, {}) for name in BINARY.split() for pair in [(X, P), (X, V + 3), (P, 2.0)]),
    *((name, pair, {}) for name in ["add", "multiply", "maximum", "minimum", "divide"]
      for pair in [(I, 2), (I, I), (I, 1.5), (B, I), (B, B)] if not (name == "divide" and pair[1] is B)),
    *((name, (I, 3), {}) for name in ["mod", "floor_divide", "power", "fmod"]),
    *((name, pair, {}) for name in COMPARISONS.split() for pair in [(X, Y), (X, X), (I, 0), (X, 0.5), (B, I)]),
    *((name, (X,), options) for name in REDUCTIONS.split() for options in ({}, {"axis": 1}, {"axis": 0})),
    *((name, (T,), {"axis": (0, 2), "keepdims": True}) for name in ["sum", "mean", "max", "min", "std", "var", "prod", "logsumexp"]),
    *((name, (x,), {}) for name in ["sum", "mean", "max", "min", "prod", "std", "var", "median", "any", "all", "cumsum", "sort"] for x in (I, B)
      if (name, str(x.dtype)) != ("sort", "bool")),
    ("arccosh", (P + 1.1,), {}),
    ("max", (X,), {"axis": 0, "initial": 0.5}), ("min", (X,), {"initial": -9.0}),
    ("average", (X,), {"axis": 1, "weights": V}), ("average", (X,), {"weights": P}),
    ("argmax", (T,), {"axis": 1, "keepdims": True}), ("argmin", (T,), {"axis": 0}), ("argmin", (I,), {"axis": 1}),
    ("count_nonzero", (I,), {"axis": 1}), ("any", (B,), {"axis": 0}), ("all", (B,), {"axis": 1, "keepdims": True}),
    ("power", (P, X), {}), ("power", (P, 2), {}), ("power", (X, 3), {}), ("power", (2.0, X), {}),
    ("clip", (X, -0.5, 0.5), {}), ("clip", (I, 0, 2), {}), ("where", (X > 0, X, Y), {}), ("where", (B, I, 0), {}),
    ("where", (B,), {}), ("where", (B, 1.0, 0), {}), ("select", ([X > 0, Y > 0], [X, Y], 1.5), {}),
    ("isin", (I, [3, 2]), {}), ("isin", (I, [3, 2]), {"invert": True}),
    ("round", (X,), {"decimals": 2}), ("round", (X * 100,), {"decimals": -1}), ("round", (I * 7,), {"decimals": -1}),
    ("gelu", (X,), {"approximate": False}), ("threshold", (X, 0.3, -1.0), {}), ("glu", (X,), {}), ("glu", (X,), {"axis": -1}),
    ("hard_shrink", (X, 0.2), {}), ("soft_shrink", (X, 0.2), {}), ("celu", (X, 0.5), {}), ("leaky_relu", (X, 0.4), {}),
    ("squareplus", (X,), {"b": 2}), ("relu", (I,), {}),
    ("softmax", (X,), {}), ("softmax", (T,), {"axis": 1}), ("log_softmax", (T,), {"axis": 1}),
    # Shapes and places.
    ("reshape", (X, (2, -1)), {}), ("reshape", (X, -1), {}), ("ravel", (X,), {}), ("transpose", (T,), {}),
    ("transpose", (T, (1, 0, 2)), {}), ("swapaxes", (T, 0, 2), {}), ("moveaxis", (T, 0, -1), {}),
    ("moveaxis", (T, (0, 1), (2, 0)), {}), ("expand_dims", (X, 1), {}), ("expand_dims", (X, (0, 2)), {}),
    ("squeeze", (X[None, :, None],), {}), ("squeeze", (X[None, :, None],), {"axis": (0, 2)}),
    ("broadcast_to", (V, (3, 4)), {}), ("concatenate", ([X, Y],), {"axis": 1}), ("concatenate", ([I, B],), {}),
    ("stack", ([X, Y],), {"axis": 2}), ("stack", ([X, Y],), {"axis": -1}), ("unstack", (X,), {"axis": 1}), ("unstack", (X, 3), {}),
    ("split", (X, 2), {"axis": 1}), ("split", (X, [1]), {}), ("array_split", (X, 3), {"axis": 1}),
    ("hsplit", (X, 2), {}), ("vsplit", (X, 3), {}), ("dsplit", (T, 2), {}), ("hstack", ([X, Y],), {}),
    ("hstack", ([V, W],), {}), ("vstack", ([V, W],), {}), ("dstack", ([X, Y],), {}), ("dstack", ([V, W],), {}),
    ("append", (X, Y), {}), ("append", (X, Y), {"axis": 1}), ("tile", (X, 2), {}), ("tile", (X, (2, 1, 3)), {}),
    ("repeat", (X, 2), {}), ("repeat", (X, 2), {"axis": 1}), ("repeat", (X, np.array([1, 0, 2])), {"axis": 0}),
    ("flip", (X,), {}), ("flip", (X,), {"axis": 1}), ("fliplr", (X,), {}), ("flipud", (X,), {}), ("roll", (X, 1), {}),
    ("roll", (X, -1), {"axis": 1}), ("roll", (X, (1, 2)), {"axis": (0, 1)}), ("rot90", (X,), {}),
    ("rot90", (T,), {"k": 3, "axes": (1, 2)}), ("rot90", (T,), {"k": 2}), ("meshgrid", (V, W), {}),
    ("meshgrid", (V, W, V[:2]), {"indexing": "ij"}), ("diag", (V,), {}), ("diag", (V,), {"k": -1}), ("diag", (X,), {"k": 1}),
    ("diagflat", (X,), {}), ("diagonal", (T,), {}), ("diagonal", (T,), {"offset": 1, "axis1": 1, "axis2": 2}),
    ("trace", (X,), {}), ("trace", (T,), {"axis1": 1, "axis2": 2}), ("tril", (T,), {}), ("triu", (X,), {"k": 1}), ("tril", (I,), {"k": -1}),
    ("pad", (X, ((1, 2), (0, 1))), {}), ("pad", (X, 1), {"constant_values": 3.0}), ("pad", (X, 2), {"mode": "reflect"}),
    ("pad", (X, 1), {"mode": "symmetric"}), ("pad", (I, ((0, 0), (1, 1))), {}), ("rearrange", (T, "a b c -> (a b) c"), {}),
    ("rearrange", (T, "a b (c d) -> c a b d"), {"c": 2}), ("slice", (X, (1, 0), (2, 3)), {}),
    ("slice", (X, np.array([1, 2], "int32"), (2, 2)), {}),
    ("slice_update", (X, (1, 0), Y[:2, :3]), {}), ("slice_update", (I, (0, 1), I[:1, :1]), {}),
    ("get_item", (T, (1, ..., slice(None, None, 2))), {}), ("get_item", (T, -1), {}), ("get_item", (X, slice(None, None, -1)), {}),
    ("get_item", (X, PLACES), {}), ("get_item", (T, (slice(None), PLACES)), {}), ("get_item", (X, (PLACES, PLACES)), {}),
    ("get_item", (T, (0, [[1, 0], [2, 2]])), {}), ("get_item", (T, (None, 0, slice(1, 3))), {}),
    ("take", (X, PLACES), {"axis": 0}), ("take", (T, PLACES[:, None]), {"axis": 1}), ("take", (I, PLACES), {}),
    ("take_along_axis", (X, PLACES[:, None]), {"axis": 1}), ("take_along_axis", (X, PLACES[None]), {"axis": -1}),
    ("scatter", (PLACES[:, None], V[:3], (5,)), {}), ("scatter", (np.array([[0, 1], [1, 2]]), np.array([1, 2], "int32"), (2, 3)), {}),
    ("scatter_update", (X, [[0, 1], [2, 2]], V[:2]), {}), ("scatter_update", (X, PLACES[:2, None], Y[:2]), {}),
    *(("scatter_update", (X, [[0, 1], [2, 2]], V[:2]), {"reduction": r}) for r in ("add", "max", "min", "mul")),
    *((f"segment_{kind}", (X, np.array([0, 2, 0], "int32")), {"num_segments": 3}) for kind in ("sum", "max", "min", "prod")),
    ("segment_sum", (I, np.array([1, 1], "int32")), {"num_segments": 2}), ("unravel_index", (PLACES, (2, 2)), {}),
    # Order.
    ("sort", (X,), {}), ("sort", (X,), {"axis": 0}), ("argsort", (X,), {"axis": 0}), ("argsort", (I,), {"axis": -1}),
    ("top_k", (X, 2), {}), ("top_k", (I, 2), {}), ("in_top_k", (np.array([1, 0, 3], "int32"), X, 2), {}),
    ("searchsorted", (np.sort(V), X.ravel()), {}), ("searchsorted", (np.sort(V), V), {"side": "right"}), ("digitize", (X, np.sort(V)), {}),
    ("quantile", (X, 0.3), {}), ("quantile", (X, [0.1, 0.9]), {"axis": 1, "keepdims": True}), ("median", (T,), {"axis": (0, 1)}),
    *(("quantile", (X, 0.4), {"axis": 0, "method": m}) for m in ("lower", "higher", "midpoint", "nearest")),
    ("percentile", (X, 30.0), {"axis": 0}), ("unique", ([3, 1, 3],), {}), ("bincount", (np.array([0, 2, 2, 5], "int32"),), {"minlength": 8}),
    ("unique", ([3, 1, 3],), {"return_inverse": True, "return_counts": True}), ("unique", ([3, 1, 3],), {"size": 4, "fill_value": 0}),
    ("bincount", (np.array([0, 2, 2], "int32"),), {"weights": V[:3]}), ("histogram", (X.ravel(),), {"bins": 4}), ("histogram", (X.ravel(),), {"bins": 3, "range": (-1.0, 1.0)}),
    # Running, products, linear algebra.
    ("cumsum", (X,), {}), ("cumsum", (X,), {"axis": 1}), ("cumprod", (X,), {"axis": 0}), ("cumsum", (I,), {"axis": 1, "dtype": "float32"}),
    ("cumprod", (np.array([2.0, 0.0, 3.0], "float32"),), {}), ("prod", (np.array([2.0, 0.0, 3.0], "float32"),), {}),
    ("diff", (X,), {}), ("diff", (X,), {"n": 2, "axis": 1}), ("diff", (B,), {}), ("trapezoid", (X,), {"dx": 0.5}),
    ("trapezoid", (X, V), {}), ("trapezoid", (X,), {"axis": 0}), ("moments", (T, (0, 2)), {}), ("moments", (T, [1]), {"keepdims": True}),
    ("normalize", (X,), {}), ("normalize", (X,), {"axis": 0, "order": 1}), ("normalize", (X,), {"order": 3}),
    ("dot", (X, X.T), {}), ("dot", (V, W), {}), ("dot", (T, V), {}), ("dot", (T, Q[..., :2].transpose(0, 1, 2)[:, :, :].repeat(2, 1)[:, :4]), {}),
    ("inner", (X, Y), {}), ("outer", (V, W), {}), ("vdot", (X, Y), {}), ("tensordot", (T, T), {"axes": ([0, 1], [0, 1])}),
    ("tensordot", (T, X.T), {"axes": 1}), ("matmul", (T, X.T), {}), ("matmul", (I, I.T), {}), ("einsum", ("ij,kj->ik", X, Y), {}),
    ("einsum", ("ij,jk,kl->il", X, X.T, X), {}), ("einsum", ("ii->i", Q[0]), {}), ("einsum", ("bij->b", T), {}),
    ("cross", (T[..., :3], Q), {}), ("cross", (X[:, :2], Y[:, :2]), {}), ("cross", (Q, Q[::-1]), {"axis": 1}), ("cdist", (X, Y), {}),
    ("corrcoef", (X,), {}), *(("correlate", (a, b), {"mode": m}) for m in ("valid", "same", "full") for a, b in [(V, W[:3]), (W[:2], V), (TALL[:, 0], W)]),
    *(("norm", (X,), {"ord": o, "axis": 1}) for o in (None, 2, 1, 3, np.inf, -np.inf)), ("norm", (X,), {}), ("norm", (X,), {"ord": 0, "axis": 0}),
    *(("norm", (X,), {"ord": o, "axis": (0, 1)}) for o in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)), ("norm", (T,), {"axis": (1, 2), "keepdims": True}),
    ("cholesky", (SPD,), {}), ("cholesky", (SPD,), {"upper": True}), ("inv", (DOMINANT,), {}), ("det", (DOMINANT,), {}), ("logdet", (SPD,), {}),
    ("slogdet", (DOMINANT,), {}), ("solve", (DOMINANT, Q), {}), ("solve", (DOMINANT[0], V[:3]), {}), ("lstsq", (TALL, _f(5)), {}), ("lstsq", (TALL, _f(5, 2)), {}),
    ("solve_triangular", (DOMINANT, Q), {"lower": True}), ("solve_triangular", (DOMINANT, Q), {}),
    # New arrays.
    ("arange", (5,), {}), ("arange", (1, 2, 0.25), {}), ("arange", (5, 1, -2), {"dtype": "float32"}), ("zeros", ((2, 3),), {}), ("ones", ((2,), "int32"), {}),
    ("full", ((2, 2), 3), {}), ("full", ((2,), 3.5), {"dtype": "int32"}), ("full_like", (I, 2.5), {}), ("full_like", (X, 2), {"dtype": "int32"}), ("eye", (3,), {}), ("eye", (2, 3), {"k": 1, "dtype": "int32"}),
    ("identity", (3,), {}), ("tri", (3, 4), {"k": 1}), ("linspace", (0, 1, 5), {}), ("linspace", (0, 1), {"num": 4, "endpoint": False, "retstep": True}),
    ("linspace", (V, W, 3), {"axis": 1}), ("logspace", (0, 2, 3), {}), ("geomspace", (1, 8, 4), {}), ("ones_like", (X,), {"dtype": "bool"}), ("zeros_like", (I,), {}),
    ("array", ([1, 2],), {}), ("array", ([1.5, 2],), {}), ("convert_to_tensor", ([True, False],), {}), ("convert_to_tensor", (X,), {"dtype": "int32"}), ("convert_to_numpy", (X,), {}),
    ("dtype", (I,), {}), ("dtype", (X,), {}), ("cast", (X, "int32"), {}), ("cast", (I, "bool"), {}), ("cast", (B, "float32"), {}),
    ("saturate_cast", (X * 300, "uint8"), {}), ("saturate_cast", (I, "uint8"), {}), ("saturate_cast", (X * 1e10, "int32"), {}),
    ("one_hot", (I, 4), {}), ("one_hot", (PLACES, 3), {"axis": 0, "dtype": "int32"}), ("multi_hot", (I, 4), {}), ("multi_hot", (PLACES, 4), {"dtype": "int32"}),
    ("polar", (P, X), {}), ("stop_gradient", (X,), {}),
    ("erf", (SPECIAL,), {}), ("erfinv", (np.array([-1.0, 1.0, 2.0, 0.0, 0.999], "float32"),), {}),
    ("batch_normalization", (T, V, P[0], -1, W, P[1]), {}), ("layer_normalization", (X,), {"gamma": V, "beta": W}), ("rms_normalization", (X,), {"scale": V}),
    ("binary_crossentropy", (U**2, U**2 * 0.9 + 0.05), {}), ("categorical_crossentropy", (P, P), {}), ("sparse_categorical_crossentropy", (np.array([0, 3, 1], "int32"), X), {"from_logits": True}),
]  # fmt: skip
