"""The clock is set back or forward, between runs and during calls: nothing is wrong or lost."""

from pathlib import Path

import pytest
from tests.faults.programs import Programs

from hitsave.digest import digest_bytes

MINUTE = 60.0
HOUR = 3600.0
YEAR = 365 * 24 * HOUR

# Of this process. The clock of the file system stays, as it does where a program is lied to.
CLOCK = """
import os, time
from hitsave import inert

seconds = inert([float(os.environ.get("CLOCK", "0"))])
real, real_ns = inert(time.time), inert(time.time_ns)
time.time = inert(lambda: real() + seconds[0])
time.time_ns = inert(lambda: real_ns() + int(seconds[0] * 1e9))

def set_clock(to):
    seconds[0] = to
"""

WORK = """
from hitsave import inert, memo
from notes import note

meanwhile = inert([lambda: None])

@memo
def small(x):
    note("small", x)
    meanwhile[0]()
    return 3 * x

@memo
def large(x):
    note("large", x)
    meanwhile[0]()
    return bytes([x]) * 100_000

@memo(ttl=3600)
def lasting(x):
    note("lasting", x)
    return -x

def check(x):
    assert small(x) == 3 * x
    assert large(x) == bytes([x]) * 100_000
"""

RUN = "import clock, work\nwork.check(1)\n"


@pytest.fixture
def project(programs: Programs) -> Programs:
    programs.write("clock.py", CLOCK)
    programs.write("work.py", WORK)
    programs.write("run.py", RUN)
    return programs


@pytest.mark.parametrize("first", [-YEAR, YEAR])
def test_a_clock_that_is_set_between_runs_costs_no_computation(
    project: Programs, first: float
) -> None:
    project.printed("run.py", CLOCK=str(first))
    assert project.noted() == ["small 1", "large 1"]
    for clock in (0.0, -MINUTE, YEAR, -YEAR):
        project.printed("run.py", CLOCK=str(clock))
    assert project.noted() == []


DURING = """
import sys
from hitsave import inert
import clock, work

jump = inert([float(sys.argv[1])])
work.meanwhile[0] = lambda: clock.set_clock(clock.seconds[0] + jump[0])
work.check(1)
work.meanwhile[0] = lambda: None
work.check(1)
clock.set_clock(0)
work.check(1)
"""


@pytest.mark.parametrize("jump", [-YEAR, YEAR])
def test_a_clock_that_is_set_during_a_call_costs_no_computation(
    project: Programs, jump: float
) -> None:
    project.write("during.py", DURING)
    project.printed("during.py", jump)
    assert project.noted() == ["small 1", "large 1"]
    for again in (jump, -jump):
        project.printed("during.py", again)
    assert project.noted() == []


LASTING = """
import sys
import clock, work

for to in map(float, sys.argv[1:]):
    clock.set_clock(to)
    assert work.lasting(1) == -1
"""


def test_a_result_with_a_time_to_live_expires_by_the_clock_of_then(project: Programs) -> None:
    project.write("lasting.py", LASTING)
    project.printed("lasting.py", 0)
    assert len(project.noted()) == 1
    project.printed("lasting.py", 0, -MINUTE, HOUR - MINUTE)
    assert project.noted() == []
    project.printed("lasting.py", HOUR + MINUTE, 2 * HOUR, YEAR, YEAR + MINUTE)
    assert len(project.noted()) == 2


REFRESHED = """
import clock, hitsave, work

with hitsave.mode("refresh"):
    work.check(1)
    work.check(1)
"""


@pytest.mark.parametrize("recorded", [-YEAR, YEAR])
def test_what_is_refreshed_is_computed_whatever_the_clock_was(
    project: Programs, recorded: float
) -> None:
    project.write("refreshed.py", REFRESHED)
    project.printed("run.py", CLOCK=str(recorded))
    assert len(project.noted()) == 2
    project.printed("refreshed.py")
    assert project.noted() == ["small 1", "large 1"]


COLLECT = """
import sys
import clock
from hitsave import session
from hitsave.collect.collector import Options, collect

now = session.current()
for to in map(float, sys.argv[1:]):
    clock.set_clock(to)
    assert collect(now, Options(now.settings.max_size)).trouble == ""
"""


def leave_fresh(home: Path) -> list[Path]:
    """Put files into the store that a process has written just now, and may be about to use."""
    digits = digest_bytes(b"fresh").hex()
    fresh = home / "objects" / digits[:2] / digits[2:]
    fresh.parent.mkdir(exist_ok=True)
    unfinished = fresh.with_name(".part-20260101T000000-00000000")
    for path in (fresh, unfinished):
        path.write_bytes(b"fresh")
    return [fresh, unfinished]


def test_the_collector_removes_nothing_that_is_referred_to_whatever_the_clock_says(
    project: Programs, home: Path
) -> None:
    project.write("collect.py", COLLECT)
    project.printed("run.py")
    fresh = leave_fresh(home)
    project.printed("collect.py", -YEAR, -MINUTE, 0, MINUTE)
    assert all(path.exists() for path in fresh)
    # A year later, nobody can tell that these were written just now.
    project.printed("collect.py", YEAR)
    assert not any(path.exists() for path in fresh)
    project.printed("run.py", HITSAVE_MODE="require")
