"""Single flight across processes."""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hitsave.store import Store, leases
from hitsave.store.locks import SlotLocks

Start = Callable[..., "subprocess.Popen[str]"]

HOLDER = """
store = open_local(home)
with store.lease(b"key", limit=60) as held:
    print(held, flush=True)
    sys.stdin.readline()
print("given back", flush=True)
sys.stdin.readline()
"""


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_one_process_holds_a_key_and_another_goes_on_after_its_limit(
    local: Store, start: Start
) -> None:
    holder = start(HOLDER)
    assert line(holder) == "True"
    with local.lease(b"key", limit=0.05) as held:
        assert not held
    with local.lease(b"another", limit=0) as held:
        assert held
    tell(holder)
    assert line(holder) == "given back"
    with local.lease(b"key", limit=0) as held:
        assert held


def test_who_waits_is_done_when_the_key_goes_from_one_process_to_the_next(
    local: Store, start: Start
) -> None:
    first, second = start(HOLDER), start(HOLDER)
    holders = {first: second, second: first}
    ready, _, _ = select.select([each.stdout for each in holders], [], [])
    holder = next(each for each in holders if each.stdout in ready)
    assert line(holder) == "True"
    lease = local.lease(b"key", limit=60, until=lambda: True)
    assert not lease.take()
    assert lease.pause() > 0
    tell(holder)
    assert line(holder) == "given back"
    assert line(holders[holder]) == "True"
    assert lease.pause() == 0
    lease.give_back()


def test_a_killed_holder_is_taken_over_from_quickly(local: Store, start: Start) -> None:
    delays = []
    for _ in range(5):
        holder = start(HOLDER)
        assert line(holder) == "True"
        waiting = threading.Event()
        got: list[float] = []

        def wait(waiting: threading.Event = waiting, got: list[float] = got) -> None:
            waiting.set()
            with local.lease(b"key", limit=60) as held:
                got.append(time.monotonic() if held else 0.0)

        waiter = threading.Thread(target=wait)
        waiter.start()
        waiting.wait()
        killed = time.monotonic()
        holder.send_signal(signal.SIGKILL)
        waiter.join()
        delays.append(got[0] - killed)
    # Of five, one may have had to wait for a busy machine.
    assert sorted(delays)[3] < 0.25
    assert min(delays) > 0


def test_a_child_of_the_holder_does_not_keep_its_lease(local: Store, start: Start) -> None:
    holder = start(
        """
store = open_local(home)
with store.lease(b"key", limit=60) as held:
    if os.fork() == 0:
        print("child", os.getpid(), flush=True)
        signal.pause()
    signal.pause()
"""
    )
    child = int(line(holder).split()[1])
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    try:
        with local.lease(b"key", limit=30) as held:
            assert held
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_child_passes_through_what_its_parent_holds_for_it(start: Start) -> None:
    parent = start(
        """
store = open_local(home)
with store.lease(b"key", limit=60):
    if (pid := os.fork()) == 0:
        with store.lease(b"key", limit=0) as held:
            os._exit(0 if held else 1)
    print(os.waitpid(pid, 0)[1], flush=True)
    # The child's end of it did not free the parent's.
    if (pid := os.fork()) == 0:
        os.execv(sys.executable, [sys.executable, "-c", '''
import sys
from hitsave.store import open_local
with open_local(sys.argv[1]).lease(b"key", limit=0) as held:
    sys.exit(held)
''', home])
    print(os.waitpid(pid, 0)[1], flush=True)
"""
    )
    assert (line(parent), line(parent)) == ("0", "0")


def test_a_key_held_by_another_thread_is_not_the_childs(start: Start) -> None:
    parent = start(
        """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
store = open_local(home)
held, ended = threading.Event(), threading.Event()
def hold():
    with store.lease(b"key", limit=0):
        held.set()
        ended.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
if (pid := os.fork()) == 0:
    with store.lease(b"key", limit=0.01) as got:
        os._exit(1 if got else 0)
print(os.waitpid(pid, 0)[1], flush=True)
ended.set()
"""
    )
    assert line(parent) == "0"


