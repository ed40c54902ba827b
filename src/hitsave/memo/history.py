"""History: what the functions of this process were seen to call and to read.

Owns what an evaluation does not show because an earlier one left it behind: what a function called
or read once may sit in an `lru_cache`, or in a table that was filled then.
"""

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from hitsave.code.dependencies import Via
from hitsave.code.reached import Fact
from hitsave.code.symbol import Symbol
from hitsave.digest import Digest
from hitsave.session import Session

Facts = dict[Fact, tuple[Digest, Via]]
"""Facts, with the digest that each had when it was asked for, and by what."""


class History:
    """By the function that did it: what it called, and the facts that it asked for."""

    def __init__(self) -> None:
        self._called: dict[str, dict[Symbol, Via]] = {}
        self._asked: dict[str, Facts] = {}

    def note(self, roots: dict[Symbol, Via], facts: Facts) -> None:
        """Keep what one evaluation was seen to do."""
        for symbol, via in roots.items():
            self._called.setdefault(str(via.owner), {})[symbol] = via
        for fact, (digest, via) in facts.items():
            self._asked.setdefault(str(via.owner), {})[fact] = (digest, via)

    def add_to(self, functions: Iterable[str], roots: dict[Symbol, Via], facts: Facts) -> bool:
        """Add what `functions` did at any time; False where that adds nothing."""
        size = len(roots) + len(facts)
        for name in functions:
            for symbol, via in self._called.get(name, {}).items():
                roots.setdefault(symbol, via)
            for fact, found in self._asked.get(name, {}).items():
                facts.setdefault(fact, found)
        return len(roots) + len(facts) > size


_histories: WeakKeyDictionary[Session, History] = WeakKeyDictionary()


def history_of(session: Session) -> History:
    """Return the history of a session."""
    return _histories.setdefault(session, History())
