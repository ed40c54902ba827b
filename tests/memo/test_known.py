"""Dependency sets of one function: few for all its calls, then each call its own, none lost."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from hitsave.code.reached import MOST_SETS, DependencySet, Fact
from hitsave.code.symbol import Facet
from hitsave.digest import digest_bytes
from hitsave.memo.known import LATEST, MOST_KEPT, KnownSets
from hitsave.session import Session
from hitsave.store import Table, Write

IDENTITY = digest_bytes(b"a function")


@pytest.fixture
def known(own_session: Session) -> KnownSets:
    """The sets of a function of which nothing is known yet."""
    found = own_session.store.scan(Table.SETS, limit=100_000)
    own_session.store.delete(Table.SETS, [key for key, _ in found])
    return KnownSets(own_session, IDENTITY)


def _of(*names: str) -> DependencySet:
    return DependencySet([f"m:{name}" for name in names])


def _record(known: KnownSets, found: DependencySet, token: bytes = b"a call") -> DependencySet:
    """Record an evaluation of a call that depended on `found`; returns the set it went under."""
    chosen = known.choose(found)
    known.session.commit(known.writes(chosen, token))
    return chosen


def _fill(known: KnownSets) -> list[DependencySet]:
    return [_record(known, _of("f", f"h{number}")) for number in range(MOST_SETS)]


def _reading(name: str, *functions: str) -> DependencySet:
    return DependencySet([f"m:{each}" for each in functions or ("f",)], [Fact(Facet.FILE, name)])


def test_a_function_begins_without_a_set(known: KnownSets) -> None:
    assert [*known.sets] == []


def test_while_they_are_few_each_set_stands_for_itself(known: KnownSets) -> None:
    found = [_of("f", f"h{number}") for number in range(MOST_SETS)]
    assert [_record(known, each) for each in found] == found
    assert {*known.sets} == {*found}


def test_a_set_that_is_known_is_not_written_again(known: KnownSets) -> None:
    chosen = known.choose(_of("f"))
    (write,) = known.writes(chosen, b"a call")
    assert write.key.startswith(IDENTITY[:16])
    known.session.commit([write])
    assert known.writes(known.choose(_of("f")), b"another call") == []


def test_a_set_is_written_until_it_is_there(known: KnownSets) -> None:
    """A commit may fail, and another thread's may come after this one."""
    first = known.writes(known.choose(_of("f")), b"a call")
    assert len(first) == 1
    assert known.writes(known.choose(_of("f")), b"another call") == first


def test_a_set_that_another_thread_has_overwritten_comes_back(known: KnownSets) -> None:
    chosen = _record(known, _of("f"))
    known.sets = (_of("g"),)
    known.reload()
    assert known.sets == (_of("g"), chosen)


def test_one_set_too_many_is_that_of_the_call_alone(known: KnownSets) -> None:
    few = _fill(known)
    rare = _of("f", "rare")
    assert _record(known, rare, b"rare") == rare
    assert {*known.sets} == {*few}
    assert next(iter(known.to_try(b"rare"))) == rare
    assert {*known.to_try(b"rare")} == {*few, rare}
    assert {*known.to_try(b"other")} == {*few}


def test_one_that_is_the_functions_goes_under_itself_however_many_there_are(
    known: KnownSets,
) -> None:
    few = _fill(known)
    _record(known, _of("f", "rare"))
    assert [_record(known, each, bytes([number])) for number, each in enumerate(few)] == few
    assert [*KnownSets(known.session, IDENTITY).to_try(b"\0")] == [
        *KnownSets(known.session, IDENTITY).sets
    ]


def test_the_set_of_a_call_is_found_by_a_later_process(known: KnownSets) -> None:
    few = _fill(known)
    sets = {b"%d" % number: _reading(f"{number}.txt") for number in range(20)}
    for token, each in sets.items():
        _record(known, each, token)
    again = KnownSets(known.session, IDENTITY)
    for token, each in sets.items():
        first, *rest = again.to_try(token)
        assert first == each
        assert first.packed == each.packed
        assert {*rest} == {*few}
        assert again.writes(again.choose(each), token) == []


