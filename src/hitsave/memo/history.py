"""History: what the functions of this process were seen to call, and what they read.

Owns what an evaluation does not show because an earlier one, or an import, left it behind: what a
function called or read once may sit in an `lru_cache`, or in a table that was filled then.
"""

import os
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from hitsave import observe
from hitsave.code.dependencies import Via
from hitsave.code.facts import fact_name
from hitsave.code.reached import Fact, ReadAt
from hitsave.code.symbol import Facet, Place, Symbol
from hitsave.digest import Digest
from hitsave.session import Session

Facts = dict[Fact, tuple[Digest, Via]]
"""Facts, with the digest that each had when it was asked for, and by what."""


class History:
    """By the function that did it: what it called in evaluations."""

    def __init__(self) -> None:
        self._called: dict[str, dict[Symbol, Via]] = {}

    def note(self, roots: dict[Symbol, Via]) -> None:
        """Keep what one evaluation was seen to call."""
        for symbol, via in roots.items():
            self._called.setdefault(str(via.owner), {})[symbol] = via

    def add_to(self, functions: Iterable[str], roots: dict[Symbol, Via]) -> bool:
        """Add what `functions` called at any time; False where that adds nothing."""
        size = len(roots)
        for name in functions:
            for symbol, via in self._called.get(name, {}).items():
                roots.setdefault(symbol, via)
        return len(roots) > size


_histories: WeakKeyDictionary[Session, History] = WeakKeyDictionary()


def history_of(session: Session) -> History:
    """Return the history of a session."""
    return _histories.setdefault(session, History())


def readings_in(session: Session) -> ReadAt:
    """Tell what lines of code read at any time in this process."""
    root = session.project.boundary.root

    def read_at(place: Place) -> tuple[tuple[Fact, Digest], ...]:
        path = os.path.abspath(place.path)
        readings = observe.journal.readings(path, place.line, place.end_line)
        return tuple((_fact(root, each), observe.journal.digest(each)) for each in readings)

    return read_at


def _fact(root: str, reading: observe.Reading) -> Fact:
    facet, name = reading
    return Fact(facet, name if facet is Facet.VARIABLE else fact_name(root, name))
