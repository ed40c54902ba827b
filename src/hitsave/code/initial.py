"""Initial values: what cells, class-level bindings and attributes held before they were state.

Owns what counts of state that no statement binds whole: a later process begins with it. Refuses to
find out what an evaluation changed: the tracker does.
"""

from hitsave.code.symbol import Symbol

KEPT = 10_000
"""How many are kept: closures that are made in a loop are no more at some time."""


class Initial:
    """The first digests of what evaluations have changed since, by symbol and holder."""

    def __init__(self) -> None:
        # With the holder, so that no other has its id.
        self._known: dict[tuple[Symbol, int], tuple[object, bytes]] = {}

    def of(self, symbol: Symbol, holder: object) -> bytes | None:
        """Return the digest of what was there at first; None where that is not known."""
        known = self._known.get((symbol, id(holder)))
        return None if known is None else known[1]

    def note(self, symbol: Symbol, holder: object, digest: bytes) -> None:
        """Note what is there before anything changes it; what was noted once stays."""
        self._known.setdefault((symbol, id(holder)), (holder, digest))
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
