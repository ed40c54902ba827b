"""Profiling: function starts as a profile function is told them, on Python 3.11.

Owns the profile functions of the threads in which evaluations are under way: each is put in place
when an evaluation begins, passes on to the one that was there before, and gives way to it again.
Refuses to replace a profiler that it cannot call, and to let a thread of the program fail where two
set their profile functions at once. `sys.setprofile` is audited, so a profiler that comes in the
middle is seen.

A thread that was there before cannot be watched. What it does is of no concern to an evaluation
that never waited for another thread.
"""

import os
import sys
import threading
from _thread import start_new_thread as _start_thread
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from hitsave.code.pause import frames_of_threads
from hitsave.observe import active
from hitsave.observe.active import Event, Notes
from hitsave.observe.places import Places, identify, path_of
from hitsave.observe.starts import tell
from hitsave.observe.trouble import give_up
from hitsave.observe.waits import TOLD_APART, note_call

OTHER = "another profiler was at work"
THREADS = "other threads were at work, which cannot be watched on Python 3.11"

_GENERATES = 0x20 | 0x80 | 0x200
"""The flags of the code of generators, coroutines and asynchronous generators."""

_WORKERS = ("/concurrent/futures/thread.py", "/multiprocessing/pool.py", "/queue.py")
"""Where threads wait that may be given project code to run at any time."""

# The identity of an object as `id` has it, which is an audited event.
_identity: Callable[[object], int] = object.__hash__

_told: dict[int, CodeType] = {}
"""Code that was told of since an evaluation began last; holding it keeps identities apart."""

_watched: dict[int, threading.Thread] = {}
"""The threads with a profile function of ours."""

# Reentrant: a signal handler of the program may begin an evaluation in the middle.
_setting = threading.RLock()
_ATTEMPTS = 1000


def _profile_over(before: Any) -> Any:
    """Return a profile function that notes what starts, in front of the one that is there."""

    # Kept here: when the interpreter ends, a module loses its names before its callbacks.
    identity, told_apart = _identity, TOLD_APART

    def hitsave_profile(frame: FrameType, event: str, argument: Any) -> None:
        # Called several times for every call of the program: the least that can be done.
        if event == "call":
            if identity(frame.f_code) not in (_told or ()) and _start is not None:
                _start(frame)
        elif event == "c_call" and argument.__name__ in told_apart and _note_call is not None:
            _note_call(frame, argument)
        if before is not None:
            before(frame, event, argument)

    vars(hitsave_profile)["before"] = before
    return hitsave_profile


_OURS = _profile_over(None).__code__


def _is_ours(profile: object) -> bool:
    return getattr(profile, "__code__", None) is _OURS


def _start(frame: FrameType) -> None:
    try:
        # Before the notes: an evaluation that begins from here on is told again.
        told, notes = _told, active.under_way()
        if not notes:
            # This thread went on after the evaluations that it was watched for.
            _leave()
        elif not _goes_on(frame):
            code = frame.f_code
            if not tell(identify(code), frame, notes):
                told[_identity(code)] = code
    except Exception as error:
        # When the interpreter ends, a module's names are taken away before its callbacks.
        if give_up is not None:
            give_up(error)


def _note_call(frame: FrameType, function: Any) -> None:
    try:
        if function is _start_thread:
            # A thread of the module `_thread` does not ask for a profile function.
            if not _is_threading(frame):
                active.miss(THREADS)
        else:
            note_call(frame, function)
    except Exception as error:
        if give_up is not None:
            give_up(error)


def _set_profile(profile: Any) -> None:
    """Set the profile function of this thread.

    CPython 3.11 refuses while another thread is in the middle of the same: where an audit hook is
    asked, which runs Python code, threads take turns.
    """
    with _setting:
        for _ in range(_ATTEMPTS):
            try:
                sys.setprofile(profile)
            except RuntimeError:
                # Not one of ours, which the lock keeps apart, so it is soon done.
                continue
            return
        sys.setprofile(profile)


