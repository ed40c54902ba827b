"""What all tests share: whose code is whose, and a project with a store of its own."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitsave import session
from hitsave.code.external import Boundary
from hitsave.errors import HitsaveWarning
from hitsave.events import Event, Warned, forget_warnings, subscribe

HERE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "")


@pytest.fixture(scope="session", autouse=True)
def tests_are_nobodys_project() -> Iterator[None]:
    """Test modules are project code where they lie below the workspace, and not next door to it.

    One process loads hundreds of them, and each small project would take in all.
    """
    judge = Boundary._is_project_folder

    def is_project_folder(boundary: Boundary, folder: str) -> bool:
        is_outside = _is_test(folder) and not _is_test(boundary.root)
        return judge(boundary, folder) and not is_outside

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Boundary, "_is_project_folder", is_project_folder)
        yield


def _is_test(folder: str) -> bool:
    return os.path.join(os.path.realpath(folder or os.sep), "").startswith(HERE)


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
