"""Writes that wait for each other: seen at once here, and by others a moment later."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hitsave.store import Store, Table, Write, group, open_local
from hitsave.store.environment import Environment

Start = Callable[..., Any]

FIRST = [Write(Table.STATE, b"first", b"1")]


@pytest.fixture
def patient(local: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store in which what may wait does so until it is asked for."""
    monkeypatch.setattr(group, "WINDOW", 60.0)
    local.commit(FIRST)
    yield local
    local.flush()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many puts each transaction had."""
    counts: list[int] = []
    change = Environment.change

    def counted(self: Environment, puts: Any, removals: Any) -> Any:
        counts.append(len(puts))
        return change(self, puts, removals)

    monkeypatch.setattr(Environment, "change", counted)
    return counts


def put(store: Store, key: bytes, value: bytes = b"value", **options: bool) -> None:
    store.commit([Write(Table.CALLS, key, value)], soon=True, **options)


def test_what_waits_is_seen_here_and_comes_to_disk_at_once_with_others(
    patient: Store, commits: list[int]
) -> None:
    for number in range(10):
        put(patient, b"%d" % number)
    assert commits == []
    assert patient.get(Table.CALLS, b"3") == b"value"
    assert len(patient.scan(Table.CALLS, limit=100)) == 10
    patient.flush()
    assert commits == [10]
    assert patient.get(Table.CALLS, b"3") == b"value"


def test_while_writes_wait_nobody_can_tell_the_version(patient: Store) -> None:
    before = patient.version()
    put(patient, b"key")
    assert patient.version() is None
    patient.flush()
    assert patient.version() not in (None, before)


def test_the_first_write_after_a_pause_does_not_wait(local: Store, commits: list[int]) -> None:
    time.sleep(2 * group.WINDOW)
    put(local, b"key")
    assert commits == [1]


def test_what_waits_is_committed_by_itself(local: Store, commits: list[int]) -> None:
    local.commit(FIRST)
    put(local, b"key")
    deadline = time.monotonic() + 30
    while len(commits) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert commits == [1, 1]


@pytest.mark.parametrize("durable", [True, False])
def test_a_commit_that_does_not_wait_takes_along_what_waits(
    patient: Store, commits: list[int], durable: bool
) -> None:
    put(patient, b"one")
    put(patient, b"two")
    patient.commit([Write(Table.STATE, b"now", b"2")], durable=durable)
    assert commits == [3]


def test_a_durable_commit_never_waits(patient: Store, commits: list[int]) -> None:
    put(patient, b"key", durable=True)
    assert commits == [1]


def test_the_first_of_two_that_wait_wins_for_calls_alone(patient: Store) -> None:
    for value in (b"one", b"two"):
        put(patient, b"key", value)
        patient.commit([Write(Table.STATE, b"key", value)], soon=True)
    assert patient.get(Table.CALLS, b"key") == b"one"
    assert patient.get(Table.STATE, b"key") == b"two"
    put(patient, b"key", b"three", replace=True)
    assert patient.get(Table.CALLS, b"key") == b"three"
    patient.flush()
    assert patient.get(Table.CALLS, b"key") == b"three"
    assert patient.get(Table.STATE, b"key") == b"two"


def test_what_is_there_wins_over_what_would_wait(patient: Store) -> None:
    patient.commit([Write(Table.CALLS, b"key", b"one")])
    put(patient, b"key", b"two")
    assert patient.get(Table.CALLS, b"key") == b"one"
    patient.flush()
    assert patient.get(Table.CALLS, b"key") == b"one"


def test_what_is_deleted_does_not_come_back(patient: Store) -> None:
    put(patient, b"key")
    patient.delete(Table.CALLS, [b"key"])
    assert patient.get(Table.CALLS, b"key") is None
    patient.flush()
    assert patient.get(Table.CALLS, b"key") is None


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_scan_has_what_waits_in_its_place(patient: Store, newest_first: bool) -> None:
    keys = [b"a%d" % number for number in range(9)]
    for number, key in enumerate(keys):
        if number % 2:
            put(patient, key)
        else:
            patient.commit([Write(Table.CALLS, key, b"value")])
            patient.commit(FIRST)
    put(patient, b"b")
    wanted = sorted(keys, reverse=newest_first)
    found = patient.scan(Table.CALLS, b"a", limit=5, newest_first=newest_first)
    assert [key for key, _ in found] == wanted[:5]
    if not newest_first:
        rest = patient.scan(Table.CALLS, b"a", limit=100, after=found[-1][0])
        assert [key for key, _ in rest] == wanted[5:]


OTHER = """
store = open_local(home)
for line in sys.stdin:
    with store.lease(b"key", limit=60) as held:
        print(held, store.get(Table.STATE, b"key"), flush=True)
