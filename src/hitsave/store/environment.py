"""The LMDB environment of a store, opened the one way that loses nothing.

Owns LMDB's flags, the lock around its transactions, and the growth of its map. Refuses to be called
by two threads at once (`local` guards it), and to know what a value means.

`metasync=False` may lose the last commits to a power cut, never the file; `sync=False` may lose the
file. `lock=False` because LMDB's own locks vanish when anything in the process opens and closes its
files; a `flock` on the folder is held around every transaction instead.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from fcntl import LOCK_UN, flock
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

import lmdb

from hitsave.errors import DamagedError, StoreUnavailableError
from hitsave.store.datafile import (
    Metas,
    Note,
    check_data_file,
    claimed_size,
    lengthen,
    set_aside,
)
from hitsave.store.disk import make_folder, sync_folder
from hitsave.store.home import Home
from hitsave.store.interface import Table
from hitsave.store.locks import EXCLUSIVE, SHARED, FolderLock
from hitsave.store.seal import SCHEMA

MAP_SIZES = (1 << 40, 1 << 36, 1 << 33, 1 << 31, 1 << 28)
"""Sizes of the map in bytes, the first of which that the machine grants is taken."""

CORRUPT = (
    DamagedError,
    # Keys and values are checked before: it is a table whose flags are not what they were.
    lmdb.BadValsizeError,
    lmdb.CorruptedError,
    lmdb.IncompatibleError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.VersionMismatchError,
)
"""The errors that mean that the data file holds what LMDB did not write."""

if TYPE_CHECKING:
    Cursor = lmdb.Cursor[bytes]
    Transaction = lmdb.Transaction[bytes]


class Put(NamedTuple):
    """A value to put; with `first_wins` only where the key is absent."""

    table: Table
    key: bytes
    value: bytes
    first_wins: bool


class Removal(NamedTuple):
    """A key to remove; where `value` is given, only while it is the value."""

    table: Table
    key: bytes
    value: bytes | None


class Identity(NamedTuple):
    """Which file a file is, whatever its name."""

    device: int
    inode: int


class Environment:
    """An open environment. Methods raise lmdb.Error, OSError or StoreUnavailableError.

    `suspect` is the data file in which a transaction found damage, if one did: it is set aside,
    unless another process did so already.
    """

    def __init__(self, home: Home, suspect: Identity | None = None) -> None:
        self._home = home
        make_folder(home.records)
        self._lock = FolderLock(home.records)
        self._descriptor = self._lock.descriptor
        self._note = Note(home.note)
        try:
            self._lock.acquire(EXCLUSIVE)
            self._open(suspect)
        except BaseException:
            self._note.close()
            # Closing the descriptor frees the lock too.
            self._lock.close()
            raise
        flock(self._descriptor, LOCK_UN)

    def _open(self, suspect: Identity | None) -> None:
        self.read_only = not _writable(self._home)
        try:
            if suspect is not None and suspect == _identity(self._home.data):
                raise DamagedError("A transaction met a page that LMDB did not write.")
            self._open_file()
        except CORRUPT as error:
            if self.read_only:
                raise
            set_aside(self._home, str(error))
            self._open_file()

    def _open_file(self) -> None:
        size = claimed_size(self._home.data)
        if size and not self.read_only:
            lengthen(self._home.data, size)
        if size and not self._note.holds(self._home.data):
            check_data_file(self._home.data)
        self._environment = _first_that_fits(self._home, read_only=self.read_only)
        try:
            if not size and not self.read_only:
                # LMDB brings what is in a file to disk, and never that there is a new one.
                sync_folder(self._home.records)
            self._databases = {table: self._open_table(table) for table in Table}
            self._metas = Metas(self._home.data, self._environment.stat()["psize"])
            self._file = os.open(self._home.data, os.O_RDONLY | os.O_CLOEXEC)
        except BaseException:
            self._environment.close()
            raise
        self.data = _identity(self._home.data)
        self._folder = _identity(self._home.records)
        self._size = 0
        self._check_length()
        self._note.write(self._file)

    def _open_table(self, table: Table) -> lmdb._Database:
        name = f"{table}.{SCHEMA}".encode()
        try:
            return self._environment.open_db(name, create=False)
        except lmdb.NotFoundError:
            return self._environment.open_db(name, create=True)

    def version(self) -> object:
        """Return what is another after each transaction, and in each environment."""
        self._check_length()
        return self._metas, self._metas.transactions()

    def get(self, table: Table, key: bytes) -> bytes | None:
        """Return a copy of the value under `key`."""
        try:
            self._lock.acquire(SHARED)
            self._check_length()
            with self._environment.begin(self._databases[table]) as transaction:
                return transaction.get(key)
        finally:
            # A C function and nothing before it: a Ctrl-C cannot come between, and leave the lock.
            flock(self._descriptor, LOCK_UN)

    def scan(
        self, table: Table, prefix: bytes, limit: int, newest_first: bool, after: bytes
    ) -> list[tuple[bytes, bytes]]:
        """Return copies of up to `limit` pairs whose key starts with `prefix`; see `Store.scan`."""
        try:
            self._lock.acquire(SHARED)
            self._check_length()
            with self._environment.begin(self._databases[table]) as transaction:
                cursor = transaction.cursor()
                if newest_first:
                    pairs = _backward(cursor, prefix)
                else:
                    pairs = _forward(cursor, prefix, after)
                return list(islice(_while_prefix(pairs, prefix), limit))
        finally:
            flock(self._descriptor, LOCK_UN)

    def size(self) -> int:
        """Return how many bytes the pages of all tables take up."""
        try:
            self._lock.acquire(SHARED)
            self._check_length()
            with self._environment.begin() as transaction:
                found = [transaction.stat(each) for each in self._databases.values()]
        finally:
            flock(self._descriptor, LOCK_UN)
        pages = sum(e["branch_pages"] + e["leaf_pages"] + e["overflow_pages"] for e in found)
        return pages * found[0]["psize"]

    def change(self, puts: Sequence[Put], removals: Sequence[Removal]) -> list[Put]:
        """Carry out `removals`, then `puts`, as one transaction that is then seen by everybody.

        Returns what was there already and stays, for the puts of which the first wins.
        """
        if self.read_only:
            raise StoreUnavailableError(f"The store in {self._home.path} is read-only.")
        for size in (*reversed(MAP_SIZES), None):
            try:
                return self._transact(puts, removals)
            except lmdb.MapResizedError:
                self._environment.set_mapsize(0)
            except lmdb.MapFullError:
                if size is None:
                    raise
                self._grow(size)
        raise StoreUnavailableError(f"The store in {self._home.path} cannot grow.")

    def _grow(self, size: int) -> None:
        if size > self._environment.info()["map_size"]:
            self._environment.set_mapsize(size)

    def _transact(self, puts: Sequence[Put], removals: Sequence[Removal]) -> list[Put]:
        try:
            self._lock.acquire(EXCLUSIVE)
            self._check_file()
            with self._environment.begin(write=True) as transaction:
                self._remove(transaction, removals)
                kept = self._put(transaction, puts)
            self._check_length()
            self._note.write(self._file)
            return kept
        finally:
            flock(self._descriptor, LOCK_UN)

    def _remove(self, transaction: "Transaction", removals: Sequence[Removal]) -> None:
        for table, key, value in removals:
            database = self._databases[table]
            if value is None or transaction.get(key, db=database) == value:
                transaction.delete(key, db=database)

    def _put(self, transaction: "Transaction", puts: Sequence[Put]) -> list[Put]:
        kept = []
        for put in puts:
            table, key, value, first_wins = put
            database = self._databases[table]
            if not transaction.put(key, value, overwrite=not first_wins, db=database):
                kept.append(put._replace(value=transaction.get(key, b"", db=database)))
        return kept

    def _check_file(self) -> None:
        """Raise DamagedError unless the data file is the one that was opened, as long as it was."""
        if _identity(self._home.data) != self.data:
            raise DamagedError("The data file was replaced.")
        self._check_length()

    def _check_length(self) -> None:
        """Raise DamagedError where the data file has become shorter since the last look.

        It only grows. LMDB would be killed for reading what somebody cut off: it maps the file.
        """
        # A sixth of what a `stat` costs, which a lookup would feel.
        size = os.lseek(self._file, 0, os.SEEK_END)
        if size < self._size:
            raise DamagedError("The data file has become shorter.")
        self._size = size

    def is_current(self) -> bool:
        """Whether the home still has the files that were opened."""
        try:
            folder, data = _identity(self._home.records), _identity(self._home.data)
        except OSError:
            return False
        return (folder, data) == (self._folder, self.data)

    def sync(self) -> None:
        """Bring every commit to disk."""
        if not self.read_only:
            self._environment.sync(True)

    def close(self) -> None:
        """Close LMDB and the lock. In the child of a fork, this does nothing to the parent's."""
        self._environment.close()
        self._metas.close()
        os.close(self._file)
        self._note.close()
        self._lock.close()


