"""Audit: what Python's audit events tell about files, folders and processes.

Owns the one audit hook of this process. It cannot be removed, so it does next to nothing for the
many events that tell of nothing. Refuses to raise, which would forbid the program what it is about
to do.
"""

import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from hitsave.observe import active, processes, profiling
from hitsave.observe.active import Event
from hitsave.observe.askers import (
    is_own_doing,
    is_removal,
    is_temporary,
    is_walk,
    is_written_import,
)
from hitsave.observe.locations import absolute
from hitsave.observe.reads import (
    ask_module,
    ask_path,
    link,
    make,
    move,
    read_file,
    read_listing,
)
from hitsave.observe.trouble import give_up

Handler = Callable[[Event], None]

DEAF = "another audit hook does not let hitsave see which files are read"

_CHECK = "hitsave.observe.check"
_is_heard = False
# Reentrant: see `active`.
_lock = threading.RLock()


def listen() -> bool:
    """Add the hook if it is not there yet; whether it is there now."""
    with _lock:
        if not _is_heard:
            sys.addaudithook(_on_event)
            sys.audit(_CHECK)
    return _is_heard


def _on_event(name: str, arguments: tuple[Any, ...]) -> None:
    try:
        handler = HANDLERS.get(name)
        if handler is None:
            return
        frame = _frame()
        if name == _CHECK or not is_own_doing(frame):
            handler(Event(arguments, frame, active.notes))
    except Exception as error:
        # The hook outlives this module, whose names are taken away when the interpreter ends.
        if give_up is not None:
            give_up(error)


def _frame() -> FrameType | None:
    """Return the frame that the event happens in; None where no Python code is under way."""
    try:
        return sys._getframe(2)
    except ValueError:
        return None


def _heard(_event: Event) -> None:
    global _is_heard
    _is_heard = True


def _open(event: Event) -> None:
    given, mode, flags = event.arguments
    path = absolute(given)
    if not path or not isinstance(flags, int) or flags & getattr(os, "O_DIRECTORY", 0):
        return
    if mode is None and is_walk(event.frame):
        # A folder, named relative to another that the event does not tell.
        return
    if flags & os.O_TRUNC and os.path.isdir(path):
        # Nothing is emptied. A file may be made in there that has no name, or another one.
        if not is_temporary(event.frame):
            ask_path(path, event.frame, event.notes)
        return
    if _makes(path, flags):
        make(path, event.notes)
    # Opened for reading and writing, it may be read. Its later content is not its own then: it
    # began with what was there.
    # A folder is opened by its number to be listed or emptied; by `open` it was taken for a file.
    elif flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR) != os.O_WRONLY and not (
        mode is None and os.path.isdir(path)
    ):
        read_file(path, event.frame, event.notes)


def _makes(path: str, flags: int) -> bool:
    """Whether nothing of what is at `path` now will be left."""
    if not os.path.exists(path):
        return bool(flags & os.O_CREAT)
    return bool(flags & os.O_TRUNC) and os.access(path, os.W_OK)


def _list(event: Event) -> None:
    given = event.arguments[0]
    if isinstance(given, int):
        given = _name_of_descriptor(given)
    path = absolute(os.curdir if given is None else given)
    if path and not is_removal(event.frame):
        read_listing(path, event.frame, event.notes)


def _name_of_descriptor(descriptor: int) -> str:
    """Return the path of an open folder; empty where the system does not tell."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def _mkdir(event: Event) -> None:
    path = absolute(event.arguments[0])
    if path and not os.path.lexists(path):
        make(path, event.notes)


def _rename(event: Event) -> None:
    path, target = absolute(event.arguments[0]), absolute(event.arguments[1])
    if path and target:
        move(path, target, event.notes)


def _symlink(event: Event) -> None:
    """A link is the evaluation's own; what it leads to need not be."""
    path = _in_no_folder(event.arguments[1], event.arguments[2])
    if path and not os.path.lexists(path):
        make(path, event.notes)


def _link(event: Event) -> None:
    path = _in_no_folder(event.arguments[0], event.arguments[2])
    target = _in_no_folder(event.arguments[1], event.arguments[3])
    if path and target and not os.path.lexists(target):
        link(path, target, event.frame, event.notes)


def _in_no_folder(given: Any, folder: int) -> str:
    """Return a path, unless it is named relative to an open folder."""
    path = absolute(given)
    return path if folder == -1 or path == given else ""


def _connect(event: Event) -> None:
    """A database of sqlite: a path, or a URI with a path."""
    given = event.arguments[0]
    if isinstance(given, str) and given.startswith("file:"):
        given = given.removeprefix("file:").partition("?")[0]
    path = absolute(given)
    if path and given not in ("", ":memory:"):
        read_file(path, event.frame, event.notes)


def _dlopen(event: Event) -> None:
    """A shared library by its path; one by its name alone is the system's."""
    path = absolute(event.arguments[0])
    if path and os.sep in os.fsdecode(event.arguments[0]):
        read_file(path, event.frame, event.notes)


def _import(event: Event) -> None:
    """A module that is not loaded is looked for. What statements import is in the source."""
    if event.notes and event.frame is not None and not is_written_import(event.frame):
        ask_module(event.arguments[0], event.frame, event.notes)


HANDLERS: dict[str, Handler] = {
    _CHECK: _heard,
    "open": _open,
    "import": _import,
    "os.listdir": _list,
    "os.scandir": _list,
    "os.mkdir": _mkdir,
    "os.rename": _rename,
    "os.symlink": _symlink,
    "os.link": _link,
    "sqlite3.connect": _connect,
    "ctypes.dlopen": _dlopen,
    **processes.HANDLERS,
    **profiling.HANDLERS,
}


def _renew_in_child() -> None:
    """In a forked child: a thread that held the lock is not there."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)
