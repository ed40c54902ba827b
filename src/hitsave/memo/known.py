"""Known dependency sets: under which code digests a function's results may have been recorded.

Owns keeping them few, and which to try first.
"""

from hitsave.code.reached import MOST_SETS, DependencySet
from hitsave.errors import DamagedError
from hitsave.session import Session
from hitsave.store import Table, Write

MOST_KEPT = 32
"""How many sets a function's results may be spread over, united ones among them."""


class KnownSets:
    """The dependency sets of one function; the one used last comes first."""

    def __init__(self, session: Session, identity: bytes) -> None:
        self.session = session
        self._prefix = identity[:16]
        self.sets: tuple[DependencySet, ...] = ()
        self.reload()

    def reload(self) -> None:
        """Learn of sets that other processes have found meanwhile."""
        known = {dependency_set.digest for dependency_set in self.sets}
        found = []
        rows = self.session.store.scan(Table.SETS, self._prefix, limit=MOST_KEPT, newest_first=True)
        for key, packed in rows:
            if key[-32:] in known:
                continue
            try:
                found.append(DependencySet.unpack(packed))
            except DamagedError as error:
                self.session.trouble("dependency set", error)
        self.sets = (*self.sets, *found)

    def use(self, dependency_set: DependencySet) -> None:
        """Note that a set was of use: it is tried first from now on."""
        sets = self.sets
        if not sets or sets[0] is not dependency_set:
            rest = [other for other in sets if other is not dependency_set]
            self.sets = (dependency_set, *rest[: MOST_KEPT - 1])

    def choose(self, found: DependencySet) -> DependencySet:
        """Return the set to record an evaluation under that depended on `found`.

        That itself for as long as the sets are few. Then one that covers it, or the union of all.
        """
        for known in self.sets:
            if known.digest == found.digest:
                return known
        if len(self.sets) < MOST_SETS:
            return found
        covering = [known for known in self.sets if known.covers(found)]
        if covering:
            return min(covering, key=lambda known: len(known.functions))
        return found.united(self.sets)

    def writes(self, chosen: DependencySet) -> list[Write]:
        """Return what is to be written so that `chosen` is known, and make it so here."""
        is_known = any(known is chosen for known in self.sets)
        self.use(chosen)
        if is_known:
            return []
        return [Write(Table.SETS, self._prefix + chosen.digest, chosen.packed)]
