"""Instances of classes with fields: by class and names, without pickle, without their code."""

import collections
import dataclasses
import enum
import sys
import types
from typing import Any, Generic, NamedTuple, TypeVar

import pytest

from hitsave.codec import decode, encode
from hitsave.errors import DamagedError


def through(value, allow_pickle=False):
    encoded = encode(value)
    assert allow_pickle or not encoded.pickled
    buffers = [memoryview(bytes(buffer)) for buffer in encoded.buffers]
    return decode(encoded.payload, buffers, allow_pickle=allow_pickle)


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = 0


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: Any
    _hidden: int = 1


@dataclasses.dataclass(slots=True)
class Slotted:
    x: Any
    y: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Child(Slotted.__mro__[-1]):
    a: Any = None


T = TypeVar("T")


@dataclasses.dataclass
class Box(Generic[T]):
    content: T


@dataclasses.dataclass
class Loud:
    """Says so when its code runs."""

    x: int

    def __post_init__(self):
        raise AssertionError("built by its own code")

    def __setattr__(self, name, value):
        raise AssertionError("set by its own code")

    def __getattribute__(self, name):
        raise AssertionError("read by its own code")

    def __eq__(self, _):
        raise AssertionError("compared by its own code")

    __hash__ = None


@dataclasses.dataclass
class Shadowed:
    """Has a property of the name of what lies in its `__dict__`."""

    x: int


Shadowed.y = property(lambda _: 1 / 0, lambda *_: 1 / 0)


class Pair(NamedTuple):
    first: Any
    second: Any = None


class Named(collections.namedtuple("Named", "a b")):
    """Has a `__dict__`."""


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796
    BLUE = ("b", 2.0)
    ODD = [1]  # noqa: RUF012


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    A = "a"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Mask(enum.IntFlag):
    A = 1
    B = 2


class Outer:
    @dataclasses.dataclass
    class Inner:
        x: int


