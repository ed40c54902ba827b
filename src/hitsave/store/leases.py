"""Leases: one thread or task of one process computes a key, the others wait for it.

Owns single flight. Refuses to decide what is right: a lease saves work, and where it cannot be had
the caller goes on without.

Between the threads and tasks of a process a table of holders decides; between processes a lock on
one slot of a file (`locks.SlotLocks`), which is chosen by the key.
"""

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Protocol

from hitsave.digest import digest_bytes
from hitsave.events import warn

FIRST_PAUSE = 0.001
LONGEST_PAUSE = 0.02
"""Seconds between two looks of a waiter, at first and at most."""

WARN_AFTER = 10.0
"""Seconds after which a waiter says that it waits."""


SLOTS = 1 << 30
"""How many slots there are: two keys that share one would wait for each other, and no more."""


class Holder(NamedTuple):
    """Who holds a slot: a process, by its id, and since when, in seconds since the epoch."""

    process: int
    since: float


class SlotLock(Protocol):
    """Exclusion between processes. Within one process a lock held may be taken again."""

    def lock(self, slot: int) -> bool:
        """Whether no other process holds `slot`; from then on this one does."""
        ...

    def unlock(self, slot: int) -> None:
        """Free `slot`."""

    def holder(self, slot: int) -> Holder | None:
        """Return which other process holds `slot`; None where nobody does, or cannot be known."""
        ...

    def forget(self) -> None:
        """In the child of a fork: hold nothing, without freeing what the parent holds."""


class Leases:
    """The leases of one process on one store.

    `slot_lock` is None where processes share nothing. While what was recorded under leases is not
    there for other processes, as `is_settled` says, ended leases are held back from these.
    """

    def __init__(
        self, slot_lock: SlotLock | None, is_settled: Callable[[], bool] = lambda: True
    ) -> None:
        self._slot_lock = slot_lock
        self._is_settled = is_settled
        self._held_back: set[int] = set()
        self._renew_lock()
        self._holds: dict[int, Hold] = {}
        self._process = os.getpid()

    def _renew_lock(self) -> None:
        # Taken by itself: an interrupt in the midst of a condition's `__enter__` leaves it taken.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)

    def lease(
        self, key: bytes, limit: float, what: str, owner: object, until: Callable[[], bool]
    ) -> "HeldLease":
        """Return a lease of `key`. See `Store.lease`."""
        slot = int.from_bytes(digest_bytes(key)[:8]) % SLOTS
        return HeldLease(self, slot, limit, what, owner, until)

    def take(self, lease: "HeldLease") -> "Hold":
        """Return who holds the lease's key in this process: `lease` itself if it is free."""
        with self._lock:
            return self._holds.setdefault(lease.slot, lease.hold)

    def wait(self, lease: "HeldLease", pause: float) -> None:
        """Wait up to `pause` seconds for the holder of the lease's key."""
        with self._lock:
            if lease.slot in self._holds:
                self._changed.wait(pause)

    def take_slot(self, lease: "HeldLease") -> bool:
        """Whether no other process holds the lease's key; from then on this one does."""
        return self._slot_lock is None or self._slot_lock.lock(lease.slot)

    def holder(self, lease: "HeldLease") -> Holder | None:
        """Return who else holds the lease's key, where that is known."""
        hold = self._holds.get(lease.slot)
        if hold is not None and hold is not lease.hold:
            return Holder(os.getpid(), hold.since)
        return None if self._slot_lock is None else self._slot_lock.holder(lease.slot)

    def give_back(self, lease: "HeldLease") -> None:
        """End `lease`, if it is the holder. The slot goes first: see `take_slot`."""
        with self._lock:
            if self._holds.get(lease.slot) is lease.hold:
                if self._slot_lock is not None:
                    if self._is_settled():
                        self._slot_lock.unlock(lease.slot)
                    else:
                        self._held_back.add(lease.slot)
                del self._holds[lease.slot]
                self._changed.notify_all()

    def give_back_dropped(self, lease: "HeldLease") -> None:
        """End a lease that nobody has any more."""
        # In the child of a fork, other threads' leases are dropped before it starts anew.
        if os.getpid() == self._process:
            self.give_back(lease)

    def held_back(self) -> frozenset[int]:
        """Return the slots of the ended leases that are held back from other processes."""
        with self._lock:
            return frozenset(self._held_back)

    def free(self, slots: frozenset[int]) -> None:
        """Let other processes have what was held back of `slots`; all of it, if all is settled."""
        with self._lock:
            freed = set(self._held_back) if self._is_settled() else self._held_back & slots
            self._held_back -= freed
            for slot in freed:
                # Unless it is held anew, by another thread.
                if self._slot_lock is not None and slot not in self._holds:
                    self._slot_lock.unlock(slot)

    def before_fork(self) -> None:
        """Hold the table still."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Let the table go."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Start anew, but for what the forking thread holds.

        What it holds stays its parent's, which waits for the child perhaps: the child passes.
        """
        self._renew_lock()
        me = threading.get_ident()
        self._holds = {at: hold for at, hold in self._holds.items() if hold.thread == me}
        self._process = os.getpid()
        self._held_back = set()
        if self._slot_lock is not None:
            self._slot_lock.forget()

    def close(self) -> None:
        """Free what is held, and let go of the file."""
        if self._slot_lock is not None:
            self._slot_lock.forget()


