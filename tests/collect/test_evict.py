"""Which calls go where there is too much."""

from hypothesis import given
from hypothesis import strategies as st

from hitsave.collect import evict
from hitsave.collect.calls import KeptCall
from hitsave.store import CallRecord
from hitsave.units import DAY

NOW = 1_000_000_000.0

digests = st.integers(0, 5).map(lambda n: bytes([n]) * 32)
sizes = st.dictionaries(digests, st.integers(0, 10**9))


def call(key: int, **fields: object) -> KeptCall:
    """A call whose result is in no object, but for what `fields` say."""
    record = CallRecord(
        symbol="m:f",
        code=b"c" * 32,
        arguments=(),
        payload=None,
        object=None,
        pickled=False,
        result="",
        known=None,
        keeps=(),
        started=NOW - 30 * DAY,
        seconds=1.0,
        kind="memo",
        context={},
        expires=None,
    )
    own = {name: fields.pop(name) for name in ("size", "used", "is_pinned") if name in fields}
    plain = {"size": 100, "used": NOW - 10 * DAY, "is_pinned": False, **own}
    return KeptCall(key.to_bytes(32), record._replace(**fields), **plain)  # type: ignore[arg-type]


def referred(each: KeptCall) -> set[bytes]:
    """What a call refers to."""
    return {*each.record.keeps, *([each.record.object] if each.record.object else [])}


def choose(
    found: list[KeptCall], size_of: dict[bytes, int], surplus: int, now: float
) -> list[KeptCall]:
    """Choose among calls whose files have these sizes."""
    files = {each.key: {d: size_of.get(d, 0) for d in referred(each)} for each in found}
    return evict.choose(found, files, surplus, now)


calls = st.lists(
    st.fixed_dictionaries(
        {
            "size": st.integers(1, 10**6),
            "used": st.floats(0, NOW),
            "is_pinned": st.booleans(),
            "kind": st.sampled_from(["memo", "experiment"]),
            "seconds": st.floats(0, 10**6),
            "object": st.none() | digests,
            "keeps": st.lists(digests, max_size=2).map(tuple),
        }
    ),
    max_size=12,
).map(lambda rows: [call(key, **row) for key, row in enumerate(rows)])


def freed(found: list[KeptCall], chosen: list[KeptCall], size_of: dict[bytes, int]) -> int:
    """How many bytes are free once some of the calls found have gone."""
    keys = {each.key for each in chosen}
    left = {digest for each in found if each.key not in keys for digest in referred(each)}
    gone = {digest for each in chosen for digest in referred(each)} - left
    return sum(each.size for each in chosen) + sum(size_of.get(digest, 0) for digest in gone)


@given(calls, sizes, st.integers(-1000, 10**9))
def test_enough_goes_and_no_call_more_than_needed(
    found: list[KeptCall], size_of: dict[bytes, int], surplus: int
) -> None:
    chosen = choose(found, size_of, surplus, NOW)
    assert not any(each.stays for each in chosen)
    if freed(found, chosen, size_of) < surplus:
        assert len(chosen) == sum(not each.stays for each in found)
    if chosen:
        assert freed(found, chosen[:-1], size_of) < surplus


@given(calls, sizes, st.integers(0, 10**9), st.randoms())
def test_every_process_chooses_the_same(
    found: list[KeptCall], size_of: dict[bytes, int], surplus: int, random: st.DataObject
) -> None:
    chosen = choose(found, size_of, surplus, NOW)
    random.shuffle(found)  # type: ignore[attr-defined]
    assert choose(found, size_of, surplus, NOW) == chosen


def test_what_is_quickest_to_compute_again_goes_first() -> None:
    slow, quick = call(1, seconds=10.0), call(2, seconds=0.1)
    assert choose([slow, quick], {}, 1, NOW) == [quick]


def test_what_takes_most_room_goes_first() -> None:
    small, large = call(1, object=b"s" * 32), call(2, object=b"l" * 32)
    assert choose([small, large], {b"s" * 32: 10, b"l" * 32: 10**6}, 1, NOW) == [large]


def test_what_was_not_used_for_longest_goes_first() -> None:
    lately, long_ago = call(1, used=NOW - 2 * DAY), call(2, used=NOW - 20 * DAY)
    assert choose([lately, long_ago], {}, 1, NOW) == [long_ago]


def test_a_result_that_two_calls_share_goes_with_the_second() -> None:
    shared = b"s" * 32
    both = [call(1, object=shared), call(2, object=shared), call(3, seconds=1e9)]
    assert choose(both, {shared: 10_000}, 5_000, NOW) == both[:2]
