"""Leases: one thread of one process computes a key, the others wait for it.

Owns single flight. Refuses to decide what is right: a lease saves work, and where it cannot be had
the caller goes on without.

Between the threads of a process a table of holders decides; between processes a lock on one byte of
a file (`locks.ByteLocks`), at an offset taken from the key.
"""

import threading
import time
from types import TracebackType
from typing import Protocol

from hitsave.digest import digest_bytes
from hitsave.events import warn

FIRST_PAUSE = 0.001
LONGEST_PAUSE = 0.05
"""Seconds between two looks of a waiter, at first and at most."""

WARN_AFTER = 10.0
"""Seconds after which a waiter says that it waits."""


class ByteLock(Protocol):
    """Exclusion between processes. Within one process a lock held may be taken again."""

    def lock(self, offset: int) -> bool:
        """Whether no other process holds `offset`; from then on this one does."""
        ...

    def unlock(self, offset: int) -> None:
        """Free `offset`."""

    def forget(self) -> None:
        """In the child of a fork: hold nothing, without freeing what the parent holds."""


class Leases:
    """The leases of one process on one store. `byte_lock` is None where processes share nothing."""

    def __init__(self, byte_lock: ByteLock | None) -> None:
        self._byte_lock = byte_lock
        self._changed = threading.Condition()
        self._holders: dict[int, Lease] = {}

    def lease(self, key: bytes, limit: float) -> "Lease":
        """Return the context in which `key` is held. See `Store.lease`."""
        return Lease(self, int.from_bytes(digest_bytes(key)[:8]) >> 2, limit)

    def take(self, lease: "Lease", pause: float) -> "Lease":
        """Return the holder of the lease's key in this process: `lease` itself if it is free.

        Waits up to `pause` seconds for a holder in another thread.
        """
        with self._changed:
            holder = self._holders.setdefault(lease.offset, lease)
            if holder.thread == lease.thread or not self._changed.wait(pause):
                return holder
            return self._holders.setdefault(lease.offset, lease)

    def take_byte(self, lease: "Lease") -> bool:
        """Whether no other process holds the lease's key; from then on this one does."""
        return self._byte_lock is None or self._byte_lock.lock(lease.offset)

    def give_back(self, lease: "Lease") -> None:
        """End `lease`, if it is the holder. The byte goes first: see `take_byte`."""
        with self._changed:
            if self._holders.get(lease.offset) is lease:
                if self._byte_lock is not None:
                    self._byte_lock.unlock(lease.offset)
                del self._holders[lease.offset]
                self._changed.notify_all()

    def before_fork(self) -> None:
        """Hold the table still."""
        self._changed.acquire()

    def after_fork_in_parent(self) -> None:
        """Let the table go."""
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Start anew, but for what the forking thread holds.

        What it holds stays its parent's, which waits for the child perhaps: the child passes.
        """
        self._changed = threading.Condition()
        me = threading.get_ident()
        self._holders = {at: held for at, held in self._holders.items() if held.thread == me}
        if self._byte_lock is not None:
            self._byte_lock.forget()

    def close(self) -> None:
        """Free what is held, and let go of the file."""
        if self._byte_lock is not None:
            self._byte_lock.forget()


class Lease:
    """One attempt at holding one key, as a context; gives whether it is held."""

    __slots__ = ("_deadline", "_leases", "_limit", "_pause", "_warn_at", "offset", "thread")

    def __init__(self, leases: Leases, offset: int, limit: float) -> None:
        self._leases = leases
        self._limit = limit
        self.offset = offset

    def __enter__(self) -> bool:
        self.thread = threading.get_ident()
        started = time.monotonic()
        self._deadline = started + self._limit
        self._warn_at = started + WARN_AFTER
        self._pause = FIRST_PAUSE
        # A Ctrl-C in a waiter comes out here, and nothing of the attempt may stay behind.
        try:
            holder = self._wait_for_threads()
            if holder.thread != self.thread:
                return False
            # An outer lease of this thread, or of the thread that forked this process.
            return holder is not self or self._wait_for_processes()
        except BaseException:
            self._leases.give_back(self)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leases.give_back(self)

    def _wait_for_threads(self) -> "Lease":
        while True:
            holder = self._leases.take(self, self._pause)
            if holder.thread == self.thread or not self._go_on_waiting():
                return holder

    def _wait_for_processes(self) -> bool:
        while not self._leases.take_byte(self):
            if not self._go_on_waiting():
                return False
            time.sleep(self._pause)
        return True

    def _go_on_waiting(self) -> bool:
        now = time.monotonic()
        if now >= self._warn_at:
            warn(
                "lease",
                f"Waiting for another thread or process to finish the same call, "
                f"for {WARN_AFTER:.0f} s so far.",
                f"it is computed here too after {self._limit:.0f} s",
            )
        self._pause = min(2 * self._pause, LONGEST_PAUSE, max(self._deadline - now, 0.0))
        return now < self._deadline
