"""What the tests of the collector share: a project with a store of its own."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hitsave import session
from hitsave.collect.collector import Options, Report, collect
from hitsave.errors import HitsaveWarning
from hitsave.events import Event, Warned, forget_warnings, subscribe
from hitsave.store import Store


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of the store."""
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a project, which is the working folder, with a session of its own."""
    before, root = session._session, tmp_path / "project"
    root.mkdir()
    monkeypatch.setenv("HITSAVE_HOME", str(home))
    monkeypatch.chdir(root)
    started = session.start(str(root))
    yield root
    started.store.close()
    monkeypatch.setattr(session, "_session", before)


@pytest.fixture
def warned() -> Iterator[list[str]]:
    """The warnings given during the test, each with its hint."""
    given: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Warned):
            given.append(f"{event.message} ({event.hint})")

    forget_warnings()
    unsubscribe = subscribe(note)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HitsaveWarning)
        yield given
    unsubscribe()
    forget_warnings()


@pytest.fixture
def store(project: Path) -> Store:
    """The store of the project's session."""
    assert project
    return session.current().store


@pytest.fixture
def gc(project: Path) -> Callable[..., Report]:
    """Make a pass, in which nothing is spared for having been used just now."""
    assert project

    def gc(limit: int = 1 << 40, grace: float = 0.0, **options: bool) -> Report:
        report = collect(session.current(), Options(limit, grace=grace, **options))
        assert report is not None
        return report

    return gc
