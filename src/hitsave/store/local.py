"""The store in a folder: LMDB for records, files for objects, locks for leases.

Owns the guard around the environment, what happens at a fork, and the policy for trouble: damage is
a miss and is put right by the next writer; what cannot be put right is one warning, and the store
is left alone for a while. Refuses to raise on a lookup.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

import lmdb

from hitsave.digest import Digest
from hitsave.errors import DamagedError, HitsaveError, StoreUnavailableError
from hitsave.events import warn, warn_error
from hitsave.store.blobs import Blob, BlobFiles
from hitsave.store.disk import make_folder
from hitsave.store.environment import CORRUPT, Environment, Identity, Put, Removal
from hitsave.store.files import ObjectFiles
from hitsave.store.framing import Part
from hitsave.store.held import Held, delete_unfinished
from hitsave.store.home import Home, has_lost_records, prepare, unavailable
from hitsave.store.interface import MAX_KEY_SIZE, UNAVAILABLE, Lease, Table, Write, check_write
from hitsave.store.leases import Leases
from hitsave.store.locks import SlotLocks
from hitsave.store.network import local_path
from hitsave.store.seal import seal, unseal

T = TypeVar("T")

TROUBLE = (lmdb.Error, OSError, DamagedError)
"""Every error that LMDB, the file system and this room's own checks raise."""

_NO_PAIRS: list[tuple[bytes, bytes]] = []

