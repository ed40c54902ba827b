"""Initial values: what cells, class-level bindings and attributes held before they were state.

Owns what counts of state that no statement binds whole: a later process begins with it. Refuses to
find out what an evaluation changed: the tracker does.
"""

from functools import partial
from typing import Any
from weakref import ReferenceType, ref

from hitsave.code.symbol import Symbol


class Initial:
    """The first digests of what evaluations have changed since, by holder and symbol.

    A holder is a class or function, and is not held on to.
    """

    def __init__(self) -> None:
        # By their ids: the hash of a class is whatever its metaclass makes of it.
        self._known: dict[int, tuple[ReferenceType[Any], dict[Symbol, bytes]]] = {}

    def of(self, holder: Any, symbol: Symbol) -> bytes | None:
        """Return the digest of what was there at first; None where that is not known."""
        known = self._known.get(id(holder))
        return None if known is None else known[1].get(symbol)

    def note(self, holder: Any, symbol: Symbol, digest: bytes) -> None:
        """Note what is there before anything changes it; what was noted once stays."""
        key = id(holder)
        if key not in self._known:
            self._known[key] = ref(holder, partial(self._forget, key)), {}
        self._known[key][1].setdefault(symbol, digest)

    def _forget(self, key: int, _: ReferenceType[Any]) -> None:
        self._known.pop(key, None)
