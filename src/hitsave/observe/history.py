"""History: which functions ever ran in this process.

Owns the question whether a function may have run without being seen, above all before `watch`.
Where that cannot be excluded, the answer is that it ran.
"""

import os
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from opcode import opmap
from types import CodeType, FrameType
from typing import NamedTuple

from hitsave.code.columns import NO_COLUMN
from hitsave.observe import monitoring
from hitsave.observe.places import path_of
from hitsave.observe.records import Started
from hitsave.raw import namespace_of


class _Executing(NamedTuple):
    """A module in the middle of its execution when `watch` was called."""

    name: str
    path: str
    line: int
    code: CodeType
    instruction: int


_loaded: dict[str, str] = {}
"""The modules that were loaded when `watch` was called, and their files."""

_executing: tuple[_Executing, ...] = ()

_paths_before: frozenset[str] = frozenset()
"""The files of those modules, but for the ones in the middle of their execution."""


def remember() -> None:
    """Take what is loaded and executing now as what may have run unseen."""
    global _loaded, _executing, _paths_before
    loaded = tuple(sys.modules.items())
    _loaded = {name: _file_of(module) for name, module in loaded if not _is_blank(module)}
    _executing = tuple(_modules_above(sys._getframe()))
    paths = frozenset(map(os.path.abspath, filter(None, _loaded.values())))
    _paths_before = paths - {each.path for each in _executing}


def _file_of(module: object) -> str:
    path = (namespace_of(module) or {}).get("__file__")
    return path if isinstance(path, str) else ""


def _is_blank(module: object) -> bool:
    """Whether nothing was executed in a module yet.

    So it is with `__main__` where Python looks for the module to run: `python -m hitsave`.
    """
    names = namespace_of(module)
    if names is None or _file_of(module):
        return False
    return all(name.startswith("__") and name.endswith("__") for name in tuple(names))


def _modules_above(frame: FrameType | None) -> list[_Executing]:
    found: list[_Executing] = []
    while frame is not None:
        code = frame.f_code
        name = frame.f_globals.get("__name__")
        if code.co_name == "<module>" and isinstance(name, str):
            place = path_of(code), frame.f_lineno or 0
            found.append(_Executing(name, *place, code, frame.f_lasti))
        elif code.co_name == "reload" and name == "importlib" and found:
            # It executes for the second time: it counts as loaded before.
            found.pop()
        frame = frame.f_back
    return found


def has_run(
    started: Started,
    module: str,
    codes: Callable[[], Iterable[CodeType]],
    end_column: int = NO_COLUMN,
) -> bool:
    """Whether a function ran at any time in this process, or may have without being seen.

    `module` is the `__name__` of its module. `codes` gives its live code objects, as far as they
    can be found. `end_column` is where the body of a lambda ends, as `lambda_column` counts: it
    tells the lambdas on one line apart where Python keeps no exact place.
    """
    if not monitoring.AVAILABLE:
        # Here, since later Pythons have no use for it.
        from hitsave.observe import warmup

        return warmup.any_ran(codes())
    return _may_have_run_before(started, module) or monitoring.was_told(started, end_column)


def headers_read(is_project: Callable[[str], bool]) -> frozenset[Started] | None:
    """Return the functions whose parameters `inspect.signature` read; None if not known.

    It is not where project modules were loaded before `watch`, which may have read some.
    """
    return None if _had_loaded_any(is_project, _paths_before) else monitoring.headers_read()


@lru_cache(maxsize=4)
def _had_loaded_any(is_project: Callable[[str], bool], paths: frozenset[str]) -> bool:
    """Whether any of the files is a project's: every evaluation asks, and there are hundreds."""
    return any(map(is_project, paths))


def was_loaded_before(path: str) -> bool:
    """Whether a module of the file `path` had been loaded before `watch`, unseen."""
    return path in _paths_before


def _may_have_run_before(started: Started, module: str) -> bool:
    """Whether a function may have run before `watch`.

    It may not where its module was in the middle of its execution then, at a line above it.
    """
    names = _names_before.get(started.path)
    if names is None:
        names = {name for name, path in _loaded.items() if path == started.path}
        _names_before[started.path] = names
    executing = [each for each in _executing if each.path == started.path]
    if not names and not executing and not _may_have_been(module, started.path):
        return False
    if not executing or not names <= {each.name for each in executing}:
        return True
    return any(started.line <= each.line or _is_in_loop(each) for each in executing)


_names_before: dict[str, set[str]] = {}


def _may_have_been(module: str, path: str) -> bool:
    """Whether what was loaded as `module` before `watch` can come from the file `path`.

    Not where it came from another file, as hitsave's own main program does that runs a script.
    """
    before = _loaded.get(module)
    if before is None or not os.path.isabs(before):
        return before is not None
    return os.path.realpath(before) == os.path.realpath(path)


def _is_in_loop(executing: _Executing) -> bool:
    """Whether what stands below in the text may have been executed before."""
    argument = 0
    code = executing.code.co_code
    for place in range(0, len(code), 2):
        argument = argument << 8 | code[place + 1]
        if code[place] == opmap["EXTENDED_ARG"]:
            continue
        if code[place] in _BACKWARD and place + 2 - 2 * argument <= executing.instruction < place:
            return True
        argument = 0
    return False


_BACKWARD = frozenset(number for name, number in opmap.items() if "JUMP_BACKWARD" in name)
