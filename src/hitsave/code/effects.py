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

from hitsave.code.callgraph import (
    SETTER,
    CallGraph,
    Node,
    global_node,
    module_node,
    object_node,
    statement_node,
)
from hitsave.code.definition import STORED, Effect
from hitsave.code.dependencies import Via
from hitsave.code.pause import frames_of_threads
from hitsave.code.project import Module, Namespace
from hitsave.code.resolve import (
    ABSENT,
    ClassTarget,
    ExternalTarget,
    FunctionTarget,
    ObjectTarget,
    Target,
    ValueTarget,
)
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.wrapping import functions_in
from hitsave.digest import digest_parts

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

INERT = frozenset(
    "builtins sys warnings logging typing hitsave atexit gc faulthandler pprint traceback "
    "argparse unittest doctest pytest rich tqdm click typer asyncio contextlib functools "
    "abc enum dataclasses collections itertools operator types time importlib pkgutil "
    "multiprocessing signal threading concurrent subprocess shutil json csv pickle copyreg".split()
)
"""External modules whose functions, called at module level, change no later result."""

_SETTING = 1
"""The first bit of what a statement leads to: setters. The others are the globals, in order."""


class Touching(NamedTuple):
    """A statement for effect, or of a class, and what the names it touches lead to."""

    module: Module
    effect: Effect
    targets: tuple[Target, ...]
    is_class: bool = False


