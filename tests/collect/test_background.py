"""A store that has become too large loses what is worth least, unasked."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hitsave import session
from hitsave.collect import background, collector

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(project: Path, home: Path) -> Run:
    """Run a script of the project in a fresh process to its end."""

    def run(script: str, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        (project / "script.py").write_text(script)
        done = subprocess.run(
            [sys.executable, "script.py", *words],
            cwd=project,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "HITSAVE_HOME": str(home),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


MANY = """
import sys
from hitsave import memo
from hitsave.collect import collector

collector.RELEASED_AFTER = 0.0

@memo
def large(n):
    return bytes([n % 256]) * 100_000 + str(n).encode()

first = int(sys.argv[1])
for n in range(first, first + 60):
    large(n)
"""


def size(home: Path) -> int:
    return sum(path.stat().st_size for path in home.glob("objects/*/*"))


def test_many_processes_stay_within_bounds(run: Run, home: Path) -> None:
    for first in range(0, 300, 60):
        done = run(MANY, str(first), HITSAVE_MAX_SIZE="3 MB")
        assert done.stderr == ""
        assert size(home) < 4_500_000
    assert size(home) > 1_000_000


TOO_MUCH = """
from hitsave import experiment

@experiment
def tried(n):
    return bytes([n]) * 100_000

for n in range(30):
    tried(n)
"""


def test_what_has_to_stay_is_told_of(run: Run, home: Path) -> None:
    done = run(TOO_MUCH, HITSAVE_MAX_SIZE="1 MB")
    assert done.stderr.count("HitsaveWarning") == 1
    assert "more than the 1.0 MB that it may" in done.stderr
    assert size(home) > 3_000_000


AT_THE_END = """
from hitsave import memo, session
from hitsave.collect import background

@memo
def large(n):
    return bytes([n]) * 100_000

for n in range(4):
    large(n)
# What is loaded by the pass is loaded while the program ends.
background.start(session.current())
"""


def test_a_pass_that_begins_with_the_end_of_the_program(run: Run, home: Path) -> None:
    assert run(AT_THE_END).stderr == ""
    assert size(home) > 400_000


TOO_LARGE = """
from hitsave import memo

@memo
def large():
    print("ran")
    return bytes(2_000_000)

assert large() == large() == bytes(2_000_000)
"""


def test_a_result_larger_than_the_store_may_be_is_returned_and_not_stored(
    run: Run, home: Path
) -> None:
    done = run(TOO_LARGE, HITSAVE_MAX_SIZE="1 MB")
    assert done.stdout == "ran\nran\n"
    assert done.stderr.count("HitsaveWarning") == 1
    assert "2.0 MB" in done.stderr
    assert size(home) == 0
    assert run(TOO_LARGE).stdout == "ran\n"


USED = """
import sys, time
from hitsave import session
from hitsave.collect.calls import kept_calls

from module import f

now = time.time()
exec(sys.argv[2], {"days": float(sys.argv[1])})
f(1)
session._finish()
(call,) = kept_calls(session.current().store)
print(round((call.used - now) / 86400.0))
"""


def test_a_call_that_hits_is_used_then(run: Run, project: Path) -> None:
    text = "from hitsave import memo\n\n@memo\ndef f(n):\n    return n\n"
    (project / "module.py").write_text(text)
    set_clock = "import time; now = time.time; time.time = lambda: now() + days * 86400.0"
    found = [run(USED, day, set_clock).stdout.strip() for day in ("0", "5", "9")]
    assert found == ["0", "5", "9"]
    # Not by somebody who may only read.
    assert run(USED, "20", set_clock, HITSAVE_MODE="read-only").stdout.strip() == "9"


def test_the_programs_own_random_numbers_are_left_alone(run: Run) -> None:
    script = """
import random, sys
from hitsave import memo
@memo
def f(n):
    return bytes(100_000 + n)
random.seed(1)
for n in range(20):
    f(n)
print(random.random() == random.Random(1).random())
"""
    assert run(script, HITSAVE_MAX_SIZE="1 MB").stdout == "True\n"


def test_what_is_written_during_a_pass_is_looked_at_by_another(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, passes = threading.Event(), threading.Event(), []

    def make_pass(given: session.Session) -> None:
        passes.append(given)
        begun.set()
        assert go_on.wait(10)

    monkeypatch.setattr(background, "_make_pass", make_pass)
    own = session.current()
    background.start(own)
    assert begun.wait(10)
    for _ in range(5):
        background.start(own)
    go_on.set()
    background._wait()
    assert passes == [own, own]
    background.start(own)
    background._wait()
    assert passes == [own] * 3
    assert project


def test_trouble_in_a_pass_is_told_once(
    project: Path, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(collector, "collect", broken)
    for _ in range(2):
        background.start(session.current())
        background._wait()
    assert [said for said in warned if "ValueError inside hitsave: broken" in said] == warned
    assert len(warned) == 1
    assert project
