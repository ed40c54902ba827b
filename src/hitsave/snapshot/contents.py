"""Contents: the bytes of files in the store, by digest.

Owns whether they are a file of their own, which links can lead to, or lie in a pack with others:
for a hundred thousand small files, a hundred thousand files more would take minutes. Refuses to
know names and folders.
"""

import io
import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import msgpack

from hitsave.digest import SIZE, Digest, digest_bytes
from hitsave.errors import SnapshotError
from hitsave.store import Blob, Store, Table, Write, pieces, split_parts

SMALL = 64 * 1024
"""Files of fewer bytes than this are packed where there are many."""

PACK_SIZE = 8 * 1024 * 1024
"""How many bytes a pack grows to."""


MOST_WRITES = 4096
"""How many records are pending at most: a folder may have any number of files."""


class Place(NamedTuple):
    """Where some content lies: in which pack, from which byte on, and how many."""

    pack: Digest
    start: int
    size: int


def pack_place(place: Place) -> bytes:
    """Return a place as bytes."""
    return bytes(msgpack.packb(tuple(place)) or b"")


def unpack_place(value: bytes) -> Place:
    """Return the place that `pack_place` made `value` from."""
    return Place(*msgpack.unpackb(value, use_list=False))


class Contents:
    """The contents in a store. Writes are pending until `commit`.

    `written` is how many bytes were written that were not there, as far as is known.
    """

    def __init__(self, store: Store) -> None:
        self.written = 0
        self._store = store
        self._pack: dict[Digest, bytes] = {}
        self._packed = 0
        self._writes: list[Write] = []
        self._views: dict[Digest, memoryview] = {}

    # -- writing --------------------------------------------------------------------------------

    def has(self, blob: Blob) -> bool:
        """Whether the bytes of `blob` are kept, or about to be."""
        if self._store.has_blob(blob) or blob.digest in self._pack:
            return True
        return blob.size < SMALL and self._packed_view(blob) is not None

    def write(self, source: BinaryIO) -> Blob:
        """Keep what is left of `source` as a file of its own."""
        blob = self._store.write_blob(source)
        self.written += blob.size
        return blob

    def write_small(self, content: bytes) -> Blob:
        """Keep `content` in a pack."""
        blob = Blob(digest_bytes(content), len(content))
        if not self.has(blob):
            self._pack[blob.digest] = content
            self.written += blob.size
            self._packed += blob.size
            if self._packed >= PACK_SIZE:
                self._finish_pack()
        return blob

    def note(self, write: Write) -> None:
        """Write something else with the next commit. Raises StoreUnavailableError."""
        self._writes.append(write)
        if len(self._writes) >= MOST_WRITES:
            self._commit_writes()

    def commit(self) -> None:
        """Bring everything to the store. Raises StoreUnavailableError."""
        self._finish_pack()
        self._commit_writes()

    def _commit_writes(self) -> None:
        writes, self._writes = self._writes, []
        if writes:
            self._store.commit(writes)

    def _finish_pack(self) -> None:
        if not self._pack:
            return
        digest = self._store.write_object([b"".join(self._pack.values())])
        start = 0
        for content, kept in self._pack.items():
            place = Place(digest, start, len(kept))
            self._writes.append(Write(Table.PACKED, content, pack_place(place)))
            start += len(kept)
        self._pack.clear()
        self._packed = 0

    # -- reading --------------------------------------------------------------------------------

    @property
    def can_be_linked(self) -> bool:
        """Whether a link to the store still leads to something when this process has ended."""
        return self._store.lasts

    def path(self, blob: Blob) -> str:
        """Return the path of a read-only file with the bytes of `blob`. Raises SnapshotError."""
        path = self._store.blob_path(blob.digest)
        if path is None:
            view = self._read_packed(blob)
            if view is not None and self._store.write_blob(io.BytesIO(view)) == blob:
                path = self._store.blob_path(blob.digest)
        if path is None:
            raise missing(blob.digest)
        return path

    def pieces(self, blob: Blob) -> Iterator[memoryview]:
        """Yield the bytes of `blob`. Raises SnapshotError."""
        view = self._read_packed(blob) if blob.size < SMALL else None
        if view is not None:
            yield view
            return
        with open(self.path(blob), "rb", buffering=0) as file:
            yield from pieces(file)

    def leads_here(self, link: str) -> bool:
        """Whether a symbolic link leads to where the store keeps, or kept, some content."""
        return self._digest_linked(link) is not None

    def linked(self, link: str) -> Blob | None:
        """Return the content that a symbolic link leads to, where the store has it untouched."""
        digest = self._digest_linked(link)
        try:
            blob = None if digest is None else Blob(digest, os.stat(link).st_size)
        except OSError:
            return None
        return blob if blob is not None and self._store.has_blob(blob) else None

    def _digest_linked(self, link: str) -> Digest | None:
        try:
            target = os.readlink(link)
            digest = bytes.fromhex("".join(target.split(os.sep)[-2:]))
        except (OSError, ValueError):
            return None
        is_here = len(digest) == SIZE and self._store.blob_location(digest) == target
        return digest if is_here else None

    def _read_packed(self, blob: Blob) -> memoryview | None:
        view = self._packed_view(blob)
        # A pack is verified as a whole when it is first read, but where this lies in it is not.
        return view if view is not None and digest_bytes(view) == blob.digest else None

    def _packed_view(self, blob: Blob) -> memoryview | None:
        where = self._store.get(Table.PACKED, blob.digest)
        if where is None:
            return None
        pack, start, size = unpack_place(where)
        view = self._view(pack)[start : start + size]
        return view if size == len(view) == blob.size else None

    def _view(self, pack: Digest) -> memoryview:
        if pack not in self._views:
            framed = self._store.read_object(pack)
            self._views[pack] = memoryview(b"") if framed is None else split_parts(framed)[0]
        return self._views[pack]


def missing(digest: Digest) -> SnapshotError:
    """Return the error that says that some content is not in the store."""
    return SnapshotError(
        f"The content {digest.hex()} is not in the store, or was damaged and set aside.",
        "snap the file again, where it still is",
    )


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or in it; both without symbolic links."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
