"""What every backend keeps."""

import io
import os
import stat
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitsave.digest import digest_bytes
from hitsave.errors import StoreUnavailableError
from hitsave.store import (
    MAX_KEY_SIZE,
    MAX_VALUE_SIZE,
    Blob,
    Store,
    Table,
    Write,
    scan_all,
    split_parts,
)


def put(store: Store, table: Table, key: bytes, value: bytes, **options: bool) -> None:
    store.commit([Write(table, key, value)], **options)


def test_an_absent_key_has_no_value(store: Store) -> None:
    assert store.get(Table.CALLS, b"absent") is None


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000, 3_000_000])
def test_a_value_comes_back_as_it_was_written(store: Store, size: int) -> None:
    value = bytes(range(256)) * (size // 256) + bytes(size % 256)
    put(store, Table.TEXTS, b"key", value)
    assert store.get(Table.TEXTS, b"key") == value


def test_the_same_key_in_two_tables_is_two_values(store: Store) -> None:
    writes = [Write(table, b"key", table.encode()) for table in Table]
    store.commit(writes)
    assert [store.get(table, b"key") for table in Table] == [w.value for w in writes]


def test_the_first_commit_of_a_call_wins(store: Store) -> None:
    put(store, Table.CALLS, b"key", b"first")
    put(store, Table.CALLS, b"key", b"second")
    assert store.get(Table.CALLS, b"key") == b"first"


def test_the_first_of_two_writes_of_a_call_in_one_commit_wins(store: Store) -> None:
    store.commit([Write(Table.CALLS, b"key", b"first"), Write(Table.CALLS, b"key", b"second")])
    assert store.get(Table.CALLS, b"key") == b"first"


def test_a_call_is_replaced_on_demand(store: Store) -> None:
    put(store, Table.CALLS, b"key", b"first")
    put(store, Table.CALLS, b"key", b"second", replace=True)
    assert store.get(Table.CALLS, b"key") == b"second"


@pytest.mark.parametrize("table", [table for table in Table if table is not Table.CALLS])
def test_the_last_commit_wins_elsewhere(store: Store, table: Table) -> None:
    put(store, table, b"key", b"first")
    put(store, table, b"key", b"second", durable=True)
    assert store.get(table, b"key") == b"second"


def test_an_empty_commit_changes_nothing(store: Store) -> None:
    store.commit([])
    assert all(store.scan(table, limit=10) == [] for table in Table)


def test_a_deleted_key_has_no_value_and_may_be_written_again(store: Store) -> None:
    put(store, Table.CALLS, b"key", b"first")
    store.delete(Table.CALLS, [b"key", b"absent", b"", b"k" * 600])
    assert store.get(Table.CALLS, b"key") is None
    put(store, Table.CALLS, b"key", b"second")
    assert store.get(Table.CALLS, b"key") == b"second"


@pytest.mark.parametrize("key", [b"", b"k" * (MAX_KEY_SIZE + 1)])
def test_a_key_of_impossible_length_is_refused_and_nothing_is_written(
    store: Store, key: bytes
) -> None:
    with pytest.raises(StoreUnavailableError, match="key of"):
        store.commit([Write(Table.CALLS, b"good", b"value"), Write(Table.CALLS, key, b"value")])
    assert store.get(Table.CALLS, key) is None
    assert store.get(Table.CALLS, b"good") is None


def test_the_longest_key_is_stored(store: Store) -> None:
    put(store, Table.CALLS, b"k" * MAX_KEY_SIZE, b"value")
    assert store.get(Table.CALLS, b"k" * MAX_KEY_SIZE) == b"value"


def test_a_value_too_large_is_refused(store: Store) -> None:
    with pytest.raises(StoreUnavailableError, match="store it as an object"):
        put(store, Table.CALLS, b"key", bytes(MAX_VALUE_SIZE + 1))


KEYS = [b"a", b"b", b"b\x00", b"b1", b"b\xff", b"b\xff\xff", b"c", b"\xff", b"\xff\xff"]


@pytest.mark.parametrize("prefix", [b"", b"a", b"b", b"b\xff", b"\xff", b"\xff\xff\xff", b"z"])
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [0, 2, 100])
def test_a_scan_gives_the_keys_of_a_prefix_in_order(
    store: Store, prefix: bytes, newest_first: bool, limit: int
) -> None:
    store.commit([Write(Table.HISTORY, key, b"v" + key) for key in KEYS])
    store.commit([Write(Table.STATE, b"b2", b"of another table")])
    expected = sorted((key for key in KEYS if key.startswith(prefix)), reverse=newest_first)
    found = store.scan(Table.HISTORY, prefix, limit=limit, newest_first=newest_first)
    assert found == [(key, b"v" + key) for key in expected[:limit]]


