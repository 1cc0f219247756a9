"""Variables outside and inside of traces."""

import copy
import pickle

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.ir import Spec
from pynn.graph.tensor import Tensor
from pynn.graph.trace import Trace


def test_ways_to_make_one():
    assert pynn.Variable(3).dtype == "int32"
    assert pynn.Variable([1, 2.5]).dtype == "float32"
    assert pynn.Variable(np.zeros(2)).dtype == "float32"
    assert pynn.Variable(True).dtype == "bool"
    assert pynn.Variable([1, 2], dtype="float32").dtype == "float32"
    assert pynn.Variable("ones", shape=(2, 3)).numpy().tolist() == [[1] * 3] * 2
    made = pynn.Variable(lambda shape, dtype: np.full(shape, 7, dtype), shape=(2,), dtype="int32")
    assert (made.dtype, made.numpy().tolist()) == ("int32", [7, 7])
    drawn = pynn.Variable(pynn.initializers.RandomNormal(seed=1), shape=(50,))
    assert drawn.numpy().std() > 0
    pynn.utils.clear_session()
    assert [pynn.Variable(1.0).name for _ in range(2)] == ["variable", "variable_1"]


def test_bad_ways_to_make_one():
    with pytest.raises(ArgumentError, match=r"'w': an initializer needs the full shape.*shape=\(...\)"):
        pynn.Variable("zeros", name="w")
    with pytest.raises(ArgumentError, match="without '/', received 'a/b'"):
        pynn.Variable(1.0, name="a/b")
    with pytest.raises(ShapeError, match=r"'w': the numbers have shape \(2,\), expected \(3,\)"):
        pynn.Variable([1.0, 2.0], shape=(3,), name="w")
    with pytest.raises(DtypeError, match="expected numbers, received list"):
        pynn.Variable(["a"])


def test_assigning():
    v = pynn.Variable([1.0, 2.0])
    assert v.assign([3, 4]).numpy().tolist() == [3, 4]
    v.assign_add([1.0, 1.0])
    v.assign_sub(np.array([0.5, 0.0]))
    np.testing.assert_array_equal(v, [3.5, 5.0])
    with pytest.raises(ShapeError, match=r"cannot assign an array of shape \(3,\), expected \(2,\)"):
        v.assign([1, 2, 3])
    follows, copied = v.value, v.numpy()
    v.assign([0.0, 0.0])
    assert (follows.numpy().tolist(), copied.tolist()) == ([0, 0], [3.5, 5])
    with pytest.raises(ValueError, match="read-only"):
        follows[0] = 1


_X = np.array([[1.0, -2.0], [3.0, 5.0]], "float32")
_FORMULAS = {
    "left": lambda v: (v + 1) * 2 - v / 2,
    "right": lambda v: 1 + (2 * (3 - v)) / (v + 10),
    "powers": lambda v: v**2 + 2**v,
    "products": lambda v: v @ _X + _X @ v,
    "signs": lambda v: abs(-v) + (+v),
    "whole": lambda v: v // 2 + v % 2 + 7 // v + 7 % v,
    "compare": lambda v: (v > 1) & (v < 4) | (v >= 5) ^ (v <= -5),
    "equal": lambda v: (v == 3.0) | (v != 1.0),
    "not": lambda v: ~(v > 0),
    "index": lambda v: v[0] + v[:, 1] + v[-1, 0],
    "array first": lambda v: _X + v - _X * v,
    "two of them": lambda v: v + v * v,
    "items": lambda v: sum(row[0] for row in v) + len(v),
}


@pytest.mark.parametrize("name", _FORMULAS)
def test_operators_are_those_of_numpy_inside_and_outside_of_traces(name):
    formula, v = _FORMULAS[name], pynn.Variable(_X)
    expected = np.asarray(formula(_X))
    outside = formula(v)
    assert isinstance(outside, Tensor) or name == "items"  # Python's sum begins with its own 0
    np.testing.assert_allclose(outside, expected, rtol=1e-6)

    @pynn.jit
    def compiled():
        return formula(v)

    np.testing.assert_allclose(compiled(), expected, rtol=1e-6)
    with pynn.GradientTape():
        recorded = formula(v)
    np.testing.assert_allclose(recorded, expected, rtol=1e-6)


def test_rounding():
    rounded = round(pynn.Variable([1.26, -2.0]) + 1, 1)
    assert isinstance(rounded, Tensor)
    np.testing.assert_allclose(rounded, [2.3, -1.0], rtol=1e-6)


def test_as_plain_numbers():
    v = pynn.Variable(2.5)
    assert (float(v), int(v), f"{v:.1f}") == (2.5, 2, "2.5")
    assert [10, 20, 30][pynn.Variable(1)] == 20
    with pytest.raises(TypeError, match="has no truth"):
        bool(v)
    with pytest.raises(TypeError, match="no length"):
        len(v)
    assert np.exp(pynn.Variable([0.0])).tolist() == [1]
    assert repr(pynn.Variable([1.0], name="w")) == "<Variable path=w, shape=(1,), dtype=float32, value=[1.]>"


def test_they_are_found_in_sets_by_identity():
    a, b = pynn.Variable([1.0, 2.0]), pynn.Variable([1.0, 2.0])
    assert len({a, b, a}) == 2
    assert (a == b).all()


def test_copies_have_memory_of_their_own():
    v = pynn.Variable([1.0, 2.0], trainable=False, name="w")
    for other in (copy.deepcopy(v), copy.copy(v), pickle.loads(pickle.dumps(v))):
        assert (other.name, other.trainable, other.numpy().tolist()) == ("w", False, [1, 2])
        assert other.array.ctypes.data % 64 == 0
        other.assign([0, 0])
    assert v.numpy().tolist() == [1, 2]


def test_assigning_numbers_while_a_graph_is_traced_belongs_to_the_graph():
    v = pynn.Variable([1.0, 2.0])
    with Trace() as trace:
        x = trace.input("x", Spec((2,)))
        v.assign_add(x)
        inside = v.value
        v.assign([0.0, 0.0])
        graph = trace.finish([inside])
    assert v.numpy().tolist() == [1, 2]
    assert [variable is v for variable, _ in graph.updates] == [True]
    from pynn.executor.native import compile_graph

    (seen,) = compile_graph(graph)([np.array([10, 20], "float32")])
    assert (seen.tolist(), v.numpy().tolist()) == ([11, 22], [0, 0])


def test_layers_are_built_outside_of_the_graph():
    """What ``build`` computes with ops are numbers, and assigning there is done once."""

    class Steps(pynn.layers.Layer):
        def build(self, input_shape):
            self.start = ops.add(np.ones(input_shape[-1:], "float32"), 1.0)
            self.w = self.add_weight(shape=input_shape[-1:], initializer="zeros", name="w")
            self.w.assign(self.start)

        def call(self, x):
            self.w.assign_add(ops.ones_like(self.w))
            return x * self.w

    layer = Steps()
    x = np.ones((1, 2), "float32")
    assert [layer(x).tolist() for _ in range(3)] == [[[3, 3]], [[4, 4]], [[5, 5]]]
    assert type(layer.start) is Tensor
