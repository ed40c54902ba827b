"""Processes: memoised functions sent to others, and results that one computes for all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from hitsave import memo

def note(what):
    # One write to a file opened for appending: whole, whoever else writes.
    descriptor = os.open({ran!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{{what}}\\n".encode())
    os.close(descriptor)

@memo
def double(x):
    note(x)
    return 2 * x

class Model:
    def __init__(self, weight):
        self.weight = weight

    @memo
    def predict(self, x):
        note("p%d" % x)
        return self.weight * x

    @memo
    @classmethod
    def make(cls, x):
        note("m%d" % x)
        return cls.__name__ * x

def slow(x):
    note("s%d" % x)
    return -x

quick = memo(slow)

if __name__ == "__main__":
    {main}
"""


@pytest.fixture
def ran(run: Any, tmp_path: Path) -> Callable[[str], tuple[str, list[str]]]:
    """Run the program with this main block; returns what it printed, and which bodies ran."""
    noted = tmp_path / "ran"

    def ran(main: str) -> tuple[str, list[str]]:
        noted.unlink(missing_ok=True)
        text = PROGRAM.format(ran=str(noted), main=main.replace("\n", "\n    "))
        # Python warns of forks with threads, which is what some of these are about.
        done = run(text, "-W", "ignore::DeprecationWarning")
        assert done.stderr == ""
        return done.stdout, sorted(noted.read_text().split()) if noted.exists() else []

    return ran


METHODS = ["fork", "spawn", "forkserver"]


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_computes_each_result_once_and_shares_it(ran: Any, method: str) -> None:
    main = f"""
with ProcessPoolExecutor(2, multiprocessing.get_context("{method}")) as pool:
    print(list(pool.map(double, [1, 2, 1, 2])), double(1), double(2))
"""
    assert ran(main) == ("[2, 4, 2, 4] 2 4\n", ["1", "2"])
    assert ran(main) == ("[2, 4, 2, 4] 2 4\n", [])


@pytest.mark.parametrize("method", METHODS)
def test_methods_partials_and_renamed_memos_can_be_sent(ran: Any, method: str) -> None:
    main = f"""
context = multiprocessing.get_context("{method}")
with ProcessPoolExecutor(2, context) as pool:
    sent = [Model(3).predict, Model.make, quick, partial(double, 5)]
    print([pool.submit(f, *([2] if f is not sent[3] else [])).result() for f in sent])
print(Model(3).predict(2), Model.make(2), quick(2), double(5))
"""
    assert ran(main) == (
        "[6, 'ModelModel', -2, 10]\n6 ModelModel -2 10\n",
        ["5", "m2", "p2", "s2"],
    )


def test_a_fork_while_a_call_is_under_way_does_not_hang(ran: Any) -> None:
    main = """
import threading
started, go_on = threading.Event(), threading.Event()

@memo
def slow_one(x):
    started.set()
    go_on.wait(30)
    return x

thread = threading.Thread(target=slow_one, args=(1,))
thread.start()
started.wait(30)
child = os.fork()
if child == 0:
    print(double(7), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
go_on.set()
thread.join()
print(double(7))
"""
    assert ran(main) == ("14\n14\n", ["7"])


def test_processes_that_start_together_compute_one_result_once(ran: Any) -> None:
    main = """
context = multiprocessing.get_context("fork")
barrier = context.Barrier(8)

@memo
def one(x):
    note("one")
    import time
    time.sleep(0.2)
    return x

def work():
    barrier.wait()
    assert one(1) == 1

children = [context.Process(target=work) for _ in range(8)]
for child in children:
    child.start()
for child in children:
    child.join()
print([child.exitcode for child in children])
"""
    assert ran(main) == (f"{[0] * 8}\n", ["one"])


def test_exceptions_come_back_from_a_pool(ran: Any) -> None:
    main = """
with ProcessPoolExecutor(1) as pool:
    error = pool.submit(double, None).exception()
print(type(error).__name__)
"""
    assert ran(main)[0] == "TypeError\n"


def test_a_killed_holder_is_taken_over(ran: Any) -> None:
    main = """
import signal, time
context = multiprocessing.get_context("fork")
inside = context.Event()

@memo
def one(x):
    note("one")
    if not inside.is_set():
        inside.set()
        time.sleep(60)
    return x

child = context.Process(target=one, args=(1,))
child.start()
inside.wait(30)
os.kill(child.pid, signal.SIGKILL)
print(one(1))
"""
    assert ran(main) == ("1\n", ["one", "one"])


def test_cloudpickle_sends_the_main_programs_functions_whole(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("cloudpickle")
    sent = tmp_path / "sent"
    sender = f"""
    import cloudpickle
    from hitsave import memo

    BASE = 10

    @memo
    def fibo(n):
        return n if n < 2 else fibo(n - 1) + fibo(n - 2)

    class Model:
        @memo
        def add(self, x):
            return BASE + x

    if __name__ == "__main__":
        with open({str(sent)!r}, "wb") as file:
            cloudpickle.dump((fibo, Model().add), file)
    """
    run(sender)
    receiver = f"""
    import pickle

    with open({str(sent)!r}, "rb") as file:
        fibo, add = pickle.load(file)
    print(fibo(10), add(1), fibo.cached(10), add.cached(1))
    """
    assert run(receiver).stdout == "55 11 True True\n"