def test_racing_processes_hold_the_key_one_at_a_time(tmp_path: Path, start: Start) -> None:
    mark = tmp_path / "inside"
    racers = [
        start(
            """
store = open_local(home)
sys.stdin.readline()
for _ in range(3):
    with store.lease(b"key", limit=60) as held:
        os.close(os.open(sys.argv[2], os.O_CREAT | os.O_EXCL))
        store.commit([Write(Table.STATE, b"key", b"value")], durable=True)
        os.unlink(sys.argv[2])
        print(held)
""",
            mark,
        )
        for _ in range(16)
    ]
    for racer in racers:
        tell(racer)
    printed = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert printed == [["True"] * 3] * 16


def test_closing_the_leases_file_elsewhere_in_the_program_frees_nothing(
    local: Store, home: str, start: Start
) -> None:
    with local.lease(b"key", limit=0):
        (Path(home) / "leases").open("rb").close()
        (Path(home) / "leases").open("r+b").close()
        other = start(
            """
with open_local(home).lease(b"key", limit=0) as held:
    print(held, flush=True)
"""
        )
        assert line(other) == "False"


def test_an_interrupt_ends_a_wait_at_once(local: Store, start: Start) -> None:
    with local.lease(b"key", limit=0):
        waiter = start(
            """
store = open_local(home)
try:
    print("waiting", flush=True)
    with store.lease(b"key", limit=600):
        print("held", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    with store.lease(b"other", limit=0) as held:
        print(held, flush=True)
"""
        )
        assert line(waiter) == "waiting"
        waiter.send_signal(signal.SIGINT)
        assert (line(waiter), line(waiter)) == ("interrupted", "True")


def test_a_long_wait_says_once_who_computes_and_since_when(
    local: Store, start: Start, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "WARN_AFTER", 0.01)
    before = int(time.time())
    holder = start(HOLDER)
    assert line(holder) == "True"
    after = int(time.time())
    for _ in range(2):
        with local.lease(b"key", limit=0.1, what="a result of app:slow") as held:
            assert not held
    said = [
        f"Waiting for a result of app:slow, which process {holder.pid} has been computing since "
        + time.strftime("%Y-%m-%d %H:%M:%S.", time.localtime(moment))
        for moment in range(before, after + 1)
    ]
    assert len(warned) == 1
    assert warned[0] in said


def test_a_long_wait_for_a_thread_says_so(
    local: Store, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "WARN_AFTER", 0.0)
    with local.lease(b"key", limit=0):
        thread = threading.Thread(target=local.lease(b"key", limit=0.01, owner="other").__enter__)
        thread.start()
        thread.join()
    assert len(warned) == 1
    assert "another thread of this process has been computing since" in warned[0]


@pytest.mark.parametrize("clock", [0.0, 2.0**40, -5.0])
def test_a_clock_that_is_wrong_does_not_matter(
    home: str, monkeypatch: pytest.MonkeyPatch, clock: float
) -> None:
    first, second = SlotLocks(home), SlotLocks(home)
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: clock)
        assert first.lock(leases.SLOTS - 1)
    held = second.holder(leases.SLOTS - 1)
    assert held is not None
    assert held.process == os.getpid()
    assert not second.lock(leases.SLOTS - 1)
    assert second.lock(leases.SLOTS - 2)
    first.unlock(leases.SLOTS - 1)
    assert second.holder(leases.SLOTS - 1) is None
    assert second.lock(leases.SLOTS - 1)


def test_a_lease_without_its_file_still_holds_among_threads(local: Store, home: str) -> None:
    (Path(home) / "leases").mkdir()
    got = []

    def take() -> None:
        with local.lease(b"key", limit=0) as held:
            got.append(held)

    with local.lease(b"key", limit=0) as held:
        assert held
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert got == [False]


def test_leases_leave_nothing_behind(local: Store, home: str) -> None:
    for number in range(100):
        with local.lease(b"%d" % number, limit=0):
            pass
    assert (Path(home) / "leases").stat().st_size == 0
    assert local._leases._holds == {}


def test_threads_that_take_the_first_leases_at_once_leave_nothing_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = SlotLocks(str(tmp_path / "leases")), SlotLocks(str(tmp_path / "leases"))
    opened, both = os.open, threading.Barrier(2)

    def open_together(*given: Any) -> int:
        both.wait(10)
        return opened(*given)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", open_together)
        threads = [threading.Thread(target=first.lock, args=(slot,)) for slot in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for slot in (1, 2):
        assert not second.lock(slot)
        first.unlock(slot)
        assert second.lock(slot)
