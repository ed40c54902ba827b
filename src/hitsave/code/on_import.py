"""On import: what of a module's source is executed when it is imported, and what only when called.

Owns telling two sources apart by that. Refuses to know which functions were called on import.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

from hitsave.code.definition import (
    Binding,
    ClassDefinition,
    Effect,
    FunctionDefinition,
    ModuleRecord,
    Part,
)

T = TypeVar("T")


def changed_functions(old: ModuleRecord, new: ModuleRecord) -> list[FunctionDefinition] | None:
    """Return the functions of `new` whose bodies alone tell it from `old`; None where more does."""
    if old.source == new.source:
        return []
    if _outline(old) != _outline(new):
        return None
    before = {definition.label: definition.body.digest for definition in _functions(old)}
    return [each for each in _functions(new) if before[each.label] != each.body.digest]


def executed_parts(
    record: ModuleRecord, has_run: Callable[[FunctionDefinition], bool]
) -> Iterator[Part]:
    """Yield what was executed of a module: on import, and of the functions that have run."""
    for function in _functions(record):
        yield from (*function.decorators, function.header, function.annotations)
        if has_run(function):
            yield function.body
    for cls in _each(record.classes):
        yield from (*cls.decorators, cls.head, cls.annotations)
        yield from (each.part for each in cls.bindings)
        yield from (each.part for each in cls.effects)
    yield from (each.part for each in _each(record.bindings))
    yield from (each.part for each in record.effects)


def _functions(record: ModuleRecord) -> Iterator[FunctionDefinition]:
    return _each(record.functions)


def _outline(record: ModuleRecord) -> Any:
    """All that is executed on import, in order. Lines do not count: they do nothing."""
    found = [
        *((each.line, _function(each)) for each in _functions(record)),
        *((each.line, _class(each)) for each in _each(record.classes)),
        *((each.part.line, _binding(each)) for each in _each(record.bindings)),
        *((each.part.line, _effect(each)) for each in record.effects),
        *((star.line, (star.level, star.module, _digest(star.condition))) for star in record.stars),
    ]
    return _in_order(found), record.doc


def _each(found: Mapping[str, Iterable[T]]) -> Iterator[T]:
    return chain.from_iterable(found.values())


def _in_order(found: Iterable[tuple[int, Any]]) -> list[Any]:
    return [what for _, what in sorted(found, key=itemgetter(0))]


def _function(found: FunctionDefinition) -> Any:
    parts = (*found.decorators, found.header, found.annotations)
    return found.label, [part.digest for part in parts], found.doc


def _class(found: ClassDefinition) -> Any:
    parts = (*found.decorators, found.head, found.annotations)
    inside = [
        *((each.part.line, _binding(each)) for each in found.bindings),
        *((each.part.line, _effect(each)) for each in found.effects),
    ]
    return found.name, [part.digest for part in parts], _in_order(inside), found.doc


def _effect(found: Effect) -> Any:
    return found.part.digest, *found[1:]


def _binding(found: Binding) -> Any:
    # A definition is told by what stands under its own name.
    is_definition = found.kind in ("function", "class")
    return (
        (found.name, found.kind, b"" if is_definition else found.part.digest),
        found[3:-1],
        _digest(found.condition),
    )


def _digest(part: Part | None) -> bytes:
    return b"" if part is None else part.digest
