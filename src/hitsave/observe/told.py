"""Told: what hitsave itself reads and writes because the program asked it to.

Owns that it counts as if the program had done it, and whether a memoised function asked. Everything
else that hitsave opens does not count.
"""

import sys
from types import FrameType

from hitsave.digest import Digest
from hitsave.observe import active, reads
from hitsave.observe.askers import is_own_doing

_CALLERS = f"{__name__.partition('.')[0]}.memo."


def tell_read(path: str) -> None:
    """Note that the program is about to have the file `path` read, an absolute path."""
    reads.read_file(path, _asking(), active.notes)


def tell_listed(path: str) -> None:
    """Note that the program is about to have the folder `path` listed."""
    reads.read_listing(path, _asking(), active.notes)


def tell_made(path: str) -> None:
    """Note that the program is about to have `path` written, and all that is below."""
    reads.make(path, active.notes)


def tell_snapped(digest: Digest) -> None:
    """Note that the program has had a snapshot taken, which its result may lead to in any way."""
    for each in active.notes:
        if each.is_own_thread():
            each.snapped[digest] = None


def is_asked_by_call() -> bool:
    """Whether it is a memoised function under evaluation that asked, itself or by what it called.

    Threads that it started are not known to be its own.
    """
    frame: FrameType | None = sys._getframe(1) if active.notes else None
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(_CALLERS):
            return True
        frame = frame.f_back
    return False


def _asking() -> FrameType | None:
    """Return the frame that called hitsave."""
    frame: FrameType | None = sys._getframe(1)
    while is_own_doing(frame):
        frame = frame.f_back if frame is not None else None
    return frame