def test_a_call_whose_set_changes_has_the_newest_first_and_a_few_of_them(known: KnownSets) -> None:
    few = _fill(known)
    sets = [_reading(f"{number}.txt") for number in range(LATEST + 3)]
    for each in sets:
        _record(known, each, b"one")
    for knows in (known, KnownSets(known.session, IDENTITY)):
        tried = [*knows.to_try(b"one")]
        assert tried[:LATEST] == sets[: -LATEST - 1 : -1]
        assert {*tried} == {*few, *sets[-LATEST:]}
    # One that comes back after all is the newest again.
    _record(known, sets[0], b"one")
    assert next(iter(KnownSets(known.session, IDENTITY).to_try(b"one"))) == sets[0]


def test_what_concerns_the_code_is_kept_once(known: KnownSets) -> None:
    _fill(known)
    functions = [f"function_{number}" for number in range(1000)]
    sizes = []
    for number in range(10):
        chosen = known.choose(_reading(f"{number}.txt", *functions))
        writes = known.writes(chosen, b"%d" % number)
        known.session.commit(writes)
        sizes.append(sum(len(write.value) for write in writes))
    assert sizes[0] > 10_000
    assert max(sizes[1:]) < 100
    again = KnownSets(known.session, IDENTITY)
    found = [next(iter(again.to_try(b"%d" % number))) for number in range(10)]
    assert [each.outside for each in found] == [{Fact(Facet.FILE, f"{n}.txt")} for n in range(10)]
    assert len({id(each.functions) for each in found}) == 1


def test_a_set_whose_code_part_is_gone_is_not_tried(known: KnownSets) -> None:
    few = _fill(known)
    before = {key for key, _ in known.session.store.scan(Table.SETS, limit=1000)}
    each = _reading("a.txt")
    chosen = known.choose(each)
    row, part = known.writes(chosen, b"one")
    known.session.commit([row, part])
    known.session.store.delete(Table.SETS, [part.key])
    again = KnownSets(known.session, IDENTITY)
    assert {*again.to_try(b"one")} == {*few}
    assert _record(again, each, b"one") == each
    assert next(iter(KnownSets(known.session, IDENTITY).to_try(b"one"))) == each
    assert before < {key for key, _ in known.session.store.scan(Table.SETS, limit=1000)}


def test_the_sets_of_a_call_that_another_process_found_are_seen(known: KnownSets) -> None:
    _fill(known)
    other = KnownSets(known.session, IDENTITY)
    assert _reading("a.txt") not in [*known.to_try(b"one")]
    _record(other, _reading("a.txt"), b"one")
    assert _reading("a.txt") in [*known.to_try(b"one")]
    known.use(_reading("a.txt"), b"one")
    _record(other, _reading("b.txt"), b"one")
    assert next(iter(known.to_try(b"one"))) == _reading("a.txt")
    assert _reading("b.txt") in [*known.to_try(b"one")]


def test_a_function_with_few_sets_scans_for_none(
    known: KnownSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MOST_SETS - 1):
        _record(known, _of(f"h{number}"))
    monkeypatch.setattr(type(known.session.store), "scan", None)
    assert [*known.to_try(b"one")] == [*known.sets]


def test_a_call_of_many_is_scanned_for_once(
    known: KnownSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(known)
    for token in (b"one", b"two"):
        _record(known, _reading(str(token)), token)
    again = KnownSets(known.session, IDENTITY)
    for token in (b"one", b"two"):
        again.use(next(iter(again.to_try(token))), token)
    monkeypatch.setattr(type(known.session.store), "scan", None)
    for token in (b"one", b"two"):
        assert next(iter(again.to_try(token))) == _reading(str(token))


def test_there_is_a_bound_to_the_calls_that_are_remembered(
    known: KnownSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[KnownSets.__module__], "MOST_CALLS", 5)
    _fill(known)
    for number in range(23):
        _record(known, _reading(f"{number}.txt"), b"%d" % number)
        assert len(known._of_calls) <= 5
        assert len(known._parts) <= 5
    for number in range(23):
        assert next(iter(known.to_try(b"%d" % number))) == _reading(f"{number}.txt")


def test_there_is_a_bound_to_the_sets_of_a_function(known: KnownSets) -> None:
    """Each is a closure to compute before a call can miss."""
    for number in range(10 * MOST_KEPT):
        _record(known, _of("f", f"h{number}"), b"%d" % number)
    assert len([*known.sets]) <= MOST_KEPT
    again = KnownSets(known.session, IDENTITY)
    assert len([*again.sets]) <= MOST_KEPT


def test_the_set_of_use_comes_first(known: KnownSets) -> None:
    few = _fill(known)
    known.use(few[3], b"one")
    known.use(few[5], b"two")
    assert [*known.sets][:2] == [few[5], few[3]]
    assert len([*known.sets]) == MOST_SETS
    assert known.latest == few[5]
    assert next(iter(known.to_try(b"one"))) == few[3]


def test_sets_of_another_process_are_found(known: KnownSets) -> None:
    _record(known, _of("f"))
    other = KnownSets(known.session, IDENTITY)
    _record(other, _of("f", "other"))
    assert _of("f", "other") not in [*known.sets]
    known.reload()
    assert {*known.sets} == {_of("f"), _of("f", "other")} == {*other.sets}
    known.reload()
    assert len([*known.sets]) == 2


def test_a_row_is_read_once_whatever_key_it_is_under(known: KnownSets) -> None:
    """As those are whose digests were taken in another way."""
    each = DependencySet(["m:f"], [Fact(Facet.FILE, "a.txt")])
    key = IDENTITY[:16] + digest_bytes(each.packed)
    known.session.commit([Write(Table.SETS, key, each.packed)])
    for _ in range(3):
        known.reload()
        assert known.sets == (each,)
    _record(known, each)
    assert known.writes(known.choose(each), b"one") == []
    known.reload()
    assert known.sets == (each,)


def test_the_sets_of_another_function_are_not(known: KnownSets) -> None:
    _record(known, _of("f"))
    other = KnownSets(known.session, digest_bytes(b"another function"))
    assert [*other.sets] == []


def test_a_set_that_cannot_be_read_is_a_warning(
    known: KnownSets, monkeypatch: pytest.MonkeyPatch, warned: list[str]
) -> None:
    session = known.session
    monkeypatch.setattr(session, "settings", session.settings._replace(strict=False))
    _record(known, _of("f"))
    session.commit([Write(Table.SETS, IDENTITY[:16] + b"\0" * 32, b"\xc1 no set")])
    assert [*KnownSets(session, IDENTITY).sets] == [_of("f")]
    (warning,) = warned
    assert "dependency set" in warning


# -- in fresh processes -------------------------------------------------------------------------

PROGRAM = """
    import os

    # First, so that hitsave sees which functions ran: of others it counts that they may have.
    from hitsave import memo

    import steps

    @memo
    def f(kind, x):
        print("ran", kind)
        return getattr(steps, f"step{kind}")(x)

    for kind in os.environ["KINDS"].split():
        print(kind, f(int(kind), 2))
"""
KINDS = range(MOST_SETS + 6)
Ran = Callable[..., list[int]]


@pytest.fixture
def ran(run: Any, tmp_path: Path) -> Ran:
    """Call `f` for some kinds in a fresh process; returns the kinds whose body ran.

    The helper of the kind `edited` gives something else.
    """

    def ran(kinds: Iterable[int], edited: int | None = None) -> list[int]:
        kinds = [*kinds]
        amounts = {kind: kind + 1000 * (kind == edited) for kind in KINDS}
        helpers = [f"def step{kind}(x):\n    return x + {n}\n" for kind, n in amounts.items()]
        (tmp_path / "project" / "steps.py").write_text("".join(helpers))
        done = run(PROGRAM, KINDS=" ".join(map(str, kinds)))
        assert done.stderr == ""
        lines = [line.split() for line in done.stdout.splitlines()]
        answers = {int(kind): int(answer) for kind, answer in lines if kind != "ran"}
        assert answers == {kind: 2 + amounts[kind] for kind in kinds}
        return [int(kind) for first, kind in lines if first == "ran"]

    return ran


def test_more_kinds_of_calls_than_sets_all_hit_in_a_fresh_process(ran: Ran) -> None:
    assert ran(KINDS) == [*KINDS]
    assert ran(KINDS) == []
    assert ran(reversed(KINDS)) == []


def test_kinds_that_are_each_met_in_a_process_of_their_own_all_hit(ran: Ran) -> None:
    for kind in KINDS:
        assert ran([kind]) == [kind]
    assert ran(KINDS) == []


def test_an_edited_helper_computes_its_kind_again_and_no_other(ran: Ran) -> None:
    """Each call depends on the helper of its own kind, however many kinds there are."""
    for kind in KINDS:
        # In a process of its own: what ran before in the same one may count for a later call.
        ran([kind])
    for edited in (0, KINDS[-1]):
        assert ran(KINDS, edited=edited) == [edited]


def test_code_that_is_changed_back_hits_again(ran: Ran) -> None:
    ran(KINDS)
    ran(KINDS, edited=3)
    assert ran(KINDS) == []
    assert ran(KINDS, edited=3) == []


def test_a_set_found_by_another_process_is_seen_at_the_next_miss(run: Any, tmp_path: Path) -> None:
    """A process that knows one kind only meets what another records while it runs."""
    (tmp_path / "project" / "steps.py").write_text(
        "def step0(x):\n    return x\ndef step1(x):\n    return -x\n"
    )
    program = PROGRAM.replace("print(kind, f(int(kind), 2))", """
        print(kind, f(int(kind), 2))
        if kind == "0" and "CHILD" not in os.environ:
            import subprocess, sys
            child = {**os.environ, "CHILD": "yes", "KINDS": "1"}
            subprocess.run([sys.executable, "script.py"], env=child, check=True)
    """.rstrip())  # fmt: skip
    done = run(program, "-u", KINDS="0 1", PYTHONUNBUFFERED="1")
    assert done.stdout.split("\n")[:-1] == ["ran 0", "0 2", "ran 1", "1 -2", "1 -2"]


# -- which set a call is recorded under ---------------------------------------------------------


def _code_of(each: DependencySet) -> bytes:
    return digest_bytes(each.packed)


def _record_with_code(known: KnownSets, found: DependencySet) -> DependencySet:
    chosen = _record(known, found)
    known.session.commit(known.code_writes(chosen, _code_of(chosen)))
    return chosen


def test_the_set_that_a_call_is_recorded_under_comes_first(known: KnownSets) -> None:
    few = [_record_with_code(known, _of("f", f"h{number}")) for number in range(4)]
    for wanted in few:
        again, asked = KnownSets(known.session, IDENTITY), list[bytes]()

        def is_recorded(code: bytes, wanted: DependencySet = wanted, asked: Any = asked) -> bool:
            asked.append(code)
            return code == _code_of(wanted)

        first, *rest = again.likeliest_first(b"a call", is_recorded)
        assert first == wanted
        assert {first, *rest} == {*few}
        assert len(rest) == 3
        # Every set has been tried: what its code is now is known.
        asked.clear()
        assert {*again.likeliest_first(b"a call", is_recorded)} == {*few}
        assert not asked


def test_a_call_that_nothing_is_recorded_of_tries_every_set(known: KnownSets) -> None:
    few = [_record_with_code(known, _of("f", f"h{number}")) for number in range(3)]
    again = KnownSets(known.session, IDENTITY)
    assert [*again.likeliest_first(b"a call", lambda _: False)] == [*again.sets]
    assert {*again.sets} == {*few}


def test_the_code_of_a_set_is_written_when_it_is_another(known: KnownSets) -> None:
    chosen = _record_with_code(known, _of("f"))
    assert known.code_writes(chosen, _code_of(chosen)) == []
    assert KnownSets(known.session, IDENTITY).code_writes(chosen, _code_of(chosen)) == []
    (write,) = known.code_writes(chosen, bytes(32))
    known.session.commit([write])
    other = _record_with_code(known, _of("g"))
    again, asked = KnownSets(known.session, IDENTITY), list[bytes]()
    assert len([*again.likeliest_first(b"a call", lambda code: asked.append(code) or False)]) == 2
    assert {*asked} == {bytes(32), _code_of(other)}


BRANCHES = """
import os
from hitsave import memo

def one(): return 1
def two(): return 2
def three(): return 3
def four(): return 4

@memo
def f(x):
    return [one, two, three, four][x]()

if __name__ == "__main__":
    from hitsave.code.tracker import Tracker

    formed, compute = [], Tracker.compute
    Tracker.compute = lambda self, *args: formed.append(args) or compute(self, *args)
    print([f(int(number)) for number in os.environ["CALLS"]], f.cache_info().misses, len(formed))
"""


def test_a_hit_in_a_fresh_process_forms_the_closure_of_its_own_set_alone(run: Any) -> None:
    run(BRANCHES, CALLS="0123")
    for number in range(4):
        assert run(BRANCHES, CALLS=str(number)).stdout == f"[{number + 1}] 0 1\n"
    assert run(BRANCHES, CALLS="2032").stdout == "[3, 1, 4, 3] 0 3\n"
