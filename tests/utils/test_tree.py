"""pynn.tree: kinds of structures, and errors; tests/parity compares it with Keras."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from pynn import tree
from pynn.errors import StructureError

Point = namedtuple("Point", "x y")
ORDERED = OrderedDict([("b", 1), ("a", 2)])
FILLING = defaultdict(list, z=1, y=2)


def test_leaves_in_order():
    assert tree.flatten({"b": 1, "a": (2, None)}) == [2, None, 1]
    assert tree.flatten(ORDERED) == [1, 2]
    assert tree.flatten([FILLING, Point(3, [4]), deque([5, 6])]) == [2, 1, 3, 4, 5, 6]
    assert tree.flatten({"a": 1, 2: 3}) == [3, 1]
    assert (tree.flatten(None), tree.flatten([])) == ([None], [])
    assert tree.flatten_with_path(Point(1, [2])) == [((0,), 1), ((1, 0), 2)]


def test_kinds_and_the_order_of_keys_are_kept():
    for structure in (ORDERED, FILLING, Point(1, 2), deque([1, 2], maxlen=3), {"b": 1, "a": [2, (3,)]}, [None]):
        same = tree.map_structure(lambda x: x, structure)
        assert same == structure
        assert type(same) is type(structure)
    assert list(tree.map_structure(lambda x: x, {"b": 1, "a": 2})) == ["b", "a"]
    assert tree.map_structure(lambda x: x, FILLING).default_factory is list
    assert tree.pack_sequence_as(ORDERED, [10, 20]) == OrderedDict([("b", 10), ("a", 20)])


def test_several_structures():
    assert tree.map_structure(lambda a, b: a + b, ORDERED, {"a": 10, "b": 20}) == OrderedDict([("b", 21), ("a", 12)])
    assert tree.map_structure(lambda x: 7, [None, 1], none_is_leaf=False) == [None, 7]
    for a, b in (([1, 2], [3, (4,)]), ([1, 2], (3, 4)), ([1], [1, 2]), (1, [1]), (Point(1, 2), (1, 2))):
        with pytest.raises(StructureError, match="not alike"):
            tree.map_structure(lambda a, b: a, a, b)
        with pytest.raises(StructureError, match="not alike"):
            tree.assert_same_structure(a, b)
    with pytest.raises(StructureError, match=r"keys \['a'\], received \['b'\]"):
        tree.assert_same_structure({"a": 1}, {"b": 1})
    tree.assert_same_structure(ORDERED, {"a": None, "b": 1})
    with pytest.warns(DeprecationWarning, match="check_types has no effect"):
        tree.assert_same_structure([1], [2], check_types=True)


def test_up_to_a_shallow_structure():
    assert tree.map_structure_up_to([1, 2], lambda a, b: (a, b), [1, [2, 3]], [4, [5]]) == [(1, 4), ([2, 3], [5])]
    assert tree.map_structure_up_to(1, lambda a: a, [1, 2]) == [1, 2]
    for shallow, deep in (([1, 2], [1]), ([1], (1,)), ({"a": 0}, {"b": 0}), ([1], 1)):
        with pytest.raises(StructureError):
            tree.map_structure_up_to(shallow, lambda a: a, deep)


def test_paths():
    tree.assert_same_paths({"a": [1]}, {"a": (2,)})
    with pytest.raises(StructureError, match=r"only in the first \[\('a',\)\], only in the second \[\(0,\)\]"):
        tree.assert_same_paths({"a": 1}, [1])


def test_traversing():
    seen = []

    def visit(item):
        seen.append(item)
        return {2: tree.MAP_TO_NONE, 3: 33}.get(item) if isinstance(item, int) else None

    assert tree.traverse(visit, [1, {"b": 2, "a": 3}]) == [1, {"b": None, "a": 33}]
    assert seen == [[1, {"b": 2, "a": 3}], 1, {"b": 2, "a": 3}, 3, 2]
    seen.clear()
    assert tree.traverse(visit, [1, (2,)], top_down=False) == [1, (None,)]
    assert seen == [1, 2, (None,), [1, (None,)]]


def test_counts_and_functions_are_checked():
    for structure, leaves in (([0, 0], [1]), ([0], [1, 2]), (0, [5, 6])):
        with pytest.raises(StructureError, match="pack_sequence_as: the structure has"):
            tree.pack_sequence_as(structure, leaves)
    for call in (tree.map_structure, tree.traverse, tree.map_shape_structure):
        with pytest.raises(TypeError, match="expected a function, received 3"):
            call(3, [1])
    with pytest.raises(StructureError, match="at least one structure"):
        tree.map_structure(lambda: 1)


def test_shapes():
    assert tree.map_shape_structure(tuple, [(1, 2), [3, None], ()]) == [(1, 2), (3, None), ()]
    assert tree.lists_to_tuples([1, {"a": [2, (3, [4])]}]) == (1, {"a": (2, (3, (4,)))})
