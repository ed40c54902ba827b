"""Collecting: the references that one part of a module makes.

Owns which names lead out of the scopes they are read in, and which of them look something up by a
computed name. Refuses to resolve across modules: the record of a source knows no other.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from hitsave.code.definition import (
    NOTHING,
    Chain,
    Dynamic,
    ImportReference,
    Key,
    References,
    Store,
)
from hitsave.code.names import (
    ACCESSORS,
    ATTRIBUTE_BUILTINS,
    GETTERS,
    IMPORTERS,
    LISTING_BUILTINS,
    LOADED,
    LOADED_IMPORTERS,
    MODULE_GETTERS,
    NAMESPACE_BUILTINS,
    NOTABLE,
    REFLECTION,
    SPECIAL_STEPS,
    SYS,
    TEXT_BUILTINS,
    UNSEEN_IMPORTERS,
    Names,
    Pattern,
    is_builtin,
    is_encodable,
)

if TYPE_CHECKING:  # with `ast`, which starting does not need
    from hitsave.code.scope import Scope


_OF_OWNER = frozenset({"__dict__", "__globals__", "__getattribute__", "__getattr__"})
"""Steps that give access to what is the owner's, or to what stands around it."""


class Collector:
    """The references of one part, read within `scopes`."""

    def __init__(self, scopes: "tuple[Scope, ...]", aliases: dict[str, Names]) -> None:
        self.scopes = scopes
        classes = [scope.class_name for scope in scopes if scope.is_class]
        self._private = "_" + classes[-1].lstrip("_") if classes else ""
        self._aliases = aliases
        self._chains: dict[tuple[Names, tuple[Key, ...]], Chain] = {}
        self._has_items = False
        self._imports: dict[tuple[int, str, Names], ImportReference] = {}
        self._attributes: dict[str, int] = {}
        self._dynamics: dict[tuple[object, ...], Dynamic] = {}
        self._stores: dict[Store, None] = {}
        self._settled: dict[str, bool] = {}

    def references(self) -> References:
        """Everything collected so far."""
        if not (self._chains or self._attributes or self._imports or self._dynamics):
            return NOTHING  # a store reads what it stores into
        return References(
            self._whole_or_items() if self._has_items else tuple(self._chains.values()),
            tuple(self._imports.values()),
            tuple(self._attributes.items()),
            tuple(self._dynamics.values()),
            tuple(self._stores),
        )

    def absorb(self, references: References) -> None:
        """Count what a nested definition refers to as referred to here."""
        for names, line, opaque, keys in references.chains:
            self.add_chain(names, line, opaque, keys)
        for reference in references.imports:
            self._imports.setdefault(reference[:3], reference)
        for name, line in references.attributes:
            self._attributes.setdefault(name, line)
        for dynamic in references.dynamics:
            self._dynamics.setdefault(dynamic[:4], dynamic)
        self._stores.update(dict.fromkeys(references.stores))

    def enter(self, scope: "Scope") -> None:
        """Read on in an inner scope."""
        self.scopes = (*self.scopes, scope)
        self._settled = {}

    def leave(self) -> None:
        """Read on in the scope around the one entered last."""
        self.scopes = self.scopes[:-1]
        self._settled = {}

    # -- names ----------------------------------------------------------------------------------

    def refer(self, names: Names, line: int, opaque: bool = True, quiet: bool = False) -> bool:
        """Note a reference to a chain; False where its root is a local object.

        `quiet`: what it looks up by name is understood already.
        """
        root = names[0]
        is_bare = opaque and not quiet and len(names) == 1
        if is_bare and root in self._settled:
            return self._settled[root]
        found = self._refer(names, line, opaque)
        if found and not quiet:
            self._note(names, line)
        if is_bare:
            self._settled[root] = found
        return found

    def _refer(self, names: Names, line: int, opaque: bool) -> bool:
        scope = self._binder(names[0])
        if scope is None:
            self.add_chain((self._mangled(names[0]), *names[1:]), line, opaque)
            return True
        if scope.is_class:
            # Until the class body has bound it, the name means the global.
            self._attributes.setdefault(names[0], line)
            self.add_chain(names, line, opaque)
            return True
        targets = scope.import_targets(names[0])
        for target in targets:
            first = (target.attribute,) if target.attribute else ()
            self.add_import(target.level, target.module, first + names[1:], line)
        return bool(targets)

    def _mangled(self, name: str) -> str:
        """What a name means inside a class, where `__name` is private to it."""
        is_private = name.startswith("__") and not name.endswith("__")
        return self._private + name if is_private and self._private else name

    def _binder(self, name: str) -> "Scope | None":
        """The scope that binds `name` as read here; None where it is a global."""
        innermost = len(self.scopes) - 1
        for position in range(innermost, -1, -1):
            scope = self.scopes[position]
            if scope.is_class and position != innermost:
                continue
            if name in scope.declared_global:
                return None
            if scope.binds(name):
                return scope
        return None

    def is_global(self, name: str) -> bool:
        """Whether `name` is not bound by the scopes here."""
        return self._binder(name) is None

    def leads_out(self, name: str) -> bool:
        """Whether `name` is a global, or bound by an import here, and no local object."""
        scope = self._binder(name)
        return scope is None or scope.is_class or bool(scope.import_targets(name))

    def refer_item(
        self, names: Names, keys: tuple[Key, ...], line: int, opaque: bool = True
    ) -> bool:
        """Note that one item is read of what a chain gives; False where it is no plain global."""
        if self._binder(names[0]) is not None or not NOTABLE.isdisjoint(self.meaning(names)):
            return False
        self.add_chain((self._mangled(names[0]), *names[1:]), line, opaque, keys)
        return True

    def add_chain(
        self, names: Names, line: int, opaque: bool = True, keys: tuple[Key, ...] = ()
    ) -> None:
        """Note a reference to a global."""
        self._has_items = self._has_items or bool(keys)
        known = self._chains.get((names, keys))
        if known is None:
            self._chains[names, keys] = Chain(names, line, opaque, keys)
        elif opaque and not known.opaque:
            self._chains[names, keys] = known._replace(opaque=True)

    def _whole_or_items(self) -> tuple[Chain, ...]:
        """The chains, without the items of what is also used as a whole."""
        whole = {
            chain.names[:length]
            for chain in self._chains.values()
            if not chain.keys
            for length in range(1, len(chain.names) + 1)
        }
        found: dict[tuple[Names, tuple[Key, ...]], Chain] = {}
        for chain in self._chains.values():
            kept = chain._replace(keys=()) if chain.container in whole else chain
            known = found.setdefault((kept.names, kept.keys), kept)
            if kept.opaque and not known.opaque:
                found[kept.names, kept.keys] = known._replace(opaque=True)
        return tuple(found.values())

    def add_import(self, level: int, module: str, attributes: Names, line: int) -> None:
        """Note that a module is imported, and what of it is read."""
        key = (level, module, attributes)
        self._imports.setdefault(key, ImportReference(*key, line))

    def store(self, names: Names, attribute: str) -> None:
        """Note that an attribute or item is set of what a chain leads to."""
        scope = self._binder(names[0])
        if scope is None:
            self._stores[Store(0, "", (self._mangled(names[0]), *names[1:]), attribute)] = None
            return
        for target in scope.import_targets(names[0]):
            first = (target.attribute,) if target.attribute else ()
            self._stores[Store(target.level, target.module, first + names[1:], attribute)] = None

    def mention(self, words: Iterable[str], line: int) -> None:
        """Note names that a library may look up in the frame that calls it."""
        for word in sorted(words):
            if self.is_global(word):
                self.add_chain((word,), line)

    # -- attributes and computed names ----------------------------------------------------------

    def ask(self, name: str, line: int, owner: Names = ()) -> None:
        """Note that an object is asked for an attribute."""
        if not is_encodable(name):
            self.look_up("attribute", owner, ("", ""), line)
            return
        self._attributes.setdefault(name, line)
        if name.startswith("__"):
            self._attributes.setdefault(self._mangled(name), line)
        kind = SPECIAL_STEPS.get(name)
        if kind is not None:
            self.look_up(kind, owner if name in _OF_OWNER else (), ("", ""), line)

    def look_up(self, kind: str, target: Names, pattern: tuple[str, str], line: int) -> None:
        """Note a lookup by a computed name."""
        key = (kind, target, *pattern)
        dynamic = self._dynamics.setdefault(key, Dynamic(*key, line))
        if target and self.meaning(target) == SYS and dynamic.admits(LOADED[-1]):
            self.look_up("modules", (), ("", ""), line)

    def look_up_attribute(self, owner: Names, pattern: Pattern, line: int) -> None:
        """Note that an attribute whose name is known in whole or in part is asked for."""
        if isinstance(pattern, tuple):
            self.look_up("attribute", owner, pattern, line)
            return
        steps = tuple(pattern.split("."))
        if owner:
            self.add_chain(owner + steps, line)
        for position, step in enumerate(steps):
            self.ask(step, line, owner + steps[:position] if owner else ())

    def look_up_module(self, pattern: Pattern, line: int, importer: str = "") -> None:
        """Note that a module whose name is known in whole or in part is imported."""
        if isinstance(pattern, tuple):
            self.look_up("import", (), pattern, line)
            if importer in UNSEEN_IMPORTERS | LOADED_IMPORTERS:
                self.ask(importer, line)
            return
        pattern, _, attribute = pattern.partition(":")
        level = len(pattern) - len(pattern.lstrip("."))
        self.add_import(level, pattern[level:], tuple(filter(None, attribute.split("."))), line)

    def meaning(self, names: Names) -> Names:
        """What a chain means where an import gave its root another name."""
        alias = self._aliases.get(names[0])
        return names if alias is None else alias + names[1:]

    def _note(self, names: Names, line: int) -> None:
        """Note what a chain looks up by being used otherwise than in an understood call."""
        meaning = self.meaning(names)
        if NOTABLE.isdisjoint(meaning) and meaning != SYS:
            return
        for position, name in enumerate(names[1:], 1):
            if name in REFLECTION or name in SPECIAL_STEPS:
                self.ask(name, line, names[:position])
        last = meaning[-1]
        if last in REFLECTION or last in ACCESSORS:
            self._attributes.setdefault(last, line)  # whoever holds it may call it later
        if is_builtin(meaning, NAMESPACE_BUILTINS):
            self.look_up("namespace", (), ("", ""), line)
            if last in TEXT_BUILTINS:
                self.look_up("attribute", (), ("", ""), line)
        elif last in GETTERS or is_builtin(meaning, ATTRIBUTE_BUILTINS | LISTING_BUILTINS):
            self.look_up("attribute", (), ("", ""), line)
        elif last in IMPORTERS:
            self.look_up_module(("", ""), line, last)
        elif last in MODULE_GETTERS or meaning == SYS or LOADED in pairwise(meaning):
            self.look_up("modules", (), ("", ""), line)
