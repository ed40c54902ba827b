"""`hitsave doctor`: what is well, what is not, and what to do about it."""

import json
import os
import textwrap
from pathlib import Path

import pytest

PROGRAM = """
from hitsave import memo


@memo
def large(n):
    return bytes([n]) * 300_000


large(1), large(2)
"""


@pytest.fixture
def used(workspace):
    """A workspace whose program has run once."""
    workspace.write("program.py", PROGRAM)
    assert workspace.python("program.py").code == 0
    return workspace


def home_of(workspace):
    return Path(workspace.environment["HITSAVE_HOME"])


def findings(workspace, code=0, **environment):
    """What is found beside what is well, by its subject."""
    done = workspace.hitsave("doctor", "--json", **environment)
    assert done.code == code, done
    found = json.loads(done.out)["findings"]
    wrong = [each for each in found if each["state"] != "ok" and each["subject"] != "versions"]
    assert all(each["text"] for each in found)
    assert all(each["hint"] for each in wrong)
    return {each["subject"]: each for each in wrong}


def changed(workspace, program):
    """The environment in which a program runs before the command itself."""
    workspace.write("sitecustomize.py", textwrap.dedent(program))
    return {
        "PYTHONPATH": os.pathsep.join([str(workspace.root), workspace.environment["PYTHONPATH"]])
    }


def clock(workspace, days):
    """The environment in which the clock is ahead by some days."""
    program = f"import time\nbefore = time.time\ntime.time = lambda: before() + {days} * 86400"
    return changed(workspace, program)


def test_all_is_well(used):
    assert findings(used) == {}
    done = used.hitsave("doctor")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert any(line.startswith("ok       calls     2 recorded") for line in lines)
    assert any("used by records and 2 files" in line for line in lines)
    assert any(line.startswith("ok       settings  home is ") for line in lines)


def test_an_empty_home_is_made(workspace):
    assert findings(workspace) == {}
    assert home_of(workspace).is_dir()


def test_looking_leaves_nothing_behind(used):
    before = json.loads(used.hitsave("verify", "--json").out)
    findings(used)
    assert json.loads(used.hitsave("verify", "--json").out) == before


def test_a_home_that_is_a_file_is_a_problem(workspace):
    home_of(workspace).write_text("")
    found = findings(workspace, code=1)
    assert "Not a directory" in found["store"]["text"]


def test_a_home_that_others_can_read_is_a_problem(used):
    home_of(used).chmod(0o755)
    assert "755" in findings(used, code=1)["store"]["text"]


def test_a_disk_with_little_room_is_a_problem(used):
    with_it = changed(
        used,
        """
        import shutil
        from types import SimpleNamespace
        shutil.disk_usage = lambda _: SimpleNamespace(free=1)
        """,
    )
    assert "1 B free" in findings(used, code=1, **with_it)["disk"]["text"]


def test_damage_is_told_of(used):
    home = home_of(used)
    (home / "quarantine").mkdir()
    (home / "quarantine" / "0123").touch()
    assert "1 damaged file set aside" in findings(used)["damage"]["text"]
    (home / "corrupt-1").touch()
    assert "corrupt-1" in findings(used, code=1)["damage"]["text"]


def test_unfinished_files_are_told_of_once_they_are_old(used):
    left = home_of(used) / ".part-1"
    left.touch()
    assert findings(used) == {}
    assert "1 unfinished file" in findings(used, **clock(used, days=2))["damage"]["text"]


def test_a_clock_that_was_ahead_is_told_of(used):
    found = findings(used, **clock(used, days=-9))
    assert "2 calls recorded later than it is now" in found["calls"]["text"]


def test_a_store_that_is_too_large_is_told_of(used):
    assert "of 1.0 kB used" in findings(used, HITSAVE_MAX_SIZE="1kB")["size"]["text"]


def test_settings_that_matter_are_told_of(used):
    found = findings(used, HITSAVE_MODE="off")
    assert "the mode is off" in found["settings"]["text"]
    done = used.hitsave("doctor", HITSAVE_MAX_SIZE="much")
    assert "the environment sets max_size to 'much', which cannot be used" in done.err


def test_a_folder_without_a_mark_is_a_project_of_its_own(used):
    (used.root / "pyproject.toml").unlink()
    assert f"{used.root} alone" in findings(used)["project"]["text"]
