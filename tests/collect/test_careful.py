"""A pass removes nothing that may still be wanted, whatever goes wrong."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hitsave import DirectorySnapshot, FileSnapshot, experiment, memo, session
from hitsave.collect import collector
from hitsave.collect.calls import delete_calls, find_calls, kept_calls, pin
from hitsave.collect.collector import Report
from hitsave.errors import SnapshotError, StoreUnavailableError
from hitsave.snapshot import catalog, links
from hitsave.store import Store, Table, Write, scan_all
from hitsave.store.environment import Environment
from hitsave.units import DAY

Gc = Callable[..., Report]
LARGE = 300_000


@memo
def large(n: int) -> bytes:
    return bytes([n]) * LARGE


@memo
def write(text: str) -> FileSnapshot:
    Path(f"{text}.txt").write_text(text * LARGE)
    return FileSnapshot.snap(f"{text}.txt")


def forget(store: Store) -> None:
    delete_calls(store, find_calls(store, __name__))


@pytest.fixture
def mine(project: Path) -> DirectorySnapshot:
    """A folder that the user snaps, with a large and a small file."""
    (project / "mine").mkdir()
    (project / "mine" / "large.txt").write_text("l" * LARGE)
    (project / "mine" / "small.txt").write_text("s")
    return DirectorySnapshot.snap("mine")


def check(taken: DirectorySnapshot) -> None:
    assert [file.read_text() for file in DirectorySnapshot.from_digest(taken.digest)] == [
        "l" * LARGE,
        "s",
    ]


@pytest.mark.parametrize("table", list(Table))
@pytest.mark.parametrize("name", ["scan", "get"])
def test_a_read_that_fails_once_removes_nothing(
    mine: DirectorySnapshot,
    store: Store,
    gc: Gc,
    table: Table,
    name: str,
    warned: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large(1), write("a").restore_at("link.txt")
    pin(store, kept_calls(store))
    before = [list(scan_all(store, each)) for each in Table]
    read, failed = getattr(Environment, name), list[Table]()

    def fail_once(self: Environment, asked: Table, *rest: object) -> object:
        if asked is table and not failed:
            failed.append(asked)
            raise OSError(errno.ENOLCK, "No locks available")
        return read(self, asked, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Environment, name, fail_once)
        with suppress(StoreUnavailableError):
            assert gc().files == 0
    if table in (Table.CALLS, Table.SNAPSHOTS, Table.LINKS, Table.PACKED) and name == "scan":
        assert failed
    store._tables._rests_until = 0.0  # type: ignore[attr-defined]
    kept = (Table.CALLS, Table.SNAPSHOTS, Table.PACKED, Table.LINKS, Table.PINS)
    for each, rows in zip(Table, before, strict=True):
        if each in kept:
            assert list(scan_all(store, each)) == rows, each
    check(mine)
    assert large.peek(1) == b"\x01" * LARGE
    assert warned is not None


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_folder_whose_list_cannot_be_read_keeps_everything(
    mine: DirectorySnapshot, store: Store, gc: Gc, warned: list[str], harm: str
) -> None:
    listed_in = store.get(Table.PACKED, bytes.fromhex(mine.digest))
    assert listed_in is not None
    home = Path(session.current().settings.home)
    path = home / "objects" / listed_in.hex()[:2] / listed_in.hex()[2:]
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.chmod(0o600)
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    for _ in range(2):
        report = gc()
        assert report.files == 0
        assert "cannot be read" in report.trouble
    path.write_bytes(whole)
    assert gc().trouble == ""
    check(mine)
    assert warned is not None


def test_records_that_were_lost_keep_everything(
    mine: DirectorySnapshot, store: Store, gc: Gc
) -> None:
    home = Path(session.current().settings.home)
    (home / "corrupt-20260101").write_bytes(b"what a damaged data file may still tell")
    store.delete(Table.SNAPSHOTS, [bytes.fromhex(mine.digest)])
    for path in (*home.glob("objects/*/*"), *home.glob("blobs/*/*")):
        os.utime(path, ns=(0, path.stat().st_mtime_ns))
    report = gc(grace=DAY)
    assert "records were lost" in report.trouble
    assert report.files == 0
    (home / "corrupt-20260101").unlink()
    assert gc(grace=DAY).files == 3


def test_a_store_that_was_moved_is_still_led_to(
    project: Path, home: Path, store: Store, gc: Gc
) -> None:
    write("a").restore_at("link.txt")
    forget(store)
    store.close()
    home.rename(home.parent / "moved")
    home.symlink_to(home.parent / "moved")
    own = session.start(str(project))
    report = collector.collect(own, collector.Options(1 << 40, grace=0.0))
    assert report is not None
    assert report.files == 0
    assert (project / "link.txt").read_text() == "a" * LARGE
    assert gc


def test_a_link_that_was_seen_lately_may_be_away(
    project: Path, store: Store, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a").restore_at("folder/link.txt")
    forget(store)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 31 * DAY)
    assert gc(grace=DAY).files == 0  # it is there, and that is noted
    (project / "folder").rename(project / "away")
    monkeypatch.setattr(time, "time", lambda: now() + 60 * DAY)
    assert gc(grace=DAY).files == 0
    assert (project / "away" / "link.txt").read_text() == "a" * LARGE
    monkeypatch.setattr(time, "time", lambda: now() + 62 * DAY)
    assert gc(grace=DAY).files == 1


def test_what_a_replaced_link_led_to_stays_for_a_while(
    project: Path, store: Store, gc: Gc, warned: list[str]
) -> None:
    write("a").restore_at("link.txt")
    write("b").restore_at("link.txt")
    forget(store)
    assert gc().files == 0
    assert (project / "link.txt").read_text() == "b" * LARGE
    assert links.MISSED_FOR == 30 * DAY
    assert warned is not None


def test_what_a_long_call_has_snapped_stays(
    store: Store, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    @memo
    def train() -> FileSnapshot:
        taken = write.__wrapped__("a")
        now = time.time
        for path in Path(session.current().settings.home).glob("blobs/*/*"):
            os.utime(path, ns=(0, path.stat().st_mtime_ns))
        with monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda: now() + 3 * DAY)
            assert gc(grace=DAY).files == 0
        return taken

    assert train().read_text() == "a" * LARGE
    assert store


@pytest.mark.parametrize("first", ["user", "call"])
def test_a_snapshot_that_both_take_is_the_users(
    project: Path, store: Store, gc: Gc, first: str
) -> None:
    (project / "mine.txt").write_text("a" * LARGE)
    (project / "mine.txt").chmod(0o755)
    if first == "user":
        FileSnapshot.snap("mine.txt")
    write("a")
    taken = FileSnapshot.snap("mine.txt")
    write.refresh("a")
    forget(store)
    assert gc().files == 0
    (listed,) = catalog.everything(store)
    assert (listed.path, listed.mode, listed.by_call) == ("mine.txt", 0o755, False)
    assert FileSnapshot.from_digest(taken.digest) == taken
    catalog.remove(store, listed)
    assert gc().files == 1


class Named(FileSnapshot):
    """A snapshot of the user's own kind."""


