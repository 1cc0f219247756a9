"""pynn.tree gives what keras.tree gives, and refuses what it refuses."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from pynn import tree

Point = namedtuple("Point", "x y")
ORDERED = OrderedDict([("b", 1), ("a", 2)])
STRUCTURES = [
    None,
    5,
    [],
    (),
    {},
    [1, (2, None), {"b": [3], "a": 4}],
    ORDERED,
    defaultdict(list, z=1, y=[2]),
    Point(1, [2]),
    deque([1, (2, 3)]),
    {2: 1, 1: 2},
    {"a": 1, 2: 3},
    [[[]], {"k": ()}],
    "text",
]
PAIRS = [
    ([1, 2], [3, 4]),
    ([1, 2], (3, 4)),
    ([1, 2], [3]),
    ([1, 2], [3, [4]]),
    ({"a": 1}, {"b": 1}),
    (ORDERED, {"a": 3, "b": 4}),
    ({"a": 3, "b": 4}, ORDERED),
    (1, [1]),
    (1, 2),
    (Point(1, 2), Point(3, 4)),
    (Point(1, 2), (3, 4)),
    (deque([1]), [1]),
    ([1, {"a": (2,)}], [3, {"a": (4,)}]),
]


def outcome(function, *args, **options):
    """The result with the types inside, or what kind of error there is."""
    try:
        result = function(*args, **options)
    except (ValueError, TypeError) as error:
        return ValueError if isinstance(error, ValueError) else TypeError
    return repr(result), type(result)


def same(keras, name, *args, **options):
    expected = outcome(getattr(keras.tree, name), *args, **options)
    assert outcome(getattr(tree, name), *args, **options) == expected, (name, args)


def test_the_names(keras):
    assert {n for n in dir(keras.tree) if not n.startswith("_")} <= set(dir(tree))


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_one_structure(keras, structure):
    for name in ("flatten", "flatten_with_path", "is_nested", "lists_to_tuples"):
        same(keras, name, structure)
    same(keras, "map_structure", lambda x: (x, x), structure)
    same(keras, "map_structure", lambda x: (x, x), structure, none_is_leaf=False)
    for top_down in (True, False):
        same(keras, "traverse", lambda x: "T" if isinstance(x, tuple) else None, structure, top_down=top_down)
    for count in range(5):
        same(keras, "pack_sequence_as", structure, list(range(count)))


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=repr)
def test_two_structures(keras, a, b):
    same(keras, "map_structure", lambda x, y: (x, y), a, b)
    same(keras, "map_structure_up_to", a, lambda x: x, b)
    same(keras, "assert_same_structure", a, b)
    same(keras, "assert_same_paths", a, b)


@pytest.mark.parametrize("shapes", [(1, 2), (), [3, None], {"a": (None, 2), "b": [(1,), (2,)]}], ids=repr)
def test_shapes(keras, shapes):
    same(keras, "map_shape_structure", lambda s: ("shape", *s), shapes)