class Hold:
    """Who holds a key in this process, and since when. Does not keep the lease itself alive."""

    __slots__ = ("owner", "since", "thread")

    def __init__(self, owner: object) -> None:
        self.thread = threading.get_ident()
        self.owner = self.thread if owner is None else owner
        self.since = time.time()


class HeldLease:
    """One attempt at holding one key. See `interface.Lease`."""

    __slots__ = (
        "_began",
        "_leases",
        "_limit",
        "_pause",
        "_seen",
        "_until",
        "_what",
        "hold",
        "slot",
    )

    def __init__(
        self,
        leases: Leases,
        slot: int,
        limit: float,
        what: str,
        owner: object,
        until: Callable[[], bool],
    ) -> None:
        self._leases = leases
        self._limit = limit
        self._what = what
        self._until = until
        self._seen: list[Holder | None] = []
        self.slot = slot
        self.hold = Hold(owner)
        self._began = time.monotonic()
        self._pause = FIRST_PAUSE

    def __enter__(self) -> bool:
        # A Ctrl-C in a waiter comes out here, and nothing of the attempt may stay behind.
        try:
            while not self.take():
                pause = self.pause()
                if not pause:
                    return False
                self._leases.wait(self, pause)
        except BaseException:
            self.give_back()
            raise
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()

    def __del__(self) -> None:
        # Python may let a Ctrl-C come in just before the first line of `__exit__`.
        self._leases.give_back_dropped(self)

    def take(self) -> bool:
        """See `interface.Lease.take`."""
        hold = self._leases.take(self)
        if hold is not self.hold:
            # An outer lease of this owner, or of the thread that forked this process.
            return hold.owner == self.hold.owner
        hold.since = time.time()
        return self._leases.take_slot(self)

    def pause(self) -> float:
        """See `interface.Lease.pause`."""
        waited = time.monotonic() - self._began
        if self._has_changed_hands() and self._until():
            return 0.0
        if waited >= WARN_AFTER:
            self._tell()
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return max(0.0, min(self._pause, self._limit - waited))

    def give_back(self) -> None:
        """See `interface.Lease.give_back`."""
        self._leases.give_back(self)

    def _has_changed_hands(self) -> bool:
        """Whether somebody else holds the key than at the last look: an earlier holder has ended.

        Many wait for one result: were each to look for it only when it holds the key itself, the
        last would have waited for all the others.
        """
        before, self._seen = self._seen, [self._leases.holder(self)]
        return bool(before) and before != self._seen

    def _tell(self) -> None:
        """Say who is waited for, and since when that one has been at it."""
        warn(
            f"lease:{self._what}",
            f"Waiting for {self._what}, which {_in_words(self._leases.holder(self))}.",
            f"it is computed here too after {self._limit:.0f} s",
        )


def _in_words(holder: Holder | None) -> str:
    if holder is None:
        return "another process is computing"
    is_own = holder.process == os.getpid()
    who = "another thread of this process" if is_own else f"process {holder.process}"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.since))
    return f"{who} has been computing since {since}"
