"""Reflection: docstrings, annotations and source texts, which count where something reads them.

Owns which of them a closure counts. Refuses to say what reads them: `members` is asked.
"""

from typing import TYPE_CHECKING, NamedTuple

from hitsave.code.definition import ClassDefinition, FunctionDefinition
from hitsave.code.dependencies import Via
from hitsave.code.project import Module
from hitsave.code.symbol import Facet, Symbol
from hitsave.digest import digest_bytes, digest_parts

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

_DOC_READERS = ("__doc__", "getdoc")
_ANNOTATION_READERS = ("__annotations__", "get_type_hints", "get_annotations", "signature")
_CLASS_READERS = ("__annotations__", "get_type_hints", "get_annotations")
_SOURCE_READERS = ("getsource", "getsourcelines", "findsource", "getsourcefile", "getclosurevars")


class _Reflected(NamedTuple):
    definition: FunctionDefinition | ClassDefinition
    module: Module
    symbol: Symbol
    via: Via


class Reflection:
    """What the functions and classes of a closure say about themselves."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._functions: list[_Reflected] = []
        self._classes: list[_Reflected] = []

    def function(
        self, definition: FunctionDefinition, module: Module, symbol: Symbol, via: Via
    ) -> None:
        """Count docstring, annotations or whole source, once something reads such things."""
        entry = _Reflected(definition, module, symbol, via)
        self._functions.append(entry)
        for name in ("__doc__", "__annotations__", "getsource"):
            self._read_function(entry, name)

    def class_(self, definition: ClassDefinition, module: Module, symbol: Symbol, via: Via) -> None:
        """Count a class's docstring or annotations, once something reads such things."""
        entry = _Reflected(definition, module, symbol, via)
        self._classes.append(entry)
        for name in ("__doc__", "__annotations__"):
            self._read_class(entry, name)

    def extension(self, definition: FunctionDefinition, module: Module, via: Via) -> None:
        """Count how a method extends another: its decorators see its annotations when it is made.

        `functools.singledispatchmethod` tells by them which method is to run.
        """
        symbol = module.symbol(definition.label)
        parts = (*definition.decorators, definition.annotations)
        token = digest_parts("extension", [part.digest for part in parts])
        self._count(_Reflected(definition, module, symbol, via), "<decorators>", token)
        for part in parts:
            self._closure.follow(part, module, symbol)

    def read(self, name: str) -> None:
        """Reachable code reads docstrings, annotations or source by `name`."""
        for entry in tuple(self._classes):
            self._read_class(entry, name)
        for entry in tuple(self._functions):
            self._read_function(entry, name)

    def _read_class(self, entry: _Reflected, name: str) -> None:
        asked = self._closure.members.asked
        if name in _DOC_READERS and asked(*_DOC_READERS):
            self._count_doc(entry)
        elif name in _CLASS_READERS and asked(*_CLASS_READERS):
            self._count_annotations(entry)
            self._closure.follow(entry.definition.annotations, entry.module, entry.symbol)

    def _read_function(self, entry: _Reflected, name: str) -> None:
        asked, module = self._closure.members.asked, entry.module
        if name in _DOC_READERS and asked(*_DOC_READERS):
            self._count_doc(entry)
        elif name in _ANNOTATION_READERS and asked(*_ANNOTATION_READERS):
            self._count_annotations(entry)
            self._closure.follow(entry.definition.annotations, module, entry.symbol)
        elif name in _SOURCE_READERS and asked(*_SOURCE_READERS):
            content = digest_bytes(module.source.content)
            place = module.place()
            self._closure.count(module.symbol(""), Facet.CONTENT, content, place, entry.via)

    def _count_doc(self, entry: _Reflected) -> None:
        self._count(entry, "__doc__", entry.definition.doc)

    def _count_annotations(self, entry: _Reflected) -> None:
        self._count(entry, "__annotations__", entry.definition.annotations.digest)

    def _count(self, entry: _Reflected, name: str, digest: bytes) -> None:
        definition, symbol = entry.definition, entry.symbol
        place = entry.module.place(definition.first_line, definition.end_line)
        reflected = Symbol(symbol.module, f"{symbol.name}.{name}")
        self._closure.count(reflected, Facet.SHAPE, digest, place, entry.via)
