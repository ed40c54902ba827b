"""What the tests of faults share: how many rounds, a folder for a store, and the shim."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# A pytest that was not started with `python -m` does not find the package `tests.faults`.
_ROOT = str(Path(__file__).parents[2])
if _ROOT not in sys.path:
    sys.path.insert(0, _ROOT)

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
    from tests.faults import shim as shims  # which is found from here on

    return shims.build(tmp_path_factory.mktemp("shim"))