def _identity(path: str) -> Identity:
    status = os.stat(path)
    return Identity(status.st_dev, status.st_ino)


def _writable(home: Home) -> bool:
    path = home.data if os.path.exists(home.data) else home.records
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _first_that_fits(home: Home, *, read_only: bool) -> lmdb.Environment:
    *sizes, last = MAP_SIZES
    for size in sizes:
        try:
            return _open_lmdb(home, size, read_only=read_only)
        except lmdb.Error as error:
            # The address space is limited (`ulimit -v`, containers): a smaller map may do.
            if error.code != errno.ENOMEM:
                raise
    return _open_lmdb(home, last, read_only=read_only)


def _open_lmdb(home: Home, map_size: int, *, read_only: bool) -> lmdb.Environment:
    return lmdb.Environment(
        os.fsencode(home.records),
        map_size=map_size,
        readonly=read_only,
        metasync=False,
        mode=0o600,
        lock=False,
        readahead=False,
        max_dbs=2 * len(Table),
        max_spare_txns=1,
        lib_version=0,
    )


def _forward(cursor: "Cursor", prefix: bytes, after: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = max(prefix, after)
    found = cursor.set_range(start) if start else cursor.first()
    if found and after and cursor.key() == after:
        found = cursor.next()
    return cursor.iternext() if found else iter(())


def _backward(cursor: "Cursor", prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    # To the first key behind all that start with the prefix, and one back.
    stem = prefix.rstrip(b"\xff")
    behind = stem[:-1] + bytes([stem[-1] + 1]) if stem else b""
    found = cursor.prev() if behind and cursor.set_range(behind) else cursor.last()
    return cursor.iterprev() if found else iter(())


def _while_prefix(
    pairs: Iterator[tuple[bytes, bytes]], prefix: bytes
) -> Iterator[tuple[bytes, bytes]]:
    return takewhile(lambda pair: pair[0].startswith(prefix), pairs)