@pytest.mark.parametrize("after", [b"a", b"b", b"b0", b"b\xff", b"\xff\xff", b"k" * MAX_KEY_SIZE])
@pytest.mark.parametrize("prefix", [b"", b"b"])
def test_a_scan_goes_on_behind_a_key(store: Store, prefix: bytes, after: bytes) -> None:
    store.commit([Write(Table.HISTORY, key, b"v") for key in KEYS])
    expected = [key for key in sorted(KEYS) if key.startswith(prefix) and key > after]
    found = store.scan(Table.HISTORY, prefix, limit=2, after=after)
    assert [key for key, _ in found] == expected[:2]


@pytest.mark.parametrize("count", [0, 1, 256, 257, 1000])
def test_all_pairs_are_scanned_a_page_at_a_time(store: Store, count: int) -> None:
    pairs = [(b"p%05d" % number, b"v") for number in range(count)]
    store.commit([Write(Table.TEXTS, *pair) for pair in [*pairs, (b"q", b"of another prefix")]])
    assert list(scan_all(store, Table.TEXTS, b"p")) == pairs


def test_a_key_is_deleted_only_while_it_has_the_value(store: Store) -> None:
    for key in (b"same", b"other"):
        put(store, Table.STATE, key, b"value of " + key)
    store.delete(Table.STATE, {b"same": b"value of same", b"other": b"else", b"absent": b""})
    assert store.get(Table.STATE, b"same") is None
    assert store.get(Table.STATE, b"other") == b"value of other"


def test_the_version_is_another_after_each_change_and_after_nothing_else(store: Store) -> None:
    versions = [store.version()]

    def has_changed() -> bool:
        versions.append(store.version())
        return versions[-1] not in versions[:-1]

    put(store, Table.CALLS, b"key", b"value")
    assert has_changed()
    put(store, Table.SETS, b"key", b"value")
    assert has_changed()
    put(store, Table.CALLS, b"key", b"other", replace=True)
    assert has_changed()
    store.get(Table.CALLS, b"key")
    store.scan(Table.CALLS, limit=10)
    store.write_object([b"payload"])
    store.flush()
    assert not has_changed()
    store.delete(Table.CALLS, [b"key"])
    assert has_changed()
    assert None not in versions


def test_a_closed_store_has_no_version(store: Store) -> None:
    store.close()
    assert store.version() is None


def test_the_size_of_all_records_is_known(store: Store) -> None:
    before = store.records_size()
    put(store, Table.TEXTS, b"key", os.urandom(100_000))
    put(store, Table.CALLS, b"key", os.urandom(50_000))
    assert 150_000 <= store.records_size() - before < 200_000
    store.delete(Table.TEXTS, [b"key"])
    assert 50_000 <= store.records_size() - before < 100_000


PARTS = [
    (),
    (b"",),
    (b"payload",),
    (b"payload", b"", bytes(100_000)),
    (b"p", bytearray(b"x" * 64), memoryview(b"y" * 65)),
    tuple(bytes([n % 256]) * n for n in range(1_500)),
]


@pytest.mark.parametrize("parts", PARTS, ids=len)
def test_an_object_comes_apart_into_its_parts(store: Store, parts: tuple[bytes, ...]) -> None:
    view = store.read_object(store.write_object(parts))
    assert view is not None
    assert [bytes(part) for part in split_parts(view)] == [bytes(part) for part in parts]


def test_an_object_is_known_by_the_digest_of_its_bytes(store: Store) -> None:
    digest = store.write_object([b"payload", bytes(100)])
    view = store.read_object(digest)
    assert view is not None
    assert digest_bytes(view) == digest
    assert store.write_object([b"payload", bytes(100)]) == digest
    assert store.write_object([b"payloa", b"d" + bytes(100)]) != digest


def test_what_a_reader_writes_into_an_object_never_reaches_the_store(store: Store) -> None:
    digest = store.write_object([bytes(10_000)])
    first, second = store.read_object(digest), store.read_object(digest)
    assert first is not None
    assert second is not None
    split_parts(first)[0][:] = b"x" * 10_000
    third = store.read_object(digest)
    assert third is not None
    assert split_parts(second)[0] == split_parts(third)[0] == bytes(10_000)


def test_objects_are_listed_and_deleted(store: Store) -> None:
    first, second = store.write_object([b"first"]), store.write_object([bytes(5000)])
    sizes = {held.digest: held.size for held in store.objects()}
    assert sizes.keys() == {first, second}
    assert 5000 < sizes[second] < 6000
    assert store.delete_object(first)
    assert not store.delete_object(first)
    assert store.read_object(first) is None
    assert [held.digest for held in store.objects()] == [second]
    assert store.write_object([b"first"]) == first
    assert store.read_object(first) is not None


