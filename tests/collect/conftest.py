"""What the tests of the collector share: the project's store, and a pass over it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hitsave import session
from hitsave.collect.collector import Options, Report, collect
from hitsave.store import Store


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
