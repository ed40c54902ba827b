"""Forks, workers, threads, tasks and interrupts: nothing hangs, nothing is wrong or done twice."""

import random
import signal
import time
from collections import Counter

import pytest
from tests.faults.conftest import Rounds
from tests.faults.programs import Programs, ended, line

WORK = """
from hitsave import memo
from notes import note

def step(x):
    return 3 * x

@memo
def inner(x):
    note("inner", x)
    return step(x)

@memo
def small(x):
    note("small", x)
    return inner(x % 7) + x

@memo
def large(x):
    note("large", x)
    return bytes([x % 256]) * 100_000

def check(x):
    assert small(x) == 3 * (x % 7) + x, x
    assert large(x % 50) == bytes([x % 50]) * 100_000, x
"""


def assert_computed_once(programs: Programs) -> int:
    """Assert that no body ran twice with the same argument; return how many did."""
    counts = Counter(programs.noted())
    assert [what for what, count in counts.items() if count > 1] == []
    return len(counts)


# In functions: beside a fork calls count all that may have run, and how far the script has come.
BUSY = """
import os, signal, sys, threading, time
import work

def be_busy(name, recorded, ended):
    number = 0
    while not ended.is_set():
        # Of its own and of all threads, new and known.
        x = 1000 * (name + 1) + number
        work.check(x)
        recorded.append(x)
        work.check(number // 4)
        work.check(recorded[len(recorded) // 2])
        number += 1
        time.sleep(0.001)

def be_child(xs):
    code = 1
    try:
        signal.alarm(20)
        for x in xs:
            work.check(x)
        code = 0
    finally:
        os._exit(code)

def main(first, last):
    recorded, failed, ended = [], [], threading.Event()
    threads = [threading.Thread(target=be_busy, args=(n, recorded, ended)) for n in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(first, last):
        known = recorded[-3:]
        if (pid := os.fork()) == 0:
            be_child([*known, 100_000 + turn, turn])
        if (status := os.waitpid(pid, 0)[1]) != 0:
            failed.append((turn, status))
    ended.set()
    for thread in threads:
        thread.join()
    print(failed)

main(*map(int, sys.argv[1:]))
"""


def test_a_fork_while_threads_make_calls_hangs_nobody_and_repeats_nothing(
    programs: Programs, rounds: Rounds
) -> None:
    programs.write("work.py", WORK)
    programs.write("busy.py", BUSY)
    turns = rounds(20)
    for first in range(0, turns, 200):
        last = min(first + 200, turns)
        assert programs.printed("busy.py", first, last) == "[]\n"
    computed = assert_computed_once(programs)
    print(f"{turns} forks, {computed} bodies")
    assert computed > turns


def test_a_fork_while_threads_make_calls_without_a_folder_hangs_nobody(
    programs: Programs, rounds: Rounds
) -> None:
    programs.write("work.py", WORK)
    programs.write("busy.py", BUSY)
    programs.home.write_text("not a folder")
    done = programs.run("busy.py", 0, min(rounds(20), 200))
    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert done.stderr.count("HitsaveWarning") == 1


LOCKS = """
import os, signal, sys, threading
import work
from hitsave import session

KINDS = type(threading.Lock()), type(threading.RLock())

def locks():
    for name, module in sorted(sys.modules.items()):
        # What is taken before a fork is given back after it.
        if name.startswith("hitsave") and name != "hitsave.store.local":
            yield from (each for each in vars(module).values() if isinstance(each, KINDS))
    yield session.current()._lock
    yield session.current().tracker._lock
    if sys.argv[1:]:
        yield session.current().store._guard

def hold():
    for lock in locks():
        lock.acquire()
    held.set()
    go_on.wait()
    for lock in locks():
        lock.release()

work.check(0)
held, go_on = threading.Event(), threading.Event()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
if (pid := os.fork()) == 0:
    signal.alarm(20)
    work.check(0)
    work.check(1)
    os._exit(0)
print(os.waitpid(pid, 0)[1], len(list(locks())) > 5)
go_on.set()
thread.join()
"""


@pytest.mark.parametrize("in_memory", [False, True])
def test_no_lock_that_a_thread_holds_is_held_in_the_child_of_a_fork(
    programs: Programs, in_memory: bool
) -> None:
    programs.write("work.py", WORK)
    programs.write("locks.py", LOCKS)
    if in_memory:
        programs.home.write_text("not a folder")
    done = programs.run("locks.py", *["in memory"] * in_memory)
    assert (done.returncode, done.stdout) == (0, "0 True\n"), done.stderr


MANY = """
import random, threading
import work

work.check(0)
start = threading.Barrier(32)
right = []

def call(seed):
    xs = list(range(40))
    random.Random(seed).shuffle(xs)
    start.wait()
    for x in xs:
        work.check(x)
    right.append(seed)

threads = [threading.Thread(target=call, args=(seed,)) for seed in range(32)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(right))
"""


def test_threads_that_make_the_same_calls_in_any_order_compute_each_once(
    programs: Programs, rounds: Rounds
) -> None:
    programs.write("work.py", WORK)
    programs.write("many.py", MANY)
    for _ in range(min(rounds(1), 20)):
        assert programs.printed("many.py") == "32\n"
    assert assert_computed_once(programs) == 40 + 40 + 7


SPOILED = """
import work
from hitsave.memo import around, cutoff

plain = cutoff._packed_arguments

def packed(call):
    # As another thread may, at any moment.
    around.spoil()
    return plain(call)

cutoff._packed_arguments = packed
for x in range(14):
    work.check(x)
"""


def test_a_call_inside_another_hits_whatever_other_threads_do(programs: Programs) -> None:
    programs.write("work.py", WORK)
    programs.write("spoiled.py", SPOILED)
    programs.printed("spoiled.py")
    assert assert_computed_once(programs) == 14 + 14 + 7


