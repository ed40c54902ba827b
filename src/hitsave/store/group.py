"""Groups: small writes that are committed together, a moment after the first of them.

Owns which writes wait, and that none waits for long. Refuses to commit them itself: `tables` does,
and shows them to lookups meanwhile.

A commit takes milliseconds, for the disk; what is recorded may have taken microseconds. The first
write after a pause is committed at once. Those that follow it within `WINDOW` are committed with
the next one after that, or by a thread if none comes.
"""

import threading
import time
from collections.abc import Callable, Sequence

from hitsave.store.environment import Put
from hitsave.store.forks import may_end_at_once
from hitsave.store.interface import Table

WINDOW = 0.02
"""Seconds in which writes wait for each other."""

LINGER = 1.0
"""Seconds for which the thread stays that nothing waits for: to begin one has its cost."""


class Group:
    """The writes that wait. `settle` is called, in a thread, to commit them."""

    def __init__(self, settle: Callable[[], None]) -> None:
        self.waiting: dict[tuple[Table, bytes], Put] = {}
        self.is_settled = True  # until something waits, and again when that is committed
        self._settle = settle
        self._last = 0.0
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._is_to_end = threading.Event()

    def may_wait(self) -> bool:
        """Whether a write may wait for others, since there was one just now."""
        if time.monotonic() - self._last >= WINDOW:
            return False
        # In exit handlers no thread would be waited for any more.
        return threading.main_thread().is_alive() and not may_end_at_once()

    def add(self, puts: Sequence[Put]) -> bool:
        """Whether puts wait from now on; False where nobody could end that."""
        with self._lock:
            if self._thread is None and not self._start():
                return False
            self.is_settled = False
            for put in puts:
                place = put.table, put.key
                if not (put.first_wins and place in self.waiting):
                    self.waiting[place] = put
        return True

    def take(self) -> list[Put]:
        """Return what waits, which the caller commits now. `done` has to follow."""
        with self._lock:
            puts, self.waiting = list(self.waiting.values()), {}
            return puts

    def done(self) -> None:
        """Note that what was taken is committed, or lost."""
        self._last = time.monotonic()
        with self._lock:
            self.is_settled = not self.waiting

    def end(self) -> None:
        """Have no thread any more."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._is_to_end.set()
            thread.join()

    def _start(self) -> bool:
        self._is_to_end.clear()
        # No daemon: at the end of the program, or of a worker, Python waits for it.
        thread = threading.Thread(target=self._work, name="hitsave")
        try:
            thread.start()
        except RuntimeError:
            return False  # the interpreter is about to end, or there can be no more threads
        self._thread = thread
        return True

    def _work(self) -> None:
        program = threading.main_thread()
        while True:
            is_to_end = self._is_to_end.wait(WINDOW) or not program.is_alive()
            if is_to_end or not self.may_wait():
                self._settle()
            with self._lock:
                is_idle = time.monotonic() - self._last > LINGER
                if not self.waiting and (is_to_end or is_idle):
                    self._thread = None
                    return