VALUES = [
    Point(1), Point([1], Point(None, {"a": Point(2)})), Frozen("a"), Slotted(1, (2,)), Child(1),
    Box(1), Pair(1), Pair([1], Pair((), {})), Named(1, 2), Outer.Inner(3), *Colour, Level.LOW,
    Word.A, Right.READ, Right.READ | Right.WRITE, Right(0), Mask(3), Mask(8), {Colour.RED: 1},
    {Frozen(1), Frozen(2)}, frozenset({(Frozen(1),), Pair(1, 2)}), {Pair(1, 2): Pair(3, 4)},
    [Point(1), Point(2)], [Point(Point(1), [1]), Point(Point(2), [2])], [Pair(1), Pair(2)],
    [Point(1), Pair(1)], [Frozen(1), Frozen(2)], [Slotted(1), Slotted(2)], [Point(1), Frozen(2)],
    [Pair((1,), b"x" * 70_000), Pair((2,), 2**80)], [Colour.RED, Colour.BLUE], [Pair(1)],
    [{"a": (1,)}, {"a": (2,)}], [{"a": (1,)}, {"b": (2,)}],
    [{"a": (), "b": ()}, {"b": (), "a": ()}],
    [{}, {}, ()], {str(i): i for i in range(100)}, {i: (i,) for i in range(100)},
    {(i,): i for i in range(100)}, {i: Point(i) for i in range(100)}, [[Point(1)] * 2, Point(1)],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_equal_and_of_its_type_without_pickle(value):
    for sent in (value, [value, value], (value, 1), Point(value)):
        back = through(sent)
        assert type(back) is type(sent)
        assert back == sent
        assert repr(back) == repr(sent)


def test_enum_members_are_the_members():
    assert through([Colour.CRIMSON, Level.LOW])[0] is Colour.RED
    assert through(Right.READ | Right.WRITE) is Right.READ | Right.WRITE


def test_no_code_of_the_class_runs():
    one, two = object.__new__(Loud), object.__new__(Loud)
    for loud, x in ((one, 1), (two, 2)):
        object.__getattribute__(loud, "__dict__")["x"] = x
    for back in (through([one])[0], *through([one, two])[:1]):
        assert type(back) is Loud
        assert object.__getattribute__(back, "__dict__") == {"x": 1}


def test_what_lies_in_the_dict_comes_back_in_its_order():
    one, two = Point(1), Point(2)
    one.extra, two.extra = "a", "b"
    del one.x
    one.x = 3
    assert list(vars(through(one))) == ["y", "extra", "x"]
    assert [list(vars(back).items()) for back in through([one, two])] == [
        [("y", 0), ("extra", "a"), ("x", 3)], [("x", 2), ("y", 0), ("extra", "b")]
    ]  # fmt: skip
    shadowed = Shadowed(1)
    vars(shadowed)["y"] = 5
    assert vars(through(shadowed)) == {"x": 1, "y": 5}
    assert vars(through([shadowed, Shadowed(2)])[0]) == {"x": 1, "y": 5}


def test_slots_that_were_never_assigned_stay_so():
    empty = object.__new__(Slotted)
    empty.y = 1
    for back in (through(empty), through([empty, Slotted(1)])[0], through([Slotted(1), empty])[1]):
        assert back.y == 1
        assert not hasattr(back, "x")


def test_shared_instances_are_shared_and_cycles_close():
    point = Point(1)
    back = through([point, point, {"a": point}, [point, Point(2)], Point(1)])
    assert back[0] is back[1] is back[2]["a"] is back[3][0]
    assert back[4] is not back[0]
    ring = Point([])
    ring.x.append(ring)
    pair = Pair([], ring)
    pair.first.append((pair,))
    for back in (through(ring), through([ring, Point(1)])[0], through([Pair(ring), Pair(1)])[0][0]):
        assert back.x[0] is back
    back = through(pair)
    assert back.first[0][0] is back
    assert back.second.x[0] is back.second
    rows = [(1, 2), (3, 4)]
    back = through([rows, rows[0]])
    assert back[0][0] is back[1]
    points = [Point(1), Point(2)]
    points[1].y = points
    assert through(points)[1].y[0].x == 1
    back = through(points)
    assert back[1].y is back


def test_a_cycle_through_tuples_closes():
    inner: list[Any] = []
    outer = (inner,)
    inner.append((outer, {"a": (outer,)}))
    back = through(outer)
    assert back[0][0][0] is back
    assert back[0][0][1]["a"][0] is back


def test_a_hundred_thousand_nodes_in_a_row_come_back():
    node = None
    for number in range(100_000):
        node = Point(number, node)
    back = through(node)
    for number in reversed(range(100_000)):
        assert back.x == number
        back = back.y
    assert back is None


class Reduced(Pair):
    def __reduce__(self):
        return Reduced, (1, 2)


@dataclasses.dataclass
class Stated:
    x: int

    def __getstate__(self):
        return {"x": self.x + 1}


@dataclasses.dataclass
class Words(dict):
    x: int


@dataclasses.dataclass
class Failure(Exception):
    x: int


class Tagged(list):
    pass


@pytest.mark.parametrize("value", [Reduced(5, 6), Stated(1), Words(1), Failure(1), Tagged([1])])
def test_classes_that_say_how_they_are_pickled_are_pickled(value):
    for sent in (value, [value, type(value).__reduce_ex__ and value]):
        assert encode(sent).pickled
    assert type(through(value, allow_pickle=True)) is type(value)
    if type(value) is Stated:
        assert through(value, allow_pickle=True).x == 2


def replaced(monkeypatch, kind, **attributes):
    new = type(kind.__name__, (), {"__module__": kind.__module__, **attributes})
    monkeypatch.setattr(sys.modules[kind.__module__], kind.__name__, new)


@pytest.mark.parametrize("value", [Point(1), [Point(1), Point(2)], Pair(1), Colour.RED])
def test_a_class_that_is_gone_or_another_is_damage(value, monkeypatch):
    encoded = encode(value)
    kind = type(value[0]) if type(value) is list else type(value)
    replaced(monkeypatch, kind)
    with pytest.raises(DamagedError):
        decode(encoded.payload, [], allow_pickle=True)
    monkeypatch.delattr(sys.modules[kind.__module__], kind.__name__)
    with pytest.raises(DamagedError):
        decode(encoded.payload, [], allow_pickle=True)


def test_a_class_with_other_fields_is_damage(monkeypatch):
    encoded = encode([Point(1), Point(2)])
    fields = {"__annotations__": {"x": int, "z": int}, "z": 1, "__qualname__": "Point"}
    new = dataclasses.dataclass(type("Point", (), {"__module__": __name__, **fields}))
    monkeypatch.setattr(sys.modules[__name__], "Point", new)
    with pytest.raises(DamagedError, match="other fields"):
        decode(encoded.payload, [], allow_pickle=True)


def test_a_member_with_another_value_is_damage(monkeypatch):
    encoded = encode(Colour.RED)
    other = enum.Enum("Colour", {"RED": 7}, module=__name__, qualname="Colour")
    monkeypatch.setattr(sys.modules[__name__], "Colour", other)
    with pytest.raises(DamagedError, match="member"):
        decode(encoded.payload, [], allow_pickle=True)


def test_modules_are_imported_for_trusted_bytes_only(tmp_path, monkeypatch):
    (tmp_path / "shapes_elsewhere.py").write_text(
        "import dataclasses\n@dataclasses.dataclass\nclass There:\n    x: int\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import shapes_elsewhere

    encoded = encode(shapes_elsewhere.There(1))
    del sys.modules["shapes_elsewhere"]
    with pytest.raises(DamagedError, match="not there"):
        decode(encoded.payload, [], allow_pickle=False)
    assert "shapes_elsewhere" not in sys.modules
    assert decode(encoded.payload, [], allow_pickle=True).x == 1


@pytest.mark.parametrize("value", [Point(1), lambda: 0])
def test_classes_of_another_main_module_are_not_taken_for_ones_of_this(value, monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = "/one/first.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    if type(value) is Point:
        fields = {"__module__": "__main__", "__annotations__": {"x": int}}
        main.Mine = dataclasses.dataclass(type("Mine", (), fields))
        value = main.Mine(1)
    else:
        main.Mine = type("Mine", (), {"__module__": "__main__"})
        value = main.Mine()
    encoded = encode(value)
    assert type(decode(encoded.payload, [], allow_pickle=True)) is main.Mine
    main.__file__ = "/one/second.py"
    with pytest.raises(DamagedError):
        decode(encoded.payload, [], allow_pickle=True)


def test_attrs_classes_and_pydantic_models_come_back():
    attrs = pytest.importorskip("attrs")
    pydantic = pytest.importorskip("pydantic")
    module = sys.modules[__name__]
    body = {"__module__": __name__, "__annotations__": {"x": Any, "y": Any}, "y": 1}
    module.Defined = attrs.define(type("Defined", (), body))
    module.Plain = attrs.define(type("Plain", (), dict(body)), slots=False, frozen=True)
    module.Hashed = attrs.frozen(type("Hashed", (), dict(body)), cache_hash=True)
    private = {"_z": pydantic.PrivateAttr(default=3)}
    module.Model = type("Model", (pydantic.BaseModel,), {**body, **private})
    try:
        for kind in (module.Defined, module.Plain, module.Model):
            values = [kind(x=1), kind(x=[kind(x=(2,), y=3)])]
            for sent in (values[0], values[1], values):
                back = through(sent)
                assert back == sent
                assert repr(back) == repr(sent)
        model = module.Model(x=1)
        model._z = 9
        back = through(model)
        assert back._z == 9
        assert back.model_fields_set == {"x"}
        hashed = module.Hashed(x="a")
        hash(hashed)
        assert encode(hashed).pickled
    finally:
        for name in ("Defined", "Plain", "Hashed", "Model"):
            delattr(module, name)


def test_columns_are_smaller_than_the_rows_would_be():
    many = [Point(number, "a") for number in range(1000)]
    assert len(encode(many).payload) < 8 * len(many)
