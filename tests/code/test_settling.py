"""What an evaluation changed: found in all that was tracked when it began."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hitsave.code.dependencies import Via
from hitsave.code.reached import DependencySet, Witness
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.tracker import Declared, Moment, Tracked
from hitsave.hook import Ledger
from hitsave.session import Session

SOURCE = """
TABLE = {}
COUNT = 0

def f(name):
    return name

def g():
    global COUNT
    COUNT += 1
    TABLE[len(TABLE)] = 1
"""
AMONG = DependencySet({"settling9:f", "settling9:g"})
CALL = Via(Symbol("", ""), "the call", 0)


class Settling:
    """A function that reaches less than what is seen to run."""

    def __init__(self, root: Path) -> None:
        self.session = Session(str(root), Ledger())
        self.module: Any = importlib.import_module("settling9")
        self.roots = (self.module.f,)

    def track(self, among: DependencySet | None, moment: Moment | None) -> Tracked:
        return self.session.tracker.track(self.roots, Declared(), among, moment)

    def settle(self, before: Tracked, moment: Moment) -> None:
        functions = {Symbol.parse(name): CALL for name in AMONG.functions}
        witness = Witness(functions, {}, lambda *_: True)
        tracker = self.session.tracker
        settled = tracker.settle(before, self.roots, Declared(), witness, frozenset(), moment)
        # Among all tests there are statements of others that call them: those may count too.
        assert AMONG.functions <= settled.dependency_set.functions

    def facets(self, name: str = "TABLE") -> set[Facet]:
        """How a global counts from now on."""
        found = self.track(AMONG, None).manifest.dependencies
        return {each.facet for each in found if each.symbol == Symbol("settling9", name)}


@pytest.fixture
def settling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settling]:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "settling9.py").write_text(SOURCE)
    monkeypatch.setenv("HITSAVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HITSAVE_STRICT", "1")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Settling(tmp_path)
    del sys.modules["settling9"]


def test_what_only_a_known_set_reaches_is_state_once_an_evaluation_has_changed_it(
    settling: Settling,
) -> None:
    moment = Moment()
    settling.track(AMONG, moment)
    assert settling.facets() == {Facet.VALUE}
    before = settling.track(None, moment)
    settling.module.g()
    settling.settle(before, moment)
    assert settling.facets() == {Facet.DEFINITION}


def test_what_the_program_changed_before_the_evaluation_is_no_state(settling: Settling) -> None:
    settling.track(AMONG, Moment())
    settling.module.g()
    moment = Moment()
    before = settling.track(None, moment)
    settling.settle(before, moment)
    assert settling.facets() == {Facet.VALUE}


def test_what_no_evaluation_changed_is_no_state(settling: Settling) -> None:
    moment = Moment()
    settling.track(AMONG, moment)
    settling.settle(settling.track(None, moment), moment)
    assert settling.facets() == {Facet.VALUE}


def test_a_counter_that_is_state_may_go_on_counting_and_the_closure_holds(
    settling: Settling,
) -> None:
    moment = Moment()
    before = settling.track(AMONG, moment)
    settling.module.g()
    settling.settle(before, moment)
    assert settling.facets("COUNT") == {Facet.DEFINITION}
    code = settling.track(AMONG, None).code
    settling.module.g()
    assert settling.module.COUNT == 2
    assert settling.track(AMONG, None).code is code
    settling.module.COUNT = settling.module.f  # which leads on to its own code
    assert settling.track(AMONG, None).code is not code
