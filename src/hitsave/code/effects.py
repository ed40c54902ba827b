"""Effects: statements executed at module level for what they change.

Owns which of them count: one that extends a global counting by its definition, and one that sets
the state of external code. Refuses driver code: what stands under `if __name__ == "__main__"`
counts only through the globals it changes.
"""

import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.definition import STORED, Chain, Effect, FunctionDefinition
from hitsave.code.dependencies import Via
from hitsave.code.pause import frames_of_threads
from hitsave.code.project import Module, Namespace
from hitsave.code.resolve import (
    ABSENT,
    ClassTarget,
    ExternalTarget,
    FunctionTarget,
    ModuleTarget,
    ObjectTarget,
    Target,
    ValueTarget,
    symbol_of,
)
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.wrapping import functions_in

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

INERT = frozenset(
    "builtins sys warnings logging typing hitsave atexit gc faulthandler pprint traceback "
    "argparse unittest doctest pytest rich tqdm click typer asyncio contextlib functools "
    "abc enum dataclasses collections itertools operator types time importlib pkgutil "
    "multiprocessing signal threading concurrent subprocess shutil json csv pickle copyreg".split()
)
"""External modules whose functions, called at module level, change no later result."""

_LOADED_MODULES = ("sys", "modules")
"""Where a statement finds any module without naming it."""


class Touching(NamedTuple):
    """An effect, what it touches, and the ids and symbols of the globals it may extend.

    Any global of `modules` may be one: something is done to these modules themselves.
    """

    module: Module
    effect: Effect
    targets: tuple[Target, ...]
    objects: frozenset[int]
    symbols: frozenset[Symbol]
    modules: frozenset[str]

    @property
    def finds_any(self) -> bool:
        """Whether any module may be found by the statement, in the table of loaded ones."""
        return any(names[:2] == _LOADED_MODULES for names in self.effect.touches)


