"""Writers are killed at random points: what they acknowledged is there, and the store opens."""

import random
import time
from pathlib import Path

import pytest
from tests.faults.conftest import Rounds
from tests.faults.programs import Process, Programs, figures, kill, line

from hitsave.store import Store, Table, open_local

WRITERS = 8

COMMITS = """
import sys
from hitsave.store import Table, Write, open_local
from backup import back_up

name = sys.argv[1]
store = open_local(sys.argv[2])
for number in range(10**9):
    key = f"{name}-{number}"
    digest = store.write_object([key.encode() * 50]) if number % 8 == 0 else b""
    store.commit([Write(Table.CALLS, key.encode(), key.encode() * 100),
                  Write(Table.STATE, b"digest-" + key.encode(), digest)])
    back_up()
    print(key, flush=True)
"""

WORK = """
from hitsave import memo

@memo
def inner(name):
    return name.upper()

@memo
def small(name):
    return inner(name) * 10

@memo
def large(name):
    return name.encode() * 10_000
"""

# As if each call took long: such are recorded when they return.
LONG = """
from hitsave.memo import record

record.CHEAP = 0.0
"""

LONG_CALLS = """
import sys
from backup import back_up
from work import large, small

name = sys.argv[1]
for number in range(10**9):
    key = f"{name}-{number}"
    result = large(key) if number % 8 == 0 else small(key)
    back_up()
    print(key, flush=True)
"""

CALLS = """
import sys
from backup import back_up
from hitsave import session
from work import large, small

name, keys = sys.argv[1], []
for number in range(10**9):
    keys.append(f"{name}-{number}")
    result = large(keys[-1]) if number % 8 == 0 else small(keys[-1])
    back_up()
    if number % 10 == 9:
        session.current().store.flush()
        print(*keys, sep="\\n", flush=True)
        keys.clear()
"""

# In mode `require` a call that is not recorded raises.
AGAIN = """
import sys
from work import large, small

for key in map(str.strip, open(sys.argv[1])):
    if int(key.rpartition("-")[2]) % 8 == 0:
        assert large(key) == key.encode() * 10_000, key
    else:
        assert small(key) == key.upper() * 10, key
print("all there")
"""

# A backup, or a snapshot of the home folder: it opens and closes the files that are shared.
BACKUP = """
import os

FILES = [os.environ["HITSAVE_HOME"] + name
         for name in ("/records/data.mdb", "/format", "/CACHEDIR.TAG", "/leases")]

def back_up():
    for file in filter(os.path.exists, FILES):
        open(file, "rb").close()
"""
NO_BACKUP = "def back_up():\n    pass\n"

meddling = pytest.mark.parametrize(
    "backup", [NO_BACKUP, BACKUP], ids=["plain", "opening the store's files"]
)


def killed(writers: list[Process], chance: random.Random) -> list[str]:
    """Kill each writer at a moment of its own; return what all have acknowledged."""
    acknowledged: list[str] = []
    for writer in writers:
        # Also before the first line: while it starts, or opens the store.
        acknowledged += [line(writer) for _ in range(chance.randrange(25))]
        time.sleep(chance.random() * 0.003)
        # The last line may be cut off by the kill.
        acknowledged += kill(writer).split("\n")[:-1]
    return acknowledged


@meddling
def test_no_commit_that_was_acknowledged_is_lost(
    programs: Programs, home: Path, rounds: Rounds, backup: str
) -> None:
    programs.write("backup.py", backup)
    programs.write("writer.py", COMMITS)
    chance = random.Random(backup)
    acknowledged: list[str] = []
    for turn in range(rounds(1)):
        writers = [programs.start("writer.py", f"{turn}-{n}", home) for n in range(WRITERS)]
        found = killed(writers, chance)
        store = open_local(str(home))
        assert lost(store, found) == []
        store.close()
        acknowledged += found
    store = open_local(str(home))
    assert len(acknowledged) > 20
    assert lost(store, acknowledged) == []
    assert store.troubles == 0
    store.close()
    assert_undamaged(home)
    print(f"{len(acknowledged)} commits by {WRITERS * rounds(1)} writers that were killed")


def lost(store: Store, names: list[str]) -> list[str]:
    """The keys that are not there as they were written, or whose object is not."""
    return [name for name in names if not is_there(store, name)]


def is_there(store: Store, name: str) -> bool:
    digest = store.get(Table.STATE, f"digest-{name}".encode())
    is_whole = digest == b"" or (digest is not None and store.read_object(digest) is not None)
    return is_whole and store.get(Table.CALLS, name.encode()) == name.encode() * 100


def assert_undamaged(home: Path) -> None:
    """Assert that nothing was found damaged, and set aside."""
    assert not [path.name for path in home.glob("corrupt-*")]
    assert not (home / "quarantine").exists()


@meddling
@pytest.mark.parametrize("calls", [LONG_CALLS, CALLS], ids=["long", "cheap"])
def test_no_call_that_was_recorded_is_computed_again(
    programs: Programs, home: Path, rounds: Rounds, tmp_path: Path, backup: str, calls: str
) -> None:
    programs.write("backup.py", backup)
    programs.write("work.py", LONG + WORK if calls is LONG_CALLS else WORK)
    programs.write("writer.py", calls)
    programs.write("again.py", AGAIN)
    chance = random.Random(backup)
    acknowledged: list[str] = []
    for turn in range(rounds(1)):
        writers = [programs.start("writer.py", f"{turn}-{n}") for n in range(WRITERS)]
        found = killed(writers, chance)
        assert_recorded(programs, tmp_path / "keys", found)
        acknowledged += found
    assert len(acknowledged) > 20
    assert_recorded(programs, tmp_path / "keys", acknowledged)
    assert_undamaged(home)
    print(f"{len(acknowledged)} calls by {WRITERS * rounds(1)} writers that were killed")


def assert_recorded(programs: Programs, keys: Path, acknowledged: list[str]) -> None:
    keys.write_text("".join(f"{name}\n" for name in acknowledged))
    assert programs.printed("again.py", keys, HITSAVE_MODE="require") == "all there\n"


OPENER = """
import sys
from hitsave.store import Table, Write, open_local

store = open_local(sys.argv[1])
store.commit([Write(Table.CALLS, b"key", b"value")])
print("committed", flush=True)
sys.stdin.readline()
"""


def test_a_home_whose_makers_are_killed_is_made_by_the_next(
    programs: Programs, home: Path, rounds: Rounds
) -> None:
    programs.write("opener.py", OPENER)
    chance = random.Random(0)
    seconds = []
    for turn in range(rounds(2)):
        folder = home.with_name(f"home-{turn}")
        openers = [programs.start("opener.py", folder) for _ in range(2)]
        while not folder.exists():
            time.sleep(0.0005)
        time.sleep(chance.random() * 0.01)
        for opener in openers:
            kill(opener)
        begun = time.perf_counter()
        store = open_local(str(folder))
        seconds.append(time.perf_counter() - begun)
        assert store.get(Table.CALLS, b"key") in (None, b"value")
        store.close()
        assert_undamaged(folder)
    figures("opened after its makers were killed", seconds)
