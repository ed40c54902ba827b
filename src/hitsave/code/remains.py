"""Remains: what earlier code read, and left behind in a value that does not show it.

A value that counts by its digest says all there is to say. One that counts by its definition (it
cannot be digested, changes with every call, or differs in every process) may hold what was read
from a file when its module was imported, or what a helper read in an earlier call. So what was read
by the statements and functions that make or extend it counts as well.

Owns which lines these are. Refuses to know what they read, which was observed.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hitsave.code.dependencies import Via
from hitsave.code.origin import definition_named
from hitsave.code.project import Module
from hitsave.code.symbol import Facet, Place, Symbol
from hitsave.raw import class_name

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

_HOLD_NOTHING = frozenset(
    {
        ("logging", "Logger"),
        ("logging", "RootLogger"),
        ("logging", "LoggerAdapter"),
        ("_thread", "lock"),
        ("_thread", "RLock"),
        ("threading", "Event"),
        ("threading", "Condition"),
        ("threading", "Semaphore"),
        ("threading", "BoundedSemaphore"),
        ("asyncio.locks", "Lock"),
        ("asyncio.locks", "Semaphore"),
    }
)
"""Types, by module and name, whose objects keep nothing that a program reads."""

_CACHED = "_lru_cache_wrapper"


def ask_for_remains(closure: "Closure") -> None:
    """Ask what was read for the values that count by their definitions."""
    if closure.reached is None or not closure.values.by_definition:
        return
    for symbol, place in Remains(closure).places():
        closure.reached.read_at(place, Via(symbol, "read for", place.line))


class Remains:
    """Where code stands that may put something into the values that count by their definitions."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._named_by: dict[Symbol, list[Symbol]] = {}
        for owner, found in closure.edges.items():
            for symbol in found:
                self._named_by.setdefault(symbol, []).append(owner)
        self._known: dict[Symbol, tuple[Place, ...]] = {}

    def places(self) -> list[tuple[Symbol, Place]]:
        """Return the places for each of these values."""
        return [
            (symbol, place)
            for symbol, value in self._closure.values.by_definition.items()
            if class_name(type(value)) not in _HOLD_NOTHING
            for place in self._places_for(symbol, value)
        ]

    def _places_for(self, symbol: Symbol, value: Any) -> Iterator[Place]:
        module = self._closure.modules.get(symbol.module)
        if module is None:
            return
        for binding in self._closure.values.bindings(symbol):
            if binding.kind == "value":
                yield module.place(binding.part.line, binding.part.end_line)
        yield from _functions_around(module, symbol.name.partition("[")[0])
        if class_name(type(value))[1] != _CACHED:
            held = self._closure.edges.get(symbol, ())
            for other in (*self._named_by.get(symbol, ()), *held):
                yield from self._places_of(other)

    def _places_of(self, symbol: Symbol) -> tuple[Place, ...]:
        """Where a function, a class or a statement for effect stands."""
        if symbol not in self._known:
            self._known[symbol] = tuple(self._find(symbol))
        return self._known[symbol]

    def _find(self, symbol: Symbol) -> Iterator[Place]:
        statement = self._closure.found.get((symbol, Facet.SHAPE))
        if statement is not None and symbol.name.startswith("<statement"):
            yield statement.place
        module = self._closure.modules.get(symbol.module)
        if module is None or module.record is None:
            return
        function = definition_named(module, symbol.name)
        if function is not None:
            yield module.place(function.first_line, function.end_line)
        for definition in module.record.classes.get(symbol.name, ()):
            yield module.place(definition.first_line, definition.end_line)


def _functions_around(module: Module, name: str) -> Iterator[Place]:
    """A function that became another object, or that a cell belongs to; all functions around it."""
    function = definition_named(module, name)
    if function is None or module.record is None:
        return
    for definitions in module.record.functions.values():
        for around in definitions:
            if around.first_line <= function.first_line <= around.end_line:
                yield module.place(around.first_line, around.end_line)
