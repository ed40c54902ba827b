"""The guard of a closure: what tells that it still holds looks at no more than it has to."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hitsave.code import guard as guards
from hitsave.code.guard import Guard
from hitsave.hook import Ledger
from hitsave.session import Session


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    """A guard of a project that has nothing in it."""
    return Guard(Session(str(tmp_path), Ledger()).project)


def test_a_library_that_is_loaded_is_looked_for_nowhere(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(guards, "_changed_at", lambda path: looked.append(path) or 0)
    guard.watch_import("json", None)
    guard.seal()
    assert guard.holds()
    assert not looked


def test_another_module_in_the_place_of_a_library_is_noticed(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard.watch_import("json", None)
    guard.seal()
    monkeypatch.setitem(sys.modules, "json", ModuleType("json"))
    assert not guard.holds()
    monkeypatch.undo()
    assert guard.holds()
    monkeypatch.delitem(sys.modules, "json")
    assert not guard.holds()


def test_a_module_that_appears_where_there_was_none_is_noticed(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    guard.watch_import("appears_later", None)
    guard.seal()
    assert guard.holds()
    (tmp_path / "appears_later.py").write_text("x = 1")
    assert not guard.holds()
