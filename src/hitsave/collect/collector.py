"""The collector: one pass over a store, that leaves what is referred to and fits.

Owns the order of a pass: look at everything, decide which calls go, follow what the others refer
to, and remove the rest. Whatever was used within the last day stays, since a call or snapshot that
is under way may be about to refer to it. Refuses to work beside another pass.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hitsave.collect.calls import KeptCall, delete_calls, kept_calls
from hitsave.collect.evict import choose
from hitsave.collect.tables import delete_explanations, delete_rows
from hitsave.digest import Digest
from hitsave.errors import OtherSchemaError
from hitsave.session import Session
from hitsave.snapshot.catalog import everything
from hitsave.snapshot.readable import delete_readable
from hitsave.snapshot.trace import Trace
from hitsave.store import Held, Store

DAY = 24 * 3600.0

RELEASED_AFTER = 60.0
"""Seconds after which the result of a call that goes is surely not about to be recorded again."""

ROOM_LEFT = 0.9
"""How much of what may be there is there after calls had to go."""


class Report(NamedTuple):
    """What a pass has removed, or would.

    Sizes are in bytes. `kept` is that of what is referred to, and `fresh` that of what nothing
    refers to, and stays for a day.
    """

    expired: tuple[KeptCall, ...] = ()
    evicted: tuple[KeptCall, ...] = ()
    files: int = 0
    freed: int = 0
    kept: int = 0
    fresh: int = 0
    before: int = 0
    after: int = 0
    limit: int = 0
    is_complete: bool = True


class Options(NamedTuple):
    """How a pass is made.

    `limit` is how much may be there, in bytes. What nothing refers to stays for `grace` seconds
    since it was last used. A `thorough` pass looks also for explanations that nobody needs.
    """

    limit: int
    dry_run: bool = False
    grace: float = DAY
    thorough: bool = True


def collect(session: Session, options: Options) -> Report | None:
    """Make a pass over a session's store; None where another process is at it.

    Raises StoreUnavailableError.
    """
    store = session.store
    with store.lease(b"collect", limit=0.0) as is_held:
        return _Pass(store, options).run() if is_held else None


class _Pass:
    """One pass."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._now = time.time()
        self._objects = list(store.objects())
        self._blobs = list(store.blobs())
        self._freed = self._files = 0

    def run(self) -> Report:
        """Remove what has to go."""
        before = self._size()
        limit, dry_run = self._options.limit, self._options.dry_run
        try:
            calls = list(kept_calls(self._store))
        except OtherSchemaError:
            # Of what they refer to nothing is known.
            return Report(before=before, after=before, limit=limit, is_complete=False)
        expired = [call for call in calls if call.has_expired and not call.is_pinned]
        staying = _without(calls, expired)
        trace = self._traced(staying)
        evicted = self._evicted(staying, before - self._garbage_size(trace))
        if evicted:
            trace = self._traced(_without(staying, evicted))
        kept = before - self._garbage_size(trace) - sum(call.size for call in evicted)
        released = {call.record.object for call in (*expired, *evicted)}
        if not dry_run:
            delete_calls(self._store, [*expired, *evicted])
        fresh = self._sweep(trace, released)
        if not dry_run:
            delete_readable(self._store, trace.trees, before=self._unused_since)
            delete_rows(self._store, trace, self._unused_since)
            if self._options.thorough or expired or evicted:
                delete_explanations(self._store)
            self._store.delete_unfinished(int(self._unused_since * 1e9))
        after = before - self._freed if dry_run else self._size_now()
        found = Report(tuple(expired), tuple(evicted), self._files, self._freed, kept, fresh)
        return found._replace(before=before, after=after, limit=limit)

    @property
    def _unused_since(self) -> float:
        return self._now - self._options.grace

    def _size(self) -> int:
        return self._store.records_size() + sum(held.size for held in self._held())

    def _size_now(self) -> int:
        self._objects, self._blobs = list(self._store.objects()), list(self._store.blobs())
        return self._size()

    def _held(self) -> Iterator[Held]:
        yield from self._objects
        yield from self._blobs

    def _traced(self, calls: Iterable[KeptCall]) -> Trace:
        trace = Trace(self._store)
        trace.keep_wanted()
        trace.keep_linked()
        for call in calls:
            if call.record.object is not None:
                trace.objects.add(call.record.object)
            for digest in call.record.keeps:
                trace.keep(digest)
        return trace

    def _garbage_size(self, trace: Trace) -> int:
        return sum(held.size for held, is_live in self._judged(trace) if not is_live)

    def _judged(self, trace: Trace) -> Iterator[tuple[Held, bool]]:
        yield from ((held, held.digest in trace.objects) for held in self._objects)
        yield from ((held, held.digest in trace.blobs) for held in self._blobs)

    def _evicted(self, calls: list[KeptCall], size: int) -> list[KeptCall]:
        limit = self._options.limit
        if size <= limit:
            return []
        sizes = {held.digest: held.size for held in self._objects}
        # Snapshots that stay without any call free nothing when one goes.
        sizes |= {each.digest: each.size * each.by_call for each in everything(self._store)}
        return choose(calls, sizes, size - int(limit * ROOM_LEFT), self._now)

    def _sweep(self, trace: Trace, released: set[Digest | None]) -> int:
        """Remove the files that nothing refers to; return the size of those that are too fresh."""
        grace, brief = self._options.grace, min(RELEASED_AFTER, self._options.grace)
        fresh = 0
        for held in self._objects:
            if held.digest not in trace.objects:
                waits = brief if held.digest in released else grace
                fresh += self._remove(held, self._store.delete_object, waits)
        for held in self._blobs:
            if held.digest not in trace.blobs:
                fresh += self._remove(held, self._store.delete_blob, grace)
        return fresh

    def _remove(self, held: Held, delete: Callable[..., bool], grace: float) -> int:
        """Remove a file; return its size where it is too fresh for that."""
        if held.used > (self._now - grace) * 1e9:
            return held.size
        if self._options.dry_run or delete(held.digest, used=held.used):
            self._freed += held.size
            self._files += 1
        return 0


def _without(calls: Iterable[KeptCall], gone: Iterable[KeptCall]) -> list[KeptCall]:
    keys = {call.key for call in gone}
    return [call for call in calls if call.key not in keys]
