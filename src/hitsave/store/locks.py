"""Locks between processes, freed by the kernel when their holder dies.

Owns `flock` on a folder (around LMDB) and locks on single bytes of a file (for leases). Refuses
clocks and process ids.

LMDB's own locks are POSIX locks on its files, which vanish when anything in the process opens and
closes one of these, a backup say. These two belong to an open descriptor of our own instead.
"""

import fcntl
import os
import struct
import time
from contextlib import suppress
from fcntl import flock

from hitsave.errors import StoreUnavailableError

SHARED = fcntl.LOCK_SH | fcntl.LOCK_NB
EXCLUSIVE = fcntl.LOCK_EX | fcntl.LOCK_NB

FIRST_PAUSE = 0.0001
LONGEST_PAUSE = 0.005

LIMIT = 10.0
"""Seconds to wait for a transaction of another process, which takes milliseconds."""

_SET_LOCK = getattr(fcntl, "F_OFD_SETLK", None)
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


class ByteLocks:
    """Exclusive locks on single bytes of the file `path`, which stays empty.

    Where the file cannot be opened, or the platform has no such locks, every lock is granted: the
    processes then compute the same thing twice, and nothing worse.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def lock(self, offset: int) -> bool:
        """Whether no other process holds the byte; from then on this one does."""
        if _SET_LOCK is None:
            return True
        try:
            fcntl.fcntl(self._opened(), _SET_LOCK, _range(fcntl.F_WRLCK, offset))
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def unlock(self, offset: int) -> None:
        """Free the byte."""
        descriptor = self._descriptor
        if descriptor is None or _SET_LOCK is None:
            return
        # A store that another thread closes meanwhile has freed its locks with its files.
        with suppress(OSError):
            fcntl.fcntl(descriptor, _SET_LOCK, _range(fcntl.F_UNLCK, offset))

    def forget(self) -> None:
        """Close the file. What a parent or child process holds by the same descriptor stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
        return self._descriptor


def _range(kind: int, offset: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, offset, 1, 0)