@experiment
def by_digest(text: str) -> str:
    Path("made.txt").write_text(text * LARGE)
    return FileSnapshot.snap("made.txt").digest


@memo
def by_path(text: str) -> str:
    Path("made.txt").write_text(text * LARGE)
    return str(FileSnapshot.snap("made.txt").restore_safe())


@memo
def by_subclass(text: str) -> FileSnapshot:
    Path("made.txt").write_text(text * LARGE)
    taken = FileSnapshot.snap("made.txt")
    return Named(taken.digest, taken.path, taken.size, taken.mode)


def test_what_a_result_only_leads_to_stays_with_it(store: Store, gc: Gc) -> None:
    digest, path, named = by_digest("a"), by_path("b"), by_subclass("c")
    assert gc().files == 0
    assert FileSnapshot.from_digest(digest).read_text() == "a" * LARGE
    assert Path(path).read_text() == "b" * LARGE
    assert named.read_text() == by_subclass.peek("c").read_text() == "c" * LARGE
    forget(store)
    assert gc().files == 3
    with pytest.raises(SnapshotError):
        FileSnapshot.from_digest(digest)


def test_a_file_system_without_hard_links(
    store: Store, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    taken = write("a")
    (held,) = store.blobs()
    monkeypatch.setattr(os, "link", refuse)
    assert not store.delete_blob(held.digest, used=held.used - 1)
    assert taken.read_text() == "a" * LARGE
    assert gc().files == 0


def test_what_cannot_be_helped_costs_no_calls(project: Path, gc: Gc) -> None:
    (project / "mine.bin").write_bytes(bytes(4 * LARGE))
    FileSnapshot.snap("mine.bin")
    for n in range(5):
        large(n)
    report = gc(limit=2 * LARGE)
    assert len(report.evicted) == 5  # each is larger than a tenth of what may be there
    for n in range(5):
        large(n)
    report = gc(limit=20 * LARGE)
    assert report.evicted == ()
    report = gc(limit=int(8.5 * LARGE))
    assert 0 < len(report.evicted) < 3


def test_calls_that_hold_parts_of_folders_count_by_what_they_hold(
    project: Path, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    @memo
    def part(n: int) -> FileSnapshot:
        folder = project / "made"
        folder.mkdir(exist_ok=True)
        (folder / "part.bin").write_bytes(bytes([n]) * LARGE)
        return DirectorySnapshot.snap(folder) / "part.bin"

    for n in range(10):
        part(n)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 8 * DAY)
    report = gc(limit=8 * LARGE)
    assert 2 <= len(report.evicted) <= 4
    assert report.after <= 8 * LARGE


def test_a_folder_that_is_read_is_in_use(mine: DirectorySnapshot, store: Store, gc: Gc) -> None:
    path = mine.restore_safe()
    before = path.stat().st_ctime_ns
    time.sleep(0.02)
    assert mine.restore_safe() == path
    assert path.stat().st_ctime_ns > before
    assert store
    assert gc


def test_what_was_recorded_or_pinned_meanwhile_stays(
    store: Store, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        large(n)
    chosen = collector.choose

    def pin_meanwhile(*given: object) -> object:
        found = chosen(*given)  # type: ignore[arg-type]
        pin(store, found[:1])
        large.refresh(int(found[1].record.arguments[0][2]))
        return found

    monkeypatch.setattr(collector, "choose", pin_meanwhile)
    gc(limit=1)
    assert len(list(kept_calls(store))) >= 2


def test_hits_of_this_process_count_before_it_ends(
    store: Store, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(1), large(2)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 20 * DAY)
    for call in kept_calls(store):
        store.commit(
            [Write(Table.CALLS, call.key, store.get(Table.CALLS, call.key) or b"")], replace=True
        )
    large(1)
    gc()
    used = {call.record.arguments[0][2]: call.used for call in kept_calls(store)}
    assert used["1"] > used["2"] + 10 * DAY


def test_evicted_lately_goes_soon(store: Store, gc: Gc) -> None:
    for n in range(6):
        large(n)
    report = gc(limit=2 * LARGE, grace=DAY)
    assert report.files == 0
    assert report.fresh >= 3 * LARGE
    home = Path(session.current().settings.home)
    for path in home.glob("objects/*/*"):
        status = path.stat()
        os.utime(path, ns=(status.st_atime_ns - 61 * 10**9, status.st_mtime_ns))
    assert gc(limit=2 * LARGE, grace=DAY).freed >= 3 * LARGE
    assert store


SNAPS = """
import os
from pathlib import Path
from hitsave import FileSnapshot
from hitsave.collect import background
passes = []
background.start = passes.append
for n in range(30):
    Path("made.bin").write_bytes(os.urandom(100_000))
    FileSnapshot.snap("made.bin")
print(len(passes) > 3)
"""


def test_snapshots_make_the_store_grow_too(project: Path, home: Path) -> None:
    (project / "script.py").write_text(SNAPS)
    environment = {
        **os.environ,
        "HITSAVE_HOME": str(home),
        "HITSAVE_MAX_SIZE": "3 MB",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr
