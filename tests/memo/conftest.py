"""What the tests of memoised functions share: a session of their own, and fresh processes."""

import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hitsave import session
from hitsave.config import find_root
from hitsave.errors import HitsaveWarning
from hitsave.events import Event, Warned, forget_warnings, subscribe
from hitsave.store import Table

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of the store of fresh processes, which does not exist yet."""
    return tmp_path / "home"


@pytest.fixture(scope="module", autouse=True)
def own_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[session.Session]:
    """A session around the tests of one module, with a store of its own."""
    with pytest.MonkeyPatch.context() as patched:
        for name in tuple(os.environ):
            if name.startswith("HITSAVE_"):
                patched.delenv(name)
        patched.setenv("HITSAVE_HOME", str(tmp_path_factory.mktemp("own") / "home"))
        patched.setenv("HITSAVE_STRICT", "1")
        started = session.start(find_root(os.path.dirname(__file__)))
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