class Effects:
    """The statements for effect that a closure has to count."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._graph = CallGraph(closure.resolver, self._is_setter)
        self._extended: list[tuple[Symbol, Any]] = []
        self._leading: dict[Node, int] = {}
        self._called: frozenset[object] | None = None
        self._taken_in: set[str] = set()
        self._executed: list[Touching] = []
        self._pending: list[Touching] = []
        self._counted: list[Touching] = []

    def extended(self, symbol: Symbol, value: Any) -> None:
        """A global counts by its definition, so what extends it counts too."""
        self._extended.append((symbol, value))

    def collect(self) -> bool:
        """Count what applies; True where that led to anything new."""
        grown = False
        if self._called is None:
            # Before what statements call and what was seen to run, at import as well, is added.
            self._called = self._closure.so_far()
        self._take_in()
        self._search()
        for touching in self._executed:
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
        self._counted.append(touching)

    def count_order(self) -> None:
        """Count in which order, and how often, the statements of a module do something to a global.

        To be asked for at the end: only then is it known which globals there are.
        """
        rows: dict[tuple[str, Symbol], list[Touching]] = {}
        for touching in self._counted:
            module = touching.module
            for owner in self._may_extend(touching) or [module.symbol("")]:
                rows.setdefault((module.name, owner), []).append(touching)
        for (_, owner), row in rows.items():
            if len(row) > 1:
                self._count_row(owner, sorted(row, key=lambda each: each.effect.part.line))

    def _count_row(self, owner: Symbol, row: list[Touching]) -> None:
        module, parts = row[0].module, [touching.effect.part for touching in row]
        place = module.place(parts[0].line, parts[-1].end_line)
        token = digest_parts("in order", [part.digest for part in parts])
        symbol = module.symbol(f"<order for {owner}>")
        via = Via(owner, "is extended in this order by", parts[0].line)
        self._closure.count(symbol, Facet.SHAPE, token, place, via, (module, place))

    def _why(self, touching: Touching) -> tuple[Symbol, str] | None:
        for symbol in self._may_extend(touching):
            return symbol, "extends"
        effect = touching.effect
        if touching.is_class or effect.driver or not self._sets_external_state(touching):
            return None
        return touching.module.symbol(""), "sets state of external code in"

    def _may_extend(self, touching: Touching) -> list[Symbol]:
        """The globals that count by their definitions and that a statement may bind or fill."""
        bits = self._leading.get(statement_node(touching.effect), 0) >> _SETTING
        if not bits:
            return []
        return [symbol for place, (symbol, _) in enumerate(self._extended) if bits >> place & 1]

    def _search(self) -> None:
        """Find what leads to setters, and to the globals that count by their definitions."""
        groups: list[list[Node]] = [[SETTER]]
        for symbol, value in self._extended:
            held = [] if value is ABSENT else [object_node(value)]
            groups.append([global_node(symbol), module_node(symbol.module), *held])
        self._leading = self._graph.leading_to(groups, self._called or frozenset())

    # -- what statements touch ------------------------------------------------------------------

    def _take_in(self) -> None:
        """Take in the statements of modules that are new: those loaded, and those reached."""
        closure = self._closure
        loaded = (closure.resolver.view(module) for module in closure.project.loaded())
        reached = (module for module in closure.modules.values() if module.namespace is None)
        # What an evaluation loaded counts as in a process that has not loaded it: where reached.
        for module in (*(m for m in loaded if m.namespace is not None), *reached):
            if module.name not in self._taken_in:
                self._taken_in.add(module.name)
                self._statements_in(module)

    def _statements_in(self, module: Module) -> None:
        line = running_line(module.namespace)
        for touching in (*self._statements(module), *_class_statements(module)):
            effect = touching.effect
            (self._graph.add_class if touching.is_class else self._graph.add)(module, effect)
            is_pending = line is not None and effect.part.line >= line
            (self._pending if is_pending else self._executed).append(touching)

    def _statements(self, module: Module) -> Iterator[Touching]:
        for effect in module.record.effects if module.record else ():
            targets = tuple(self._graph.follow(module, names)[0] for names in effect.touches)
            yield Touching(module, effect, targets)

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

    # -- external state -------------------------------------------------------------------------

    def _sets_external_state(self, touching: Touching) -> bool:
        if self._leading.get(statement_node(touching.effect), 0) & _SETTING:
            return True
        if self._is_definition(touching) or any(map(self._is_code, touching.targets)):
            return False
        return any(
            self._is_external_state(target, names[-1] == STORED)
            for target, names in zip(touching.targets, touching.effect.touches, strict=True)
        )

    def _is_setter(self, target: Target, name: str) -> bool:
        is_outside = isinstance(target, ExternalTarget) or self._is_foreign_singleton(target)
        return is_outside and is_setter_name(name)

    def _is_foreign_singleton(self, target: Target) -> bool:
        """Whether a name is imported from outside: `os.environ`, a library's global settings."""
        if not isinstance(target, ValueTarget):
            return False
        resolver, (module, name, live) = self._closure.resolver, target
        bindings = module.bindings_of(name)
        if not bindings or any(binding.kind != "import" for binding in bindings):
            return False
        sources = [resolver.imported(module, b.level, b.module) for b in bindings]
        if any(resolver.project_module(source) is None for source in sources):
            return True
        return resolver.imported_outside(module, name, live) is not None

    def _is_code(self, target: Target) -> bool:
        """Whether a target is code of the project, or stands for it."""
        if isinstance(target, ValueTarget) and target.live is not ABSENT:
            inner = functions_in(target.live)[:1]
            return any(
                isinstance(self._closure.resolver.of_object(f), FunctionTarget) for f in inner
            )
        return isinstance(target, (FunctionTarget, ClassTarget))

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
            return isinstance(found, ObjectTarget) and self._is_foreign_singleton(target)
        return False


def _class_statements(module: Module) -> Iterator[Touching]:
    """The class statements of a module that have bases or keywords: these may execute something."""
    for name, definitions in module.record.classes.items() if module.record else ():
        for definition in definitions:
            head = definition.head
            touches = tuple(chain.names for chain in head.references.chains)
            if touches and "." not in name:
                part = head._replace(digest=digest_parts("class", [name.encode(), head.digest]))
                yield Touching(module, Effect(part, touches, False), (), True)


def is_setter_name(name: str) -> bool:
    """Whether a function of this name, called for its effect, sets state: a seed, an option."""
    return "seed" in name or name.startswith("set_") or name in ("setstate", "setlocale")


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
