"""Known hits: the records that calls of one function have found in this process.

Owns for how long one that was read need not be read again: until anything is written to the store,
by whomever. Whether the code is as it was is asked each time.
"""

from typing import TYPE_CHECKING, NamedTuple

from hitsave.store import CallRecord, Store

if TYPE_CHECKING:
    from hitsave.memo.call import Call, Candidate

MOST = 1000
"""How many hits are known of each function."""

LARGE = 1000
"""Bytes of a result that is not kept: to make it anew takes longer than to read it."""


class KnownHit(NamedTuple):
    """A record that was found, when the store had that version."""

    candidate: "Candidate"
    record: CallRecord
    version: object


class KnownHits:
    """The hits of one function, by the tokens of the calls."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hits: dict[bytes, KnownHit] = {}

    def find(self, call: "Call") -> KnownHit | None:
        """Return what looking the call up would find; None where it has to be looked up."""
        hit = self._hits.get(call.digested.token)
        if hit is None or hit.version != self._store.version() or not call.counts(hit.record):
            return None
        holds = call.session.tracker.still_holds(hit.candidate.tracked, call.moment)
        return hit if holds else None

    def keep(
        self, call: "Call", candidate: "Candidate", record: CallRecord, version: object
    ) -> None:
        """Know what a call has found by looking it up.

        `version` is that of the store before it was read.
        """
        # Another function of the same name, as an argument, would have the same token.
        has_brought_code = call.roots is not call.memo.roots
        if has_brought_code or version is None or len(record.payload or b"") > LARGE:
            return
        if len(self._hits) >= MOST:
            # All at once: whoever comes again is looked up again.
            self._hits.clear()
        self._hits[call.digested.token] = KnownHit(candidate, record, version)
