"""Tracing: what in the store snapshots refer to, so that nothing else of it need stay.

Owns the way from a digest to the files that hold its content, and which restored links still lead
there. Refuses to remove anything but what it keeps about links.
"""

import os
from collections.abc import Iterator

from hitsave.digest import SIZE, Digest
from hitsave.errors import SnapshotError
from hitsave.snapshot.catalog import everything, read_tree
from hitsave.snapshot.contents import unpack_place
from hitsave.snapshot.links import Restored, all_restored, leads_to, seen_again
from hitsave.snapshot.tree import Entry
from hitsave.store import Store, Table, Write


class Trace:
    """The objects, blobs and trees that were found to be referred to, by digest.

    `left_links` are the records, by their keys, of links that lead to the store no longer;
    `seen_links` is what notes that others still do. It `is_whole` unless a list could not be read.
    """

    def __init__(self, store: Store) -> None:
        self.objects: set[Digest] = set()
        self.blobs: set[Digest] = set()
        self.trees: set[Digest] = set()
        self.left_links: dict[bytes, bytes] = {}
        self.seen_links: dict[bytes, Write] = {}
        self.is_whole = True
        self._store = store

    def keep(self, digest: Digest) -> None:
        """Note what the snapshot of that digest refers to."""
        listed_in = self._list_of(digest)
        if listed_in is None:
            self._keep_content(digest)
        elif digest not in self.trees:
            self.trees.add(digest)
            self.objects.add(listed_in)
            for entry in self._files(digest):
                self._keep_content(entry.digest)

    def keep_wanted(self, since: float) -> None:
        """Note what the catalogue's snapshots refer to.

        Of those that go with results only what was taken since a time, in seconds since the epoch:
        the call may not have ended.
        """
        for found in everything(self._store):
            if not found.by_call or found.created > since:
                self.keep(found.digest)

    def keep_linked(self) -> None:
        """Note what restored links lead to, and which of them do so no longer."""
        for restored in all_restored(self._store):
            if not self._is_held(restored):
                self.left_links[restored.key] = restored.value

    def _keep_content(self, digest: Digest) -> None:
        if digest in self.blobs:
            return
        self.blobs.add(digest)
        value = self._store.get(Table.PACKED, digest)
        if value is not None:
            self.objects.add(unpack_place(value).pack)

    def _list_of(self, digest: Digest) -> Digest | None:
        """Return the object that lists what is in a folder; None for a file."""
        kept_in = self._store.get(Table.PACKED, digest)
        return kept_in if kept_in is not None and len(kept_in) == SIZE else None

    def _files(self, digest: Digest) -> Iterator[Entry]:
        """Yield the files in a folder; none where the list cannot be read."""
        try:
            tree = read_tree(self._store, digest)
        except SnapshotError:
            self.is_whole = False
            return
        yield from (entry for entry in tree if not entry.is_folder)

    def _is_held(self, restored: Restored) -> bool:
        """Whether any link still leads to what it was restored from; that is kept."""
        listed_in = self._list_of(restored.digest)
        if listed_in is None:
            return self._is_link_held(restored, restored.path, restored.digest)
        held = False
        for entry in self._files(restored.digest):
            path = os.path.join(restored.path, entry.path)
            held = self._is_link_held(restored, path, entry.digest) or held
        if held:
            self.objects.add(listed_in)  # to know of the links the next time
        return held

    def _is_link_held(self, restored: Restored, path: str, digest: Digest) -> bool:
        is_there = leads_to(path, digest)
        if is_there and restored.is_of_old:
            self.seen_links[restored.key] = seen_again(restored)
        is_held = is_there or restored.is_recent
        if is_held:
            self._keep_content(digest)
        return is_held
