"""Listeners: what is told of a program's events while it runs, and when it ends.

Owns the beginning and the end of listening. Refuses to say anything in the child of a fork: the
counts that it starts with are its parent's.
"""

import atexit
import os
from abc import ABC, abstractmethod
from collections.abc import Callable

from hitsave.events import Event, subscribe


class Listener(ABC):
    """Hears every event from `start` to `finish`, or to the end of the process."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._unsubscribe = subscribe(self.hear)
        atexit.register(self.finish)

    def stop(self) -> None:
        """Stop listening, without a last word."""
        atexit.unregister(self.finish)
        if self._unsubscribe is not None:
            self._unsubscribe()

    def finish(self) -> None:
        """Stop listening, and say what there is to say at the end."""
        self.stop()
        if os.getpid() == self._process:
            self.conclude()

    @abstractmethod
    def hear(self, event: Event) -> None:
        """Take one event. Must not raise: it is called from inside the user's calls."""

    @abstractmethod
    def conclude(self) -> None:
        """Say the last word."""
