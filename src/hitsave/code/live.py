"""Live code: the code objects behind the definitions of a loaded module, as far as they are found.

Owns the walk over what a module's namespace holds. Refuses to run anything of the user's.
"""

from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from hitsave.code.columns import lambda_column
from hitsave.code.definition import FunctionDefinition
from hitsave.code.project import Module
from hitsave.code.wrapping import functions_in
from hitsave.raw import names_of_class


class Codes:
    """The code objects that were found in one module."""

    def __init__(self, found: Iterable[CodeType]) -> None:
        self._found: dict[tuple[str, int], list[CodeType]] = {}
        for code in found:
            self._found.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)

    def of(self, definition: FunctionDefinition) -> list[CodeType]:
        """Return the code objects that come from a definition."""
        found = self._found.get((definition.name, definition.first_line), [])
        return [code for code in found if definition.covers(lambda_column(code))]


def codes_of(module: Module, executed: CodeType | None = None) -> Codes:
    """Return every code object of a module that its functions and classes lead to.

    `executed` is the code object of the module itself, where that was kept.
    """
    found = list(_codes_under(dict(module.namespace or {}), set()))
    return Codes((*found, *(_with_nested(executed) if executed is not None else ())))


def _codes_under(namespace: dict[Any, Any], met: set[int]) -> Iterator[CodeType]:
    for value in tuple(namespace.values()):
        yield from _codes_behind(value, met)


def _codes_behind(value: Any, met: set[int]) -> Iterator[CodeType]:
    if id(value) in met:
        return
    met.add(id(value))
    if type(value) is FunctionType:
        yield from _with_nested(value.__code__)
        yield from _codes_behind(vars(value).get("__wrapped__"), met)
        for cell in value.__closure__ or ():
            yield from _codes_in_cell(cell, met)
    elif issubclass(type(value), type):
        yield from _codes_under(dict(names_of_class(value)), met)
    elif type(value) is dict:
        yield from _codes_under(value, met)
    elif type(value) in (list, tuple, set, frozenset):
        for item in tuple(value):
            yield from _codes_behind(item, met)
    else:
        for inner in functions_in(value):
            yield from _codes_behind(inner, met)


def _codes_in_cell(cell: Any, met: set[int]) -> Iterator[CodeType]:
    try:
        content = cell.cell_contents
    except ValueError:  # not filled yet
        return
    yield from _codes_behind(content, met)


def _with_nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_nested(constant)
