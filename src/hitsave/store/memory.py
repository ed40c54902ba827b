"""The store in memory: for tests, and for a process whose folder cannot be used.

Owns nothing that outlives the process. Shared by threads; the child of a fork has a copy.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from mmap import mmap
from typing import BinaryIO

from hitsave.digest import Digest
from hitsave.errors import StoreUnavailableError
from hitsave.lazy import lazy
from hitsave.store.blobs import Blob, BlobFiles
from hitsave.store.framing import Part, digest_frame, frame
from hitsave.store.held import Held, delete_unfinished
from hitsave.store.interface import Lease, Table, Write, check_write
from hitsave.store.leases import Leases


class MemoryStore:
    """A `Store` in dictionaries."""

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._tables: dict[Table, dict[bytes, bytes]] = {table: {} for table in Table}
        self._objects: dict[Digest, bytes] = {}
        self._used: dict[Digest, int] = {}
        self._leases = Leases(None)
        self._closed = False
        self._version = 0
        _stores.add(self)

    @property
    def lasts(self) -> bool:
        """See `Store.lasts`."""
        return False

    @property
    def troubles(self) -> int:
        """See `Store.troubles`."""
        return 0

    def is_whole(self) -> bool:
        """See `Store.is_whole`."""
        return True

    def get(self, table: Table, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self._tables[table].get(key)

    def version(self) -> object:
        """See `Store.version`."""
        return None if self._closed else self._version

    def commit(
        self,
        writes: Sequence[Write],
        *,
        durable: bool = False,  # noqa: ARG002 - nothing here survives the process
        replace: bool = False,
        soon: bool = False,  # noqa: ARG002 - no other process is to see it
    ) -> None:
        """See `Store.commit`."""
        for write in writes:
            check_write(write)
        with self._guard:
            self._check_open()
            for table, key, value in writes:
                if replace or table is not Table.CALLS:
                    self._tables[table][key] = bytes(value)
                else:
                    self._tables[table].setdefault(key, bytes(value))
            self._version += 1  # behind the writes: whoever looks meanwhile looks again

    def delete(self, table: Table, keys: Iterable[bytes] | Mapping[bytes, bytes]) -> None:
        """See `Store.delete`."""
        values = keys if isinstance(keys, Mapping) else None
        with self._guard:
            self._check_open()
            for key in keys:
                if values is None or self._tables[table].get(key) == values[key]:
                    self._tables[table].pop(key, None)
            self._version += 1

    def scan(
        self,
        table: Table,
        prefix: bytes = b"",
        *,
        limit: int,
        newest_first: bool = False,
        after: bytes = b"",
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        with self._guard:
            found = [item for item in self._tables[table].items() if item[0].startswith(prefix)]
        if not newest_first:
            found = [item for item in found if item[0] > after]
        return sorted(found, reverse=newest_first)[: max(limit, 0)]

    def records_size(self) -> int:
        """See `Store.records_size`."""
        with self._guard:
            tables = [table.items() for table in self._tables.values()]
            return sum(len(key) + len(value) for table in tables for key, value in table)

    def write_object(self, parts: Sequence[Part]) -> Digest:
        """See `Store.write_object`."""
        digest = digest_frame(parts)
        with self._guard:
            self._check_open()
            self._objects[digest] = b"".join(frame(parts))
            self._used[digest] = time.time_ns()
        return digest

    def read_object(self, digest: Digest) -> memoryview | None:
        """See `Store.read_object`."""
        content = self._objects.get(digest)
        if content is None:
            return None
        # A mapping starts a page, so that the parts lie as they do in a file's.
        mapping = mmap(-1, len(content))
        mapping[:] = content
        self._used[digest] = time.time_ns()
        return memoryview(mapping)

    def objects(self) -> Iterator[Held]:
        """See `Store.objects`."""
        with self._guard:
            found = list(self._objects.items())
        return (Held(digest, len(content), self._used[digest]) for digest, content in found)

    def delete_object(self, digest: Digest, *, used: int | None = None) -> bool:
        """See `Store.delete_object`."""
        with self._guard:
            self._check_open()
            if used is not None and self._used.get(digest) != used:
                return False
            return self._objects.pop(digest, None) is not None

    def age_object(self, held: Held, used: int) -> None:
        """See `Store.age_object`."""
        with self._guard:
            self._check_open()
            if self._used.get(held.digest) == held.used:
                self._used[held.digest] = used

    def write_blob(self, source: BinaryIO) -> Blob:
        """See `Store.write_blob`."""
        self._check_open()
        return self._blobs.write(source)

    def has_blob(self, blob: Blob) -> bool:
        """See `Store.has_blob`."""
        return not self._closed and self._blobs.has(blob)

    def blob_path(self, digest: Digest) -> str | None:
        """See `Store.blob_path`."""
        return None if self._closed else self._blobs.path(digest)

    def blob_location(self, digest: Digest) -> str:
        """See `Store.blob_location`."""
        return self._blobs.location(digest)

    def blobs(self) -> Iterator[Held]:
        """See `Store.blobs`."""
        return iter(()) if self._closed else self._blobs.held()

    def delete_blob(self, digest: Digest, *, used: int | None = None) -> bool:
        """See `Store.delete_blob`."""
        self._check_open()
        return self._blobs.delete(digest, used)

    def delete_unfinished(self, before: int) -> None:
        """See `Store.delete_unfinished`."""
        self._check_open()
        delete_unfinished(self._blobs.folder, before)

    def folder_of_trees(self) -> str:
        """See `Store.folder_of_trees`."""
        self._check_open()
        folder = os.path.join(self._folder, "trees")
        os.makedirs(folder, exist_ok=True)
        return folder

    @lazy
    def _folder(self) -> str:
        """Where files are, which links have to lead to."""
        # Most programs that have no folder have no snapshots either.
        import shutil
        import tempfile

        folder, owner = tempfile.mkdtemp(prefix="hitsave-"), os.getpid()

        def clear() -> None:
            if os.getpid() == owner:  # not by the child of a fork
                shutil.rmtree(folder, ignore_errors=True)

        weakref.finalize(self, clear)
        return folder

    @lazy
    def _blobs(self) -> BlobFiles:
        return BlobFiles(os.path.join(self._folder, "blobs"), os.path.join(self._folder, "damaged"))

    def lease(
        self,
        key: bytes,
        *,
        limit: float,
        what: str = "a result",
        owner: object = None,
        until: Callable[[], bool] = bool,
    ) -> Lease:
        """See `Store.lease`."""
        return self._leases.lease(key, limit, what, owner, until)

    def flush(self) -> None:
        """See `Store.flush`."""
        self._check_open()

    def close(self) -> None:
        """See `Store.close`."""
        with self._guard:
            self._closed = True
            self._objects.clear()
            for table in self._tables.values():
                table.clear()

    def after_fork_in_child(self) -> None:
        """Hold nothing that a thread of the parent held."""
        self._guard = threading.RLock()
        self._leases.after_fork_in_child()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailableError("The store was closed.")


_stores: "weakref.WeakSet[MemoryStore]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for store in _stores:
        store.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
