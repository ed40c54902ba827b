"""Many processes on one store: what one writes the others read, whoever forks or is stopped."""

import os
import signal
import subprocess
from collections.abc import Callable

from hitsave.store import Store, Table, Write, open_local

Start = Callable[..., "subprocess.Popen[str]"]
Run = Callable[..., str]


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]", text: str = "") -> None:
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()


def test_what_one_process_writes_another_reads_at_once(local: Store, start: Start) -> None:
    other = start(
        """
store = open_local(home)
for line in sys.stdin:
    key = line.strip().encode()
    print(store.get(Table.CALLS, key), flush=True)
    store.commit([Write(Table.CALLS, b"re-" + key, key)])
    print("done", flush=True)
"""
    )
    for name in map(str, range(20)):
        local.commit([Write(Table.CALLS, name.encode(), name.encode())])
        version = local.version()
        tell(other, name)
        assert line(other) == repr(name.encode())
        assert line(other) == "done"
        assert local.version() not in (None, version)
        assert local.get(Table.CALLS, b"re-" + name.encode()) == name.encode()


def test_processes_open_a_new_home_at_once(home: str, start: Start) -> None:
    program = """
sys.stdin.readline()
store = open_local(home)
store.commit([Write(Table.CALLS, sys.argv[2].encode(), b"value")])
print(store.get(Table.CALLS, sys.argv[2].encode()))
"""
    racers = [start(program, n) for n in range(8)]
    for racer in racers:
        tell(racer)
    assert [racer.communicate(timeout=60)[0] for racer in racers] == ["b'value'\n"] * 8
    store = open_local(home)
    assert len(store.scan(Table.CALLS, limit=100)) == 8
    store.close()


def test_writers_on_the_same_keys_agree_on_the_first(start: Start) -> None:
    program = """
store = open_local(home)
sys.stdin.readline()
for number in range(50):
    key = b"%d" % number
    store.commit([Write(Table.CALLS, key, sys.argv[2].encode())])
    print(store.get(Table.CALLS, key).decode(), flush=True)
"""
    writers = [start(program, n) for n in range(4)]
    for writer in writers:
        tell(writer)
    seen = [writer.communicate(timeout=60)[0].split() for writer in writers]
    assert len(seen[0]) == 50
    assert seen[0] == seen[1] == seen[2] == seen[3]


def test_a_child_of_a_fork_reads_and_writes_as_its_parent_does(run: Run) -> None:
    printed = run(
        """
store = open_local(home)
store.commit([Write(Table.CALLS, b"parent", b"value")])
open_files = set(os.listdir("/proc/self/fd"))
pid = os.fork()
if pid == 0:
    # Nothing of the parent's is kept open; its own is opened when needed.
    left = {name for name in os.listdir("/proc/self/fd")} & open_files
    ours = [n for n in left if os.path.realpath(f"/proc/self/fd/{n}").startswith(home)]
    assert ours == [], ours
    assert store.get(Table.CALLS, b"parent") == b"value"
    for number in range(50):
        store.commit([Write(Table.CALLS, b"child-%d" % number, b"value")])
    os._exit(0)
for number in range(50):
    store.commit([Write(Table.CALLS, b"parent-%d" % number, b"value")])
print(os.waitpid(pid, 0)[1], len(store.scan(Table.CALLS, limit=1000)))
"""
    )
    assert printed == "0 101\n"


def test_a_fork_while_threads_commit_hangs_nobody_and_loses_nothing(run: Run) -> None:
    printed = run(
        """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
store = open_local(home)
ended = threading.Event()
counts = [0] * 4

def busy(name):
    while not ended.is_set():
        key = b"%d-%d" % (name, counts[name])
        store.commit([Write(Table.CALLS, key, key)])
        store.get(Table.CALLS, key)
        with store.lease(key, limit=1):
            pass
        counts[name] += 1

threads = [threading.Thread(target=busy, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
failed = 0
for turn in range(25):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(20)
            key = b"child-%d" % turn
            store.commit([Write(Table.CALLS, key, key)])
            with store.lease(b"key", limit=1) as held:
                code = 0 if held and store.get(Table.CALLS, key) == key else 2
        finally:
            os._exit(code)
    failed += os.waitpid(pid, 0)[1] != 0
ended.set()
for thread in threads:
    thread.join()
keys = [b"%d-%d" % (name, i) for name in range(4) for i in range(counts[name])]
lost = [key for key in keys if store.get(Table.CALLS, key) != key]
lost += [n for n in range(25) if store.get(Table.CALLS, b"child-%d" % n) is None]
print(failed, lost, sum(counts) > 20)
"""
    )
    assert printed == "0 [] True\n"


