"""The format of Python's own exceptions.

Owns arguments, notes, cause and context of those that have no more than these. Leaves out where
they were raised: a traceback belongs to a run. Refuses exceptions of other classes.
"""

import builtins
from typing import Any

from hitsave.codec.format import Format

_SIZE = BaseException.__basicsize__

EXCEPTIONS: dict[type, str] = {
    kind: name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type)
    and issubclass(kind, BaseException)
    and (kind.__name__, kind.__basicsize__) == (name, _SIZE)
}
_KINDS: dict[str, Any] = {name: kind for kind, name in EXCEPTIONS.items()}


def _take(value: Any) -> list[Any]:
    return [
        EXCEPTIONS[type(value)],
        value.__suppress_context__,
        value.args,
        value.__cause__,
        value.__context__,
        vars(value) or None,
    ]


def _build(parts: list[Any]) -> Any:
    kind = _KINDS[parts[0]]
    return kind.__new__(kind)


def _fill(shell: Any, parts: list[Any]) -> None:
    _, suppress, arguments, cause, context, fields = parts
    shell.args = arguments
    shell.__cause__, shell.__context__ = cause, context
    shell.__suppress_context__ = suppress
    vars(shell).update(fields or {})


EXCEPTION = Format("exception.1", _take, _build, _fill)
