"""Literals: the value of a global that is written out in full, without importing its module.

Owns reading it from the source. Refuses what is mutable (the analyser does not call it a literal):
other statements may add to it, so it counts by its definition.
"""

from typing import Any

from hitsave.code.pause import warnings_paused
from hitsave.code.project import Module
from hitsave.code.resolve import ABSENT


def literal_value(module: Module, name: str) -> Any:
    """Return the value of a global bound once, to a literal; ABSENT for any other."""
    # Only for modules that are not loaded: `ast` costs milliseconds to import.
    import ast

    bindings = module.bindings_of(name)
    if len(bindings) != 1 or not bindings[0].literal:
        return ABSENT
    part = bindings[0].part
    lines = module.source.content.splitlines(keepends=True)[part.line - 1 : part.end_line]
    try:
        with warnings_paused():
            (statement,) = ast.parse(b"".join(lines).strip()).body
    except (SyntaxError, ValueError):
        # Not alone on its lines, or in an encoding that only the whole source names.
        return ABSENT
    value = getattr(statement, "value", None)
    try:
        return ast.literal_eval(value) if value is not None else ABSENT
    except ValueError:
        return ABSENT
