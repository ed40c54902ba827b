"""Digests of plain values, containers and the standard library's types."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import itertools
import operator
import pathlib
import re
import sys
import threading
import types
import uuid
import zoneinfo
from typing import NamedTuple

import pytest

from hitsave.codec import digest_value, explain_digest, is_immutable
from hitsave.errors import NotDigestibleError

sys.set_int_max_str_digits(0)


def project_name(value):
    """Name what this module defines, as a session names what belongs to the project."""
    module = getattr(value, "__module__", None)
    return f"project:{value.__qualname__}" if module == __name__ else None


def digest(value):
    return digest_value(value, name_symbol=project_name).digest


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Pair(NamedTuple):
    first: int
    second: int


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


ZONE = zoneinfo.ZoneInfo("Europe/Berlin")

DISTINCT = [
    None, ..., NotImplemented, 1, True, 1.0, 1 + 0j, "1", b"1", bytearray(b"1"), memoryview(b"1"),
    0, False, 0.0, -0.0, "", b"", [], (), {}, set(), frozenset(), [1], (1,), {1}, frozenset({1}),
    [[1], [2]], [[1, 2]], [1, 2], (1, 2), ((1,), 2), ([1], 2), {"a": 1}, {"a": 1.0}, {1: "a"},
    {"a": 1, "b": 2}, {"b": 2, "a": 1}, [("a", 1)], ["a", 1], [None], [[]], [()], [{}], "None",
    Text("1"), Whole(1), Pair(1, 2), Colour.RED, Colour.BLUE, Level.LOW, 2**31, 2**63, 2**64,
    -(2**63), 2**200, 10**5000, float("inf"), float("-inf"), float("nan"), complex(0.0, -0.0),
    "\ud800", "é", "e\u0301", range(3), range(0, 3, 2), slice(3), slice(0, 3),
    datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, fold=1),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2020, 1, 1, tzinfo=ZONE),
    datetime.time(0), datetime.time(0, fold=1), datetime.timedelta(1), datetime.UTC, ZONE,
    datetime.timezone(datetime.timedelta(0), "zero"), decimal.Decimal("1.0"),
    decimal.Decimal("1.00"), decimal.Decimal("NaN"), decimal.Decimal("-0"), fractions.Fraction(1),
    fractions.Fraction(1, 2), uuid.UUID(int=1), pathlib.PurePosixPath("a"), pathlib.Path("a"),
    pathlib.PureWindowsPath("a"), re.compile("a"), re.compile(b"a"), re.compile("a", re.I),
    array.array("b", [1]), array.array("B", [1]), collections.deque([1]),
    collections.deque([1], maxlen=2), collections.OrderedDict(a=1), collections.Counter(a=1),
    collections.defaultdict(int, a=1), collections.defaultdict(None, a=1),
    types.MappingProxyType({"a": 1}), types.SimpleNamespace(a=1), int, bool, list[int], list[str],
    int | str, len, str.upper, "a".upper, functools.partial(int, "1"), functools.partial(int),
    functools.partial(int, base=2), operator.itemgetter(1), operator.itemgetter(1, 2),
    operator.attrgetter("a"), operator.methodcaller("a", 1), ValueError("a"), ValueError("b"),
    TypeError("a"), itertools, collections.ChainMap({"a": 1}), "x" * 70_000, b"x" * 70_000,
    bytearray(b"x" * 70_000), [b"x" * 70_000], ["x" * 70_000],
]  # fmt: skip


def test_values_that_differ_in_type_or_content_have_different_digests():
    known = {}
    for value in DISTINCT:
        assert known.setdefault(digest(value), value) is value
    for value in DISTINCT:
        inside = digest(("inside", value))
        assert known.setdefault(inside, value) is value


def test_a_digest_is_32_bytes_and_the_same_again():
    assert [digest(value) for value in DISTINCT] == [digest(value) for value in DISTINCT]
    assert {len(digest(value)) for value in DISTINCT} == {32}


def test_the_order_of_a_set_does_not_count():
    words = [f"word {number}" for number in range(50)]
    backwards = words[::-1]
    assert digest(set(words)) == digest(set(backwards))
    assert digest({"a": frozenset(words)}) == digest({"a": frozenset(backwards)})


def test_sharing_does_not_show():
    part, other = [1, {"a": {2}}], [1, {"a": {2}}]
    assert digest([part, part]) == digest([part, other])
    assert digest(((1, 2), (1, 2))) == digest(tuple(tuple(pair) for pair in ([1, 2], [1, 2])))
    held = threading.local
    assert digest([part, part, {held}]) == digest([part, other, {held}])


def test_sharing_that_spells_out_to_more_than_memory_ends():
    plain, foreign, tuples = [1], [range(1)], (1,)
    for _ in range(200):
        plain, foreign, tuples = [plain, plain], [foreign, foreign], (tuples, tuples)
    assert len({digest(plain), digest(foreign), digest(tuples)}) == 3


def test_a_long_row_of_one_large_list_ends():
    part = [0.5] * 100_000
    assert digest([part] * 500) == digest([list(part), *[part] * 499])


def nested(depth, innermost):
    value = innermost
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("innermost", [0, 1.5, {1, 2}], ids=repr)
def test_deep_nesting_counts_each_level(innermost):
    depths = [13, 14, 15, 16, 17, 18, 10_000, 10_001]
    assert len({digest(nested(depth, innermost)) for depth in depths}) == len(depths)
    assert digest(nested(10_000, innermost)) == digest(nested(10_000, innermost))


def test_cycles_end_and_count_by_their_structure():
    def loop(length, label):
        first = [label]
        last = first
        for _ in range(length - 1):
            last.append([label])
            last = last[-1]
        last.append(first)
        return first

    assert digest(loop(1, 0)) == digest(loop(1, 0))
    assert digest([loop(3, 0), loop(3, 0)]) == digest([loop(3, 0), loop(3, 0)])
    assert len({digest(loop(length, label)) for length in (1, 2, 3) for label in (0, 1)}) == 6


def test_what_lies_in_a_cycle_is_not_taken_for_what_looks_alike():
    # The same part refers out to "A" in one value and to "B" in the other.
    a, part = ["A"], []
    a.append(part)
    part.append(a)
    out_to_a = [a, ["B", part]]
    a2, part2, b, own = ["A"], [], ["B"], []
    a2.append(part2)
    part2.append(a2)
    b.append(own)
    own.append(b)
    assert digest(out_to_a) != digest([a2, b])


def test_a_dict_and_a_tuple_can_hold_themselves():
    def knot():
        table = {}
        table["self"] = (table, [table])
        return table

    assert digest(knot()) == digest(knot())
    assert digest([knot()]) != digest(knot())


def test_cyclic_graphs_of_many_nodes_take_linear_time():
    def ring(size):
        nodes = [{"at": number} for number in range(size)]
        for node, following in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
            node["next"] = following
        return nodes

    assert digest(ring(3_000)) == digest(ring(3_000))
    assert digest(ring(3_000)) != digest(ring(2_999))


@pytest.mark.parametrize(
    ("value", "mutable"),
    [
        (1, False), ("a", False), ((1, ("a",)), False), (frozenset({1}), False),
        ((1, frozenset({(2,)})), False), (range(3), False), (datetime.date(2020, 1, 1), False),
        (Colour.RED, False), (Pair(1, 2), False), (len, False), (project_name, False), (int, False),
        ([], True), ((1, [2]), True), ({}, True), (set(), True), (bytearray(), True),
        ((1, (datetime.date(2020, 1, 1), [2])), True), (collections.deque(), True),
        (Pair(1, [2]), True), (Whole(1), True), (ValueError(), True), ((range(1), {1: 2}), True),
    ],
)  # fmt: skip
def test_a_digest_tells_whether_the_value_can_be_changed(value, mutable):
    assert digest_value(value, name_symbol=project_name).mutable is mutable


def test_immutable_means_all_the_way_down():
    assert is_immutable((1, "a", b"b", None, 2.0, frozenset({(1,)}), ...))
    assert not is_immutable((1, (2, [])))
    assert not is_immutable(Pair(1, 2))
    assert not is_immutable(bytearray())
    shared = (1,)
    for _ in range(300):
        shared = (shared, shared)
    assert is_immutable(shared)


def test_a_nan_counts_by_its_bits():
    import struct

    quiet, other = (struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in NAN_BITS)
    assert digest(quiet) == digest(float("nan"))
    assert digest(quiet) != digest(other)
    assert digest([quiet]) != digest([other])


NAN_BITS = (0x7FF8000000000000, 0x7FF8000000000001)


def test_a_zone_read_from_a_file_is_refused():
    name = next(pathlib.Path(root, "Europe/Berlin") for root in zoneinfo.TZPATH)
    with name.open("rb") as file:
        zone = zoneinfo.ZoneInfo.from_file(file)
    with pytest.raises(NotDigestibleError):
        digest(zone)


def test_the_explanation_names_the_part_that_differs():
    def lines(value):
        return explain_digest(value, name_symbol=project_name).splitlines()

    one, two = lines({"a": [1, 2], "b": [range(3)]}), lines({"a": [1, 2], "b": [range(4)]})
    assert one[0].startswith(digest({"a": [1, 2], "b": [range(3)]}).hex())
    changed = [before.split()[1] for before, after in zip(one[1:], two[1:], strict=True)
               if before != after]  # fmt: skip
    assert changed == [".", "['b']", "['b'][0]"]
