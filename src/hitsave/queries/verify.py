"""Whether a store still holds what was written to it: everything is read once more.

Owns what is read, and what counts as lost. Refuses to judge results: whether they are what the code
gives now, only running it can tell (`memo.verify`).
"""

import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hitsave.collect.calls import KeptCall, kept_calls
from hitsave.digest import Digest
from hitsave.session import Session
from hitsave.snapshot.catalog import Listed, everything
from hitsave.snapshot.contents import unpack_place
from hitsave.snapshot.readable import check_readable
from hitsave.snapshot.trace import Trace
from hitsave.store import Held, Store, Table, scan_all


class Verification(NamedTuple):
    """What was found when a store was read.

    `records`, `objects` and `blobs` are how many could be read, `bytes` what the files of these
    take up. `damaged_records` and `damaged_files` are how many could not; the files are set aside.
    `folders` and `damaged_folders` are those that were restored in the store to be read; the
    damaged ones are removed, and made anew when they are asked for. `lost` are the calls whose
    result is not there, or not all of what it keeps; `incomplete` the snapshots of which some
    content is not there.
    """

    records: int
    objects: int
    blobs: int
    bytes: int
    folders: int
    damaged_records: int
    damaged_files: int
    damaged_folders: int
    lost: tuple[KeptCall, ...]
    incomplete: tuple[Listed, ...]

    @property
    def is_sound(self) -> bool:
        """Whether everything was there as it was written."""
        damaged = self.damaged_records or self.damaged_files or self.damaged_folders
        return not (damaged or self.lost or self.incomplete)


def verify_store(session: Session, share: float = 1.0) -> Verification:
    """Read all records of a session's store, and of its files a `share` that is drawn.

    Damaged records are removed and damaged files set aside, so that what they held is computed, or
    taken, again. Raises StoreUnavailableError, and OtherSchemaError for calls of another version.
    """
    store = session.store
    session.finish()
    troubles = store.troubles
    records = sum(1 for table in Table for _ in scan_all(store, table))
    damaged_records = store.troubles - troubles
    if damaged_records:
        store.commit([])  # it takes with it what could not be read
    draw = _Draw(share)
    objects = _read(filter(draw, store.objects()), store.read_object)
    blobs = _read(filter(draw, store.blobs()), store.blob_path)
    folders, damaged_folders = check_readable(store, draw)
    there = _There(store)
    return Verification(
        records,
        len(objects.whole),
        len(blobs.whole),
        sum(each.size for each in (*objects.whole, *blobs.whole)),
        folders,
        damaged_records,
        objects.damaged + blobs.damaged,
        damaged_folders,
        tuple(call for call in kept_calls(store) if not there.has_all_of(call)),
        tuple(each for each in everything(store) if not there.has(each.digest)),
    )


class _Draw:
    """Says of each thing it is asked for whether it is among the share that is read."""

    def __init__(self, share: float) -> None:
        # Of the system, so that the program's own numbers are what they would be.
        self._chance = random.SystemRandom()
        self._share = share

    def __call__(self, _: object = None) -> bool:
        return self._share >= 1 or self._chance.random() < self._share


class _Read(NamedTuple):
    whole: list[Held]
    damaged: int


def _read(held: Iterable[Held], read: Callable[[Digest], object]) -> _Read:
    found = [(each, read(each.digest) is not None) for each in held]
    whole = [each for each, is_whole in found if is_whole]
    return _Read(whole, len(found) - len(whole))


class _There:
    """What is in a store, by digest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._objects = {held.digest for held in store.objects()}
        self._blobs = {held.digest for held in store.blobs()}
        self._known: dict[Digest, bool] = {}

    def has_all_of(self, call: KeptCall) -> bool:
        """Whether the result of a call is there, and the snapshots that it keeps."""
        stored = call.record.object
        return (stored is None or stored in self._objects) and all(map(self.has, call.record.keeps))

    def has(self, snapshot: Digest) -> bool:
        """Whether all that is in a snapshot is there."""
        if snapshot not in self._known:
            self._known[snapshot] = self._follow(snapshot)
        return self._known[snapshot]

    def _follow(self, snapshot: Digest) -> bool:
        trace = Trace(self._store)
        trace.keep(snapshot)
        return trace.is_whole and all(
            content in self._blobs or self._is_packed(content) for content in trace.blobs
        )

    def _is_packed(self, content: Digest) -> bool:
        where = self._store.get(Table.PACKED, content)
        return where is not None and unpack_place(where).pack in self._objects