def _enter() -> bool:
    """Watch this thread from now on; whether that can be done."""
    current = sys.getprofile()
    if not _is_ours(current):
        if current is not None and not callable(current):
            return False
        _set_profile(_profile_over(current))
    _watched[threading.get_ident()] = threading.current_thread()
    return True


def _leave() -> None:
    """Put back the profile function of this thread that was there before."""
    current: Any = sys.getprofile()
    if _is_ours(current):
        _watched.pop(threading.get_ident(), None)
        _set_profile(current.before)


class _ForThreads:
    """The profile function for new threads, in front of the one that is there.

    A new thread that is about to set it asks first whether it is one: then it is set here, where a
    refusal does not end the thread.
    """

    __slots__ = ("before",)

    def __init__(self, before: Any) -> None:
        self.before = before

    def __bool__(self) -> bool:
        try:
            if self.before and sys.getprofile() is None:
                _set_profile(self.before)
            _enter()
        except Exception as error:
            give_up(error)
        return False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """For whoever took it for the program's own and calls it."""
        if self.before:
            self.before(frame, event, argument)


def _goes_on(frame: FrameType) -> bool:
    """Whether a generator or coroutine goes on in `frame` rather than starts."""
    code = frame.f_code
    if not code.co_flags & _GENERATES:
        return False
    # The argument of RESUME: 0 at the start of a function, else what it waited for.
    return code.co_code[frame.f_lasti + 1] & 3 != 0


def _is_threading(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "threading"


def begin(begun: Notes) -> None:
    """Be told what starts in this thread, and in those that it starts."""
    global _told
    _told = {}
    if not _enter():
        begun.miss(OTHER)
        return
    with _setting:
        for_threads: Any = threading.getprofile()
        if not isinstance(for_threads, _ForThreads):
            threading.setprofile(_ForThreads(for_threads))
    begun.beside_others = _others_at_work(begun.places)


def end(ended: Notes) -> None:
    """Be told no longer, unless another evaluation is under way; say whether everything was."""
    if not _is_ours(sys.getprofile()) and threading.get_ident() == ended.thread:
        # In another thread it is the audit that tells.
        ended.miss(OTHER)
    has_waited = ended.waited or threading.get_ident() != ended.thread
    if has_waited and (ended.beside_others or _others_at_work(ended.places)):
        ended.miss(THREADS)
    with _setting:
        # Of two that end at once, the second is the last. No other lock is taken in here: who
        # holds it may be told of a start, and wait for this one.
        ended.is_ended = True
        if not active.under_way():
            _leave_all()


def _leave_all() -> None:
    global _told
    _told = {}
    _leave()
    for_threads: Any = threading.getprofile()
    if isinstance(for_threads, _ForThreads):
        threading.setprofile(for_threads.before)


def _others_at_work(places: Places) -> bool:
    """Whether a thread that is not watched runs project code or waits to be given some."""
    frames = frames_of_threads()
    frames.pop(threading.get_ident(), None)
    if not frames:
        return False
    threads = {thread.ident: thread for thread in threading.enumerate()}
    return any(
        _is_at_work(frame, places)
        for number, frame in frames.items()
        # By the thread: its number may be that of one that has ended.
        if number not in _watched or _watched[number] is not threads.get(number)
    )


def _is_at_work(frame: FrameType | None, places: Places) -> bool:
    while frame is not None:
        path = path_of(frame.f_code)
        if places.holds(path) or path.endswith(_WORKERS):
            return True
        frame = frame.f_back
    return False


def _profiler_set(event: Event) -> None:
    """Another profile function takes the place of ours, in any thread."""
    for each in event.notes:
        each.miss(OTHER)


HANDLERS: dict[str, Callable[[Event], None]] = (
    {} if sys.version_info >= (3, 12) else {"sys.setprofile": _profiler_set}
)


def _renew_in_child() -> None:
    """In a forked child: a thread that held the lock is not there."""
    global _setting
    _setting = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)
