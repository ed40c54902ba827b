"""The tables of a store in a folder: lookups that never raise, and commits that are whole.

Owns the guard around the environment, which writes wait for each other, and the policy for trouble:
damage is a miss and is put right by the next writer; what cannot be put right is one warning, and
the tables are left alone for a while. Refuses to know of objects, blobs and leases.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import lmdb

from hitsave.errors import DamagedError, StoreUnavailableError
from hitsave.events import warn, warn_error
from hitsave.store.environment import CORRUPT, Environment, Identity, Put, Removal
from hitsave.store.group import Group
from hitsave.store.home import Home, prepare, unavailable
from hitsave.store.interface import MAX_KEY_SIZE, UNAVAILABLE, Table, Write, check_write
from hitsave.store.leases import Leases
from hitsave.store.seal import seal, unseal

T = TypeVar("T")

TROUBLE = (lmdb.Error, OSError, DamagedError)
"""Every error that LMDB, the file system and this room's own checks raise."""

REST = 30.0
"""Seconds for which tables that could not be opened or locked are left alone."""

_NO_PAIRS: list[tuple[bytes, bytes]] = []


class Tables:
    """The tables in a home. What `leases` hold back of writes that wait is freed after these."""

    def __init__(self, home: Home, leases: Leases) -> None:
        self.troubles = 0
        self._home = home
        self._leases = leases
        self._guard = threading.RLock()
        self._busy = False
        self._closed = False
        self._rests_until = 0.0
        self._damaged: dict[tuple[Table, bytes], bytes] = {}
        self._group = Group(self._settle_unasked)
        self._environment: Environment | None = None
        self._reopen()

    # -- looking --------------------------------------------------------------------------------

    def get(self, table: Table, key: bytes) -> bytes | None:
        """See `Store.get`."""
        waiting = self._group.waiting
        put = waiting.get((table, key)) if waiting else None
        sealed = self._read(table, key) if put is None else put.value
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

    def version(self) -> object:
        """See `Store.version`."""
        with self._guard:
            # What waits may be replaced while it waits, and nobody else sees that.
            if self._environment is None or self._group.waiting:
                return None
            try:
                return self._environment.version()
            except TROUBLE:
                return None  # the next lookup puts it right

    def scan(
        self, table: Table, prefix: bytes, limit: int, newest_first: bool, after: bytes
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        if limit <= 0:
            return []
        with self._guard:
            found = self._look(
                lambda e: e.scan(table, prefix, limit, newest_first, after), _NO_PAIRS
            )
            waiting = self._waiting(table, prefix, b"" if newest_first else after)
        if waiting:
            found = sorted({**dict(found), **waiting}.items(), reverse=newest_first)[:limit]
        pairs = []
        for key, sealed in found:
            body = unseal(table, key, sealed)
            if body is None:
                self._note_damage(table, key, sealed)
            else:
                pairs.append((key, body))
        return pairs

    def _waiting(self, table: Table, prefix: bytes, after: bytes) -> dict[bytes, bytes]:
        return {
            put.key: put.value
            for put in self._group.waiting.values()
            if put.table is table and put.key.startswith(prefix) and put.key > after
        }

    def size(self) -> int:
        """See `Store.records_size`."""
        return self._look(lambda environment: environment.size(), 0)

    def _look(self, ask: Callable[[Environment], T], nothing: T) -> T:
        with self._guard:
            if self._busy:
                self.troubles += 1
                return nothing
            try:
                self._busy = True
                return ask(self._environment or self._reopen())
            except TROUBLE as error:
                self._put_right(error)
                return nothing
            finally:
                self._busy = False

    # -- writing --------------------------------------------------------------------------------

    def commit(
        self, writes: Sequence[Write], *, durable: bool = False, replace: bool = False, soon: bool
    ) -> None:
        """See `Store.commit`."""
        if not writes and self.is_settled and not self._damaged:
            return
        for write in writes:
            check_write(write)
        puts = [
            Put(table, key, seal(table, key, value), table is Table.CALLS and not replace)
            for table, key, value in writes
        ]
        if soon and not durable and self._group.may_wait():
            self._check_open()
            if self._group.add([put for put in puts if not self._is_there(put)]):
                return
        self._commit(puts)
        if durable:
            self.flush()

    def _is_there(self, put: Put) -> bool:
        """Whether what came first wins, and can be read."""
        return put.first_wins and self.get(put.table, put.key) is not None

    def _commit(self, puts: Sequence[Put]) -> None:
        kept = self._change_after_waiting(puts, [])
        # What came first wins only if it can be read.
        damaged = [put for put in kept if self._is_damaged(put)]
        if damaged:
            self._change(puts, [])

    def delete(self, table: Table, keys: Iterable[bytes] | Mapping[bytes, bytes]) -> None:
        """See `Store.delete`."""
        values = keys if isinstance(keys, Mapping) else dict.fromkeys(keys)
        removals = [
            Removal(table, key, None if value is None else seal(table, key, value))
            for key, value in values.items()
            if 1 <= len(key) <= MAX_KEY_SIZE
        ]
        self.settle()
        self._change([], removals)

    def flush(self) -> None:
        """See `Store.flush`."""
        self.settle()
        with self._guard:
            try:
                (self._environment or self._reopen()).sync()
            except TROUBLE as error:
                self._drop()
                raise self._translated(error) from error

    @property
    def is_settled(self) -> bool:
        """Whether no write waits, and none that waited is being committed."""
        return self._group.is_settled

    def settle(self) -> None:
        """Commit what waits. Raises StoreUnavailableError, and then it is lost."""
        if not self._group.is_settled:
            self._change_after_waiting([], [])

    def _settle_unasked(self) -> None:
        try:
            self.settle()
        except StoreUnavailableError as error:
            self.troubles += 1
            warn_error(UNAVAILABLE, error)

    def _change_after_waiting(self, puts: Sequence[Put], removals: Sequence[Removal]) -> list[Put]:
        with self._guard:
            self._check_free()
            # First of all: a lease that ends later may be of a write that is not taken.
            ended = self._leases.held_back()
            try:
                return self._change([*self._group.take(), *puts], removals)
            finally:
                self._group.done()
                self._leases.free(ended)

    def _change(self, puts: Sequence[Put], removals: Sequence[Removal]) -> list[Put]:
        with self._guard:
            self._check_free()
            try:
                self._busy = True
                return self._try_change(puts, removals)
            except TROUBLE as error:
                self._drop()
                raise self._translated(error) from error
            finally:
                self._busy = False

    def _check_free(self) -> None:
        if self._busy:
            raise StoreUnavailableError("The store is in the middle of a transaction.")

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
        self.troubles += 1
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
            self.troubles += 1
            self._damaged[table, key] = sealed
        warn(
            "damaged-record",
            f"A record in the store in {self._home.path} is damaged and counts as absent.",
            "what it held is computed again; a failing disk or memory may be the cause",
        )

    # -- forks and the end ----------------------------------------------------------------------

    def close(self) -> None:
        """Let go of files. Afterwards lookups find nothing and writes raise."""
        if self._closed:
            return
        self._settle_unasked()
        self._group.end()
        with self._guard:
            self._closed = True
            self._drop()

    def before_fork(self) -> None:
        """Wait until no thread is in a transaction, and no write waits."""
        with self._guard:
            is_inside = self._busy  # in this very thread: what another one is in, has ended now
        if not is_inside:
            self._settle_unasked()
            self._group.end()
        self._guard.acquire()

    def after_fork_in_parent(self) -> None:
        """Let the threads go on."""
        self._guard.release()

    def after_fork_in_child(self) -> None:
        """Give up what is the parent's; it is opened again when it is needed."""
        self._guard = threading.RLock()
        self._busy = False
        self._group = Group(self._settle_unasked)
        self._drop()
