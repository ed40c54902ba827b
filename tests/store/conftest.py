"""What the tests of the store share: stores, fresh processes, and the warnings that were given."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hitsave.errors import HitsaveWarning
from hitsave.events import Event, Warned, forget_warnings, subscribe
from hitsave.store import MemoryStore, Store, open_local

Run = Callable[..., "subprocess.Popen[str]"]

# How the programs begin that tests run in processes of their own.
PRELUDE = """
import os, signal, sys, threading, time
from hitsave.store import Table, Write, open_local
home = sys.argv[1]
"""


@pytest.fixture
def home(tmp_path: Path) -> str:
    """A folder for a store, which does not exist yet."""
    return str(tmp_path / "home")


@pytest.fixture
def local(home: str) -> Iterator[Store]:
    store = open_local(home)
    yield store
    store.close()


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, home: str) -> Iterator[Store]:
    """Each backend in turn."""
    store = MemoryStore() if request.param == "memory" else open_local(home)
    yield store
    store.close()


@pytest.fixture
def warned() -> Iterator[list[str]]:
    """The sentences of the warnings given during the test, each kind once."""
    sentences: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Warned):
            sentences.append(event.message)

    forget_warnings()
    unsubscribe = subscribe(note)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HitsaveWarning)
        yield sentences
    unsubscribe()
    forget_warnings()


@pytest.fixture
def start(home: str) -> Iterator[Run]:
    """Start a program in a fresh interpreter; it gets the home and further arguments."""
    running: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + program, home, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def run(start: Run) -> Callable[..., str]:
    """Run a program in a fresh interpreter to its end and return what it printed."""

    def run(program: str, *arguments: object) -> str:
        process = start(program, *arguments)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0, printed
        return printed

    return run
