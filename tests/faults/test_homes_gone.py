"""Homes that cannot be used, or no longer: the program is right, and warns once at most."""

import os
import random
import time
from pathlib import Path

import pytest
from tests.faults.conftest import Rounds
from tests.faults.programs import Done, Programs, ended, line

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
    return bytes([x % 256]) * 100_000

def check(x):
    assert small(x) == 3 * x
    assert large(x) == bytes([x % 256]) * 100_000
"""

RUN = """
import work
for x in range(5):
    work.check(x)
    work.check(x // 2)
print("right")
"""


@pytest.fixture
def project(programs: Programs) -> Programs:
    programs.write("work.py", WORK)
    programs.write("run.py", RUN)
    return programs


def warnings_of(done: Done) -> int:
    """Assert that a program was right; return how often it warned, once at most."""
    assert (done.returncode, done.stdout) == (0, "right\n"), done.stderr
    assert "Traceback" not in done.stderr
    count = done.stderr.count("HitsaveWarning")
    assert count <= 1, done.stderr
    return count


def test_a_loop_of_links_is_warned_of(project: Programs, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for home in (tmp_path / "a", tmp_path / "a" / "home"):
        assert warnings_of(project.run("run.py", HITSAVE_HOME=str(home))) == 1


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 2500 + "y"])
def test_too_long_a_path_is_warned_of(project: Programs, tmp_path: Path, name: str) -> None:
    assert warnings_of(project.run("run.py", HITSAVE_HOME=str(tmp_path / name))) == 1
    assert not (tmp_path / "x").exists()


def test_a_path_that_is_no_text_is_a_home_or_warned_of(project: Programs, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe home")
    assert warnings_of(project.run("run.py", HITSAVE_HOME=str(tmp_path / name))) <= 1


GONE = """
import os, sys
folder = sys.argv[1]
os.mkdir(folder)
os.chdir(folder)
os.rmdir(folder)
sys.path = [each for each in sys.path if each]
"""


@pytest.mark.parametrize("home", ["relative", "~nobody-of-that-name/home"])
def test_a_relative_home_in_a_working_folder_that_is_gone_is_warned_of(
    project: Programs, tmp_path: Path, home: str
) -> None:
    project.write("gone.py", GONE + RUN)
    done = project.run("gone.py", tmp_path / "folder", HITSAVE_HOME=home)
    assert warnings_of(done) == 1


ANOTHER = "import os\nowner = os.geteuid()\nos.geteuid = lambda: owner + 1\n"


def test_a_home_of_another_user_is_warned_of_and_left_alone(project: Programs, home: Path) -> None:
    project.write("another.py", ANOTHER + RUN)
    assert warnings_of(project.run("run.py")) == 0
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert warnings_of(project.run("another.py")) == 1
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


# What becomes of the home between two calls, as statements.
MEANWHILE = {
    "a file": "shutil.rmtree(home); open(home, 'w').close()",
    "a loop": "shutil.rmtree(home); os.symlink(home, home)",
    "another folder": "os.rename(home, home + '-moved'); os.mkdir(home)",
    "somebody's folder": "shutil.rmtree(home); os.mkdir(home); open(home + '/thesis', 'w').close()",
    "records a file": "shutil.rmtree(home + '/records'); open(home + '/records', 'w').close()",
    "objects a file": "shutil.rmtree(home + '/objects'); open(home + '/objects', 'w').close()",
    "no objects": "shutil.rmtree(home + '/objects')",
    "leases a folder": "os.path.exists(l := home + '/leases') and os.remove(l); os.mkdir(l)",
    "another format": "open(home + '/format', 'w').write('another')",
}

DURING = """
import os, shutil
import work

home = os.environ["HITSAVE_HOME"]
work.check(0)
{meanwhile}
for x in range(5):
    work.check(x)
    work.check(10 + x)
print("right")
"""


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
def test_what_becomes_of_the_home_meanwhile_costs_a_warning_at_most(
    project: Programs, meanwhile: str
) -> None:
    project.write("during.py", DURING.format(meanwhile=meanwhile))
    warnings_of(project.run("during.py"))


LONG = """
import os, sys
import work

print("begun", flush=True)
for x in range(int(sys.argv[1])):
    work.check(x)
    work.check(x // 2)
print("right")
"""


def test_a_home_that_is_moved_away_at_any_moment_costs_a_warning_at_most(
    project: Programs, home: Path, rounds: Rounds
) -> None:
    project.write("long.py", LONG)
    chance = random.Random(0)
    for turn in range(rounds(1)):
        running = [project.start("long.py", 40) for _ in range(2)]
        assert [line(each) for each in running] == ["begun"] * 2
        for again in range(3):
            time.sleep(chance.random() * 0.02)
            if home.exists():
                home.rename(home.with_name(f"moved-{turn}-{again}"))
        for each in running:
            warnings_of(ended(each))
    assert warnings_of(project.run("run.py")) == 0


@pytest.mark.parametrize("size", ["huge", "0", "nan", "9" * 400])
def test_a_size_that_is_none_is_warned_of_and_left_out(project: Programs, size: str) -> None:
    assert warnings_of(project.run("run.py", HITSAVE_MAX_SIZE=size)) == 1


def test_a_home_of_which_others_have_made_empty_parts_is_made(
    project: Programs, home: Path
) -> None:
    (home / "objects" / "ab").mkdir(parents=True)
    (home / "leases").touch()
    assert warnings_of(project.run("run.py")) == 0
    for name in ("format", "CACHEDIR.TAG"):
        (home / name).unlink()
    assert warnings_of(project.run("run.py")) == 1
