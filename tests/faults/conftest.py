"""What the tests of faults share: how many rounds, a folder for a store, and the shim."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults import shim as shims
from tests.faults.programs import Programs

Rounds = Callable[[int], int]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let it be said how often each fault is tried."""
    parser.addoption("--rounds", type=int, help="how often each fault is tried (few by default)")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Rounds:
    """How often to try a fault that is tried `few` times unless `--rounds` says otherwise."""
    # Where other tests are run too, the option came too late to be known.
    asked: int | None = request.config.getoption("--rounds", default=None)
    return lambda few: few if asked is None else asked


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for a store, which does not exist yet."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that logs, or fails, what a program does to files."""
    return shims.build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def programs(tmp_path: Path, home: Path) -> Iterator[Programs]:
    """The programs of a project whose results are kept in `home`."""
    programs = Programs(tmp_path / "project", home)
    yield programs
    programs.end()
