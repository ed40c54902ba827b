"""Monitoring: function starts as `sys.monitoring` tells them, from Python 3.12 on.

Owns one tool id, its callback and the notes of all functions that ever ran. Each function is told
of once and then no more until the next evaluation begins, so that a running program pays nothing.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from hitsave.code.columns import NO_COLUMN
from hitsave.observe import active
from hitsave.observe.places import OURS, identify
from hitsave.observe.probes import Probe, probe_of
from hitsave.observe.records import Started
from hitsave.observe.starts import tell
from hitsave.observe.trouble import give_up

# Any: the type checkers look at this package as of Python 3.11, which has none.
_monitoring: Any = getattr(sys, "monitoring", None)
AVAILABLE = _monitoring is not None

TOOL = "hitsave"
IDS = (4, 3, 5, 2, 1, 0)
"""Tool ids, those first that no kind of tool is meant to use."""

TAKEN = "every tool id of sys.monitoring is in use"
LOST = "another tool took the place of hitsave in sys.monitoring"

_READS_HEADERS = "_signature_from_function"
"""What `inspect.signature` and all that is built on it come to for each function, in `inspect`."""

_headers: set[Started] = set()
"""The functions whose parameters were read."""

# The identity of an object as `id` has it, which is an audited event.
_identity: Callable[[object], int] = object.__hash__

_probes: dict[int, tuple[CodeType, Probe]] = {}
"""The probes met so far, by the identity of their code, which is kept so that it stays theirs."""

_noted: set[Started] = set()
_columns: dict[tuple[str, int, str], set[int]] = {}
_tool: int | None = None
_was_interrupted = False


def turn_on() -> None:
    """Be told of every function that starts, as far as other tools leave an id."""
    global _tool, _was_interrupted
    if _tool is None or _monitoring.get_tool(_tool) != TOOL:
        _tool = _take_id()
    if _tool is None:
        _was_interrupted = True
        return
    start = _monitoring.events.PY_START
    _monitoring.register_callback(_tool, start, _on_start)
    _monitoring.set_events(_tool, start)


def _take_id() -> int | None:
    for number in IDS:
        if _monitoring.get_tool(number) is None:
            try:
                _monitoring.use_tool_id(number, TOOL)
            except ValueError:
                # Another thread was quicker.
                continue
            return number
    return None


def begin(begun: active.Notes) -> None:
    """Be told again of functions that were told of before. `begun` is under way already."""
    if _lapse():
        for each in active.notes:
            if each is not begun:
                each.miss(LOST)
        turn_on()
    if _tool is None:
        begun.miss(TAKEN)
    else:
        _monitoring.restart_events()


def end(ended: active.Notes) -> None:
    """Say in `ended` whether everything was told."""
    if _tool is not None and _lapse():
        ended.miss(LOST)


def _lapse() -> bool:
    """Whether functions start untold now. It is remembered."""
    global _was_interrupted
    is_lapse = _tool is None or not _is_on(_tool)
    _was_interrupted |= is_lapse
    return is_lapse


def _is_on(tool: int) -> bool:
    start = _monitoring.events.PY_START
    if _monitoring.get_tool(tool) != TOOL or not _monitoring.get_events(tool) & start:
        return False
    # The one way to ask whose callback it is.
    return _monitoring.register_callback(tool, start, _on_start) is _on_start


def _on_start(code: CodeType, _offset: int) -> object:
    global _was_interrupted
    if _monitoring is None:
        # When the interpreter ends, a module loses its names before its callbacks.
        return None
    if code.co_filename.startswith(OURS):
        return _monitoring.DISABLE
    started = None
    try:
        probe = _probes.get(_identity(code))
        if probe is not None:
            probe[1](sys._getframe(1), active.notes)
            return None
        # Read before the notes: an evaluation that begins from here on must be told again.
        epoch, notes = active.epoch, active.notes
        started = identify(code)
        _note(started)
        frame = sys._getframe(1)
        again = tell(started, frame, notes)
        if started.name == _READS_HEADERS:
            # Every time: which function it is says the frame alone.
            _note_header(frame.f_locals.get("func"))
            return None
        if again:
            _keep_probe(code, frame)
        return None if again or active.epoch != epoch else _monitoring.DISABLE
    except Exception as error:
        _was_interrupted |= started not in _noted
        give_up(error)
        return None


def _keep_probe(code: CodeType, frame: FrameType) -> None:
    probe = probe_of(code.co_qualname, frame)
    if probe is not None:
        _probes[_identity(code)] = code, probe


def _note(started: Started) -> None:
    _noted.add(started)
    if started.name.endswith("<lambda>"):
        _columns.setdefault(started[:3], set()).add(started.column)


def _note_header(function: object) -> None:
    code = getattr(function, "__code__", None)
    if isinstance(code, CodeType):
        _headers.add(identify(code))


def headers_read() -> frozenset[Started] | None:
    """The functions whose parameters were read at any time after `watch`; None if not known."""
    return None if _was_interrupted or not AVAILABLE else frozenset(_headers)


def was_told(started: Started, end_column: int) -> bool:
    """Whether a function was told of at any time, or may have started untold after `watch`.

    What was told of a lambda may be any column within its body, which ends before `end_column`.
    """
    if _was_interrupted or started in _noted:
        return True
    columns = _columns.get(started[:3], ())
    return any(_may_be(column, started.column, end_column) for column in tuple(columns))


def _may_be(column: int, first: int, end: int) -> bool:
    if NO_COLUMN in (column, first):
        return True
    return first <= column and (end == NO_COLUMN or column < end)
