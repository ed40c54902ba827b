"""What the tests of memoised functions share: a session of their own, and fresh processes."""

import os
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hitsave import session
from hitsave.code import analyze
from hitsave.errors import HitsaveWarning
from hitsave.events import Event, Warned, forget_warnings, subscribe
from hitsave.store import Table

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of the store of fresh processes, which does not exist yet."""
    return tmp_path / "home"


@pytest.fixture(scope="session", autouse=True)
def analysed_once() -> Iterator[None]:
    """Let each source be analysed once for all sessions, each of which has a store of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(analyze, "analyze", cache(analyze.analyze))
        yield


@pytest.fixture(scope="module", autouse=True)
def own_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[session.Session]:
    """A session around the tests of one module, with a store of its own."""
    with pytest.MonkeyPatch.context() as patched:
        for name in tuple(os.environ):
            if name.startswith("HITSAVE_"):
                patched.delenv(name)
        patched.setenv("HITSAVE_HOME", str(tmp_path_factory.mktemp("own") / "home"))
        patched.setenv("HITSAVE_STRICT", "1")
        # The tests of other rooms, which one process has all loaded, are no part of this project.
        started = session.start(os.path.dirname(__file__))
        yield started
        started.finish()
        started.store.close()


@pytest.fixture(autouse=True)
def fresh(own_session: session.Session) -> Iterator[None]:
    """Nothing recorded yet, and no warning given."""
    forget_warnings()
    for table in (Table.CALLS, Table.HISTORY):
        own_session.store.delete(table, [k for k, _ in own_session.store.scan(table, limit=10_000)])
    yield
    forget_warnings()


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """The events of the test."""
    heard: list[Event] = []
    unsubscribe = subscribe(heard.append)
    yield heard
    unsubscribe()


@pytest.fixture
def warned() -> Iterator[list[str]]:
    """The warnings given during the test, each with its hint."""
    given: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Warned):
            given.append(f"{event.message} ({event.hint})")

    unsubscribe = subscribe(note)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HitsaveWarning)
        yield given
    unsubscribe()


@pytest.fixture
def run(tmp_path: Path, home: Path) -> Run:
    """Run a script in a fresh interpreter, as a project of its own, against the same store."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\nname = 'tried'\nversion = '0'\n")

    def run(
        script: str, *words: str, check: bool = True, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        (folder / "script.py").write_text(textwrap.dedent(script))
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HITSAVE_")}
        paths = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(
            [sys.executable, *words, "script.py"],
            cwd=folder,
            env={**kept, "PYTHONPATH": paths, "HITSAVE_HOME": str(home), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


# -- programs that are tried before and after an edit --------------------------------------------

_HEAD = """\
{before}
import asyncio, functools, importlib, os, sys, threading
from pathlib import Path
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
{memo}
import helper


def step(x):
    # By a computed name: only what ran tells which function it is.
    return getattr(helper, "st" + "ep")(x)

"""
_MEMO = """\
import atexit
told = []
# At the end: another thread's line may come into the middle of one.
atexit.register(lambda: [print("told", each) for each in told])
from hitsave import memo
from hitsave.events import Warned, Widened, subscribe

def tell(event):
    if isinstance(event, (Warned, Widened)):
        told.append(str(event))

subscribe(tell)
"""
_HELPER = "def step(x):\n    return x + {amount}\n\n\ndef steps(xs):\n    return [*map(step, xs)]\n"


class Outcome(NamedTuple):
    """What a program printed: its answer, how many bodies ran, and what was told of."""

    answer: str
    ran: int
    told: list[str]


class Trial:
    """A program around one memoised function, run with this or that helper."""

    def __init__(self, run: Any, folder: Path) -> None:
        self._run, self.folder, self._edits = run, folder, 0
        self.edit(1)

    @staticmethod
    def program(body: str, main: str = "print('answer', f(3))") -> str:
        """A program with the body of `f`, and what is to be done with it."""
        parts = [textwrap.indent(textwrap.dedent(part), "    ") for part in (body, main)]
        return _PROGRAM.format(*parts)

    def edit(self, amount: int) -> None:
        """Let the helper add `amount`."""
        path = self.folder / "helper.py"
        path.write_text(_HELPER.format(amount=amount))
        # Each edit in a second of its own: Python would take the bytecode of the one before for it.
        self._edits += 1
        moment = time.time() - 100_000 + 10 * self._edits
        os.utime(path, (moment, moment))

    def run(self, program: str, before: str = "", *, plain: bool = False, **env: str) -> Outcome:
        """Run `program`, with the functions memoised or plain."""
        head = _HEAD.format(before=before, memo="memo = lambda f: f" if plain else _MEMO)
        # Python warns of forks with threads, and hitsave of what it cannot see.
        done = self._run(head + textwrap.dedent(program), "-W", "ignore", **env)
        assert "Traceback" not in done.stderr, done.stderr
        lines = done.stdout.splitlines()
        answers = [line for line in lines if line.startswith("answer")]
        assert len(answers) == 1, done.stdout + done.stderr
        return Outcome(
            answers[0], lines.count("ran"), [each for each in lines if "told" in each[:4]]
        )

    def check(self, program: str, before: str = "", *, hits: bool = True) -> list[str]:
        """Run the program before and after an edit of the helper; returns what was told.

        It answers what it answers without hitsave, each time.
        """
        told = []
        for amount in (1, 5):
            self.edit(amount)
            truth = self.run(program, before, plain=True).answer
            first = self.run(program, before)
            assert first.answer == truth
            assert first.ran
            told += first.told
        again = self.run(program, before)
        assert again.answer == truth
        assert again.ran == 0 or not hits
        return told


_PROGRAM = """
@memo
def f(x):
    print("ran")
{}

if __name__ == "__main__":
{}
"""


@pytest.fixture
def trial(run: Any, tmp_path: Path) -> Trial:
    """A program to be run in fresh processes, before and after an edit of its helper."""
    return Trial(run, tmp_path / "project")