TASKS = """
import asyncio
from hitsave import memo
import work

work.check(0)

@memo
async def fetch(x):
    await asyncio.sleep(0.001)
    return -x

async def task(number):
    for x in range(20):
        x = (x + number) % 20
        assert await fetch(x) == -x
        await asyncio.to_thread(work.check, x)
        work.check(x + 20)

async def main():
    await asyncio.gather(*map(task, range(16)))

asyncio.run(main())
asyncio.run(main())
print("done")
"""


def test_tasks_make_calls_side_by_side(programs: Programs) -> None:
    programs.write("work.py", WORK)
    programs.write("tasks.py", TASKS)
    assert programs.printed("tasks.py") == "done\n"
    assert assert_computed_once(programs) == 40 + 40 + 7


POOL = """
import multiprocessing, os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
import hitsave, work
from hitsave.memo import record

# As if each call took long: such are recorded when they return.
record.CHEAP = 0.0

def call(x):
    if x < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    work.check(x)
    return x

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with ProcessPoolExecutor(2, context) as pool:
        try:
            list(pool.map(call, [1, 2, 1, 3, -1, *range(20)]))
        except BrokenProcessPool:
            print("broken")
    with ProcessPoolExecutor(2, context) as pool:
        print(list(pool.map(call, [*range(20), *range(20)])) == [*range(20)] * 2)
    with hitsave.mode("require"):
        print(list(map(call, range(20))) == [*range(20)])
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_pool_after_one_that_lost_a_worker_has_all_results(
    programs: Programs, method: str
) -> None:
    programs.write("work.py", WORK)
    programs.write("pool.py", POOL)
    assert programs.printed("pool.py", method) == "broken\nTrue\nTrue\n"
    # What a worker was computing that was killed with the others is computed again.
    assert set(Counter(programs.noted()).values()) <= {1, 2}


LOKY = """
from joblib import Parallel, delayed
import work

def call(x):
    work.check(x)
    return work.small(x)

if __name__ == "__main__":
    for _ in range(2):
        found = Parallel(n_jobs=3)(delayed(work.small)(x % 30) for x in range(60))
        assert found == [3 * (x % 30 % 7) + x % 30 for x in range(60)]
    Parallel(n_jobs=3)(delayed(call)(x % 30) for x in range(60))
    print("done")
"""


def test_the_workers_of_joblib_compute_each_call_once(programs: Programs) -> None:
    pytest.importorskip("joblib")
    programs.write("work.py", WORK)
    programs.write("loky.py", LOKY)
    assert programs.printed("loky.py") == "done\n"
    assert assert_computed_once(programs) == 30 + 30 + 7
    assert programs.printed("loky.py", HITSAVE_MODE="require") == "done\n"
    assert programs.noted() == []


LOOP = """
import signal, sys
# A shell makes what it runs in the background deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
import work

first = int(sys.argv[1])
print("begun", flush=True)
for x in range(first, first + 30):
    work.check(x)
print("done", flush=True)
"""


def test_a_program_that_was_interrupted_goes_on_where_it_was(
    programs: Programs, rounds: Rounds
) -> None:
    programs.write("work.py", WORK)
    programs.write("loop.py", LOOP)
    chance = random.Random(0)
    interrupted = 0
    for turn in range(rounds(3)):
        program = programs.start("loop.py", 30 * (turn // 2))
        assert line(program) == "begun"
        time.sleep(chance.random() * 0.1)
        program.send_signal(signal.SIGINT)
        done = ended(program)
        is_cut_off = done.returncode == -signal.SIGINT
        assert is_cut_off or (done.returncode, done.stdout) == (0, "done\n")
        assert "HitsaveWarning" not in done.stderr
        interrupted += is_cut_off
        assert programs.printed("loop.py", 30 * (turn // 2)) == "begun\ndone\n"
    assert interrupted


# Python drops an interrupt that comes while it finalises an object, so that nothing waits for one.
INTERRUPTED = """
import signal, sys
import work

armed, ends, interrupts, x = [], [], 0, 0

def interrupt(*_):
    # Only inside the `try`.
    if armed:
        armed.clear()
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, interrupt)
signal.signal(signal.SIGUSR1, lambda *_: ends.append(True))
work.check(0)
print("begun", flush=True)
while not ends:
    try:
        while not ends:
            armed[:] = [True]
            x += 1
            work.check(x)
            work.check(x // 2)
    except KeyboardInterrupt:
        interrupts += 1
armed.clear()
for each in range(x + 10):
    work.check(each)
print("right", x, interrupts, flush=True)
sys.stdin.readline()
"""

AFTER = """
import sys
import work

for each in range(int(sys.argv[1]) + 20):
    work.check(each)
print("right")
"""


def test_interrupts_that_a_program_survives_leave_nothing_locked_or_wrong(
    programs: Programs, rounds: Rounds
) -> None:
    programs.write("work.py", WORK)
    programs.write("interrupted.py", INTERRUPTED)
    programs.write("after.py", AFTER)
    program = programs.start("interrupted.py")
    assert line(program) == "begun"
    chance = random.Random(0)
    for _ in range(rounds(50)):
        time.sleep(chance.random() * 0.01)
        program.send_signal(signal.SIGINT)
    program.send_signal(signal.SIGUSR1)
    said, last, interrupts = line(program).split()
    assert said == "right"
    assert int(interrupts) > 0
    print(f"{interrupts} interrupts")
    # Another process, while this one still lives.
    assert programs.printed("after.py", last) == "right\n"
    done = ended(program)
    assert done.returncode == 0
    assert "HitsaveWarning" not in done.stderr
