"""Computed names: lookups whose name is not written in the source.

Owns how far `getattr`, `import_module`, `globals`, `eval`, `sys.modules` and `__subclasses__`
widen what is reachable: to everything the known part of the name admits.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hitsave.code.definition import Dynamic
from hitsave.code.dependencies import Via
from hitsave.code.names import LOADED_IMPORTERS, OWN_NAMES, UNSEEN_IMPORTERS
from hitsave.code.project import Module
from hitsave.code.reached import ANY_MODULE, Fact
from hitsave.code.resolve import FunctionTarget, MissingTarget, ModuleTarget, Target
from hitsave.code.symbol import NOWHERE, Facet, Symbol
from hitsave.digest import digest_bytes

if TYPE_CHECKING:
    from hitsave.code.closure import Closure


class Computed:
    """The computed names that a closure has met."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self.looks_among_loaded = False
        self._imports: dict[tuple[Dynamic, str], tuple[Module, Via]] = {}

    def follow(self, dynamic: Dynamic, module: Module, owner: Symbol) -> None:
        """Follow a computed lookup made by `owner` in `module`."""
        via = Via(owner, f"looked up by a computed name ({dynamic.kind}) in", dynamic.line)
        if dynamic.kind == "attribute":
            self._follow_attribute(dynamic, module, via)
        elif dynamic.kind == "namespace":
            self._closure.widen(owner, "it evaluates code; all of its module counts")
            self._closure.members.escape(module, via, every=True)
            function = self._subject(dynamic.target, module, via)
            if isinstance(function, FunctionTarget):
                self._closure.members.escape(function.module, via, every=True)
        elif dynamic.kind == "subclasses":
            self._closure.members.follow_subclasses = True
        elif dynamic.kind == "modules":
            self._follow_loaded(dynamic, module, via)
        elif dynamic.kind == "loaded":
            self._count_loaded(dynamic, module, via)
        else:
            self._imports.setdefault((dynamic, module.name), (module, via))

    def collect(self) -> bool:
        """Follow the computed imports; True where there were any.

        Where it was observed which modules they led to, those count and no others; but some
        importers may have led to any that was loaded before.
        """
        is_observed, asked = self._is_observed(), self._closure.members.asked
        if not self._imports or (is_observed and not asked(*LOADED_IMPORTERS)):
            return False
        follow = self._follow_loaded if is_observed else self._follow_import
        pending, self._imports = self._imports, {}
        for (dynamic, _), (module, via) in pending.items():
            follow(dynamic, module, via)
        return True

    def _is_observed(self) -> bool:
        reached = self._closure.reached
        if reached is None or reached.has_fact(Fact(Facet.IMPORT, ANY_MODULE)):
            return False
        return not self._closure.members.asked(*UNSEEN_IMPORTERS)

    def _follow_attribute(self, dynamic: Dynamic, module: Module, via: Via) -> None:
        target = self._subject(dynamic.target, module, via)
        if isinstance(target, ModuleTarget):
            self._closure.visit_module(target.module, via)
            self._closure.members.count_names(target.module, dynamic, via)
        else:
            self._closure.reach(target, via)
            self._closure.members.ask_pattern(dynamic)

    def _subject(self, chain: tuple[str, ...], module: Module, via: Via) -> Target:
        """The object that a name is asked of, where a chain of names leads to it."""
        if not chain:
            return MissingTarget("")
        target = self._closure.look_up(module, chain[0], via)
        for name in chain[1:]:
            if not isinstance(target, ModuleTarget):
                self._closure.members.ask(name)
                self._closure.reach(target, via)
                return MissingTarget("")
            target = self._closure.module_attribute(target.module, name, via)
        return target

    def _follow_loaded(self, dynamic: Dynamic, module: Module, via: Via) -> None:
        """Follow a lookup among the modules that are loaded."""
        self.looks_among_loaded = True
        for loaded in self._loaded(self._wanted(dynamic, module)):
            self._closure.members.escape(loaded, via)

    def _count_loaded(self, dynamic: Dynamic, module: Module, via: Via) -> None:
        """Count which modules are loaded, of those that were asked for."""
        wanted = self._wanted(dynamic, module)

        def names() -> list[str]:
            return sorted(loaded.source.module for loaded in self._loaded(wanted))

        now = names()
        token = digest_bytes("\n".join(now).encode())
        symbol = Symbol(f"{wanted.prefix}*{wanted.suffix}", "<loaded>")
        self._closure.count(symbol, Facet.SHAPE, token, NOWHERE, via)
        self._closure.guard.watch(lambda: names() == now)

    def _wanted(self, dynamic: Dynamic, module: Module) -> Dynamic:
        return dynamic._replace(prefix=self._absolute(dynamic.prefix, module))

    def _loaded(self, wanted: Dynamic) -> Iterator[Module]:
        """Yield the loaded modules that are meant."""
        hidden = self._closure.options.hidden
        for loaded in self._closure.project.loaded():
            # What evaluations loaded, a later process begins without: see `facts`.
            if wanted.admits(loaded.source.module) and loaded.source.module not in hidden:
                yield loaded

    def _follow_import(self, dynamic: Dynamic, module: Module, via: Via) -> None:
        """Count which modules there are that a computed import can mean, and follow them all."""
        closure = self._closure
        prefix = self._absolute(dynamic.prefix, module)
        names = closure.project.modules_like(prefix, dynamic.suffix)
        symbol = Symbol(f"{prefix}*{dynamic.suffix}", "")
        token = digest_bytes("\n".join(names).encode())
        closure.count(symbol, Facet.SHAPE, token, NOWHERE, via)
        closure.guard.watch_listing(prefix, dynamic.suffix, names)
        for name in names:
            found = closure.resolver.project_module(name)
            closure.watch_module(name)
            if found is not None:
                closure.members.escape(found, Via(symbol, "matched by", 0))

    def _absolute(self, prefix: str, module: Module) -> str:
        prefix = own_names(prefix, module)
        if not prefix.startswith("."):
            return prefix
        level = len(prefix) - len(prefix.lstrip("."))
        package = self._closure.resolver.imported(module, level, "")
        return f"{package}.{prefix[level:]}"


def own_names(text: str, module: Module) -> str:
    """Put a module's own name and package in where a pattern or name refers to them."""
    own, package = OWN_NAMES["__name__"], OWN_NAMES["__package__"]
    return text.replace(own, module.source.module).replace(package, module.package)
