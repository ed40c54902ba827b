"""Seen: files whose content is known from the last time, so that an unchanged one is not read.

Owns when the state of a file says that its content is the same. Refuses to believe one that was
changed so lately that another change might not show.
"""

import os
import time
from typing import NamedTuple

import msgpack

from hitsave.digest import digest_parts
from hitsave.store import Blob, Store, Table, Write

RACY = 2_000_000_000
"""For how many nanoseconds after a change another one may leave the times as they are."""


USUAL_MODE = 0o644
"""What a restored link stands for unless it was noted otherwise: the store's file is read-only."""


class State(NamedTuple):
    """What shows a change of a file: sizes in bytes, times in nanoseconds."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> "State":
        """Return what a status says."""
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )


class Seen:
    """What is known of files by their paths, which have no symbolic link in them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._now = time.time_ns()

    def content(self, path: str, state: State) -> Blob | None:
        """Return what the file at `path` held when it was in this state; None where not known."""
        kept = self._store.get(Table.FILES, _key(path))
        if kept is None:
            return None
        known, digest = msgpack.unpackb(kept, use_list=False)
        return Blob(digest, state.size) if known == tuple(state) else None

    def write(self, path: str, state: State, blob: Blob) -> Write | None:
        """Return what has to be written to know the file again; None where it is too fresh."""
        if max(state.modified, state.changed) > self._now - RACY:
            return None
        value = bytes(msgpack.packb((tuple(state), blob.digest)) or b"")
        return Write(Table.FILES, _key(path), value)

    def link_write(self, path: str, status: os.stat_result, mode: int) -> Write:
        """Return what notes that a link stands for a file with these permission bits."""
        return Write(Table.FILES, _link_key(path, status), b"%d" % mode)

    def link_mode(self, path: str, status: os.stat_result) -> int:
        """Return the permission bits of the file that a restored link stands for."""
        known = self._store.get(Table.FILES, _link_key(path, status))
        return USUAL_MODE if known is None else int(known)

    def size_write(self, size: int) -> Write:
        """Return what notes that some content has this size."""
        return Write(Table.FILES, _size_key(size), b"size")

    def knows_size(self, size: int) -> bool:
        """Whether some content that was snapped may have this size."""
        return self._store.get(Table.FILES, _size_key(size)) is not None


def _key(path: str) -> bytes:
    return digest_parts("file", [os.fsencode(path)])


def _link_key(path: str, status: os.stat_result) -> bytes:
    made = f"{status.st_dev} {status.st_ino} {status.st_mtime_ns}".encode()
    return digest_parts("link", [os.fsencode(path), made])


def _size_key(size: int) -> bytes:
    return digest_parts("size", [b"%d" % size])
