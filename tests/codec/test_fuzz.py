"""Bytes that nobody wrote: damage or a value; no crash, no code, not much more memory than bytes.

`FUZZ_EXAMPLES` says how many of each kind are tried; `nox -s fuzz` tries many.
"""

import collections
import contextlib
import dataclasses
import datetime
import decimal
import enum
import fractions
import os
import pathlib
import re
import sys
import tracemalloc
import types
import uuid
import zoneinfo
from typing import Any, NamedTuple

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hitsave
from hitsave.codec import decode, encode
from hitsave.errors import DamagedError

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
MOST_MEMORY = 16 << 20

often = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = 0


class Pair(NamedTuple):
    first: Any
    second: Any


class Colour(enum.Enum):
    RED = 1


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Kept:
    def __init__(self, data, buffers):
        self.data, self.buffers = data, buffers


hitsave.register_codec(Kept, "fuzz.kept", 1, lambda v: (v.data, v.buffers), Kept)

RING: list[Any] = [1]
RING.append((RING, {"a": RING}))
CORPUS = [
    {"t": (1, [2], {3}), "big": 2**80, "f": frozenset({("a", 1.0)})}, RING,
    [Point(1), Point("a")], [Point(Point(1)), Point(Point(2))], Point([Point(1)]),
    [Pair(1, (2,)), Pair(2, (3,))], Pair(Pair(1, 2), [3]), [(1, 2), (3, 4)], [Colour.RED, Right(3)],
    [{"a": (1,)}, {"a": (2,)}], {number: (number,) for number in range(70)}, b"x" * 70_000,
    {str(number): number for number in range(70)}, Kept({"a": [1]}, [b"abc", b"x" * 70_000]),
    datetime.datetime(2020, 1, 1, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    [datetime.time(1, tzinfo=datetime.UTC), datetime.date.max, datetime.timedelta(-1, 2, 3)],
    [decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.Path("a/b")],
    [re.compile("a+", re.I), range(5), slice(1, None), 3 + 4j, ..., bytearray(b"ab")],
    [collections.OrderedDict(a=1), collections.Counter("ab"), collections.deque([1], maxlen=2)],
    [collections.defaultdict(list, a=[1]), types.SimpleNamespace(a=1)],
    types.MappingProxyType({1: 2}),
    [np.arange(6.0).reshape(2, 3), np.float32(1), np.dtype("i4"), np.array([None, (1,)], object)],
    np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]), np.arange(20_000),
    ValueError("a", [1]),
]  # fmt: skip


def library_values():
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        frame = pandas.DataFrame(
            {"a": [1, 2], "b": ["x", None], "c": pandas.Categorical(["x", "y"])}
        )
        yield frame.set_index(pandas.date_range("2020", periods=2, tz="UTC"))
        yield pandas.Series([pandas.Period("2020", "M")] * 2).set_axis([("a", 1), ("b", 2)])
    if "scipy.sparse" in sys.modules:
        yield sys.modules["scipy.sparse"].csr_array(np.eye(3))
        yield sys.modules["scipy.sparse"].coo_array(np.eye(3))
    if "torch" in sys.modules:
        yield [sys.modules["torch"].arange(6.0).reshape(2, 3), sys.modules["torch"].ones(2)]
    if "PIL.Image" in sys.modules:
        yield sys.modules["PIL.Image"].new("RGB", (3, 2))


@pytest.fixture(scope="module", autouse=True)
def libraries():
    for name in ("pandas", "scipy.sparse", "torch", "PIL.Image"):
        # The fuzz session has them; elsewhere what is installed takes part.
        try:
            __import__(name)
        except ImportError:
            continue
    # What looks for a zone that there is not is loaded with the first of them.
    with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError):
        zoneinfo.ZoneInfo("Nowhere")
    ENCODED[:] = [encode(value) for value in [*CORPUS, *library_values()]]
    for encoded in ENCODED:
        assert not encoded.pickled
        outcome(encoded.payload, encoded)


ENCODED: list[Any] = []
_watching = False
_seen: list[tuple[str, Any]] = []
_CODE = frozenset({"exec", "os.system", "subprocess.Popen", "pickle.find_class", "import", "open"})


def _watch(event, arguments):
    if _watching and event in _CODE and "zoneinfo" not in str(arguments[0]):
        _seen.append((event, arguments[0]))


sys.addaudithook(_watch)


def outcome(payload, encoded):
    buffers = [memoryview(bytearray(buffer)) for buffer in encoded.buffers]
    try:
        return decode(payload, buffers, allow_pickle=False)
    except DamagedError:
        return DamagedError


def watched(payload, encoded):
    """Decode, and fail where code ran or where far more memory was taken than there are bytes."""
    global _watching
    _seen.clear()
    tracemalloc.start()
    _watching = True
    try:
        outcome(payload, encoded)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        _watching = False
        tracemalloc.stop()
    assert not _seen
    assert peak < MOST_MEMORY


@often
@given(st.data())
def test_changed_bytes(data):
    encoded = ENCODED[data.draw(st.integers(0, len(ENCODED) - 1))]
    changed = bytearray(encoded.payload)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, max(len(changed) - 1, 0)))
        size = data.draw(st.integers(0, 4))
        changed[start : start + size] = data.draw(st.binary(max_size=5))
    watched(bytes(changed), encoded)


