"""Active: the evaluations that are under way in this process, and what each has noted.

Owns the list that every callback goes through. It is replaced as a whole, so that callbacks read it
without a lock.
"""

import os
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from hitsave.digest import Digest
from hitsave.observe.places import Places, caller_above
from hitsave.observe.records import Caller, Observed, Started


class Notes:
    """What one evaluation has noted so far. Each note is one operation on a dictionary."""

    __slots__ = (
        "beside_others",
        "blind",
        "environment",
        "files",
        "holder",
        "is_ended",
        "listed",
        "listings",
        "made",
        "modules",
        "others",
        "own",
        "paths",
        "paused",
        "places",
        "snapped",
        "started",
        "thread",
        "vain",
        "variables",
        "waited",
        "walks",
    )

    def __init__(self, places: Places) -> None:
        self.places = places
        self.is_ended = False
        # A weak reference to the evaluation. Not a finalizer: an exception that a signal handler of
        # the program raised in the middle of one would be lost.
        self.holder: Callable[[], object] = self.observed
        self.thread = threading.get_ident()  # where it began
        # Those that were there already: they may work for somebody else.
        self.others = {thread.ident: thread for thread in threading.enumerate()}
        # Whether it waited, which threads that cannot be watched may have done something for.
        self.beside_others = self.paused = self.waited = False
        self.own: set[str] = set()  # paths that the evaluation itself made or wrote to
        self.vain: set[str] = set()  # paths in folders of its own where it found nothing
        self.listed: dict[str, Caller] = {}  # folders of its own that it listed
        self.variables: set[str] = set()  # environment variables that it set itself
        self.walks: set[tuple[CodeType, int]] = set()  # where it walked through the environment
        self.started: dict[Started, Caller] = {}
        self.files: dict[str, tuple[Digest | None, Caller]] = {}
        self.listings: dict[str, tuple[Digest | None, Caller]] = {}
        self.paths: dict[str, tuple[str, Caller]] = {}
        self.environment: dict[str, tuple[str | None, Caller]] = {}
        self.modules: dict[str, Caller] = {}
        self.made: dict[CodeType, Caller] = {}
        self.snapped: dict[Digest, None] = {}
        self.blind: dict[str, None] = {}

    def start(self, started: Started, frame: FrameType) -> None:
        """Note that project code started in `frame`."""
        if started not in self.started:
            self.started[started] = caller_above(frame, self.places)

    def start_made(self, frame: FrameType) -> None:
        """Note that code of no file started in `frame`: made by the program while it runs."""
        if frame.f_code not in self.made:
            self.made[frame.f_code] = caller_above(frame, self.places)

    def is_over(self) -> bool:
        """Whether the evaluation ended, or nobody is left who could end it."""
        return self.is_ended or self.holder() is None

    def is_own_thread(self) -> bool:
        """Whether what this thread does is surely done by the evaluation."""
        number = threading.get_ident()
        other = None if number == self.thread else self.others.get(number)
        # Where it has ended, its number is now that of a newer thread.
        return other is None or not other.is_alive()

    def miss(self, reason: str) -> None:
        """Note that something could not be seen."""
        self.blind[reason] = None

    def observed(self) -> Observed:
        """Return what was noted so far."""
        return Observed(
            self.started.copy(),
            self.files.copy(),
            self.listings.copy(),
            self.paths.copy(),
            self.environment.copy(),
            self.modules.copy(),
            self.made.copy(),
            tuple(self.snapped),
            tuple(self.blind),
        )


class Event(NamedTuple):
    """An audit event, the frame that it happens in, and the evaluations under way."""

    arguments: tuple[Any, ...]
    frame: FrameType | None
    notes: tuple[Notes, ...]


notes: tuple[Notes, ...] = ()
"""Those of all evaluations that are under way."""

epoch = 0
"""Changes whenever an evaluation begins."""

# Reentrant: a signal handler of the program may begin an evaluation in the middle.
_lock = threading.RLock()


def add(begun: Notes) -> None:
    """Let callbacks write to `begun` from now on."""
    global notes, epoch
    with _lock:
        notes = (*under_way(), begun)
        epoch += 1


def remove(ended: Notes) -> None:
    """Let callbacks write to `ended` no longer."""
    global notes
    ended.is_ended = True
    with _lock:
        notes = under_way()


def under_way() -> tuple[Notes, ...]:
    """Return those of all evaluations that somebody can still end."""
    return tuple(each for each in notes if not each.is_over())


def miss(reason: str) -> None:
    """Note in every evaluation under way that something could not be seen."""
    for each in notes:
        each.miss(reason)


def _forget_in_child() -> None:
    """In a forked child: the evaluations under way are those of its parent."""
    global notes, _lock
    _lock = threading.RLock()
    for each in notes:
        each.miss("a forked process went on with the evaluation of its parent")
    notes = ()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
