"""Pausing what gets in the way: the garbage collector, and warnings that were given already.

Owns whether the collector of this process is off for hitsave's sake, in however many threads.
"""

import gc
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_pauses = 0
_collects = False  # whether the collector was on before the first of them
# Reentrant: a signal handler of the program may pause in the middle.
_lock = threading.RLock()


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the collector from visiting a large structure many times over while it is built."""
    _pause()
    try:
        yield
    finally:
        _go_on()


def _pause() -> None:
    global _pauses, _collects
    with _lock:
        if not _pauses:
            _collects = gc.isenabled()
        _pauses += 1
        gc.disable()


def _go_on() -> None:
    global _pauses
    with _lock:
        _pauses = max(0, _pauses - 1)
        if _collects and not _pauses:
            gc.enable()


def _forget_in_child() -> None:
    """In a forked child: the threads that paused are not there."""
    global _lock, _pauses
    _lock = threading.RLock()
    if _pauses:
        _pauses = 1
        _go_on()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def frames_of_threads() -> dict[int, FrameType]:
    """Return the frame that each thread is in, by the number of the thread.

    CPython before 3.12.5 holds the lock of its threads while it makes these; garbage that is
    collected in the middle may let another thread go on, which waits for that lock for ever.
    """
    with collector_paused():
        return sys._current_frames()


@contextmanager
def warnings_paused() -> Iterator[None]:
    """Keep Python from repeating what it says of a source each time that it is parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
