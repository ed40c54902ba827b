"""Askers: on whose behalf a file is opened, a folder listed or a question asked.

Owns the walk up the stack from an event to project code, and the list of those whose questions do
not count: the import system, what prints tracebacks, and hitsave.
"""

import os
from opcode import opmap
from types import FrameType

from hitsave.observe.places import OURS, Places, caller_in, path_of
from hitsave.observe.records import NOBODY, Caller

_IMPORT_SYSTEM = frozenset(
    {"importlib._bootstrap", "importlib._bootstrap_external", "_frozen_importlib",
     "_frozen_importlib_external", "zipimport"}
)  # fmt: skip
_SHOW_SOURCE = frozenset({"inspect", "traceback", "warnings", "pdb", "bdb"})
"""They read source in order to show it."""

_HOOK = os.path.join(OURS, "hook", "")
_RUNS_FUNCTIONS = os.path.join(OURS, "memo", "")
"""The room that runs memoised functions: what they open, they open in its frames or below."""


def is_own_doing(frame: FrameType | None) -> bool:
    """Whether hitsave itself does what happens in `frame`, and not a function that it runs."""
    return frame is not None and _is_own(path_of(frame.f_code))


def _is_own(path: str) -> bool:
    return path.startswith(OURS) and not path.startswith(_RUNS_FUNCTIONS)


def is_removal(frame: FrameType | None) -> bool:
    """Whether a folder is listed in order to remove it with all that it holds."""
    return frame is not None and _module_of(frame) == "shutil" and "_rmtree" in frame.f_code.co_name


def is_walk(frame: FrameType | None) -> bool:
    """Whether the standard library opens folders one below the other: `fwalk`, `rmtree`."""
    return frame is not None and (is_removal(frame) or "fwalk" in frame.f_code.co_name)


def is_temporary(frame: FrameType | None) -> bool:
    """Whether a folder is opened by `tempfile`, for a file that is made in it."""
    return frame is not None and _module_of(frame) == "tempfile"


def is_written_import(frame: FrameType) -> bool:
    """Whether a frame executes an `import` statement, and not a call, that stands in a file."""
    is_made = path_of(frame.f_code).startswith("<")
    return not is_made and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_NAME"]


def asker(frame: FrameType | None, places: Places) -> Caller | None:
    """Return the nearest project code at or above `frame`; None where the event does not count."""
    while frame is not None:
        path = path_of(frame.f_code)
        if places.holds(path):
            return caller_in(frame)
        if _is_import_system(frame, path):
            frame = _above_import(frame)
            if frame is None:
                return None
            continue
        if _is_own(path) or _module_of(frame) in _SHOW_SOURCE:
            return None
        frame = frame.f_back
    return NOBODY


def _above_import(frame: FrameType) -> FrameType | None:
    """Return what asks the import system for data; None where it imports."""
    below, above = frame, frame.f_back
    while above is not None and _is_import_system(above, path_of(above.f_code)):
        below, above = above, above.f_back
    return above if below.f_code.co_name == "get_data" else None


def _is_import_system(frame: FrameType, path: str) -> bool:
    return _module_of(frame) in _IMPORT_SYSTEM or path.startswith(_HOOK)


def _module_of(frame: FrameType) -> object:
    return frame.f_globals.get("__name__")


def outside_of(frame: FrameType | None, modules: frozenset[str]) -> FrameType | None:
    """Return the nearest frame above `frame` that runs code of none of `modules`."""
    above = frame.f_back if frame is not None else None
    while above is not None and _module_of(above) in modules:
        above = above.f_back
    return above