def test_an_object_is_not_deleted_that_was_written_again_meanwhile(store: Store) -> None:
    digest = store.write_object([b"payload"])
    (held,) = store.objects()
    time.sleep(0.02)  # the clock of a file system goes in steps
    store.write_object([b"payload"])
    assert not store.delete_object(digest, used=held.used)
    assert store.read_object(digest) is not None
    (held,) = store.objects()
    assert store.delete_object(digest, used=held.used)


def test_an_absent_object_is_none(store: Store) -> None:
    assert store.read_object(digest_bytes(b"absent")) is None


def test_a_thread_passes_through_a_lease_that_it_holds(store: Store) -> None:
    with store.lease(b"key", limit=0) as outer, store.lease(b"key", limit=0) as inner:
        assert (outer, inner) == (True, True)
    with store.lease(b"key", limit=0) as again:
        assert again


def test_an_inner_lease_does_not_end_the_outer(store: Store) -> None:
    with store.lease(b"key", limit=0):
        with store.lease(b"key", limit=0):
            pass
        assert in_thread(store, b"key") is False


def test_a_lease_that_nobody_has_any_more_is_given_back(store: Store) -> None:
    """A Ctrl-C may come in just before the first line of what would have given it back."""
    lease = store.lease(b"key", limit=0, owner="one")
    assert lease.take()
    assert not store.lease(b"key", limit=0, owner="other").take()
    del lease
    with store.lease(b"key", limit=0, owner="other") as held:
        assert held


def test_owners_of_one_thread_exclude_each_other(store: Store) -> None:
    mine = store.lease(b"key", limit=60, owner="mine")
    other = store.lease(b"key", limit=60, owner="other")
    assert mine.take()
    assert not other.take()
    assert 0 < other.pause() < 1
    assert store.lease(b"key", limit=60, owner="mine").take()
    mine.give_back()
    assert other.take()
    other.give_back()


def test_waiting_is_over_once_a_holder_has_ended_who_left_what_is_waited_for(store: Store) -> None:
    asked = []

    def is_there() -> bool:
        asked.append(True)
        return len(asked) == 2

    holders = [store.lease(b"key", limit=60, owner=owner) for owner in ("a", "b", "c")]
    waiting = store.lease(b"key", limit=60, owner="waiting", until=is_there)
    assert holders[0].take()
    # The first holder is still at it.
    assert waiting.pause() > 0
    assert waiting.pause() > 0
    assert asked == []
    for before, after in pairwise(holders):
        before.give_back()
        assert after.take()
        assert not waiting.take()
        assert (waiting.pause() == 0) == (after is holders[-1])
    assert asked == [True, True]
    holders[-1].give_back()


def test_a_look_is_due_until_the_limit_is_over(store: Store) -> None:
    with store.lease(b"key", limit=0):
        assert store.lease(b"key", limit=0, owner="other").pause() == 0


def test_another_thread_goes_on_without_after_the_limit(store: Store) -> None:
    with store.lease(b"key", limit=0):
        assert in_thread(store, b"key") is False
        assert in_thread(store, b"other") is True
    assert in_thread(store, b"key") is True


def in_thread(store: Store, key: bytes, limit: float = 0.05) -> bool:
    """Whether another thread gets the lease within `limit` seconds."""
    got = []

    def take() -> None:
        with store.lease(key, limit=limit) as held:
            got.append(held)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return got[0]


def test_threads_hold_a_lease_one_after_the_other(store: Store) -> None:
    inside, most = [], []

    def work() -> None:
        with store.lease(b"key", limit=60) as held:
            inside.append(held)
            put(store, Table.STATE, b"key", b"long enough for another thread to get in")
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 16


def test_an_exception_passes_through_a_lease_and_ends_it(store: Store) -> None:
    error = ValueError("the user's own")
    with pytest.raises(ValueError, match="own") as caught, store.lease(b"key", limit=0):
        raise error
    assert caught.value is error
    assert in_thread(store, b"key") is True


def test_a_closed_store_finds_nothing_and_refuses_writes(store: Store) -> None:
    put(store, Table.CALLS, b"key", b"value")
    digest = store.write_object([b"payload"])
    store.close()
    assert store.get(Table.CALLS, b"key") is None
    assert store.scan(Table.CALLS, limit=5) == []
    assert store.read_object(digest) is None
    for write in (
        lambda: put(store, Table.CALLS, b"key", b"value"),
        lambda: store.delete(Table.CALLS, [b"key"]),
        lambda: store.write_object([b"payload"]),
        store.flush,
    ):
        with pytest.raises(StoreUnavailableError, match="closed"):
            write()
    with store.lease(b"key", limit=0):
        store.close()


