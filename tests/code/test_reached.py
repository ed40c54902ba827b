"""Dependency sets and witnesses: what they hold, how they are united, what they narrow to."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitsave.code.analyze import analyze
from hitsave.code.definition import FunctionDefinition
from hitsave.code.dependencies import Via
from hitsave.code.project import Module
from hitsave.code.reached import DependencySet, Fact, Pinned, Witness
from hitsave.code.source import Source
from hitsave.code.symbol import Facet, Symbol
from hitsave.errors import DamagedError

FACETS = (Facet.FILE, Facet.LISTING, Facet.PRESENCE, Facet.VARIABLE, Facet.IMPORT)
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
FACTS = st.builds(Fact, st.sampled_from(FACETS), NAMES)
SETS = st.builds(DependencySet, st.frozensets(NAMES, max_size=6), st.frozensets(FACTS, max_size=6))
HOW = Via(Symbol("m", "f"), "called in", 3)

# -- sets ---------------------------------------------------------------------------------------


@given(SETS)
def test_a_set_is_read_back_as_it_was_written(written: DependencySet) -> None:
    read = DependencySet.unpack(written.packed)
    assert (read, hash(read), read.digest) == (written, hash(written), written.digest)
    assert (read.functions, [*read.facts()]) == (written.functions, [*written.facts()])


@given(st.lists(NAMES), st.lists(FACTS))
def test_a_set_has_no_order_and_nothing_twice(functions: list[str], facts: list[Fact]) -> None:
    one = DependencySet(functions, facts)
    other = DependencySet([*functions[::-1], *functions], [*facts[::-1], *facts])
    assert one == other


@given(SETS, SETS)
def test_sets_are_equal_where_they_hold_the_same(one: DependencySet, other: DependencySet) -> None:
    held = (one.functions, [*one.facts()]) == (other.functions, [*other.facts()])
    assert (one == other) == held
    assert (one.covers(other) and other.covers(one)) == held


@given(SETS, st.lists(SETS, max_size=4))
def test_a_union_covers_each_of_its_parts_and_holds_no_more(
    one: DependencySet, others: list[DependencySet]
) -> None:
    union = one.united(others)
    parts = [one, *others]
    assert all(union.covers(part) for part in parts)
    assert union.functions == {name for part in parts for name in part.functions}
    assert {fact for fact, *_ in union.facts()} == {f for p in parts for f, *_ in p.facts()}


@given(st.lists(SETS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_in_which_sets_are_united_does_not_matter(
    sets: list[DependencySet], random: Any
) -> None:
    shuffled = random.sample(sets, len(sets))
    assert sets[0].united(sets[1:]) == shuffled[0].united(shuffled[1:])


@given(SETS, FACTS)
def test_a_set_is_not_covered_by_one_that_lacks_a_fact(known: DependencySet, fact: Fact) -> None:
    larger = known.united([DependencySet((), [fact])])
    assert known.covers(larger) == known.has_fact(fact)
    assert larger.has_fact(fact)
    assert larger.covers(known)


@given(SETS)
def test_nothing_in_a_set_has_a_digest_of_its_own(known: DependencySet) -> None:
    assert all(digest is None for _, digest, _ in known.facts())


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xc1",
        DependencySet(["m:f"]).packed[:-1],
        DependencySet(["m:f"]).packed + b"\0",
        msgpack.packb(3),
        msgpack.packb(None),
        msgpack.packb((["m:f"],)),
        msgpack.packb((["m:f"], [("no facet", "a.txt")])),
        msgpack.packb((["m:f"], [("file", "a.txt", "more")])),
        msgpack.packb((["m:f"], [3])),
        msgpack.packb(([["m:f"]], [])),
        msgpack.packb(([1], [])),
        msgpack.packb((["m:f"], [("file", 1)])),
        msgpack.packb(("m:f", [])),
        msgpack.packb((["m:f"], ["ab"])),
    ],
)
def test_what_is_no_set_is_damaged(damaged: bytes) -> None:
    with pytest.raises(DamagedError):
        DependencySet.unpack(damaged)


@given(st.binary(max_size=40))
def test_bytes_from_anywhere_are_a_set_or_damaged(data: bytes) -> None:
    try:
        found = DependencySet.unpack(data)
    except DamagedError:
        return
    assert DependencySet.unpack(found.packed) == found


# -- what narrows a closure ---------------------------------------------------------------------

TEXT = b"def f():\n    return g()\ndef g():\n    return 1\ndef h():\n    return 2\n"


MODULE = Module("m", Source("m", "/p/m.py", TEXT, False, executed=True), analyze(TEXT), {})
FILE = Fact(Facet.FILE, "a.txt")


def _definition(name: str) -> FunctionDefinition:
    assert MODULE.record is not None
    return MODULE.record.functions[name][0]


def _counts(reached: Any, name: str) -> bool:
    found: bool = reached.counts(Symbol("m", name), MODULE, _definition(name))
    return found


def _witness(ran_before: set[str], facts: Any = None) -> Witness:
    """A witness of an evaluation of `f`; of the others only these ran, whenever that is asked."""

    def has_run(_module: Module, definition: FunctionDefinition) -> bool:
        return definition.name in ran_before

    return Witness({Symbol("m", "f"): HOW}, facts or {}, has_run)


def test_a_set_counts_the_functions_that_are_in_it_and_leads_to_each() -> None:
    known = DependencySet(["m:g", "m:f"], [FILE])
    assert [_counts(known, name) for name in "fgh"] == [True, True, False]
    assert [symbol for symbol, _ in known.roots()] == [Symbol("m", "f"), Symbol("m", "g")]


def test_a_witness_counts_what_ran_during_the_evaluation_or_before_it() -> None:
    witness = _witness({"g"})
    assert [_counts(witness, name) for name in "fgh"] == [True, True, False]
    assert [*witness.roots()] == [(Symbol("m", "f"), HOW)]


def test_a_set_holds_what_the_witness_was_asked_about_and_had_run() -> None:
    witness = _witness({"g", "h"})
    _counts(witness, "g")
    assert witness.dependency_set() == DependencySet(["m:f", "m:g"])
    assert witness.packed == witness.dependency_set().packed


def test_what_was_not_asked_about_is_in_no_set() -> None:
    """It ran, and nothing that the call depends on leads to it."""
    assert _witness({"h"}).dependency_set() == DependencySet(["m:f"])


def test_a_witness_is_of_use_until_something_that_did_not_count_has_run() -> None:
    ran: set[str] = set()
    witness = _witness(ran)
    _counts(witness, "g")
    assert witness.still_holds()
    ran.add("h")  # nobody asked about it
    assert witness.still_holds()
    ran.add("g")
    assert not witness.still_holds()


def test_witnesses_that_saw_the_same_have_the_same_key() -> None:
    one, other = _witness(set()), _witness({"g"})
    assert one.key == other.key
    assert one.key != _witness(set(), {FILE: (b"1", HOW)}).key


def test_a_fact_counts_with_the_digest_that_it_had_when_it_was_asked_for() -> None:
    witness = _witness(set(), {FILE: (b"then", HOW)})
    assert [*witness.facts()] == [(FILE, b"then", HOW)]
    assert witness.has_fact(FILE)
    assert not witness.has_fact(Fact(Facet.LISTING, "a.txt"))
    assert witness.dependency_set() == DependencySet(["m:f"], [FILE])


def test_a_pinned_set_is_the_set_with_some_digests_of_an_earlier_moment() -> None:
    other = Fact(Facet.VARIABLE, "RATE")
    known = DependencySet(["m:f"], [FILE, other])
    pinned = Pinned(known, {FILE: b"then"})
    assert {fact: digest for fact, digest, _ in pinned.facts()} == {FILE: b"then", other: None}
    assert pinned.packed == known.packed
    assert [_counts(pinned, name) for name in "fg"] == [True, False]
    assert [*pinned.roots()] == [*known.roots()]
