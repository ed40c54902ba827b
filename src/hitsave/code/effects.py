"""Effects: statements executed at module level for what they change.

Owns which of them count: one that extends a global counting by its definition, and one that sets
the state of external code. Refuses driver code: what stands under `if __name__ == "__main__"`
counts only through the globals it changes.
"""

from collections.abc import Hashable, Iterator, Mapping, Set
from functools import reduce
from operator import or_
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
from hitsave.code.dependencies import Via
from hitsave.code.project import Module, Namespace
from hitsave.code.resolve import (
    ABSENT,
    ClassTarget,
    FunctionTarget,
    Resolver,
    Target,
    ValueTarget,
)
from hitsave.code.setting import is_external_state, is_setter, is_setter_name, stores_outside
from hitsave.code.statements import Statement, running_line, running_lines, statements_of
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.wrapping import functions_in
from hitsave.digest import digest_parts
from hitsave.lazy import lazy

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

_ANYTHING, _SETTING, _FIRST = 1, 2, 4
"""The bits of what a statement leads to: every object, setters, then the globals in order."""


class Effects:
    """The statements for effect that a closure has to count."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._graph: CallGraph | None = None
        self._extended: list[tuple[Symbol, Any]] = []
        self._searched = 0
        self._leading: dict[Node, int] = {}
        self._anyhow: dict[Node, int] = {}
        self._called: frozenset[object] = frozenset()
        self._loaded: tuple[Module, ...] = ()
        self._taken_in: set[str] = set()
        self._undecided: list[Statement] = []
        self._pending: list[Statement] = []
        self._counted: list[Statement] = []
        self._setting: dict[int, bool] = {}
        self._known_owners: dict[int, int] = {}

    def extended(self, symbol: Symbol, value: Any) -> None:
        """Something counts by its definition, so what extends it counts too."""
        self._extended.append((symbol, value))

    def collect(self) -> bool:
        """Count what applies; True where that led to anything new."""
        self._search(self._taking_in())
        executed, self._undecided = self._undecided, []
        for statement in executed:
            reason = self._why(statement)
            if reason is None:
                self._undecided.append(statement)
            elif self._closure.once(("effect", id(statement.effect))):
                self._count(statement, *reason)
        return len(self._undecided) < len(executed)

    def _count(self, statement: Statement, owner: Symbol, reason: str) -> None:
        module, part = statement.module, statement.effect.part
        place = module.place(part.line, part.end_line)
        symbol = module.symbol(f"<statement {part.digest.hex()[:8]}>")
        via = Via(owner, reason, part.line)
        self._closure.count(symbol, Facet.SHAPE, part.digest, place, via, (module, place))
        self._closure.follow(part, module, symbol)
        for name in statement.effect.defines:
            self._reach_defined(module, name, Via(symbol, "defined by", part.line))
        self._counted.append(statement)

    def _reach_defined(self, module: Module, name: str, via: Via) -> None:
        """Reach a function or class that a statement defines: what it does counts if that ran."""
        resolver = self._closure.resolver
        self._closure.reach(resolver.static_function(module, name), via)
        defined = resolver.static_class(module, name)
        if isinstance(defined, ClassTarget):
            live = self._closure.members.live_class(module, name)
            self._closure.reach(defined._replace(live=live), via)

    def _why(self, statement: Statement) -> tuple[Symbol, str] | None:
        for symbol in self._may_extend(statement):
            return symbol, "extends"
        if statement.is_class or statement.effect.driver or not self._sets_state(statement):
            return None
        return statement.module.symbol(""), "sets state of external code in"

    def _may_extend(self, statement: Statement) -> Iterator[Symbol]:
        """The globals that count by their definitions and that a statement may bind or fill."""
        bits = self._leads_to(statement)
        if bits & _ANYTHING:
            yield from (symbol for symbol, _ in self._extended)
            return
        yield from (self._extended[place][0] for place in _places(bits // _FIRST))

    def _leads_to(self, statement: Statement) -> int:
        defines = statement.is_class or statement.effect.defines
        leading = self._leading if defines else self._anyhow
        return leading.get(statement_node(statement), 0)

    # -- order ----------------------------------------------------------------------------------

    def _count_order(self) -> None:
        """Count in which order, and how often, statements do something to a global.

        Many globals are extended by the same statements: their order counts once, for the first.
        """
        rows: dict[str, list[tuple[Statement, int]]] = {}
        for statement in sorted(self._counted, key=lambda each: (each.module.name, each.line)):
            rows.setdefault(statement.module.name, []).append((statement, self._owners(statement)))
        for row in rows.values():
            module = row[0][0].module
            self._count_row(module.symbol(""), [each for each, owners in row if not owners])
            for alike in _told_apart({owners for _, owners in row}):
                own = [each for each, owners in row if owners & alike]
                self._count_row(self._first_of(alike), own)
        extended = {name: reduce(or_, (each for _, each in row)) for name, row in rows.items()}
        for alike in _told_apart(set(extended.values())):
            names = frozenset(name for name, owners in extended.items() if owners & alike)
            self._count_modules(self._first_of(alike), names)

    def _owners(self, statement: Statement) -> int:
        """The globals that a statement extends, as bits by their places; one for each symbol."""
        bits = self._leads_to(statement)
        known = self._known_owners.get(bits)
        if known is None:
            everything = (1 << len(self._extended)) - 1
            known = everything if bits & _ANYTHING else bits // _FIRST
            for again, first in self._repeated:
                if known & again:
                    known = (known | first) & ~again
            self._known_owners[bits] = known
        return known

    @lazy
    def _repeated(self) -> list[tuple[int, int]]:
        """The places of symbols that have an earlier place, with that."""
        places: dict[Symbol, int] = {}
        for place, (symbol, _) in enumerate(self._extended):
            places.setdefault(symbol, place)
        return [
            (1 << place, 1 << places[symbol])
            for place, (symbol, _) in enumerate(self._extended)
            if places[symbol] != place
        ]

    def _first_of(self, owners: int) -> Symbol:
        return min(self._extended[place][0] for place in _places(owners))

    def _count_row(self, owner: Symbol, row: list[Statement]) -> None:
        if len(row) < 2:
            return
        module, parts = row[0].module, [statement.effect.part for statement in row]
        place = module.place(parts[0].line, parts[-1].end_line)
        token = digest_parts("in order", [part.digest for part in parts])
        symbol = module.symbol(f"<order for {owner}>")
        via = Via(owner, "is extended in this order by", parts[0].line)
        self._closure.count(symbol, Facet.SHAPE, token, place, via, (module, place))

    def _count_modules(self, owner: Symbol, names: frozenset[str]) -> None:
        """Count in which order the modules were loaded that extend a global."""
        order = [module for module in self._loaded if module.name in names]
        if len(order) > 1:
            token = digest_parts("loaded", [module.name.encode() for module in order])
            symbol = Symbol(owner.module, f"<modules that extend {owner.name}>")
            via = Via(owner, "is extended in this order by modules", 0)
            self._closure.count(symbol, Facet.SHAPE, token, order[0].place(), via)

    # -- what statements lead to ----------------------------------------------------------------

    def _search(self, graph: CallGraph) -> None:
        """Find what leads to setters, and to what counts by its definition."""
        groups: dict[int, list[Node]] = {}
        if not self._searched:
            groups = {_ANYTHING: graph.anywhere(), _SETTING: [SETTER]}
        for place in range(self._searched, len(self._extended)):
            symbol, value = self._extended[place]
            held = [] if value is ABSENT else [object_node(value)]
            groups[_FIRST << place] = [global_node(symbol), module_node(symbol.module), *held]
        self._searched = len(self._extended)
        graph.leading_to(groups, self._called, self._leading)
        graph.leading_to(groups, frozenset(), self._anyhow)

    def _taking_in(self) -> CallGraph:
        """Take in the statements of modules that are new here; return the graph of all."""
        if self._graph is None:
            # Before what statements call and what was seen to run, at import too, is added to it.
            self._called = self._closure.so_far()
            lines = running_lines()
            shared = _shared_by(self._closure, lines)
            self._graph, self._loaded = (
                CallGraph(self._closure.resolver, shared.graph),
                shared.modules,
            )
            self._setting = shared.setting
            self._taken_in.update(module.name for module in shared.modules)
            for statement in shared.statements:
                line = lines.get(id(statement.module.namespace))
                is_pending = line is not None and statement.line >= line
                (self._pending if is_pending else self._undecided).append(statement)
        for module in tuple(self._closure.modules.values()):
            if module.namespace is None and module.name not in self._taken_in:
                self._taken_in.add(module.name)
                found = statements_of(module)
                self._graph.add(found)
                self._undecided += found
                # What was found with fewer statements is not all.
                self._searched, self._leading, self._anyhow = 0, {}, {}
        return self._graph

    def finish(self) -> None:
        """Count in which order statements count, and notice when one has run that has not yet."""
        self._count_order()
        for statement in self._pending:
            if self._why(statement) is not None:
                self._watch(statement.module.namespace, statement.line)
        # No more is asked for, and these are large.
        self._graph, self._called = None, frozenset()
        self._leading, self._anyhow = {}, {}

    def _watch(self, namespace: Namespace | None, line: int) -> None:
        def has_not_run() -> bool:
            now = running_line(namespace)
            return now is not None and now <= line

        self._closure.guard.watch(has_not_run)

    # -- external state -------------------------------------------------------------------------

    def _sets_state(self, statement: Statement) -> bool:
        if self._leading.get(statement_node(statement), 0) & (_ANYTHING | _SETTING):
            return True
        known = self._setting.get(id(statement.effect))
        if known is None:
            known = self._setting[id(statement.effect)] = self._sets_itself(statement)
        return known

    def _sets_itself(self, statement: Statement) -> bool:
        resolver, effect, module = self._closure.resolver, statement.effect, statement.module
        found = [resolver.chain(module, names) for names in effect.touches]
        if self._is_definition(statement) or any(self._is_code(target) for target, _ in found):
            return False
        stores = effect.part.references.stores
        return any(stores_outside(resolver, module, store) for store in stores) or any(
            is_setter(resolver, each, names[-1]) or is_external_state(resolver, each[0])
            for each, names in zip(found, effect.touches, strict=True)
        )

    def _is_code(self, target: Target) -> bool:
        """Whether a target is code of the project, or stands for it."""
        if isinstance(target, ValueTarget) and target.live is not ABSENT:
            inner = map(self._closure.resolver.of_object, functions_in(target.live)[:1])
            return any(isinstance(function, FunctionTarget) for function in inner)
        return isinstance(target, (FunctionTarget, ClassTarget))

    def _is_definition(self, statement: Statement) -> bool:
        """Whether a statement defines or binds something, rather than being there for effect."""
        effect, record = statement.effect, statement.module.record
        if not effect.part.references.chains or record is None:
            return True
        sets = any(is_setter_name(step) for names in effect.touches for step in names)
        return not sets and any(
            binding.part.line <= statement.line <= binding.part.end_line
            for bindings in record.bindings.values()
            for binding in bindings
        )


def _places(bits: int) -> Iterator[int]:
    """Yield the places of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _told_apart(sets: Set[int]) -> list[int]:
    """Part the bits of all `sets` into groups that no set tells apart."""
    groups = [reduce(or_, sets)] if any(sets) else []
    for each in sets:
        groups = [part for group in groups for part in (group & each, group & ~each) if part]
    return groups


