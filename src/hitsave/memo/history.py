"""History: what the functions of this process were seen to call, and what they read.

Owns what an evaluation does not show because an earlier one, or an import, left it behind: what a
function called or read once may sit in an `lru_cache`, or in a table that was filled then.
"""

import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from weakref import WeakKeyDictionary

from hitsave import observe
from hitsave.code.dependencies import Via
from hitsave.code.facts import fact_name
from hitsave.code.reached import Fact, ReadAt
from hitsave.code.symbol import Facet, Place, Symbol
from hitsave.code.tracker import Tracked, TrackedCode
from hitsave.digest import SIZE, Digest, digest_parts
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


def surroundings_of(tracked: Tracked | TrackedCode) -> bytes:
    """Return what tells how all that its modules read on import was then, and the seed of hashes.

    The first is equal in another process (`are_equal`) where they read the same. Where that is not
    known, it is as in no other process. What the main program does with its arguments concerns its
    own values, which nobody compares with those of another process.
    """
    tokens = []
    # A closure meets them in another order in each process.
    for _, module in sorted(tracked.closure.modules.items()):
        path = os.path.abspath(module.source.path)
        if observe.was_loaded_before(path):
            tokens.append(_HERE)
        is_main = module.source.module in ("__main__", "__mp_main__")
        if not is_main and _may_read_arguments(module.source.content):
            tokens += [os.fsencode(argument) for argument in sys.argv]
        for reading in observe.journal.readings_on_import(path):
            tokens += [reading.facet.encode(), os.fsencode(reading.name)]
            tokens.append(observe.journal.state(reading))
    return digest_parts("surroundings", tokens) + os.environ.get("PYTHONHASHSEED", "").encode()


def are_equal(one: bytes, other: bytes) -> bool:
    """Whether modules read the same on import in two processes."""
    return one[:SIZE] == other[:SIZE]


def have_one_seed(one: bytes, other: bytes) -> bool:
    """Whether two processes hashed strings in the same way, because the user said how."""
    return one[SIZE:] == other[SIZE:] and one[SIZE:] not in (b"", b"random")


@cache
def _may_read_arguments(source: bytes) -> bool:
    return _READS_ARGUMENTS.search(source) is not None


_READS_ARGUMENTS = re.compile(
    rb"argv|argparse|optparse|getopt|docopt|\b(click|typer|fire|tyro|absl|hydra)\b|parse_args"
)
"""What stands in a module that reads the arguments of the program, if perhaps only later."""

_HERE = os.urandom(16)
"""What no other process has."""
