"""A pass over a store: what goes, and what stays."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hitsave import DirectorySnapshot, FileSnapshot, experiment, memo, session
from hitsave.collect.calls import delete_calls, find_calls, kept_calls, pin
from hitsave.collect.collector import Options, Report, collect
from hitsave.errors import SnapshotError
from hitsave.snapshot import catalog
from hitsave.store import Store, Table, Write, pack_call, scan_all
from hitsave.units import DAY

Gc = Callable[..., Report]
LARGE = 300_000


@memo
def large(n: int) -> bytes:
    return bytes([n]) * LARGE


@memo
def small(n: int) -> int:
    return -n


@experiment
def tried(n: int) -> bytes:
    return bytes([n]) * LARGE


@memo
def write(text: str) -> FileSnapshot:
    with open(f"{text}.txt", "w") as file:
        file.write(text * LARGE)
    return FileSnapshot.snap(f"{text}.txt")


@memo
def write_folder(text: str) -> DirectorySnapshot:
    os.makedirs("made/inner", exist_ok=True)
    for name in ("large", "inner/small"):
        with open(f"made/{name}.txt", "w") as file:
            file.write(text * (LARGE if name == "large" else 10))
    return DirectorySnapshot.snap("made")


@memo(ttl=0.001)
def passing(n: int) -> bytes:
    return bytes([n]) * LARGE


class Odd:
    """What has no format, and is pickled."""

    def __init__(self, held: FileSnapshot) -> None:
        self.held = held

    def __reduce__(self) -> object:
        return Odd, (self.held,)


def forget(store: Store, words: str) -> None:
    delete_calls(store, find_calls(store, words))


def test_what_calls_refer_to_stays(store: Store, gc: Gc) -> None:
    large(1), small(1), tried(1), write("a"), write_folder("b")
    report = gc()
    assert (report.files, report.freed, report.fresh) == (0, 0, 0)
    assert not report.expired
    assert not report.evicted
    assert report.before >= report.after > 3 * LARGE  # two of the results are the same
    assert [each.cached(1) for each in (large, small, tried)] == [True] * 3
    assert write.peek("a").read_text() == "a" * LARGE
    assert (write_folder.peek("b") / "inner/small.txt").read_text() == "b" * 10
    assert len(list(kept_calls(store))) == 5


def test_what_nothing_refers_to_goes(store: Store, gc: Gc) -> None:
    large(1), large(2)
    large.forget(1)
    assert gc().files == 1
    assert (large.cached(1), large.cached(2)) == (False, True)
    assert large(2) == b"\x02" * LARGE
    assert [each.size for each in store.objects()] != []
    assert len(list(store.objects())) == 1


def test_a_result_that_two_calls_have_goes_with_the_second(store: Store, gc: Gc) -> None:
    large(1), tried(1)
    forget(store, "large")
    assert gc().files == 0
    assert tried.peek(1) == b"\x01" * LARGE
    forget(store, "tried")
    assert gc().files == 1


@pytest.mark.parametrize("made", [write, write_folder])
def test_a_call_that_goes_releases_its_snapshots(store: Store, gc: Gc, made: object) -> None:
    made("a")  # type: ignore[operator]
    # The project's own file is not the store's concern.
    assert gc().files == 0
    forget(store, made.symbol)  # type: ignore[attr-defined]
    assert gc().freed >= LARGE
    for found in (store.objects(), store.blobs()):
        assert not list(found)
    for table in (Table.SNAPSHOTS, Table.PACKED, Table.HISTORY, Table.MANIFESTS, Table.TEXTS):
        assert not list(scan_all(store, table)), table


def test_a_snapshot_that_two_calls_hold_stays_with_one(store: Store, gc: Gc) -> None:
    @memo
    def other(snapshot: FileSnapshot) -> list[FileSnapshot]:
        return [snapshot]

    taken = write("a")
    other(taken)
    forget(store, "write")
    assert gc().files == 0
    assert other.peek(taken)[0].read_text() == "a" * LARGE
    forget(store, other.symbol)
    assert gc().files == 1


def test_a_snapshot_in_a_pickle_stays(store: Store, gc: Gc) -> None:
    @memo
    def hidden() -> Odd:
        return Odd(write.__wrapped__("a"))

    hidden()
    (call,) = kept_calls(store)
    assert call.record.pickled
    assert gc().files == 0
    assert hidden.peek().held.read_text() == "a" * LARGE


def test_snapshots_that_somebody_took_stay_until_they_are_removed(
    project: Path, store: Store, gc: Gc
) -> None:
    (project / "a.txt").write_text("a" * LARGE)
    (project / "data").mkdir()
    (project / "data" / "b.txt").write_text("b")
    taken = [FileSnapshot.snap("a.txt"), DirectorySnapshot.snap("data")]
    assert gc().files == 0
    for each in taken:
        catalog.remove(store, catalog.find(store, each.digest))
    assert gc().files == 3  # a file, a pack, and the list of what is in the folder
    with pytest.raises(SnapshotError):
        taken[0].read_text()


def test_what_somebody_and_a_call_took_stays_without_the_call(store: Store, gc: Gc) -> None:
    taken = write("a")
    again = FileSnapshot.snap("a.txt")
    assert again == taken
    write("a")
    forget(store, "write")
    assert gc().files == 0
    assert again.read_text() == "a" * LARGE
    write.refresh("a")  # which takes it again, by a call
    forget(store, "write")
    assert gc().files == 0


def test_a_thread_of_the_program_is_not_taken_for_the_call(
    project: Path, store: Store, gc: Gc
) -> None:
    from threading import Thread

    (project / "mine.txt").write_text("m" * LARGE)

    @memo
    def beside() -> int:
        thread = Thread(target=FileSnapshot.snap, args=("mine.txt",))
        thread.start()
        thread.join()
        return 1

    beside()
    forget(store, beside.symbol)
    assert gc().files == 0


def test_what_was_used_lately_stays(store: Store, gc: Gc) -> None:
    large(1)
    large.forget(1)
    report = gc(grace=DAY)
    assert report.files == 0
    assert report.fresh >= LARGE
    _age(store, 2 * DAY)
    assert gc(grace=DAY).files == 1


def test_writing_the_same_again_is_a_use(project: Path, store: Store) -> None:
    (project / "a.txt").write_text("a" * LARGE)
    FileSnapshot.snap("a.txt")
    large(1)
    large.forget(1)
    _age(store, 2 * DAY)
    listed = {each.digest: each.used for each in (*store.objects(), *store.blobs())}
    large(1)
    FileSnapshot.snap("a.txt")
    later = {each.digest: each.used for each in (*store.objects(), *store.blobs())}
    assert all(later[digest] > listed[digest] for digest in listed)
    for digest, used in listed.items():
        assert not store.delete_object(digest, used=used)
        assert not store.delete_blob(digest, used=used)
    assert large.peek(1) == b"\x01" * LARGE
    assert FileSnapshot.snap("a.txt").read_text() == "a" * LARGE


def _age(store: Store, seconds: float) -> None:
    """Let everything in the store be used last a while ago."""
    home = Path(session.current().settings.home)
    for path in (*home.glob("objects/*/*"), *home.glob("blobs/*/*")):
        status = path.stat()
        moment = status.st_atime_ns - int(seconds * 1e9)
        os.utime(path, ns=(moment, status.st_mtime_ns))
    assert store


def test_expired_calls_go_unless_they_are_pinned(store: Store, gc: Gc) -> None:
    passing(1), passing(2)
    pin(store, [call for call in kept_calls(store) if call.record.arguments[0][2] == "2"])
    time.sleep(0.01)
    report = gc()
    assert [call.record.arguments[0][2] for call in report.expired] == ["1"]
    assert report.files == 1
    assert [call.record.arguments[0][2] for call in kept_calls(store)] == ["2"]


def test_too_much_loses_what_is_worth_least(store: Store, gc: Gc) -> None:
    for n in range(8):
        large(n)
        tried(100 + n)
    pinned = next(call for call in kept_calls(store) if call.record.arguments[0][2] == "3")
    pin(store, [pinned])
    report = gc(limit=11 * LARGE)
    assert report.after <= 11 * LARGE
    assert all(tried.cached(100 + n) for n in range(8))
    assert large.cached(3)
    gone = [n for n in range(8) if not large.cached(n)]
    assert len(gone) == len(report.evicted) > 4
    again = gc(limit=11 * LARGE)
    assert (again.evicted, again.files) == ((), 0)


def test_a_dry_run_changes_nothing_and_tells_the_same(store: Store, gc: Gc) -> None:
    for n in range(6):
        large(n)
    write("a")
    forget(store, "write")
    before = [list(scan_all(store, table)) for table in Table]
    held = [*store.objects(), *store.blobs()]
    planned = gc(limit=4 * LARGE, dry_run=True)
    assert [list(scan_all(store, table)) for table in Table] == before
    assert [*store.objects(), *store.blobs()] == held
    done = gc(limit=4 * LARGE)
    assert planned.evicted == done.evicted
    assert (planned.files, planned.freed) == (done.files, done.freed)


@pytest.mark.parametrize("other", [1, -1])
def test_calls_of_another_version_keep_the_collector_from_anything(
    store: Store, gc: Gc, other: int
) -> None:
    import msgpack

    large(1)
    (call,) = kept_calls(store)
    layout, *fields = msgpack.unpackb(store.get(Table.CALLS, call.key) or b"")
    packed = bytes(msgpack.packb([layout + other, *fields]) or b"")
    store.commit([Write(Table.CALLS, b"other", packed)])
    large.forget(1)
    report = gc()
    assert "another version" in report.trouble
    assert report.files == 0
    assert len(list(store.objects())) == 1


def test_a_call_of_another_version_is_computed_again(store: Store) -> None:
    import msgpack

    large(1)
    (call,) = kept_calls(store)
    layout, *fields = msgpack.unpackb(store.get(Table.CALLS, call.key) or b"")
    earlier = bytes(msgpack.packb([layout - 1, *fields]) or b"")
    store.commit([Write(Table.CALLS, call.key, earlier)], replace=True)
    assert not large.cached(1)
    assert not large.calls()
    assert large(1) == b"\x01" * LARGE
    assert large.cached(1)


def test_one_pass_at_a_time(store: Store) -> None:
    import threading

    large(1)
    found: list[object] = []
    with store.lease(b"collect", limit=1.0):
        thread = threading.Thread(
            target=lambda: found.append(collect(session.current(), Options(1)))
        )
        thread.start()
        thread.join()
    assert found == [None]
    assert large.cached(1)


def test_explanations_of_other_calls_stay(store: Store, gc: Gc) -> None:
    small(1), large(1)
    forget(store, "large")
    gc()
    (call,) = kept_calls(store)
    manifest = session.current().manifest(call.record.code)
    assert manifest is not None
    assert len(list(scan_all(store, Table.MANIFESTS))) == 1
    assert small.calls()
    assert not large.calls()


def test_rows_for_calls_that_are_gone_go(store: Store, gc: Gc) -> None:
    small(1), small(2)
    pin(store, kept_calls(store))
    small.forget(1)
    assert len(list(scan_all(store, Table.HISTORY))) == 2
    gc()
    assert len(list(scan_all(store, Table.HISTORY))) == 1
    assert len(list(scan_all(store, Table.PINS))) == 1
    assert [record.result for record in small.calls()] == ["-2"]


def test_what_a_process_left_unfinished_goes(project: Path, store: Store, gc: Gc) -> None:
    large(1)
    home = Path(session.current().settings.home)
    left = [home / "blobs" / ".part-1", *(path / ".part-2" for path in home.glob("objects/??"))]
    (home / "blobs").mkdir(exist_ok=True)
    for path in left:
        path.write_text("unfinished")
    gc(grace=DAY)
    assert all(path.exists() for path in left)
    gc()
    assert not any(path.exists() for path in left)
    assert project
    assert store


def test_folders_to_be_read_go_with_their_snapshots(project: Path, store: Store, gc: Gc) -> None:
    taken = write_folder("a")
    path = taken.restore_safe()
    gc()
    assert (path / "inner" / "small.txt").read_text() == "a" * 10
    forget(store, "write_folder")
    gc()
    assert not path.exists()
    assert (project / "made").exists()


def test_a_damaged_record_is_passed_over(store: Store, gc: Gc) -> None:
    large(1)
    (call,) = kept_calls(store)
    store.commit([Write(Table.CALLS, b"damaged", b"nothing of ours")])
    assert gc().files == 0
    assert large.peek(1) == b"\x01" * LARGE
    assert pack_call(call.record)