@often
@given(st.data())
def test_spliced_bytes(data):
    one, two = (ENCODED[data.draw(st.integers(0, len(ENCODED) - 1))] for _ in range(2))
    first = one.payload[: data.draw(st.integers(0, len(one.payload)))]
    watched(first + two.payload[data.draw(st.integers(0, len(two.payload))) :], one)


odd = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 9), st.sampled_from([2**31, 2**40, -(2**63), 2**63]),
    st.floats(), st.text(max_size=3), st.binary(max_size=9),
    st.lists(st.integers(-2, 9), max_size=3),
    st.sampled_from(["'<f8'", "'|O'", "'|S0'", "tuple.1", "tree.1", "columns.1", "re:RegexFlag"]),
    st.sampled_from([["instance.1", "os:environ", [], [], []], ["enum.1", "re:RegexFlag"]]),
    st.sampled_from([["keys.1", "a"], ["registered.1", "fuzz.kept", 1]]),
    st.recursive(st.integers(-1, 3), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)  # fmt: skip


def places(value, path=()):
    yield path
    if type(value) is list:
        for position, part in enumerate(value[:40]):
            yield from places(part, (*path, position))


def replaced(value, path, part):
    if not path:
        return part
    copy = list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], part)
    return copy


@often
@given(st.data())
def test_changed_records(data):
    encoded = ENCODED[data.draw(st.integers(0, len(ENCODED) - 1))]
    content = msgpack.unpackb(encoded.payload, strict_map_key=False)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(content))[1:] or [()]))
        content = replaced(content, path, data.draw(odd))
    watched(msgpack.packb(content), encoded)


@often
@given(st.binary(max_size=200))
def test_any_bytes(content):
    for start in (b"", b"\x93\x01\x00", b"\x94\x01\x01", b"\x94\x01\x02"):
        watched(start + content, ENCODED[0])


def packed(names, *records):
    return msgpack.packb([1, 1, names, list(records)])


POINT = ["instance.1", f"{__name__}:Point", ["x", "y"], ["x", "y"], []]


@pytest.mark.parametrize(
    "payload",
    [
        packed(["bytes.1"], [0, 10**10]), packed(["bytearray.1"], [0, 2**40]),
        packed(["fractions.Fraction.1"], [0, "1e9999999999"]),
        packed(["re.Pattern.1"], [0, "a", 128]), packed(["torch.dtype.1"], [0, "onnx"]),
        packed(["columns.1", POINT], [0, 1, 2**40]),
        packed(["columns.1", POINT], [0, 1, 2**40, [0], [0]]),
        packed(["columns.1", POINT, "tree.1"], [2, [1] * 9], [0, 1, 9, [0], [0]]),
        packed(["columns.1", ["keys.1", "a"], "tree.1"], [2, [1] * 9], *[[0, 1, 9, [0]]] * 9),
        packed(["columns.1", "tuple.1"], [0, 1, 1, [0]]), packed(["map.1"], [0, [1, 2], [0]]),
        packed(["map.1", "tree.1"], [1, [1]], [0, [[1]], [0]]), packed(["map.1"], [0, 5, [0]]),
        packed([["instance.1", "subprocess:Popen", [], [], []]], [0]),
        packed([["instance.1", f"{__name__}:Colour", [], [], []]], [0]),
        packed([["NamedTuple.1", "builtins:tuple", []]], [0]),
        packed([["enum.1", "os:system"]], [0]),
        packed([["enum.1", f"{__name__}:Colour"]], [0, "BLUE", "1", None]),
        packed([["instance.1", "antigravity:x", [], [], []]], [0]), packed([[]], [0]),
        packed([["registered.1", "nobody", 1]], [0, 1]), packed([["registered.1"]], [0, 1]),
        packed([[*POINT[:3], ["x", "x"], []]], [0, 1, 2]),
        packed([[*POINT[:4], ["Point.z"]]], [0, 1, 2, 3]),
        packed([POINT], [0, 1]), packed([POINT], [0, 1, 2, 3]), packed(["tuple.1"], [0, [0]]),
        packed(["tuple.1"], *[[0, [place - 1] if place else 1] for place in range(30_000)]),
        packed(["pandas.Nothing.1"], [0]),
        packed(["PIL.Image.1"], [0, "L", 2**30, 2**30, None, b""]),
    ],
    ids=range(30),
)  # fmt: skip
def test_hostile_records_are_damage(payload):
    _seen.clear()
    assert outcome(payload, ENCODED[0]) is DamagedError


def test_elements_without_bytes_take_none():
    watched(packed(["numpy.ndarray.1"], [0, "'|S0'", "C", 1, 2**40, b""]), ENCODED[0])


def test_a_buffer_has_one_taker():
    encoded = encode([b"x" * 70_000])
    version, mode, names, records = msgpack.unpackb(encoded.payload)
    (place,) = (n for n, record in enumerate(records) if names[record[0]] == "bytes.1")
    records.insert(0, records[place])
    payload = msgpack.packb([version, mode, names, records])
    assert outcome(payload, encoded) is DamagedError


def test_hashing_what_is_nested_deeply_is_not_left_to_the_stack():
    nested: Any = 1
    for _ in range(19_000):
        nested = (nested,)
    back = outcome((encoded := encode({nested})).payload, encoded)
    assert type(back) is set
    records = [[0, [place - 1] if place else 1] for place in range(400_000)]
    assert outcome(packed(["tuple.1", "set.1"], *records, [1, [399_999]]), encoded) is DamagedError
