"""Hits that are known: not read again, and never used when anything has changed meanwhile."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from hitsave import memo, mode
from hitsave.memo import hits
from hitsave.session import Session
from hitsave.store import MemoryStore, Table, Write

AMOUNT = 2


def amount() -> int:
    return AMOUNT


@memo
def times(x: int) -> int:
    return x * amount()


@pytest.fixture
def reads(own_session: Session, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The keys of the records that are read."""
    # Until what waits is written, nobody can tell whether something changes.
    own_session.store.flush()
    read: list[bytes] = []
    get = own_session.store.get

    def counted(table: Table, key: bytes) -> bytes | None:
        read.extend([key] if table is Table.CALLS else [])
        return get(table, key)

    monkeypatch.setattr(own_session.store, "get", counted)
    return read


def known(own_session: Session, call: Callable[[], Any]) -> Any:
    """Make a call until it is known."""
    call()
    own_session.store.flush()
    return call()


def test_a_record_is_read_once(own_session: Session, reads: list[bytes]) -> None:
    assert known(own_session, lambda: times(3)) == 6
    assert reads
    reads.clear()
    assert [times(3), times(3), times(x=3)] == [6, 6, 6]
    assert reads == []


def test_after_any_write_it_is_read_again(own_session: Session, reads: list[bytes]) -> None:
    known(own_session, lambda: times(3))
    own_session.commit([Write(Table.STATE, b"anything", b"")])
    reads.clear()
    assert [times(3), times(3)] == [6, 6]
    assert len(reads) == 1


def test_what_was_forgotten_is_computed_again(own_session: Session) -> None:
    known(own_session, lambda: times(3))
    before = times.cache_info().misses
    assert times.forget(3)
    assert times(3) == 6
    assert times.cache_info().misses == before + 1


def test_what_another_process_recorded_instead_is_given(own_session: Session) -> None:
    """Another user of the store, which is no other than this process as far as that can tell."""
    key, of_other = (_key_of(own_session, lambda x=x: times(x)) for x in (3, 4))
    other = own_session.store.get(Table.CALLS, of_other)
    assert other is not None
    own_session.store.commit([Write(Table.CALLS, key, other)], replace=True)
    assert times(3) == 8


def _key_of(own_session: Session, call: Callable[[], Any]) -> bytes:
    before = {key for key, _ in own_session.store.scan(Table.CALLS, limit=100)}
    known(own_session, call)
    (key,) = {key for key, _ in own_session.store.scan(Table.CALLS, limit=100)} - before
    return key


def test_another_value_of_a_global_is_another_call(
    own_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known(own_session, lambda: times(3)) == 6
    monkeypatch.setattr(__import__(__name__, fromlist=["AMOUNT"]), "AMOUNT", 5)
    assert times(3) == 15
    monkeypatch.undo()
    assert times(3) == 6


def test_another_function_in_place_of_a_helper_is_another_call(
    own_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known(own_session, lambda: times(3)) == 6
    monkeypatch.setitem(globals(), "amount", lambda: 7)
    assert times(3) == 21


def test_results_that_can_be_changed_are_fresh(own_session: Session) -> None:
    @memo
    def listed(x: int) -> list[int]:
        return [x]

    known(own_session, lambda: listed(1))
    listed(1).append(2)
    assert listed(1) == [1]
    assert listed(1) is not listed(1)


def test_a_result_whose_time_is_over_is_computed_again(own_session: Session) -> None:
    @memo(ttl=0.3)
    def soon_over(x: int) -> float:
        return x + time.time()

    first = known(own_session, lambda: soon_over(1))
    assert soon_over(1) == first
    time.sleep(0.4)
    assert soon_over(1) > first


def test_a_known_hit_is_computed_once_more_when_it_is_refreshed(own_session: Session) -> None:
    known(own_session, lambda: times(3))
    before = times.cache_info()
    with mode("refresh"):
        assert times(3) == 6
    assert times.cache_info() == (before.hits, before.misses + 1)
    with mode("off"):
        assert times(3) == 6
    with mode("require"):
        assert times(3) == 6
    assert times.cache_info() == (before.hits + 1, before.misses + 1)


def test_functions_of_one_name_as_arguments_stay_apart(own_session: Session) -> None:
    def made(step: int) -> Callable[[int], int]:
        def add(x: int) -> int:
            return x + step

        return add

    @memo
    def applied(function: Callable[[int], int], x: int) -> int:
        return function(x)

    one, ten = made(1), made(10)
    assert known(own_session, lambda: (applied(one, 1), applied(ten, 1))) == (2, 11)
    assert (applied(one, 1), applied(ten, 1)) == (2, 11)


def test_no_more_are_known_than_that(
    own_session: Session, monkeypatch: pytest.MonkeyPatch, reads: list[bytes]
) -> None:
    monkeypatch.setattr(hits, "MOST", 3)
    for _ in range(2):
        for x in range(10):
            assert known(own_session, lambda x=x: times(x)) == 2 * x  # type: ignore[misc]
    reads.clear()
    assert times(9) == 18
    assert reads == []
    assert times(0) == 0
    assert len(reads) == 1


def test_a_store_that_is_closed_has_no_known_hits() -> None:
    store = MemoryStore()
    found = hits.KnownHits(store)
    store.close()
    call: Any = type("Call", (), {"digested": type("Digested", (), {"token": b"token"})})
    assert found.find(call) is None