class _Shared(NamedTuple):
    """What all closures share until another module is loaded, or one being executed goes on."""

    key: Hashable
    modules: tuple[Module, ...]
    statements: tuple[Statement, ...]
    graph: CallGraph
    setting: dict[int, bool]
    """Whether a statement sets external state itself, by its effect's id, once it was asked."""


def _shared_by(closure: "Closure", lines: Mapping[int, int]) -> _Shared:
    """The loaded modules, their statements, and what these lead to, as it was when first asked.

    What evaluations loaded counts as in a process that has not loaded it: where it is reached. What
    they did to objects is not looked at either.
    """
    seen = map(closure.resolver.view, closure.project.loaded())
    modules = tuple(module for module in seen if module.namespace is not None)
    namespaces = [id(module.namespace) for module in modules]
    told = zip(modules, namespaces, strict=True)
    key = tuple((m.name, m.source.content, number, lines.get(number)) for m, number in told)
    known: _Shared | None = closure.project.call_graph
    if known is None or known.key != key:
        graph = CallGraph(Resolver(closure.project, closure.options.hidden))
        statements = tuple(each for module in modules for each in statements_of(module))
        graph.add(statements)
        for module in modules:
            graph.look_into(module)
        known = closure.project.call_graph = _Shared(key, modules, statements, graph, {})
    return known
