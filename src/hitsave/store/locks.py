"""Locks between processes, freed by the kernel when their holder dies.

Owns `flock` on a folder (around LMDB) and locks on slots of a file (for leases). Refuses to decide
anything by clocks and process ids, which are told to people alone.

LMDB's own locks are POSIX locks on its files, which vanish when anything in the process opens and
closes one of these, a backup say. These two belong to an open descriptor of our own instead.
"""

import fcntl
import os
import struct
import threading
import time
from contextlib import suppress
from fcntl import flock

from hitsave.errors import StoreUnavailableError
from hitsave.store.leases import Holder

SHARED = fcntl.LOCK_SH | fcntl.LOCK_NB
EXCLUSIVE = fcntl.LOCK_EX | fcntl.LOCK_NB

FIRST_PAUSE = 0.0001
LONGEST_PAUSE = 0.005

LIMIT = 10.0
"""Seconds to wait for a transaction of another process, which takes milliseconds."""

# How many bytes a slot has; where those begin that tell the time, since no process has a larger id;
# and how many seconds they can tell.
_SLOT = 1 << 33
_SINCE = 1 << 23
_SECONDS = 1 << 32

_SET_LOCK = getattr(fcntl, "F_OFD_SETLK", None)
_GET_LOCK = getattr(fcntl, "F_OFD_GETLK", None)
# struct flock: type, whence, start, length, process (0: the lock is the descriptor's).
_FLOCK = struct.Struct("hhqqi4x")


class FolderLock:
    """A `flock` on a folder, for one thread at a time: the caller guards it.

    On the folder and not on a file in it, since a file could be removed while the folder's other
    files are in use, and a second one with the same name would lock nothing out.
    """

    def __init__(self, folder: str) -> None:
        self.descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def acquire(self, kind: int) -> None:
        """Take the lock, `SHARED` or `EXCLUSIVE`. Raises StoreUnavailableError after `LIMIT`."""
        try:
            flock(self.descriptor, kind)
        except BlockingIOError:
            self._wait(kind)

    def _wait(self, kind: int) -> None:
        # Looking again and again rather than blocking: a stopped process may hold the lock for
        # ever, and a Ctrl-C must end the wait.
        deadline = time.monotonic() + LIMIT
        pause = FIRST_PAUSE
        while time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                return flock(self.descriptor, kind)
            except BlockingIOError:
                continue
        raise StoreUnavailableError(
            f"Another process has kept the store to itself for more than {LIMIT:.0f} s.",
            "a stopped process (Ctrl-Z, a debugger) may hold it",
        )

    def close(self) -> None:
        """Close the descriptor. In the child of a fork the parent's lock stays."""
        os.close(self.descriptor)


def has_slot_locks() -> bool:
    """Whether the platform has the locks that `SlotLocks` needs."""
    return _SET_LOCK is not None


class SlotLocks:
    """Exclusive locks on slots of the file `path`, which stays empty.

    Where the file cannot be opened, or the platform has no such locks, every lock is granted: the
    processes then compute the same thing twice, and nothing worse.

    How many bytes of a slot are locked tells the others who holds it: from its first byte as many
    as the id of the process, and from `_SINCE` on as many as seconds since the epoch.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._opening = threading.Lock()

    def lock(self, slot: int) -> bool:
        """Whether no other process holds the slot; from then on this one does."""
        if _SET_LOCK is None:
            return True
        first = slot * _SLOT
        try:
            self._lock_bytes(_SET_LOCK, first, 1 + os.getpid())
            # Nobody else asks for these bytes, who does not hold those.
            self._lock_bytes(_SET_LOCK, first + _SINCE, 1 + int(time.time()) % _SECONDS)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _lock_bytes(self, command: int, start: int, length: int) -> None:
        fcntl.fcntl(self._opened(), command, _range(fcntl.F_WRLCK, start, length))

    def holder(self, slot: int) -> Holder | None:
        """Return which other process holds the slot; None where nobody does, or cannot be known."""
        process = self._locked_by_others(slot * _SLOT)
        since = self._locked_by_others(slot * _SLOT + _SINCE)
        return Holder(process - 1, since - 1.0) if process and since else None

    def _locked_by_others(self, start: int) -> int:
        """Return how many bytes from `start` on another process has locked."""
        if _GET_LOCK is None:
            return 0
        try:
            asked = _range(fcntl.F_WRLCK, start, 1)
            kind, _, _, length, _ = _FLOCK.unpack(fcntl.fcntl(self._opened(), _GET_LOCK, asked))
        except OSError:
            return 0
        return 0 if kind == fcntl.F_UNLCK else int(length)

    def unlock(self, slot: int) -> None:
        """Free the slot."""
        descriptor = self._descriptor
        if descriptor is None or _SET_LOCK is None:
            return
        # A store that another thread closes meanwhile has freed its locks with its files.
        with suppress(OSError):
            fcntl.fcntl(descriptor, _SET_LOCK, _range(fcntl.F_UNLCK, slot * _SLOT, _SLOT))

    def forget(self) -> None:
        """Close the file. What a parent or child process holds by the same descriptor stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._opening = threading.Lock()  # another thread may have held it at the fork

    def _opened(self) -> int:
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o600)
            with self._opening:
                # What is locked by a descriptor that another one replaced would stay locked.
                if self._descriptor is None:
                    self._descriptor, descriptor = descriptor, -1
            if descriptor != -1:
                os.close(descriptor)
        return self._descriptor


def _range(kind: int, start: int, length: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, start, length, 0)
