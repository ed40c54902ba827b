"""Initial values: what cells, class-level bindings and attributes held before they were state.

Owns what counts of state that no statement binds whole: a later process begins with it. Refuses to
find out what an evaluation changed: the tracker does.
"""

from typing import Any

from hitsave.code.beside import Beside
from hitsave.code.symbol import Symbol


class Initial:
    """The first digests of what evaluations have changed since, by holder and symbol.

    A holder is a class or function, and is not held on to.
    """

    def __init__(self) -> None:
        self._known: Beside[dict[Symbol, bytes]] = Beside(dict)

    def of(self, holder: Any, symbol: Symbol) -> bytes | None:
        """Return the digest of what was there at first; None where that is not known."""
        return (self._known.get(holder) or {}).get(symbol)

    def note(self, holder: Any, symbol: Symbol, digest: bytes) -> None:
        """Note what is there before anything changes it; what was noted once stays."""
        self._known.of(holder).setdefault(symbol, digest)