REST = 30.0
"""Seconds for which a store that could not be opened or locked is left alone."""

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
        self._guard = threading.RLock()
        self._busy = False
        self._closed = False
        self._troubles = 0
        self._rests_until = 0.0
        self._damaged: dict[tuple[Table, bytes], bytes] = {}
        self._files = ObjectFiles(home.objects, home.quarantine)
        self._blobs = BlobFiles(home.blobs, home.quarantine)
        self._leases = Leases(SlotLocks(home.leases))
        self._environment: Environment | None = None
        self._reopen()

    @property
    def lasts(self) -> bool:
        """See `Store.lasts`."""
        return True

    @property
    def troubles(self) -> int:
        """See `Store.troubles`."""
        return self._troubles + self._files.damaged + self._blobs.damaged

    def is_whole(self) -> bool:
        """See `Store.is_whole`."""
        with self._translating():
            return not has_lost_records(self._home)

    def get(self, table: Table, key: bytes) -> bytes | None:
        """See `Store.get`."""
        sealed = self._read(table, key)
        if sealed is None:
            return None
        body = unseal(table, key, sealed)
        if body is None:
            self._note_damage(table, key, sealed)
        return body

    def _read(self, table: Table, key: bytes) -> bytes | None:
        with self._guard:
            # A signal handler or a finaliser that runs inside a transaction of this very thread.
            if self._busy or not 1 <= len(key) <= MAX_KEY_SIZE:
                return None
            try:
                self._busy = True
                return (self._environment or self._reopen()).get(table, key)
            except TROUBLE as error:
                self._put_right(error)
                return None
            finally:
                self._busy = False

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
        pairs = []
        found = self._look(lambda e: e.scan(table, prefix, limit, newest_first, after), _NO_PAIRS)
        for key, sealed in found if limit > 0 else ():
            body = unseal(table, key, sealed)
            if body is None:
                self._note_damage(table, key, sealed)
            else:
                pairs.append((key, body))
        return pairs

    def records_size(self) -> int:
        """See `Store.records_size`."""
        return self._look(lambda environment: environment.size(), 0)

    def _look(self, ask: Callable[[Environment], T], nothing: T) -> T:
        with self._guard:
            if self._busy:
                self._troubles += 1
                return nothing
            try:
                self._busy = True
                return ask(self._environment or self._reopen())
            except TROUBLE as error:
                self._put_right(error)
                return nothing
            finally:
                self._busy = False

    def commit(
        self, writes: Sequence[Write], *, durable: bool = False, replace: bool = False
    ) -> None:
        """See `Store.commit`."""
        for write in writes:
            check_write(write)
        puts = [
            Put(table, key, seal(table, key, value), table is Table.CALLS and not replace)
            for table, key, value in writes
        ]
        kept = self._change(puts, [])
        # What came first wins only if it can be read.
        damaged = [put for put in kept if self._is_damaged(put)]
        if damaged:
            self._change(puts, [])
        if durable:
            self.flush()

    def delete(self, table: Table, keys: Iterable[bytes] | Mapping[bytes, bytes]) -> None:
        """See `Store.delete`."""
        values = keys if isinstance(keys, Mapping) else dict.fromkeys(keys)
        removals = [
            Removal(table, key, None if value is None else seal(table, key, value))
            for key, value in values.items()
            if 1 <= len(key) <= MAX_KEY_SIZE
        ]
        self._change([], removals)

    def flush(self) -> None:
        """See `Store.flush`."""
        with self._guard:
            try:
                (self._environment or self._reopen()).sync()
            except TROUBLE as error:
                self._drop()
                raise self._translated(error) from error

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
        self, key: bytes, *, limit: float, what: str = "a result", owner: object = None
    ) -> Lease:
        """See `Store.lease`."""
        return self._leases.lease(key, limit, what, owner)

    def close(self) -> None:
        """See `Store.close`. The last of the users that opened the folder closes it."""
        with _stores_guard, self._guard:
            self.users -= 1
            if self.users <= 0 and not self._closed:
                self._closed = True
                self._drop()
                self._leases.close()
                del _stores[self._home.path]

    def _change(self, puts: Sequence[Put], removals: Sequence[Removal]) -> list[Put]:
        with self._guard:
            if self._busy:
                raise StoreUnavailableError("The store is in the middle of a transaction.")
            try:
                self._busy = True
                return self._try_change(puts, removals)
            except TROUBLE as error:
                self._drop()
                raise self._translated(error) from error
            finally:
                self._busy = False

    def _try_change(self, puts: Sequence[Put], removals: Sequence[Removal]) -> list[Put]:
        damaged = [Removal(*place, value) for place, value in self._damaged.items()]
        try:
            kept = self._current().change(puts, [*damaged, *removals])
        except CORRUPT as error:
            self._start_anew(error)
            kept = self._current().change(puts, removals)
        self._damaged.clear()
        return kept

    def _current(self) -> Environment:
        """Return the environment of the files that the folder has now."""
        environment = self._environment or self._reopen()
        if environment.is_current():
            return environment
        # Removed, or set aside by another process: what was opened is nobody's any more.
        self._drop()
        return self._reopen()

    def _reopen(self, suspect: Identity | None = None) -> Environment:
        self._check_open()
        if time.monotonic() < self._rests_until:
            raise StoreUnavailableError(f"The store in {self._home.path} could not be used lately.")
        try:
            self._environment = Environment(prepare(self._home.path), suspect)
        except TROUBLE as error:
            self._rests_until = time.monotonic() + REST
            raise self._translated(error) from error
        return self._environment

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailableError("The store was closed.")

    def _drop(self) -> None:
        environment, self._environment = self._environment, None
        if environment is not None:
            environment.close()

    def _put_right(self, error: Exception) -> None:
        """Do what can be done after a lookup failed. The lookup finds nothing."""
        self._troubles += 1
        if self._closed:
            return
        try:
            if not isinstance(error, CORRUPT):
                raise error
            self._start_anew(error)
        except TROUBLE as remaining:
            self._drop()
            self._rests_until = time.monotonic() + REST
            warn_error(UNAVAILABLE, self._translated(remaining))

    def _start_anew(self, error: Exception) -> None:
        environment = self._environment
        if environment is None or environment.read_only:
            raise error
        suspect = environment.data
        self._drop()
        self._reopen(suspect)

    def _translated(self, error: Exception) -> StoreUnavailableError:
        if isinstance(error, StoreUnavailableError):
            return error
        return unavailable(self._home.path, error)

    def _is_damaged(self, put: Put) -> bool:
        if unseal(put.table, put.key, put.value) is not None:
            return False
        self._note_damage(put.table, put.key, put.value)
        return True

    def _note_damage(self, table: Table, key: bytes, sealed: bytes) -> None:
        with self._guard:
            self._troubles += 1
            self._damaged[table, key] = sealed
        warn(
            "damaged-record",
            f"A record in the store in {self._home.path} is damaged and counts as absent.",
            "what it held is computed again; a failing disk or memory may be the cause",
        )

    def before_fork(self) -> None:
        """Wait until no thread is in a transaction or at the leases."""
        self._guard.acquire()
        self._leases.before_fork()

    def after_fork_in_parent(self) -> None:
        """Let the threads go on."""
        self._leases.after_fork_in_parent()
        self._guard.release()

    def after_fork_in_child(self) -> None:
        """Give up what is the parent's; it is opened again when it is needed."""
        self._guard = threading.RLock()
        self._busy = False
        self._leases.after_fork_in_child()
        self._drop()


def _before_fork() -> None:
    _stores_guard.acquire()
    for store in _stores.values():
        store.before_fork()


def _after_fork_in_parent() -> None:
    for store in _stores.values():
        store.after_fork_in_parent()
    _stores_guard.release()


def _after_fork_in_child() -> None:
    global _stores_guard
    _stores_guard = threading.RLock()
    for store in _stores.values():
        store.after_fork_in_child()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
