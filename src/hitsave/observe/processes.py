"""Processes: what runs where no event of this process tells of it.

Owns the reasons to call an evaluation blind that come from other processes, other interpreters and
libraries that send work elsewhere. A command that cannot run project code is none.
"""

import os
import sys
from collections.abc import Iterator

from hitsave.observe.active import Event, Notes

STARTED = "it started another process"
POOL = "worker processes were alive"
INTERPRETER = "another interpreter may have run in this process"

_LIBRARIES = frozenset(
    {"dask.distributed", "distributed", "ray", "pyspark", "mpi4py", "ipyparallel", "celery"}
)
_INTERPRETERS = frozenset({"_xxsubinterpreters", "_interpreters", "interpreters"})


def look_around(notes: Notes) -> None:
    """Note in `notes` what there is, at this moment, that may run project code unseen."""
    modules = sys.modules.keys()
    if _children():
        notes.miss(POOL)
    if modules & _INTERPRETERS:
        notes.miss(INTERPRETER)
    for name in sorted(modules & _LIBRARIES):
        notes.miss(f"{name} may run code in other processes")


def _children() -> object:
    return getattr(sys.modules.get("multiprocessing.process"), "_children", None)


def note_start(notes: tuple[Notes, ...]) -> None:
    """Note that a process that may run project code is about to start."""
    for each in notes:
        each.miss(STARTED)


def _fork(event: Event) -> None:
    note_start(event.notes)


def _command(event: Event) -> None:
    """A command line: (program, event.arguments, ...), or one text for the shell."""
    if event.notes and any(_may_be_python(word) for word in _words(event.arguments[:2])):
        note_start(event.notes)


def _words(given: object) -> Iterator[str]:
    if isinstance(given, (list, tuple)):
        for each in given:
            yield from _words(each)
    elif isinstance(given, (str, bytes, os.PathLike)):
        # Any quotes and other signs of the shell may stand around a word.
        for sign in "\"'`;&|()<>=":
            given = os.fsdecode(given).replace(sign, " ")
        yield from os.fsdecode(given).split()


def _may_be_python(word: str) -> bool:
    name = os.path.basename(word)
    if "python" in name or name.endswith(".py") or word == sys.executable:
        return True
    folders = [""] if os.sep in word else os.get_exec_path()
    return any(_is_python_script(os.path.join(folder, word)) for folder in folders)


def _is_python_script(path: str) -> bool:
    """Whether an executable file is for Python, as console scripts are: by its first line."""
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        return False
    try:
        with open(path, "rb") as file:
            first = file.read(256).partition(b"\n")[0]
    except OSError:
        return False
    return first.startswith(b"#!") and b"python" in first


HANDLERS = {
    "os.fork": _fork,
    "os.forkpty": _fork,
    "subprocess.Popen": _command,
    "os.posix_spawn": _command,
    "os.system": _command,
}