def test_a_large_object_can_be_written_by_the_child_of_a_fork(run: Run) -> None:
    printed = run(
        """
store = open_local(home)
digest = store.write_object([bytes(20_000_000)])
pid = os.fork()
if pid == 0:
    signal.alarm(30)
    same = store.write_object([bytes(20_000_000)]) == digest
    os._exit(0 if same and store.read_object(digest) is not None else 1)
print(os.waitpid(pid, 0)[1])
"""
    )
    assert printed == "0\n"


def test_a_store_set_aside_by_one_process_is_left_by_the_others(local: Store, run: Run) -> None:
    local.commit([Write(Table.CALLS, b"before", b"value")])
    run(
        """
import warnings
warnings.simplefilter("ignore")
with open(home + "/records/data.mdb", "r+b") as file:
    file.write(b"garbage" * 3)
open_local(home).commit([Write(Table.CALLS, b"anew", b"value")])
"""
    )
    local.commit([Write(Table.CALLS, b"after", b"value")])
    assert local.get(Table.CALLS, b"anew") == b"value"
    assert run('print(open_local(home).get(Table.CALLS, b"after"))') == "b'value'\n"


def test_a_process_stopped_in_a_transaction_is_waited_for_and_then_left(
    home: str, run: Run, start: Start
) -> None:
    open_local(home).close()
    stopped = start(
        """
import fcntl
store = open_local(home)
fcntl.flock(os.open(home + "/records", os.O_RDONLY), fcntl.LOCK_EX)
print("locked", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""
    )
    assert line(stopped) == "locked"
    printed = run(
        """
import warnings
warnings.simplefilter("ignore")
from hitsave.errors import StoreUnavailableError
from hitsave.store import locks
locks.LIMIT = 0.2
try:
    open_local(home)
except StoreUnavailableError as error:
    print(error.message)
"""
    )
    assert "to itself" in printed
    stopped.send_signal(signal.SIGKILL)
    stopped.wait()
    assert run('print(open_local(home).get(Table.CALLS, b"key"))') == "None\n"


def test_an_interrupt_in_the_middle_leaves_nothing_locked(home: str, start: Start) -> None:
    program = """
store = open_local(home)
interrupts = 0
number = 0
while interrupts < 30:
    try:
        print("interrupted" if interrupts else "ready", flush=True)
        while True:
            number += 1
            store.commit([Write(Table.STATE, b"key", b"%d" % number)])
            store.get(Table.STATE, b"key")
            with store.lease(b"key", limit=60) as held:
                assert held
    except KeyboardInterrupt:
        interrupts += 1
signal.signal(signal.SIGINT, signal.SIG_IGN)
with store.lease(b"key", limit=0) as held:
    print(held, flush=True)
sys.stdin.readline()
"""
    process = start(program)
    assert line(process) == "ready"
    while (said := line(process_after_interrupt(process))) == "interrupted":
        continue
    assert said == "True"
    # Another process gets both locks while this one still lives.
    store = open_local(home)
    store.commit([Write(Table.STATE, b"other", b"value")])
    with store.lease(b"key", limit=0) as held:
        assert held
    store.close()
    tell(process)
    assert process.wait(timeout=60) == 0


def process_after_interrupt(process: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
    process.send_signal(signal.SIGINT)
    return process


def test_opening_a_store_loads_lmdb_and_importing_the_room_does_not(run: Run) -> None:
    printed = run(
        """
import hitsave.store
print("lmdb" in sys.modules, "numpy" in sys.modules, "asyncio" in sys.modules)
open_local(home)
print("lmdb" in sys.modules)
"""
    )
    assert printed == "False False False\nTrue\n"


def test_the_descriptors_of_locks_are_not_inherited_by_other_programs(
    local: Store, home: str
) -> None:
    local.commit([Write(Table.CALLS, b"key", b"value")])
    with local.lease(b"key", limit=0):
        inherited = [
            name
            for name in os.listdir("/proc/self/fd")
            # LMDB's own may be: it holds no lock, and what inherits it does nothing with it.
            if os.path.realpath(f"/proc/self/fd/{name}") in (f"{home}/records", f"{home}/leases")
            and os.get_inheritable(int(name))
        ]
    assert inherited == []
