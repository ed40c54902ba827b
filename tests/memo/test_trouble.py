"""Trouble with the store: the program runs, its results are right, and it is told once."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hitsave.store.home import format_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
import sys
from hitsave import experiment, memo

@memo
def small(x):
    return x + 1

@memo
def large(n):
    return bytes(n)

@experiment
def tried(x):
    return -x

@memo
def items(n):
    yield from range(n)

for _ in range(3):
    for n in range(20):
        assert small(n) == n + 1
        assert list(items(n)) == list(range(n))
    assert large(300_000) == bytes(300_000)
    assert tried(1) == -1
    {between}
print("done")
"""


def outcome(run: Run, between: str = "pass", *words: str, **environment: str) -> str:
    """Run the program to its end; returns what it said on stderr."""
    done = run(PROGRAM.format(between=between), *words, **environment)
    assert done.stdout == "done\n"
    assert "Traceback" not in done.stderr
    assert done.stderr.count("HitsaveWarning") <= 1, done.stderr
    return done.stderr


def test_nothing_is_said_where_all_is_well(run: Run) -> None:
    assert outcome(run) == ""
    assert outcome(run) == ""


def test_home_is_a_file(run: Run, home: Path) -> None:
    home.write_text("precious")
    assert str(home) in outcome(run)
    assert home.read_text() == "precious"


def test_home_lies_below_a_file(run: Run, home: Path) -> None:
    home.write_text("precious")
    assert "HitsaveWarning" in outcome(run, HITSAVE_HOME=str(home / "inner"))


def test_home_lies_where_nobody_can_write(run: Run) -> None:
    # The superuser too is refused here.
    assert "HitsaveWarning" in outcome(run, HITSAVE_HOME="/proc/hitsave")


def test_home_holds_something_else(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "thesis.txt").write_text("precious")
    assert "HitsaveWarning" in outcome(run)
    assert [path.name for path in home.iterdir()] == ["thesis.txt"]


def test_the_store_is_of_an_unknown_format(run: Run, home: Path) -> None:
    outcome(run)
    other = format_of(b"hitsave store 999")
    (home / "format").write_bytes(other)
    assert "HitsaveWarning" in outcome(run)
    assert (home / "format").read_bytes() == other


def test_the_data_file_is_damaged(run: Run, home: Path) -> None:
    outcome(run)
    (data,) = home.rglob("data.mdb")
    data.write_bytes(os.urandom(data.stat().st_size))
    outcome(run)
    assert outcome(run) == ""


def test_an_object_is_damaged_or_gone(run: Run, home: Path) -> None:
    for harm in (lambda path: path.write_bytes(b"x"), lambda path: path.unlink()):
        outcome(run)
        objects = [path for path in (home / "objects").rglob("*") if path.is_file()]
        assert objects
        for path in objects:
            path.chmod(0o600)
            harm(path)
        outcome(run)
        assert outcome(run, HITSAVE_MODE="require") == ""


def test_the_disk_is_full(run: Run) -> None:
    limit = (
        "__import__('resource').setrlimit(__import__('resource').RLIMIT_FSIZE, (1000, 1000)) "
        "or __import__('signal').signal(__import__('signal').SIGXFSZ, "
        "__import__('signal').SIG_IGN)"
    )
    program = PROGRAM.format(between="pass")
    done = run(program.replace("import sys", f"import sys\n{limit}"))
    assert done.stdout == "done\n"
    assert "Traceback" not in done.stderr
    assert done.stderr.count("HitsaveWarning") == 1, done.stderr


def test_the_disk_fills_up_meanwhile(run: Run) -> None:
    between = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); small(n * 1000 + 7); "
        "large(400_000 + n)"
    )
    outcome(run, between)


def test_home_is_removed_meanwhile(run: Run, home: Path) -> None:
    outcome(run, f"import shutil; shutil.rmtree({str(home)!r}, ignore_errors=True)")
    outcome(run)


def test_warnings_as_errors_do_not_end_the_program(run: Run, home: Path) -> None:
    home.write_text("precious")
    assert outcome(run, "pass", "-W", "error") == ""


def test_a_closed_stderr_does_not_end_the_program(run: Run, home: Path) -> None:
    home.write_text("precious")
    assert outcome(run, "sys.stderr = None") == outcome(run, "sys.stderr = None")


@pytest.mark.parametrize("name", ["HITSAVE_MODE", "HITSAVE_UNKNOWN"])
def test_bad_settings_do_not_end_the_program(run: Run, name: str) -> None:
    environment: dict[str, Any] = {name: "nonsense"}
    assert "HitsaveWarning" in outcome(run, **environment)


BROKEN = """
from hitsave import memo
from hitsave.code.tracker import Tracker

def broken(*_):
    raise {error}

Tracker.track = broken

@memo
def f(x):
    return x + 1

assert [f(n) for n in range(3)] == [1, 2, 3]
print("done")
"""


@pytest.mark.parametrize("error", ["ValueError('broken')", "RecursionError('broken')"])
@pytest.mark.parametrize("verbose", ["0", "1"])
def test_trouble_of_its_own_never_reaches_the_program(run: Run, error: str, verbose: str) -> None:
    done = run(BROKEN.format(error=error), HITSAVE_VERBOSE=verbose)
    assert done.stdout == "done\n", done.stderr
    assert "Traceback" not in done.stderr
    # Also endless recursion of its own, which must not look like nothing at all.
    assert done.stderr.count("HitsaveWarning") == 1, done.stderr
