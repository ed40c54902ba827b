"""Waits: whether an evaluation waited for what another thread does, as a profile function is told.

Owns which functions in C wait. Refuses to know whether another thread is at work.
"""

import threading
from time import sleep
from types import FrameType, ModuleType
from typing import Any

from hitsave.observe import active
from hitsave.observe.places import OURS, Places, path_of

_WAITS = frozenset(
    {
        "_thread.lock.acquire",
        "_queue.SimpleQueue.get",
        "_queue.SimpleQueue.put",
        "_multiprocessing.SemLock.acquire",
        "select.select",
        "select.poll.poll",
        "select.epoll.poll",
        "select.kqueue.control",
        "_socket.socket._accept",
        "_socket.socket.recv",
        "_socket.socket.recv_into",
        "_socket.socket.recvfrom",
        "_socket.socket.recvmsg",
        "_ssl._SSLSocket.read",
        "posix.read",
        "posix.sched_yield",
        "nt.read",
        "time.sleep",
    }
)
"""Functions in C that wait for what another thread does, and the one that hands work to a pool.

Whatever waits in `threading`, `queue`, `concurrent` and `asyncio` ends in one of them.
"""

TOLD_APART = frozenset({"start_new_thread", *(name.rpartition(".")[2] for name in _WAITS)})
"""The names of the functions in C to tell of: `note_call` of all but the first."""


def note_call(frame: FrameType, function: Any) -> None:
    """Note that `frame` calls a function in C whose name is one of these, if it is one of them."""
    if _name_of(function) in _WAITS and not _is_attempt(frame):
        _note_wait(frame, is_pause=function is sleep)


def _name_of(function: Any) -> str:
    owner: Any = function.__self__
    kind = type(owner)
    if kind is ModuleType:
        return f"{owner.__name__}.{function.__name__}"
    for base in kind.__mro__:
        if function.__name__ in vars(base):
            return f"{base.__module__}.{base.__qualname__}.{function.__name__}"
    return ""


def _note_wait(frame: FrameType, is_pause: bool) -> None:
    """Note that this thread waits. A single pause is no waiting for anybody; the second may be."""
    here = threading.get_ident()
    for each in active.notes:
        if each.thread == here and not _is_by_us(frame, each.places):
            each.waited |= each.paused or not is_pause
            each.paused = True


def _is_attempt(frame: FrameType) -> bool:
    """Whether a `threading.Condition` only looks whether its lock is taken."""
    is_owned = frame.f_code.co_name == "_is_owned"
    return is_owned and frame.f_globals.get("__name__") == "threading"


def _is_by_us(frame: FrameType | None, places: Places) -> bool:
    """Whether hitsave waits, as for the result of a call that another thread computes."""
    while frame is not None:
        path = path_of(frame.f_code)
        if places.holds(path) or path.startswith(OURS):
            return path.startswith(OURS)
        frame = frame.f_back
    return False
