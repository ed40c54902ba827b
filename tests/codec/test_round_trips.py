"""Encoding and decoding: the same type, equal, as it was shared, and fresh."""

import array
import collections
import datetime
import decimal
import fractions
import pathlib
import re
import struct
import threading
import types
import uuid
import zoneinfo

import pytest

from hitsave.codec import decode, encode
from hitsave.errors import DamagedError, NotEncodableError


def through(value, allow_pickle=False):
    encoded = encode(value)
    buffers = [memoryview(bytes(buffer)) for buffer in encoded.buffers]
    return decode(encoded.payload, buffers, allow_pickle=allow_pickle)


class Model:
    def __init__(self, content):
        self.content = content


VALUES = [
    None, True, 0, -1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**5000, 1.5,
    float("inf"), 3 + 4j, "", "é", "\ud800", b"", b"\xff", bytearray(b"ab"), ..., NotImplemented,
    [], (), {}, set(), frozenset(), [1, [2, {"a": None}]], (1, (2, [3])), {(1, 2): {3}}, {1: 2},
    [(1, 2), (3, 4)], [(), (2**70, None)], [(1, b"x" * 70_000)], [((1,), 2)],
    {frozenset({1}), ("a", 2.0)}, [2**70], {"a": [2**70]}, b"x" * 70_000,
    ["x" * 70_000, b"y" * 70_000, bytearray(b"z" * 70_000)], range(2**70), slice(1, None),
    datetime.datetime(2020, 1, 1, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    datetime.datetime(2020, 1, 1, 1, 2, 3, 4, datetime.UTC), datetime.time(1, 2, 3, 4, fold=1),
    datetime.date.max, datetime.timedelta(-1, 2, 3), decimal.Decimal("-0.00"),
    datetime.timezone(datetime.timedelta(hours=1), "x"), fractions.Fraction(1, 3),
    uuid.UUID(int=5), pathlib.Path("a/b"), pathlib.PureWindowsPath("c:/d"), re.compile("a", re.I),
    re.compile(b"a"), array.array("d", [1.0]), array.array("i"), types.SimpleNamespace(a=[1]),
    types.MappingProxyType({"a": 1}), collections.OrderedDict([("b", 1), ("a", 2)]),
    collections.Counter("aab"), collections.deque([1, [2]], maxlen=3), collections.deque(),
    collections.defaultdict(list, a=[1]), collections.defaultdict(None, a=1),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}")
def test_a_value_comes_back_equal_and_of_its_type_without_pickle(value):
    for sent in (value, [value], (value,), {"k": (value, 1)}):
        back = through(sent)
        assert type(back) is type(sent)
        assert back == sent
    assert type(through([value])[0]) is type(value)


def test_what_equality_does_not_see_comes_back_too():
    assert struct.pack("<d", through(-0.0)) == struct.pack("<d", -0.0)
    assert [type(item) for item in through([1, True, 1.0])] == [int, bool, float]
    nan = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000123))[0]
    assert struct.pack("<d", through([nan])[0]) == struct.pack("<d", nan)
    assert list(through({"b": 1, "a": 2})) == ["b", "a"]
    assert through(collections.deque([1], maxlen=3)).maxlen == 3
    assert through(collections.defaultdict(list)).default_factory is list
    assert through(datetime.datetime(2020, 1, 1, fold=1)).fold == 1
    assert str(through(decimal.Decimal("1.00"))) == "1.00"


def test_exceptions_come_back_but_for_where_they_were_raised():
    try:
        try:
            raise KeyError("a", [1])
        except KeyError as inner:
            inner.add_note("seen")
            raise ValueError(2) from inner
    except ValueError as outer:
        error = outer
    error.found = [error]
    back = through([error, error])[0]
    assert type(back) is ValueError
    assert (back.args, back.__suppress_context__, back.__traceback__) == ((2,), True, None)
    assert back.found[0] is back
    assert back.__cause__ is back.__context__
    assert (type(back.__cause__), back.__cause__.args) == (KeyError, ("a", [1]))
    assert back.__cause__.__notes__ == ["seen"]
    assert type(through(OSError(2, "gone", "a"), allow_pickle=True)) is FileNotFoundError


def test_what_was_shared_is_shared_and_what_was_not_is_not():
    part = [1]
    back = through([part, part, (part, {"a": part}), [1]])
    assert back[0] is back[1] is back[2][0] is back[2][1]["a"]
    assert back[3] is not back[0]
    inner = {"k": [1]}
    back = through((inner, [inner["k"]], {1, 2}))
    assert back[0]["k"] is back[1][0]


def test_cycles_come_back_as_they_were():
    ring = [1]
    ring.append({"self": (ring, collections.deque([ring]))})
    back = through(ring)
    assert back[1]["self"][0] is back
    assert back[1]["self"][1][0] is back


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {"a": v}])
def test_ten_thousand_levels_come_back(wrap):
    value = 0
    for _ in range(10_000):
        value = wrap(value)
    back = through(value)
    for _ in range(10_000):
        assert type(back) is type(value)
        back = next(iter(back.values())) if type(back) is dict else back[0]
    assert back == 0


def test_each_decoding_gives_new_objects():
    encoded = encode({"a": [1], "b": bytearray(b"x" * 70_000)})
    buffers = [memoryview(bytes(buffer)) for buffer in encoded.buffers]
    one = decode(encoded.payload, buffers, allow_pickle=False)
    one["a"].append(2)
    one["b"][0] = 0
    two = decode(encoded.payload, buffers, allow_pickle=False)
    assert two == {"a": [1], "b": bytearray(b"x" * 70_000)}


def test_large_bytes_go_out_of_line_and_small_ones_do_not():
    assert encode(b"x" * 65_535).buffers == ()
    encoded = encode((b"x" * 65_536, 1))
    assert [memoryview(buffer).nbytes for buffer in encoded.buffers] == [65_536]
    assert len(encoded.payload) < 100


def test_other_objects_go_through_pickle_and_are_marked():
    shared = [1]
    encoded = encode([Model(shared), shared])
    assert encoded.pickled
    with pytest.raises(DamagedError, match="not trusted"):
        decode(encoded.payload, [], allow_pickle=False)
    back = decode(encoded.payload, [], allow_pickle=True)
    assert type(back[0]) is Model
    assert back[0].content is back[1]
    assert not encode([1, (2,)]).pickled


def test_subclasses_are_not_taken_for_their_base():
    class_ = type("Words", (list,), {"__module__": __name__})
    globals()["Words"] = class_
    try:
        assert type(through(class_([1]), allow_pickle=True)) is class_
    finally:
        del globals()["Words"]


def test_a_pickle_whose_class_is_gone_is_damaged():
    gone = type("Gone", (), {"__module__": __name__})
    globals()["Gone"] = gone
    encoded = encode(gone())
    del globals()["Gone"]
    with pytest.raises(DamagedError):
        decode(encoded.payload, [], allow_pickle=True)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (threading.Lock(), ""),
        ([1, {"a": Model(threading.Lock())}], "[1]['a'].content"),
        (lambda: 0, ""),
        ({"f": (1, lambda: 0)}, "['f'][1]"),
        ((number for number in []), ""),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_path(value, path):
    with pytest.raises(NotEncodableError) as caught:
        encode(value)
    assert caught.value.path == path
