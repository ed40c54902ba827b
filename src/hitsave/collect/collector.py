"""The collector: one pass over a store, that leaves what is referred to and fits.

Owns the order of a pass: look at everything, remove what nothing refers to, and where there is
still too much decide which calls go, and remove what they alone referred to. Whatever was used
within the last day stays, since a call or snapshot that is under way may be about to refer to it.
Refuses to work beside another pass, and to remove anything once something could not be read: what
it refers to is not known then.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple

from hitsave.collect.calls import KeptCall, delete_calls, is_pinned, kept_calls
from hitsave.collect.evict import Files, choose
from hitsave.collect.tables import delete_explanations, rows_to_delete
from hitsave.digest import Digest
from hitsave.errors import HitsaveError, OtherSchemaError, StoreUnavailableError
from hitsave.session import Session
from hitsave.snapshot.readable import delete_readable
from hitsave.snapshot.trace import Trace
from hitsave.store import Held, Store
from hitsave.units import DAY

RELEASED_AFTER = 60.0
"""Seconds after which the result of a call that goes is surely not about to be recorded again."""

ROOM_LEFT = 0.9
"""How much of what may be there is there after calls had to go."""

ALWAYS_LEFT = 0.1
"""How much of what may be there calls may take up in any case, whatever else has to stay."""

LONGEST_CALL = 7
"""For how many times the grace what a call snaps stays without a result: it may not have ended."""


class Report(NamedTuple):
    """What a pass has removed, or would.

    Sizes are in bytes. `kept` is that of what is referred to, and `fresh` that of what nothing
    refers to, and stays for a day. `trouble` says why nothing was removed, where it was not.
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
    trouble: str = ""


class Options(NamedTuple):
    """How a pass is made.

    `limit` is how much may be there, in bytes. What nothing refers to stays for `grace` seconds
    since it was last used. A `thorough` pass looks also for explanations that nobody needs.
    """

    limit: int
    dry_run: bool = False
    grace: float = DAY
    thorough: bool = True


class _CannotTellError(Exception):
    """Something could not be read, so that nobody can tell what is referred to."""


def collect(session: Session, options: Options) -> Report | None:
    """Make a pass over a session's store; None where another process is at it.

    Raises StoreUnavailableError.
    """
    store = session.store
    with store.lease(b"collect", limit=0.0) as is_held:
        if not is_held:
            return None
        session.finish()  # it brings to the store which calls have hit
        try:
            return _Pass(store, options).run()
        except _CannotTellError as error:
            size = store.records_size()
            return Report(before=size, after=size, limit=options.limit, trouble=str(error))
        except OSError as error:
            if isinstance(error, HitsaveError):
                raise
            raise StoreUnavailableError(f"The store cannot be collected: {error}.") from error