class Effects:
    """The statements for effect that a closure has to count."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._extended: dict[Symbol, Any] = {}
        self._extended_ids: dict[int, Symbol] = {}
        self._extended_modules: dict[str, Symbol] = {}
        self._touching: list[Touching] | None = None
        self._pending: list[Touching] = []
        self._reads: dict[Symbol, frozenset[int]] = {}
        self._setters: dict[Symbol, bool] = {}

    def extended(self, symbol: Symbol, value: Any) -> None:
        """A global counts by its definition, so what extends it counts too."""
        self._extended[symbol] = value
        self._extended_ids.setdefault(id(value), symbol)
        self._extended_modules.setdefault(symbol.module, symbol)

    def collect(self) -> bool:
        """Count what applies; True where that led to anything new."""
        grown = False
        for touching in self._all():
            reason = self._why(touching)
            if reason is not None and self._closure.once(("effect", id(touching.effect))):
                grown = True
                self._count(touching, *reason)
        return grown

    def _count(self, touching: Touching, owner: Symbol, reason: str) -> None:
        module, part = touching.module, touching.effect.part
        place = module.place(part.line, part.end_line)
        symbol = module.symbol(f"<statement {part.digest.hex()[:8]}>")
        via = Via(owner, reason, part.line)
        self._closure.count(symbol, Facet.SHAPE, part.digest, place, via, (module, place))
        self._closure.follow(part, module, symbol)

    def _why(self, touching: Touching) -> tuple[Symbol, str] | None:
        for symbol in self._may_extend(touching):
            return symbol, "extends"
        if touching.effect.driver or not self._sets_external_state(touching):
            return None
        return touching.module.symbol(""), "sets state of external code in"

    def _may_extend(self, touching: Touching) -> Iterator[Symbol]:
        """The globals that count by their definitions and that a statement may bind or fill."""
        yield from (symbol for symbol in touching.symbols if symbol in self._extended)
        for identity in touching.objects & self._extended_ids.keys():
            yield self._extended_ids[identity]
        for module in touching.modules & self._extended_modules.keys():
            yield self._extended_modules[module]
        if self._extended and touching.finds_any:
            yield next(iter(self._extended))

    # -- what statements touch ------------------------------------------------------------------

    def _all(self) -> list[Touching]:
        if self._touching is None:
            self._touching = []
            for module in (*self._closure.project.loaded(), *self._unloaded()):
                self._touching.extend(self._touching_in(self._closure.resolver.view(module)))
        return self._touching

    def _unloaded(self) -> list[Module]:
        return [m for m in self._closure.modules.values() if m.namespace is None]

    def _touching_in(self, module: Module) -> list[Touching]:
        if module.record is None or not module.record.effects:
            return []
        line = running_line(module.namespace)
        found = []
        for effect in module.record.effects:
            targets = tuple(self._resolve(module, names) for names in effect.touches)
            touching = Touching(module, effect, targets, *self._extendable(targets))
            if line is not None and effect.part.line >= line:
                self._pending.append(touching)
            else:
                found.append(touching)
        return found

    def watch_pending(self) -> None:
        """Notice when a statement that would count, but has not run yet, has run."""
        for touching in self._pending:
            if self._why(touching) is not None:
                self._watch(touching.module.namespace, touching.effect.part.line)

    def _watch(self, namespace: Namespace | None, line: int) -> None:
        def has_not_run() -> bool:
            now = running_line(namespace)
            return now is not None and now <= line

        self._closure.guard.watch(has_not_run)

    def _resolve(self, module: Module, names: tuple[str, ...]) -> Target:
        target = self._closure.resolver.name(module, names[0])
        for name in names[1:]:
            if not isinstance(target, ModuleTarget) or name == "__dict__":
                break
            target = self._closure.resolver.name(target.module, name)
        return target

    # -- extending ------------------------------------------------------------------------------

    def _extendable(
        self, targets: tuple[Target, ...]
    ) -> tuple[frozenset[int], frozenset[Symbol], frozenset[str]]:
        """The globals that a statement touching `targets` may extend, itself or by a call.

        By the ids of what they hold, by their symbols, and by their modules.
        """
        objects: set[int] = set()
        symbols, modules = set(), set()
        for target in targets:
            if isinstance(target, ModuleTarget):
                modules.add(target.module.name)
            if isinstance(target, ValueTarget):
                if target.live is ABSENT:
                    symbols.add(target.module.symbol(target.name))
                else:
                    objects.add(id(target.live))
            function = self._function(target)
            if function is not None:
                objects |= self._read_by(function, depth=3)
        return frozenset(objects), frozenset(symbols), frozenset(modules)

    def _function(self, target: Target) -> FunctionTarget | None:
        if isinstance(target, ValueTarget) and target.live is not ABSENT:
            for inner in functions_in(target.live)[:1]:
                target = self._closure.resolver.of_object(inner)
        return target if isinstance(target, FunctionTarget) else None

    def _read_by(self, target: FunctionTarget, depth: int) -> frozenset[int]:
        """The ids of the global objects that a function, and what it calls, names.

        Not through functions that are reachable themselves: calling those is an evaluation.
        """
        symbol = symbol_of(target)
        if symbol is None or not depth or self._closure.has(symbol):
            return frozenset()
        known = self._reads.get(symbol)
        if known is not None:
            return known
        self._reads[symbol] = frozenset()
        found: set[int] = set()
        for definition in target.definitions:
            for chain in _chains_of(definition):
                inner = self._resolve(target.module, chain.names)
                if isinstance(inner, ValueTarget) and inner.live is not ABSENT:
                    found.add(id(inner.live))
                elif isinstance(inner, FunctionTarget):
                    found |= self._read_by(inner, depth - 1)
        self._reads[symbol] = frozenset(found)
        return self._reads[symbol]

    # -- external state -------------------------------------------------------------------------

    def _sets_external_state(self, touching: Touching) -> bool:
        functions = [self._function(target) for target in touching.targets]
        called = [function for function in functions if function is not None]
        if any(self._sets_inside(function, depth=3) for function in called):
            return True
        calls_project = called or any(isinstance(t, ClassTarget) for t in touching.targets)
        if calls_project or self._is_definition(touching):
            return False
        return any(
            self._is_external_state(target, names[-1] == STORED)
            for target, names in zip(touching.targets, touching.effect.touches, strict=True)
        )

    def _sets_inside(self, target: FunctionTarget, depth: int) -> bool:
        """Whether a function that is not itself reachable calls a setter of external state."""
        symbol = symbol_of(target)
        if symbol is None or not depth or self._closure.has(symbol):
            return False
        known = self._setters.get(symbol)
        if known is None:
            self._setters[symbol] = False
            known = self._setters[symbol] = any(
                self._is_setter(self._resolve(target.module, chain.names), chain.names[-1], depth)
                for definition in target.definitions
                for chain in _chains_of(definition)
            )
        return known

    def _is_setter(self, target: Target, name: str, depth: int) -> bool:
        if isinstance(target, FunctionTarget):
            return self._sets_inside(target, depth - 1)
        is_outside = isinstance(target, ExternalTarget) or _is_foreign_singleton(target)
        return is_outside and is_setter_name(name)

    def _is_definition(self, touching: Touching) -> bool:
        """Whether the statement defines or binds something, rather than being there for effect."""
        if not touching.effect.part.references.chains:
            return True
        record = touching.module.record
        line = touching.effect.part.line
        if record is None:
            return True
        sets = any(is_setter_name(step) for chain in touching.effect.touches for step in chain)
        return not sets and any(
            binding.part.line <= line <= binding.part.end_line
            for bindings in record.bindings.values()
            for binding in bindings
        )

    def _is_external_state(self, target: Target, is_stored: bool) -> bool:
        if isinstance(target, ExternalTarget):
            top = target.module.partition(".")[0]
            return top not in INERT or (is_stored and top not in ("sys", "warnings", "logging"))
        if isinstance(target, ValueTarget) and target.live is not ABSENT:
            found = self._closure.resolver.of_object(target.live)
            return isinstance(found, ObjectTarget) and _is_foreign_singleton(target)
        return False


def _chains_of(definition: FunctionDefinition) -> Iterator[Chain]:
    """What calling a function may lead to: a default may be the very table that it fills."""
    yield from definition.body.references.chains
    yield from definition.header.references.chains


def is_setter_name(name: str) -> bool:
    """Whether a function of this name, called for its effect, sets state: a seed, an option."""
    return "seed" in name or name.startswith("set_") or name in ("setstate", "setlocale")


def _is_foreign_singleton(target: Target) -> bool:
    """Whether a name is imported from outside: `os.environ`, a library's global settings."""
    if not isinstance(target, ValueTarget):
        return False
    record = target.module.record
    bindings = record.bindings.get(target.name, ()) if record else ()
    return bool(bindings) and all(binding.kind == "import" for binding in bindings)


def running_line(namespace: Namespace | None) -> int | None:
    """Return the line at which a module is being executed; None where it is not, or is done.

    Looks at this thread and at the main one, which executes the program's own module.
    """
    if namespace is None:
        return None
    main = frames_of_threads().get(threading.main_thread().ident or 0)
    for frame in (sys._getframe(1), main):
        line = _module_line(frame, namespace)
        if line is not None:
            return line
    return None


def _module_line(frame: FrameType | None, namespace: Namespace) -> int | None:
    while frame is not None:
        if frame.f_globals is namespace and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return None