"""


def test_who_waits_for_a_lease_in_another_process_finds_what_was_recorded_under_it(
    local: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = start(OTHER)
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "True None\n"
    monkeypatch.setattr(group, "WINDOW", 0.5)
    local.commit(FIRST)
    with local.lease(b"key", limit=60) as held:
        assert held
        local.commit([Write(Table.STATE, b"key", b"value")], soon=True)
    # To others of this process it is free at once.
    with local.lease(b"key", limit=0, owner="other") as held:
        assert held
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "True b'value'\n"


def test_a_commit_frees_no_lease_whose_write_came_too_late_for_it(
    local: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = start(OTHER)
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "True None\n"
    change = Environment.change
    late: list[threading.Thread] = []

    def record() -> None:
        with local.lease(b"key", limit=0) as held:
            assert held
            local.commit([Write(Table.STATE, b"key", b"value")], soon=True)

    def change_while_another_thread_records(self: Environment, puts: Any, removals: Any) -> Any:
        kept = change(self, puts, removals)
        if not late:
            late.append(threading.Thread(target=record))
            late[0].start()
            late[0].join()
        return kept

    monkeypatch.setattr(group, "WINDOW", 2.0)
    local.commit(FIRST)
    monkeypatch.setattr(Environment, "change", change_while_another_thread_records)
    local.commit(FIRST)
    assert late
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "True b'value'\n"


LAST_WORDS = """
from hitsave.store import group
group.WINDOW = 0.5
store = open_local(home)
store.commit([Write(Table.STATE, b"first", b"1")])

def record(key):
    store.commit([Write(Table.CALLS, key, b"value")], soon=True)

def open_anew():
    global store
    store = open_local(home)
    store.commit([Write(Table.STATE, b"second", b"2")])
    record(b"key")

def worker(work):
    import multiprocessing
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
"""

ENDS = {
    "the end": "record(b'key')",
    "an exception": "record(b'key'); sys.stderr.close(); raise ValueError",
    "sys.exit": "record(b'key'); sys.exit(1)",
    "a thread": "t = threading.Thread(target=record, args=(b'key',)); t.start(); t.join()",
    "an exit handler": "import atexit; atexit.register(record, b'key')",
    "a fork": "record(b'key'); os.fork() or os._exit(0); os.wait(); os._exit(0)",
    "the child of a fork": "os.fork() or (record(b'key'), os._exit(0)); os.wait()",
    "a fork that opens the store": "store.close(); os.fork() or (open_anew(), os._exit(0)); "
    "os.wait()",
    "a fork of a worker": "worker(lambda: (os.fork() or (record(b'key'), os._exit(0)), os.wait()))",
    "a worker": "worker(lambda: (open_anew(), print(store._tables._group.is_settled)))",
    "a close": "record(b'key'); store.close(); os._exit(0)",
    "a moment later": "record(b'key'); time.sleep(2); os._exit(0)",
}


@pytest.mark.parametrize("end", ENDS)
def test_what_waits_is_there_after(home: str, start: Start, end: str) -> None:
    start(LAST_WORDS + ENDS[end]).wait(60)
    store = open_local(home)
    assert store.get(Table.CALLS, b"key") == b"value"
    store.close()


def test_a_program_ends_soon_after_the_last_of_its_writes(start: Start, tmp_path: Path) -> None:
    took = start(
        """
store = open_local(home)
for number in range(3):
    store.commit([Write(Table.CALLS, b"%d" % number, b"value")], soon=True)
import atexit
began = time.monotonic()
# Exit handlers run when Python has waited for all threads.
atexit.register(lambda: open(sys.argv[2], "w").write(str(time.monotonic() - began)))
""",
        tmp_path / "took",
    )
    took.wait(60)
    # Not for as long as the thread would stay in a program that goes on.
    assert float((tmp_path / "took").read_text()) < group.LINGER / 2


def test_a_fork_has_no_thread_beside_it(run: Callable[..., str]) -> None:
    printed = run(
        """
import warnings
warnings.simplefilter("error")
store = open_local(home)
for number in range(3):
    store.commit([Write(Table.CALLS, b"%d" % number, b"value")], soon=True)
print(threading.active_count())
if os.fork() == 0:
    os._exit(0)
os.wait()
print(threading.active_count())
"""
    )
    assert printed == "2\n1\n"


def test_a_fork_while_the_thread_commits_has_none_beside_it_either(
    run: Callable[..., str],
) -> None:
    printed = run(
        """
from hitsave.store.environment import Environment
store = open_local(home)
store.commit([Write(Table.CALLS, b"first", b"value")])
change, committing = Environment.change, threading.Event()
def slowly(*arguments):
    committing.set()
    time.sleep(0.3)
    return change(*arguments)
Environment.change = slowly
store.commit([Write(Table.CALLS, b"second", b"value")], soon=True)
committing.wait()
if os.fork() == 0:
    os._exit(0)
os.wait()
print(threading.active_count())
"""
    )
    assert printed == "1\n"


def test_a_failed_commit_is_told_of_by_the_thread(
    patient: Store, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(patient, b"key")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    troubles = patient.troubles
    with monkeypatch.context() as patched:
        patched.setattr(Environment, "change", fail)
        patched.setattr(group, "WINDOW", 0.0)
        patient._tables._group.end()  # type: ignore[attr-defined]
    assert patient.troubles == troubles + 1
    assert len(warned) == 1
    assert "No space left" in warned[0]
    # It is lost, and nothing else is.
    assert patient.get(Table.CALLS, b"key") is None
    put(patient, b"key")
    assert patient.get(Table.CALLS, b"key") == b"value"
