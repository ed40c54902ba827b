"""Dependency sets of one function: few, then covering, then united, and never lost."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from hitsave.code.reached import MOST_SETS, DependencySet
from hitsave.digest import digest_bytes
from hitsave.memo.known import MOST_KEPT, KnownSets
from hitsave.session import Session
from hitsave.store import Table, Write

IDENTITY = digest_bytes(b"a function")


@pytest.fixture
def known(own_session: Session) -> KnownSets:
    """The sets of a function of which nothing is known yet."""
    found = own_session.store.scan(Table.SETS, IDENTITY[:16], limit=10_000)
    own_session.store.delete(Table.SETS, [key for key, _ in found])
    return KnownSets(own_session, IDENTITY)


def _of(*names: str) -> DependencySet:
    return DependencySet([f"m:{name}" for name in names])


def _record(known: KnownSets, found: DependencySet) -> DependencySet:
    """Record an evaluation that depended on `found`; returns the set it went under."""
    chosen = known.choose(found)
    known.session.commit(known.writes(chosen))
    return chosen


def _fill(known: KnownSets) -> list[DependencySet]:
    return [_record(known, _of("f", f"h{number}")) for number in range(MOST_SETS)]


def test_a_function_begins_without_a_set(known: KnownSets) -> None:
    assert [*known.sets] == []


def test_while_they_are_few_each_set_stands_for_itself(known: KnownSets) -> None:
    found = [_of("f", f"h{number}") for number in range(MOST_SETS)]
    assert [_record(known, each) for each in found] == found
    assert {*known.sets} == {*found}


def test_a_set_that_is_known_is_not_written_again(known: KnownSets) -> None:
    chosen = known.choose(_of("f"))
    (write,) = known.writes(chosen)
    assert write.key.startswith(IDENTITY[:16])
    assert known.writes(known.choose(_of("f"))) == []


def test_one_set_too_many_is_united_with_all(known: KnownSets) -> None:
    few = _fill(known)
    united = _record(known, _of("f", "rare"))
    assert all(united.covers(each) for each in few)
    assert united.functions == {"m:f", "m:rare", *(f"m:h{n}" for n in range(MOST_SETS))}


def test_what_is_covered_goes_under_the_smallest_set_that_covers_it(known: KnownSets) -> None:
    _fill(known)
    _record(known, _of("f", "rare"))
    assert _record(known, _of("f")).functions in ({"m:f", f"m:h{n}"} for n in range(MOST_SETS))
    assert _record(known, _of("h1", "h2")) == next(
        each for each in known.sets if len(each.functions) > 2
    )


def test_one_that_is_known_goes_under_itself_however_many_there_are(known: KnownSets) -> None:
    few = _fill(known)
    _record(known, _of("f", "rare"))
    assert [_record(known, each) for each in few] == few


def test_there_is_a_bound_to_the_sets_of_a_function(known: KnownSets) -> None:
    """Each is a closure to compute before a call can miss."""
    for number in range(10 * MOST_KEPT):
        _record(known, _of("f", f"h{number}"))
    assert len([*known.sets]) <= MOST_KEPT
    again = KnownSets(known.session, IDENTITY)
    assert len([*again.sets]) <= MOST_KEPT


def test_the_set_of_use_comes_first(known: KnownSets) -> None:
    few = _fill(known)
    known.use(few[3])
    known.use(few[5])
    assert [*known.sets][:2] == [few[5], few[3]]
    assert len([*known.sets]) == MOST_SETS


def test_sets_of_another_process_are_found(known: KnownSets) -> None:
    _record(known, _of("f"))
    other = KnownSets(known.session, IDENTITY)
    _record(other, _of("f", "other"))
    assert _of("f", "other") not in [*known.sets]
    known.reload()
    assert {*known.sets} == {_of("f"), _of("f", "other")} == {*other.sets}
    known.reload()
    assert len([*known.sets]) == 2


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

    import steps
    from hitsave import memo

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


def test_an_edited_helper_computes_its_kind_again_and_never_too_little(ran: Ran) -> None:
    """Calls under a united set depend on each other's helpers; the first ones do not."""
    ran(KINDS)
    assert ran(KINDS, edited=0)[0] == 0
    assert KINDS[-1] in ran(KINDS, edited=KINDS[-1])
    few = KINDS[: MOST_SETS - 1]
    assert not {*few} & {*ran(few, edited=KINDS[-1])}


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
