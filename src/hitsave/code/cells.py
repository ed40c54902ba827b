"""Cells: what classes and functions hold beside their source.

Owns class-level bindings, closure cells, defaults and attributes of functions. Refuses to know by
what a value counts; `values` does.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hitsave.code.definition import Part
from hitsave.code.dependencies import Via
from hitsave.code.inert import is_inert
from hitsave.code.project import Module
from hitsave.code.resolve import (
    ABSENT,
    ClassTarget,
    ExternalTarget,
    FunctionTarget,
    name_of_external,
    symbol_of,
)
from hitsave.code.symbol import NOWHERE, Facet, Place, Symbol
from hitsave.code.values import Live, Read, declared_version
from hitsave.digest import digest_bytes, digest_parts
from hitsave.raw import mro_of, names_of_class

if TYPE_CHECKING:
    from hitsave.code.closure import Closure


class Cells:
    """What the classes and functions that a closure has reached hold."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._values = closure.values

    def reach_class_binding(self, target: ClassTarget, name: str, value: Any, via: Via) -> None:
        """Count a class-level binding that is no method."""
        module = target.module
        symbol = module.symbol(f"{target.name}.{name}")
        # One that its module has no longer is met by its source and by its objects, in any order.
        is_live = target.live is not None
        if is_inert(value) or not self._closure.once(("class binding", symbol, is_live)):
            return
        bindings = target.definition.bindings if target.definition is not None else ()
        parts = [binding.part for binding in bindings if binding.name == name]
        place = module.place(parts[-1].line, parts[-1].end_line) if parts else module.place()
        live, read = target.live, ABSENT
        if live is not None:
            read = Read(live, name)
        if value is not ABSENT and self._values.count_value(symbol, value, place, via, read):
            # The annotation of a field counts even where its value is the same.
            self._count_statement(symbol, parts, module, place, via, follow=False)
            return
        self._count_statement(symbol, parts, module, place, via, follow=True)
        # What no statement of the class binds was put there from outside.
        is_fixed = value is ABSENT or (bool(parts) and _is_fixed_member(value))
        self._values.note_definition(symbol, value, is_fixed=is_fixed)
        if value is not ABSENT:
            self._closure.add_inside(value, Via(symbol, "held by", 0))

    def _count_statement(
        self,
        symbol: Symbol,
        parts: list[Part],
        module: Module,
        place: Place,
        via: Via,
        *,
        follow: bool,
    ) -> None:
        if not parts:
            return
        token = digest_parts("definition", [part.digest for part in parts])
        self._closure.count(symbol, Facet.DEFINITION, token, place, via, (module, place))
        for part in parts if follow else ():
            self._closure.follow(part, module, symbol)

    def reach(
        self, owner: Symbol, name: str, value: Any, via: Via, read: Callable[[], Any]
    ) -> None:
        """Count what a function's closure cell, default or attribute holds, which `read` gives."""
        if is_inert(value):
            return
        symbol = Symbol(owner.module, f"{owner.name}[{name}]")
        target = self._closure.resolver.of_object(value)
        inner = symbol_of(target)
        if inner is not None and not isinstance(target, ExternalTarget):
            token = digest_bytes(str(inner).encode())
            self._closure.count(symbol, Facet.BINDING, token, NOWHERE, via)
            self._closure.functions.tell_apart(symbol, target, NOWHERE, via)
            self._closure.reach(target, Via(symbol, "captured by", 0))
        elif isinstance(target, ExternalTarget):
            token = digest_bytes(name_of_external(value).encode())
            self._closure.count(symbol, Facet.BINDING, token, NOWHERE, via)
        elif not self._values.count_value(symbol, value, NOWHERE, via, read):
            version = declared_version(value)
            if version is not None:
                token = digest_bytes(version.encode())
                self._closure.count(symbol, Facet.OPTION, token, NOWHERE, via)
            self._values.note_definition(symbol, value, is_fixed=_is_fixed_member(value))
            self._closure.add_inside(value, Via(symbol, "captured by", 0))

    def reach_attribute(self, target: FunctionTarget, name: str, via: Via) -> None:
        """Count an attribute that was set on a function."""
        owner = symbol_of(target)
        if target.live is None or owner is None:
            return
        attributes = vars(target.live)
        value, read = attributes.get(name, ABSENT), Read(target.live, name)
        self._closure.guard.watch_name(attributes, name, value)
        if value is not ABSENT:
            self.reach(owner, "." + name, value, via, read)
        else:
            # Once an evaluation has set it, it is state.
            symbol = Symbol(owner.module, f"{owner.name}[.{name}]")
            self._values.note(symbol, Live(b"", ABSENT, read))


def _is_fixed_member(value: Any) -> bool:
    """Whether what a class or a cell holds cannot be extended: it is absent, or a descriptor."""
    return value is ABSENT or any("__get__" in names_of_class(kind) for kind in mro_of(type(value)))
