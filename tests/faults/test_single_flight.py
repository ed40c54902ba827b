"""Many want the same result at once: one computes it, whoever is killed, stopped or interrupted."""

import random
import signal
import time

from tests.faults.conftest import Rounds
from tests.faults.programs import Process, Programs, ended, figures, line, tell

# What the body does meanwhile is said by each program, and changes no result.
WORK = """
from hitsave import inert, memo
from notes import note
import os, time

meanwhile = inert([lambda: time.sleep(0.3)])

@memo
def slow(x):
    note(x, time.monotonic())
    meanwhile[0]()
    return x * x
"""

ONE = """
import sys, time
import work

print("ready", flush=True)
sys.stdin.readline()
print(work.slow(7), time.monotonic(), flush=True)
"""


def assert_served_soon(count: int, lines: list[str], result: int) -> None:
    """Assert that all have the result, and the last not long after the first."""
    answers = [each.split() for each in lines]
    assert [each[0] for each in answers] == [str(result)] * count
    first, *others = sorted(float(each[1]) for each in answers)
    delays = [moment - first for moment in others]
    figures(f"one of {count} computed; the others were served after it", delays)
    assert max(delays) < 10


def test_of_many_fresh_processes_one_computes(programs: Programs, rounds: Rounds) -> None:
    programs.write("work.py", WORK)
    programs.write("one.py", ONE)
    count = min(rounds(8), 64)
    processes = [programs.start("one.py") for _ in range(count)]
    assert [line(each) for each in processes] == ["ready"] * count
    for each in processes:
        tell(each)
    done = [ended(each) for each in processes]
    assert [each.stderr for each in done] == [""] * count
    assert len(programs.noted()) == 1
    assert_served_soon(count, [each.stdout.splitlines()[-1] for each in done], 49)


FORKS = """
import os, sys, time
import work

count, x = map(int, sys.argv[1:])
wait, go = os.pipe()
children = []
for _ in range(count):
    if (pid := os.fork()) == 0:
        os.close(go)
        os.read(wait, 1)
        # One write, so that no line comes into another.
        os.write(1, f"{work.slow(x)} {time.monotonic()}\\n".encode())
        os._exit(0)
    children.append(pid)
os.close(go)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * count
"""


def test_of_many_children_of_one_program_one_computes(programs: Programs, rounds: Rounds) -> None:
    programs.write("work.py", WORK)
    programs.write("forks.py", FORKS)
    count = min(rounds(16), 64)
    for x in range(min(rounds(1), 20)):
        lines = programs.printed("forks.py", count, x).splitlines()
        assert len(programs.noted()) == 1
        assert_served_soon(count, lines, x * x)


THREADS = """
import asyncio, threading
import work

work.slow(0)

async def tasks():
    return await asyncio.gather(*(asyncio.to_thread(work.slow, 8) for _ in range(16)))

results = []
start = threading.Barrier(16)

def call():
    start.wait()
    results.append(work.slow(7))

threads = [threading.Thread(target=call) for _ in range(16)]
for thread in threads:
    thread.start()
print(asyncio.run(tasks()) == [64] * 16)
for thread in threads:
    thread.join()
print(results == [49] * 16)
"""


def test_of_threads_and_tasks_in_two_processes_one_computes(programs: Programs) -> None:
    programs.write("work.py", WORK)
    programs.write("threads.py", THREADS)
    done = [ended(each) for each in [programs.start("threads.py") for _ in range(2)]]
    assert [(each.stdout, each.stderr) for each in done] == [("True\nTrue\n", "")] * 2
    assert sorted(note.split()[0] for note in programs.noted()) == ["0", "7", "8"]


TAKE_OVER = """
import os, random, signal, sys, time
import work

WAITERS = 2

def forked(run):
    if (pid := os.fork()) == 0:
        run()
        os._exit(0)
    return pid

def hold():
    os.write(inside, b".")
    time.sleep(600)

def be_holder():
    work.meanwhile[0] = hold
    work.slow(turn)

def be_waiter():
    work.meanwhile[0] = lambda: None
    os.write(inside, b".")
    assert work.slow(turn) == turn * turn

for turn in range(*map(int, sys.argv[1:])):
    told, inside = os.pipe()
    holder = forked(be_holder)
    os.read(told, 1)
    waiters = [forked(be_waiter) for _ in range(WAITERS)]
    for _ in waiters:
        os.read(told, 1)
    time.sleep(0.01 + random.random() / 10)
    print(turn, time.monotonic(), flush=True)
    os.kill(holder, signal.SIGKILL)
    assert os.waitpid(holder, 0)[1] == signal.SIGKILL
    assert [os.waitpid(pid, 0)[1] for pid in waiters] == [0] * WAITERS
    os.close(told)
    os.close(inside)
"""


