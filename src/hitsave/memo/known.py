"""Known dependency sets: under which code digests a function's results may have been recorded.

The first sets of a function are tried by each of its calls. Once there are many, a set is kept
under the call that it was found for, so that calls which read different files stay apart.

Owns keeping those of the function few, and which to try first.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from hitsave.code.reached import MOST_SETS, DependencySet
from hitsave.digest import digest_parts
from hitsave.errors import DamagedError
from hitsave.memo.hits import KnownHits
from hitsave.session import Session
from hitsave.store import Table, Write

MOST_KEPT = 32
"""How many sets are looked for that are the function's: processes at once may find too many."""

LATEST = 4
"""How many of the latest sets of a call are looked for."""

MOST_CALLS = 1000
"""How many calls are remembered with their sets."""


class KnownSets:
    """The dependency sets of one function and of its calls; the one used last comes first.

    A call goes by its `token`, as it does in its key.
    """

    def __init__(self, session: Session, identity: bytes) -> None:
        self.session = session
        self.sets: tuple[DependencySet, ...] = ()
        self.latest: DependencySet | None = None
        self.hits = KnownHits(session.store)
        self._identity = identity
        self._prefix = identity[:16]
        self._parts_prefix = digest_parts("code parts", [identity])[:16]
        self._codes_prefix = digest_parts("codes of sets", [identity])[:16]
        self._codes: dict[bytes, bytes] | None = None
        self._tried: set[DependencySet] = set()
        self._unreadable: set[bytes] = set()
        self._parts: dict[bytes, DependencySet] = {}
        self._of_calls: dict[bytes, tuple[DependencySet, ...]] = {}
        self.reload()

    def reload(self) -> None:
        """Learn of sets that other processes have found meanwhile."""
        found: list[DependencySet] = []
        known = {self._row(each) for each in self.sets}
        rows = self.session.store.scan(Table.SETS, self._prefix, limit=MOST_KEPT, newest_first=True)
        for key, packed in rows:
            if key not in known and key not in self._unreadable:
                unpacked = self._unpacked(packed)
                found += map(self._sharing, unpacked)
                if not unpacked:
                    self._unreadable.add(key)
        self.sets = (*self.sets, *(each for each in found if each not in self.sets))
        if self.latest is None:
            self.latest = next(iter(self.sets), None)

    # -- looking up -----------------------------------------------------------------------------

    def to_try(self, token: bytes) -> Iterable[DependencySet]:
        """The sets that a call may have been recorded under, likeliest first."""
        return self.sets if len(self.sets) < MOST_SETS else self._own_first(token)

    def likeliest_first(
        self, token: bytes, is_recorded: Callable[[bytes], bool]
    ) -> Iterable[DependencySet]:
        """As `to_try`; of the sets that this process has not tried yet, the likeliest comes first.

        That is the one under which the call is recorded with the code digest that the set had last;
        `is_recorded` says whether it is. To find the code digest that a set has now takes long the
        first time, and of several sets mostly one is needed.
        """
        if not 1 < len(self.sets) < MOST_SETS or len(self._tried) == len(self.sets):
            return self.to_try(token)
        return self._tried_first(is_recorded)

    def _tried_first(self, is_recorded: Callable[[bytes], bool]) -> Iterator[DependencySet]:
        sets, tried = self.sets, self._tried.copy()
        yield from (each for each in sets if each in tried)
        rest, codes = [each for each in sets if each not in tried], self._last_codes()
        rest.sort(key=lambda each: not is_recorded(codes.get(each.digest, b"")))
        for each in rest:
            self._tried.add(each)
            yield each

    def _last_codes(self) -> dict[bytes, bytes]:
        """The code digests that the sets had when something was last recorded under them."""
        if self._codes is None:
            prefix = self._codes_prefix
            rows = self.session.store.scan(Table.SETS, prefix, limit=MOST_KEPT, newest_first=True)
            self._codes = {key[len(prefix) :]: code for key, code in rows}
        return self._codes

    def _own_first(self, token: bytes) -> Iterator[DependencySet]:
        remembered = self._of_calls.get(token)
        own = self._own(token)
        yield from own
        for dependency_set in self.sets:
            if dependency_set not in own:
                yield dependency_set
        if remembered is not None:
            # Another process may have found more since.
            yield from (each for each in self._read_own(token) if each not in own)

    def _own(self, token: bytes) -> tuple[DependencySet, ...]:
        own = self._of_calls.get(token)
        if own is None:
            own = tuple(self._read_own(token))
            self._remember(token, own)
        return own

    def _read_own(self, token: bytes) -> Iterator[DependencySet]:
        prefix = self._prefix_of(token)
        rows = self.session.store.scan(Table.SETS, prefix, limit=LATEST, newest_first=True)
        for key, packed in rows:
            code = self._part(key[-32:])
            if code is not None:
                for beside in self._unpacked(packed):
                    yield DependencySet.beside(code, beside.outside)

    def _part(self, digest: bytes) -> DependencySet | None:
        """What concerns the code in some sets, which share it; None where it is gone."""
        known = self._parts.get(digest)
        packed = None
        if known is None:
            packed = self.session.store.get(Table.SETS, self._parts_prefix + digest)
        for found in () if packed is None else self._unpacked(packed):
            known = self._sharing(found)
        return known

    def _sharing(self, found: DependencySet) -> DependencySet:
        """Return a set that shares what concerns the code with those that have the same."""
        if len(self._parts) >= MOST_CALLS:
            self._parts.clear()
        code = self._parts.setdefault(found.code.digest, found.code)
        return DependencySet.beside(code, found.outside) if found.outside else code

    def _unpacked(self, packed: bytes) -> list[DependencySet]:
        try:
            return [DependencySet.unpack(packed)]
        except DamagedError as error:
            self.session.trouble("dependency set", error)
            return []

    def _remember(self, token: bytes, own: tuple[DependencySet, ...]) -> None:
        if len(self._of_calls) >= MOST_CALLS:
            # All at once: whoever comes again costs one scan.
            self._of_calls.clear()
        self._of_calls[token] = own

    # -- recording ------------------------------------------------------------------------------

    def use(self, dependency_set: DependencySet, token: bytes) -> None:
        """Note that a set was of use to a call: it is tried first from now on."""
        self.latest = dependency_set
        sets = self.sets
        if len(sets) >= MOST_SETS:
            own = self._of_calls.get(token, ())
            if own and own[0] is dependency_set:
                return
            rest = [other for other in own if other != dependency_set]
            self._remember(token, (dependency_set, *rest[: LATEST - 1]))
        if sets and sets[0] is not dependency_set and dependency_set in sets:
            self.sets = (dependency_set, *(each for each in sets if each != dependency_set))

    def choose(self, found: DependencySet) -> DependencySet:
        """Return the set to record an evaluation under that depended on `found`: that itself."""
        for known in self.sets:
            if known == found:
                return known
        return self._sharing(found)

    def writes(self, chosen: DependencySet, token: bytes) -> list[Write]:
        """Return what is to be written so that `chosen` is known, and make it so here."""
        written = []
        if chosen in self.sets or len(self.sets) < MOST_SETS:
            if chosen not in self.sets:
                self.sets = (chosen, *self.sets)
            # Not taken to be there because this process knows it: another thread may be about to
            # write it, and a commit may have failed.
            if self.session.store.get(Table.SETS, self._row(chosen)) is None:
                written = [Write(Table.SETS, self._row(chosen), chosen.packed)]
        elif chosen not in self._own(token):
            written = self._own_writes(chosen, token)
        self.use(chosen, token)
        return written

    def _row(self, known: DependencySet) -> bytes:
        """The key under which the store has a set that is the function's."""
        return self._prefix + known.digest

    def code_writes(self, chosen: DependencySet, code: bytes) -> list[Write]:
        """Return what is to be written so that the code digest of a set is known as its last."""
        if chosen not in self.sets or self._last_codes().get(chosen.digest) == code:
            return []
        self._last_codes()[chosen.digest] = code
        return [Write(Table.SETS, self._codes_prefix + chosen.digest, code)]

    def _own_writes(self, chosen: DependencySet, token: bytes) -> list[Write]:
        code, moment = chosen.code, b"%020d" % time.time_ns()
        beside = DependencySet((), chosen.outside)
        writes = [Write(Table.SETS, self._prefix_of(token) + moment + code.digest, beside.packed)]
        part = self._parts_prefix + code.digest
        if self.session.store.get(Table.SETS, part) is None:
            writes.append(Write(Table.SETS, part, code.packed))
        return writes

    def _prefix_of(self, token: bytes) -> bytes:
        return digest_parts("sets of a call", [self._identity, token])[:16]