class _Pass:
    """One pass."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._now = time.time()
        self._troubles = store.troubles
        self._objects = list(store.objects())
        self._blobs = list(store.blobs())
        self._gone: set[Held] = set()
        self._freed = 0

    def run(self) -> Report:
        """Remove what has to go."""
        before = self._size()
        calls = self._calls()
        expired = [call for call in calls if call.record.has_expired and not call.is_pinned]
        staying = _without(calls, expired)
        trace = self._trace(staying)
        self._delete_calls(expired)
        # What frees room without a record comes first: a full disk takes no more of these.
        fresh = self._sweep(trace, _objects_of(expired))
        kept = before - self._garbage_size(trace)
        evicted = self._chosen(staying, kept) if kept > self._options.limit else []
        if evicted:
            trace = self._trace(_without(staying, evicted))
            self._delete_calls(evicted)
            fresh = self._sweep(trace, _objects_of(evicted))
            kept = before - self._garbage_size(trace) - sum(call.size for call in evicted)
        if not self._options.dry_run:
            self._tidy(trace, has_removed=bool(expired or evicted))
        found = Report(tuple(expired), tuple(evicted), len(self._gone), self._freed, kept, fresh)
        after = before - self._freed if self._options.dry_run else self._size_now()
        return found._replace(before=before, after=after, limit=self._options.limit)

    # -- looking --------------------------------------------------------------------------------

    def _calls(self) -> list[KeptCall]:
        try:
            return list(kept_calls(self._store))
        except OtherSchemaError as error:
            raise _CannotTellError(
                "it holds calls that another version of hitsave has recorded"
            ) from error

    def _trace(self, calls: Iterable[KeptCall]) -> Trace:
        """Follow what stays, and what it refers to."""
        trace = Trace(self._store)
        trace.keep_wanted(since=self._now - LONGEST_CALL * self._options.grace)
        trace.keep_linked()
        for call in calls:
            _keep(trace, call)
        self._check(trace)
        return trace

    def _check(self, trace: Trace) -> None:
        if not trace.is_whole or self._store.troubles != self._troubles:
            raise _CannotTellError("something in it cannot be read")
        if self._options.grace and not self._store.is_whole():
            raise _CannotTellError(
                "records were lost that what it holds may belong to (see the files corrupt-* in "
                "its folder)"
            )

    def _size(self) -> int:
        return self._store.records_size() + sum(held.size for held in self._held())

    def _size_now(self) -> int:
        self._objects, self._blobs = list(self._store.objects()), list(self._store.blobs())
        return self._size()

    def _held(self) -> Iterator[Held]:
        yield from self._objects
        yield from self._blobs

    def _garbage_size(self, trace: Trace) -> int:
        objects = sum(held.size for held in self._objects if held.digest not in trace.objects)
        return objects + sum(held.size for held in self._blobs if held.digest not in trace.blobs)

    # -- deciding -------------------------------------------------------------------------------

    def _chosen(self, calls: list[KeptCall], kept: int) -> list[KeptCall]:
        """Return the calls that have to go so that what is kept fits."""
        going = [call for call in calls if not call.stays]
        files = self._files_of(going, self._trace(call for call in calls if call.stays))
        of_calls = sum(call.size for call in going)
        of_calls += sum(dict(file for each in files.values() for file in each.items()).values())
        limit = self._options.limit
        # Where something else takes up the room, calls need not all go for nothing.
        surplus = min(kept - int(limit * ROOM_LEFT), of_calls - int(limit * ALWAYS_LEFT))
        found = choose(going, files, surplus, self._now)
        return [call for call in found if not is_pinned(self._store, call)]

    def _files_of(self, calls: list[KeptCall], stays: Trace) -> dict[Digest, Files]:
        """Return the files that calls refer to, and nothing that stays in any case does."""
        objects = {held.digest: held.size for held in self._objects}
        blobs = {held.digest: held.size for held in self._blobs}
        files: dict[Digest, Files] = {}
        for call in calls:
            own = Trace(self._store)
            _keep(own, call)
            found: dict[Hashable, int] = {}
            for digest in own.objects - stays.objects:
                found["object", digest] = objects.get(digest, 0)
            for digest in own.blobs - stays.blobs:
                found["blob", digest] = blobs.get(digest, 0)
            files[call.key] = found
        return files

    # -- removing -------------------------------------------------------------------------------

    def _delete_calls(self, calls: list[KeptCall]) -> None:
        if not self._options.dry_run:
            delete_calls(self._store, calls)

    def _sweep(self, trace: Trace, released: set[Digest]) -> int:
        """Remove the files that nothing refers to; return the size of those that are too fresh."""
        fresh = 0
        for held in self._objects:
            if held.digest not in trace.objects:
                is_released = held.digest in released
                fresh += self._remove(held, self._store.delete_object, is_released=is_released)
        for held in self._blobs:
            if held.digest not in trace.blobs:
                fresh += self._remove(held, self._store.delete_blob)
        return fresh

    def _remove(self, held: Held, delete: Callable[..., bool], *, is_released: bool = False) -> int:
        """Remove a file; return its size where it is too fresh for that."""
        grace = self._options.grace
        waits = min(RELEASED_AFTER, grace) if is_released else grace
        if held.used > (self._now - waits) * 1e9:
            if is_released and not self._options.dry_run:
                # A later pass does not wait for a day.
                self._store.age_object(held, held.used - int((grace - waits) * 1e9))
            return held.size
        is_new = held not in self._gone
        if is_new and (self._options.dry_run or delete(held.digest, used=held.used)):
            self._freed += held.size
            self._gone.add(held)
        return 0

    def _tidy(self, trace: Trace, has_removed: bool) -> None:
        """Remove what is left of what is gone."""
        unused_since = self._now - self._options.grace
        delete_readable(self._store, trace.trees, before=unused_since)
        since = self._now - LONGEST_CALL * self._options.grace
        rows = rows_to_delete(self._store, trace, since)
        if self._store.troubles == self._troubles:
            for table, found in rows.items():
                self._store.delete(table, found)
        self._store.commit(list(trace.seen_links.values()))
        if self._options.thorough or has_removed:
            delete_explanations(self._store)
        self._store.delete_unfinished(int(unused_since * 1e9))


def _keep(trace: Trace, call: KeptCall) -> None:
    if call.record.object is not None:
        trace.objects.add(call.record.object)
    for digest in call.record.keeps:
        trace.keep(digest)


def _objects_of(calls: Iterable[KeptCall]) -> set[Digest]:
    return {call.record.object for call in calls if call.record.object is not None}


def _without(calls: Iterable[KeptCall], gone: Iterable[KeptCall]) -> list[KeptCall]:
    keys = {call.key for call in gone}
    return [call for call in calls if call.key not in keys]
