"""In the background: a store that has become too large loses what is worth least, unasked.

Owns when to look, without counting anything: with each result that is stored the chance to look is
the greater the larger the result is, so that processes that know nothing of each other look about
as often as one would that wrote what they write. Refuses to draw from the program's own numbers,
and to hold up its end for long.
"""

import atexit
import os
import threading

from hitsave.errors import HitsaveError
from hitsave.events import warn, warn_error
from hitsave.session import Session
from hitsave.units import size_text

LOOKS = 20
"""How often, on average, it is looked while the store grows from nothing to what it may be."""

LONGEST_END = 5.0
"""How many seconds the end of the program waits for a pass."""

_lock = threading.Lock()
_thread: threading.Thread | None = None
_is_due = False


def note_growth(session: Session, size: int) -> None:
    """Look whether there is too much, if it is time to, after `size` bytes were written."""
    drawn = int.from_bytes(os.urandom(6)) / (1 << 48)
    if session.store.lasts and drawn * session.settings.max_size < size * LOOKS:
        start(session)


def start(session: Session) -> None:
    """Begin a pass over a session's store; after the one that is under way, if one is."""
    global _thread, _is_due
    # Not waited for: a signal handler may have interrupted this very function.
    if not _lock.acquire(blocking=False):
        return
    try:
        _is_due = True
        if _thread is not None and _thread.is_alive():
            return
        _thread = threading.Thread(target=_work, args=(session,), name="hitsave", daemon=True)
        _thread.start()
    except RuntimeError:
        # The interpreter is about to end, or there can be no more threads: another time.
        _thread = None
    finally:
        _lock.release()


def _work(session: Session) -> None:
    """Make passes until none is due."""
    global _is_due, _thread
    while True:
        with _lock:
            if not _is_due:
                _thread = None
                return
            _is_due = False
        _make_pass(session)


def _make_pass(session: Session) -> None:
    limit = session.settings.max_size
    try:
        # Loaded by whoever makes a pass; every process that stores something loads this module.
        from hitsave.collect.collector import Options, collect

        report = collect(session, Options(limit, thorough=False))
    except HitsaveError as error:
        warn_error("trouble:collect", error)
        return
    except Exception as error:
        # Of a thread that the user did not start, nobody would understand the traceback.
        reason = f"{type(error).__name__} inside hitsave: {error}"
        warn("trouble:collect", f"The store was not collected: {reason}.", "please report it")
        return
    if report is not None and report.trouble:
        warn("uncollected", f"Nothing is removed from the store: {report.trouble}.")
    elif report is not None and report.kept > limit:
        warn(
            "too-large",
            f"The store holds {size_text(report.kept)}, more than the {size_text(limit)} that "
            "it may: experiments, pinned calls and snapshots stay.",
            "`hitsave gc` tells more; the setting max_size says how much it may be",
        )


def _wait() -> None:
    thread = _thread
    if thread is not None:
        thread.join(LONGEST_END)


def _after_fork_in_child() -> None:
    global _lock, _thread, _is_due
    _lock = threading.Lock()
    _thread, _is_due = None, False


atexit.register(_wait)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