def test_a_killed_holder_costs_one_more_body(programs: Programs, rounds: Rounds) -> None:
    programs.write("work.py", WORK)
    programs.write("take_over.py", TAKE_OVER)
    delays = []
    turns = rounds(5)
    for first in range(0, turns, 100):
        last = min(first + 100, turns)
        lines = programs.printed("take_over.py", first, last).splitlines()
        killed = [each.split() for each in lines]
        begun = [each.split() for each in programs.noted()]
        assert [turn for turn, _ in begun] == [turn for turn, _ in killed for _ in range(2)]
        for (_, moment), (_, begun_again) in zip(killed, begun[1::2], strict=True):
            delays.append(float(begun_again) - float(moment))
    figures("taken over after a kill", delays)
    assert min(delays) > 0
    assert max(delays) < 5


PLAY = """
import os, signal, sys, time
from hitsave.memo import call
import work

def hold():
    print("inside", flush=True)
    os.read(0, 1)

role, limit = sys.argv[1:]
call.LEASE_LIMIT = float(limit)
work.meanwhile[0] = hold if role == "holder" else lambda: None
# A shell makes what it runs in the background deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
print("begun", flush=True)
try:
    print(work.slow(7), time.monotonic(), flush=True)
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
"""


def held(programs: Programs) -> Process:
    """Start a process that is inside the body until it is told to go on."""
    programs.write("work.py", WORK)
    programs.write("play.py", PLAY)
    holder = programs.start("play.py", "holder", 600)
    assert (line(holder), line(holder)) == ("begun", "inside")
    return holder


def waiting(programs: Programs, count: int, limit: float) -> list[Process]:
    """Start processes that wait for the holder."""
    waiters = [programs.start("play.py", "waiter", limit) for _ in range(count)]
    assert [line(each) for each in waiters] == ["begun"] * count
    return waiters


def test_nobody_waits_for_a_stopped_holder_beyond_the_limit(programs: Programs) -> None:
    holder = held(programs)
    holder.send_signal(signal.SIGSTOP)
    waiters = [ended(each) for each in waiting(programs, 3, limit=0.3)]
    assert [(each.stdout.split()[0], each.stderr) for each in waiters] == [("49", "")] * 3
    # Of those whose time is up together each may compute.
    assert 2 <= len(programs.noted()) <= 4
    holder.send_signal(signal.SIGCONT)
    tell(holder)
    done = ended(holder)
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "49", "")
    (late,) = [ended(each) for each in waiting(programs, 1, limit=600)]
    assert late.stdout.split()[0] == "49"
    assert programs.noted() == []


def test_a_stopped_waiter_keeps_nobody_waiting(programs: Programs) -> None:
    holder = held(programs)
    waiters = waiting(programs, 3, limit=600)
    waiters[0].send_signal(signal.SIGSTOP)
    tell(holder)
    assert [ended(each).stdout.split()[0] for each in waiters[1:]] == ["49"] * 2
    assert ended(holder).returncode == 0
    waiters[0].send_signal(signal.SIGCONT)
    assert ended(waiters[0]).stdout.split()[0] == "49"
    assert len(programs.noted()) == 1


def test_an_interrupt_ends_a_waiter_at_once_and_the_holder_goes_on(
    programs: Programs, rounds: Rounds
) -> None:
    holder = held(programs)
    delays = []
    for _ in range(rounds(3)):
        (waiter,) = waiting(programs, 1, limit=600)
        time.sleep(random.random() / 10)
        sent = time.monotonic()
        waiter.send_signal(signal.SIGINT)
        done = ended(waiter)
        said, moment = done.stdout.split()
        assert (said, done.returncode, done.stderr) == ("interrupted", 0, "")
        delays.append(float(moment) - sent)
    figures("waiters interrupted after Ctrl-C", delays)
    assert max(delays) < 5
    (last,) = waiting(programs, 1, limit=600)
    tell(holder)
    assert ended(holder).stdout.split()[0] == "49"
    assert ended(last).stdout.split()[0] == "49"
    assert len(programs.noted()) == 1
