"""The store in a folder: LMDB for records, files for objects, locks for leases.

Owns which store a folder has in this process, what happens to it at a fork, and that an object is
there before anything refers to it. Refuses to raise on a lookup.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from hitsave.digest import Digest
from hitsave.errors import HitsaveError, StoreUnavailableError
from hitsave.events import warn_error
from hitsave.store.blobs import Blob, BlobFiles
from hitsave.store.disk import make_folder
from hitsave.store.files import ObjectFiles
from hitsave.store.forks import tell_of_forks
from hitsave.store.framing import Part
from hitsave.store.held import Held, delete_unfinished
from hitsave.store.home import Home, has_lost_records, prepare, unavailable
from hitsave.store.interface import Lease, Table, Write
from hitsave.store.leases import Leases
from hitsave.store.locks import SlotLocks
from hitsave.store.network import local_path
from hitsave.store.tables import Tables

_stores: "dict[str, LocalStore]" = {}
_stores_guard = threading.RLock()


def open_store(path: str) -> "LocalStore":
    """Return the store in the folder `path`, one per folder and process. See `open_local`."""
    home = prepare(local_path(path))
    with _stores_guard:
        store = _stores.get(home.path)
        if store is None:
            store = _stores[home.path] = LocalStore(home)
        store.users += 1
        return store


class LocalStore:
    """A `Store` in a folder."""

    def __init__(self, home: Home) -> None:
        self.users = 0
        self._home = home
        self._closed = False
        self._troubles = 0
        self._files = ObjectFiles(home.objects, home.quarantine)
        self._blobs = BlobFiles(home.blobs, home.quarantine)
        # Who waits for a result in another process is let go once that is there to be found.
        self._leases = Leases(SlotLocks(home.leases), lambda: self._tables.is_settled)
        self._tables = Tables(home, self._leases)

    @property
    def lasts(self) -> bool:
        """See `Store.lasts`."""
        return True

    @property
    def troubles(self) -> int:
        """See `Store.troubles`."""
        return sum(
            (self._troubles, self._tables.troubles, self._files.damaged, self._blobs.damaged)
        )

    def is_whole(self) -> bool:
        """See `Store.is_whole`."""
        with self._translating():
            return not has_lost_records(self._home)

    def get(self, table: Table, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self._tables.get(table, key)

    def version(self) -> object:
        """See `Store.version`."""
        return self._tables.version()

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
        return self._tables.scan(table, prefix, limit, newest_first, after)

    def records_size(self) -> int:
        """See `Store.records_size`."""
        return self._tables.size()

    def commit(
        self,
        writes: Sequence[Write],
        *,
        durable: bool = False,
        replace: bool = False,
        soon: bool = False,
    ) -> None:
        """See `Store.commit`."""
        self._tables.commit(writes, durable=durable, replace=replace, soon=soon)

    def delete(self, table: Table, keys: Iterable[bytes] | Mapping[bytes, bytes]) -> None:
        """See `Store.delete`."""
        self._tables.delete(table, keys)

    def flush(self) -> None:
        """See `Store.flush`."""
        self._tables.flush()

    def write_object(self, parts: Sequence[Part]) -> Digest:
        """See `Store.write_object`."""
        try:
            self._check_open()
            return self._write_object(parts)
        except OSError as error:
            raise self._translated(error) from error

    def _write_object(self, parts: Sequence[Part]) -> Digest:
        try:
            return self._files.write(parts)
        except FileNotFoundError:
            self._make_folder(self._home.objects)
            return self._files.write(parts)

    def _make_folder(self, path: str) -> None:
        """Make a folder of the home where it is absent; the home too, if that was removed."""
        try:
            make_folder(path)
        except FileNotFoundError:
            prepare(self._home.path)
            make_folder(path)

    def read_object(self, digest: Digest) -> memoryview | None:
        """See `Store.read_object`."""
        try:
            return None if self._closed else self._files.read(digest)
        except OSError as error:
            self._troubles += 1
            warn_error("unreadable-object", self._translated(error))
            return None

    def objects(self) -> Iterator[Held]:
        """See `Store.objects`."""
        return self._listed(self._files.held())

    def delete_object(self, digest: Digest, *, used: int | None = None) -> bool:
        """See `Store.delete_object`."""
        with self._translating():
            self._check_open()
            return self._files.delete(digest, used)

    def age_object(self, held: Held, used: int) -> None:
        """See `Store.age_object`."""
        with self._translating():
            self._check_open()
            self._files.age(held, used)

    def write_blob(self, source: BinaryIO) -> Blob:
        """See `Store.write_blob`."""
        with self._translating():
            self._check_open()
            self._make_folder(self._home.blobs)
            return self._blobs.write(source)

    def has_blob(self, blob: Blob) -> bool:
        """See `Store.has_blob`."""
        try:
            return not self._closed and self._blobs.has(blob)
        except OSError:
            return False  # writing or reading it will say why

    def blob_path(self, digest: Digest) -> str | None:
        """See `Store.blob_path`."""
        try:
            return None if self._closed else self._blobs.path(digest)
        except OSError as error:
            self._troubles += 1
            warn_error("unreadable-blob", self._translated(error))
            return None

    def blob_location(self, digest: Digest) -> str:
        """See `Store.blob_location`."""
        return self._blobs.location(digest)

    def blobs(self) -> Iterator[Held]:
        """See `Store.blobs`."""
        return self._listed(self._blobs.held())

    def delete_blob(self, digest: Digest, *, used: int | None = None) -> bool:
        """See `Store.delete_blob`."""
        with self._translating():
            self._check_open()
            return self._blobs.delete(digest, used)

    def delete_unfinished(self, before: int) -> None:
        """See `Store.delete_unfinished`."""
        with self._translating():
            self._check_open()
            for folder in (self._home.path, self._home.objects, self._home.blobs):
                delete_unfinished(folder, before)

    def _listed(self, held: Iterator[Held]) -> Iterator[Held]:
        try:
            yield from held
        except OSError as error:
            self._troubles += 1
            warn_error("unreadable-store", self._translated(error))

    def folder_of_trees(self) -> str:
        """See `Store.folder_of_trees`."""
        with self._translating():
            self._check_open()
            self._make_folder(self._home.trees)
            return self._home.trees

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except HitsaveError:
            raise
        except OSError as error:
            raise self._translated(error) from error

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

    def close(self) -> None:
        """See `Store.close`. The last of the users that opened the folder closes it."""
        with _stores_guard:
            self.users -= 1
            if self.users <= 0 and not self._closed:
                self._closed = True
                self._tables.close()
                self._leases.close()
                del _stores[self._home.path]

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailableError("The store was closed.")

    def _translated(self, error: OSError) -> StoreUnavailableError:
        if isinstance(error, StoreUnavailableError):
            return error
        return unavailable(self._home.path, error)

    def before_fork(self) -> None:
        """Wait until no thread is in a transaction or at the leases."""
        self._tables.before_fork()
        self._leases.before_fork()

    def after_fork_in_parent(self) -> None:
        """Let the threads go on."""
        self._leases.after_fork_in_parent()
        self._tables.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Give up what is the parent's; it is opened again when it is needed."""
        self._tables.after_fork_in_child()
        self._leases.after_fork_in_child()


class _AroundFork:
    """All stores of this process, around a fork. See `forks.AroundFork`."""

    def before_fork(self) -> None:
        """Wait until no thread opens a store, or is in one."""
        _stores_guard.acquire()
        for store in _stores.values():
            store.before_fork()

    def after_fork_in_parent(self) -> None:
        """Let the threads go on."""
        for store in _stores.values():
            store.after_fork_in_parent()
        _stores_guard.release()

    def after_fork_in_child(self) -> None:
        """Have each store open again what it needs."""
        global _stores_guard
        _stores_guard = threading.RLock()
        for store in _stores.values():
            store.after_fork_in_child()


tell_of_forks(_AroundFork())
