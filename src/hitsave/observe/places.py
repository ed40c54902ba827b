"""Places: which code a frame runs, and who is above it on the stack.

Owns the judgement of file names of code objects, each made once. Refuses to hold on to frames.
"""

import os
from collections.abc import Callable
from types import CodeType, FrameType

from hitsave.code.columns import NO_COLUMN, lambda_column
from hitsave.observe.records import NOBODY, Caller, Started

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of hitsave's own code."""

_absolute: dict[str, str] = {}
_folder = ""


def set_folder() -> None:
    """Take the present working folder as what relative file names of code are relative to."""
    global _folder
    try:
        _folder = os.getcwd()
    except OSError:
        # It was deleted: relative names stay as they are.
        _folder = ""


def path_of(code: CodeType) -> str:
    """Return the absolute path of the file that code is from; `<string>` and the like unchanged."""
    name = code.co_filename
    known = _absolute.get(name)
    if known is None:
        known = _absolute[name] = _made_absolute(name)
    return known


def _made_absolute(name: str) -> str:
    if name.startswith("<") and name.endswith(">"):
        return name
    return os.path.normpath(os.path.join(_folder, name))


def identify(code: CodeType) -> Started:
    """Return what a code object is found again by."""
    name = code.co_qualname
    column = lambda_column(code) if name.endswith("<lambda>") else NO_COLUMN
    return Started(path_of(code), code.co_firstlineno, name, column)


class Places:
    """Tells project code from other code, by the file names of code objects."""

    def __init__(self, is_project: Callable[[str], bool]) -> None:
        self.is_project = is_project
        self._known: dict[str, bool] = {}

    def holds(self, path: str) -> bool:
        """Whether code of the file `path` is project code."""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._judge(path)
        return known

    def _judge(self, path: str) -> bool:
        return os.path.isabs(path) and not path.startswith(OURS) and self.is_project(path)


_last = Places(bool)


def places_of(is_project: Callable[[str], bool]) -> Places:
    """Return the judgement by `is_project`: the same as last time where it is the same function."""
    global _last
    if _last.is_project != is_project:
        _last = Places(is_project)
    return _last


def caller_above(frame: FrameType | None, places: Places) -> Caller:
    """Return the nearest project code above `frame`."""
    above = frame.f_back if frame is not None else None
    while above is not None:
        if places.holds(path_of(above.f_code)):
            return caller_in(above)
        above = above.f_back
    return NOBODY


def caller_in(frame: FrameType) -> Caller:
    """Return `frame` as the caller."""
    code = frame.f_code
    return Caller(path_of(code), code.co_qualname, frame.f_lineno or code.co_firstlineno)
