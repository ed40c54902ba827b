"""Two versions of the store's format side by side: each leaves alone what is the other's."""

import re
import shutil
from pathlib import Path

import pytest
from tests.faults.conftest import Rounds
from tests.faults.programs import Done, Programs, ended, line, tell

import hitsave
from hitsave.store.seal import SCHEMA

WORK = """
from hitsave import memo
from notes import note

@memo
def small(x):
    note("small", x)
    return 3 * x

@memo
def large(x):
    note("large", x)
    return bytes([x]) * 100_000
"""

RUN = """
import sys
from work import large, small

if sys.argv[1:]:
    print("ready", flush=True)
    sys.stdin.readline()
for x in range(10):
    assert small(x) == 3 * x
    assert large(x) == bytes([x]) * 100_000
print("right")
"""


def other_version(folder: Path, module: str, constant: str, value: int) -> str:
    """Make a copy of the package that differs in one constant; return where it is found."""
    copy = folder / "hitsave"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(hitsave.__file__).parent, copy, ignore=ignored)
    path = copy / module
    line = re.compile(rf"^{constant} = \d+$", re.MULTILINE)
    text, count = line.subn(f"{constant} = {value}", path.read_text())
    assert count == 1
    path.write_text(text)
    return str(folder)


@pytest.fixture
def other(programs: Programs, tmp_path: Path) -> str:
    """A version of hitsave with another format, and programs that can be run with both."""
    programs.write("work.py", WORK)
    programs.write("run.py", RUN)
    return other_version(tmp_path / "other", "store/seal.py", "SCHEMA", SCHEMA + 1)


def content(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def assert_right(done: Done) -> bool:
    """Assert that a program was right, and warned at most once; return whether it had a store."""
    assert (done.returncode, done.stdout) == (0, "right\n"), done.stderr
    warnings = done.stderr.count("HitsaveWarning")
    assert "Traceback" not in done.stderr
    assert (warnings, "unknown format" in done.stderr) in ((0, False), (1, True)), done.stderr
    return not warnings


def at_once(programs: Programs, sides: list[list[str]], **environment: str) -> list[Done]:
    """Run a program with each version, all of which come to the store together."""
    running = [programs.start("run.py", "wait", first=side, **environment) for side in sides]
    assert [line(each) for each in running] == ["ready"] * len(sides)
    for each in running:
        tell(each)
    return [ended(each) for each in running]


@pytest.mark.parametrize("theirs_first", [False, True])
def test_programs_of_two_formats_take_turns(
    programs: Programs, home: Path, other: str, theirs_first: bool
) -> None:
    owner, guest = ([other], []) if theirs_first else ([], [other])
    assert assert_right(programs.run("run.py", first=owner))
    assert len(programs.noted()) == 20
    before = content(home)
    assert not assert_right(programs.run("run.py", first=guest))
    assert len(programs.noted()) == 20
    assert content(home) == before
    assert assert_right(programs.run("run.py", first=owner))
    assert programs.noted() == []


def test_programs_of_two_formats_come_to_a_new_home_at_once(
    programs: Programs, home: Path, other: str, rounds: Rounds
) -> None:
    for turn in range(rounds(1)):
        folder = str(home.with_name(f"home-{turn}"))
        sides: list[list[str]] = [[], [other]] * 2
        stored = [assert_right(each) for each in at_once(programs, sides, HITSAVE_HOME=folder)]
        # The home is of one format: who has a store has it in that.
        assert set(stored[::2]) == {not stored[1]}
        assert len(set(stored[1::2])) == 1
        for side, had_store in zip(sides[:2], stored, strict=False):
            again = programs.run("run.py", first=side, HITSAVE_HOME=folder)
            assert assert_right(again) == had_store


def test_programs_whose_records_have_two_layouts_share_a_home(
    programs: Programs, home: Path, tmp_path: Path, rounds: Rounds
) -> None:
    programs.write("work.py", WORK)
    programs.write("run.py", RUN)
    newer = other_version(tmp_path / "newer", "store/records.py", "LAYOUT", 99)
    sides: list[list[str]] = [[], [newer]] * 2
    for turn in range(rounds(1)):
        folder = str(home.with_name(f"home-{turn}"))
        assert all(map(assert_right, at_once(programs, sides, HITSAVE_HOME=folder)))
        for side in sides[:2]:
            assert assert_right(programs.run("run.py", first=side, HITSAVE_HOME=folder))
