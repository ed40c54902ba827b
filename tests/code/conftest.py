"""Projects for the tests of the code rooms: small ones, on a disk of their own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hitsave.code.closure import Closure, Options
from hitsave.code.external import Boundary
from hitsave.code.project import Project, RecordKeeper
from hitsave.codec import digest_value

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below a temporary folder, and return it."""

    def write_files(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write_files


@pytest.fixture
def import_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Put folders in front of `sys.path`; forget the modules imported from them afterwards."""
    before = set(sys.modules)

    def prepend(folder: Path) -> None:
        monkeypatch.syspath_prepend(str(folder))

    yield prepend
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture(scope="session")
def closure_in() -> Callable[[Path], Closure]:
    """Return an empty closure over the project in a folder."""
    return _closure_in


def _closure_in(root: Path) -> Closure:
    project = Project(
        Boundary(str(root)),
        lambda _name: None,
        lambda: 0,
        RecordKeeper(lambda _digest: None, lambda _digest, _packed: None),
    )
    options = Options(
        lambda value, name: digest_value(value, name_symbol=name, reduce=False),
        lambda _symbol, _definition: False,
    )
    return Closure(project, options)