def test_many_threads_may_use_one_store(store: Store) -> None:
    wrong = []

    def work(number: int) -> None:
        for turn in range(20):
            key = b"%d-%d" % (number, turn)
            put(store, Table.CALLS, key, key * 10)
            if store.get(Table.CALLS, key) != key * 10:
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(store.scan(Table.CALLS, limit=1000)) == 160


@given(st.lists(st.binary(max_size=300), max_size=6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_parts_come_back(store: Store, parts: list[bytes]) -> None:
    view = store.read_object(store.write_object(parts))
    assert view is not None
    assert list(split_parts(view)) == parts


# -- blobs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_001])
def test_a_blob_is_a_read_only_file_of_exactly_its_bytes(store: Store, size: int) -> None:
    content = os.urandom(size)
    blob = store.write_blob(io.BytesIO(content))
    path = store.blob_path(blob.digest)
    assert blob == Blob(digest_bytes(content), size)
    assert path is not None
    assert Path(path).read_bytes() == content
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o444
    assert store.has_blob(blob)
    assert not store.has_blob(Blob(blob.digest, size + 1))


def test_a_blob_begins_where_its_source_stands(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"head and body")
    with (tmp_path / "file").open("rb", buffering=0) as source:
        source.seek(9)
        blob = store.write_blob(source)
    assert blob == Blob(digest_bytes(b"body"), 4)


def test_an_absent_blob_has_no_path(store: Store) -> None:
    absent = Blob(digest_bytes(b"absent"), 6)
    assert store.blob_path(absent.digest) is None
    assert not store.has_blob(absent)
    assert not store.delete_blob(absent.digest)
    assert not store.delete_blob(absent.digest, used=0)


def test_blobs_are_listed(store: Store) -> None:
    blob = store.write_blob(io.BytesIO(b"content"))
    (held,) = store.blobs()
    assert (held.digest, held.size) == blob
    assert not store.delete_blob(blob.digest, used=held.used - 1)
    assert store.has_blob(blob)
    assert store.delete_blob(blob.digest, used=held.used)
    assert not store.has_blob(blob)
    assert list(store.blobs()) == []


def test_unfinished_files_are_deleted_once_they_are_old(store: Store) -> None:
    blob = store.write_blob(io.BytesIO(b"content"))
    left = Path(store.blob_location(blob.digest)).parent / ".part-left"
    left.write_bytes(b"unfinished")
    store.delete_unfinished(0)
    assert left.exists()
    store.delete_unfinished(left.stat().st_ctime_ns + 1)
    assert not left.exists()
    assert store.has_blob(blob)


def test_a_deleted_blob_is_absent_and_may_be_written_again(store: Store) -> None:
    blob = store.write_blob(io.BytesIO(b"content"))
    store.delete_blob(blob.digest)
    assert store.blob_path(blob.digest) is None
    assert store.write_blob(io.BytesIO(b"content")) == blob
    assert store.blob_path(blob.digest) is not None


@pytest.mark.parametrize("damaged", [b"", b"other!!", b"content and more"])
def test_a_damaged_blob_is_set_aside(store: Store, warned: list[str], damaged: bytes) -> None:
    blob = store.write_blob(io.BytesIO(b"content"))
    path = Path(store.blob_path(blob.digest) or "")
    path.chmod(0o644)
    path.write_bytes(damaged)
    assert store.blob_path(blob.digest) is None
    assert "A stored file is damaged" in warned[0]
    assert store.write_blob(io.BytesIO(b"content")) == blob
    assert store.blob_path(blob.digest) == str(path)


def test_a_source_that_breaks_leaves_nothing(store: Store) -> None:
    class Broken(io.RawIOBase):
        def readinto(self, buffer: object) -> int:
            del buffer
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        store.write_blob(Broken())  # type: ignore[arg-type]
    blob = store.write_blob(io.BytesIO(b"content"))
    folder = Path(store.blob_path(blob.digest) or "").parents[1]
    assert [path for path in folder.rglob("*") if path.is_file()] == [
        Path(store.blob_path(blob.digest) or "")
    ]


def test_a_closed_store_has_no_blobs(store: Store) -> None:
    blob = store.write_blob(io.BytesIO(b"content"))
    store.close()
    assert store.blob_path(blob.digest) is None
    assert not store.has_blob(blob)
    with pytest.raises(StoreUnavailableError):
        store.write_blob(io.BytesIO(b"content"))
