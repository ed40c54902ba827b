"""Evaluations: what is observed while a memoised function runs.

Owns the list of evaluations under way, and turning what was observed of one into a witness for the
tracker. Refuses to observe (`observe` does) and to decide what counts (`code` does).
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

from hitsave import observe
from hitsave.code.bytecode import code_references
from hitsave.code.definition import FunctionDefinition
from hitsave.code.dependencies import Via
from hitsave.code.facts import fact_name
from hitsave.code.live import Codes, codes_of
from hitsave.code.project import Module, Started
from hitsave.code.reached import ANY_HEADER, ANY_MODULE, DependencySet, Fact, Witness
from hitsave.code.resolve import FunctionTarget, Resolver, definition_name
from hitsave.code.surroundings import NOTHING, content_digest
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.tracker import Tracked
from hitsave.code.wrapping import functions_in
from hitsave.digest import Digest, digest_bytes, digest_parts
from hitsave.events import Widened, emit
from hitsave.memo.around import under_way
from hitsave.memo.history import Facts, history_of, readings_in
from hitsave.session import Session

if TYPE_CHECKING:
    from hitsave.memo.call import Call

ANONYMOUS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
"""Code objects that are parts of the function around them."""


class Evaluation:
    """One run of a memoised function, observed from its beginning to `end`."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._project = call.session.project
        self._nested: dict[bytes, tuple[str, DependencySet, Tracked]] = {}
        self.thread = threading.get_ident()
        self.nested_calls: list[Any] | None = []
        """The memoised calls made, for `cutoff`; None where they cannot be followed."""
        self._observation = observe.begin(self._project.boundary.is_project)
        under_way.append(self)

    def end(self) -> None:
        """Observe no more."""
        if self in under_way:
            under_way.remove(self)
        self._observation.end()

    def note_hit(self, symbol: str, among: DependencySet, tracked: Tracked) -> None:
        """A memoised function called inside had a recorded result: what that depended on counts."""
        self._nested.setdefault(tracked.digest, (symbol, among, tracked))

    @property
    def snapped(self) -> tuple[Digest, ...]:
        """The snapshots that were taken, whether the result holds them or only leads to them."""
        return self._observation.end().snapped

    def settle(self) -> tuple[Tracked, DependencySet]:
        """Return what this evaluation depended on, and the closure to record it under."""
        self.end()
        with self._call.session.tracker.standing_still():
            return self._settled()

    def _settled(self) -> tuple[Tracked, DependencySet]:
        call, observed = self._call, self._observation.end()
        facts = self._facts(observed)
        roots = self._roots(observed, facts)
        history = history_of(call.session)
        history.note(roots)
        found, left = self._found(observed, roots, facts)
        while history.add_to(found.functions, roots):
            found, left = self._found(observed, roots, facts)
        facts = _united(facts, left)
        chosen = call.known.choose(found)
        digests = {fact: digest for fact, (digest, _) in facts.items() if fact.facet in _KEPT}
        tracker = call.session.tracker
        tracked = tracker.track_as_of(call.roots, call.memo.declared, chosen, digests)
        asked = {(Symbol(fact.name, ""), fact.facet): via for fact, (_, via) in facts.items()}
        tracked.explain(roots, asked)
        return tracked, chosen

    def _found(
        self, observed: observe.Observed, roots: dict[Symbol, Via], facts: Facts
    ) -> tuple[DependencySet, Facts]:
        """What the evaluation depended on, and what of that was read before it."""
        call = self._call
        has_run, headers = self._has_run(observed), self._headers(observed)
        witness = Witness(roots, facts, has_run, headers, readings_in(call.session))
        executed = frozenset(self._executed(observed))
        tracker, declared = call.session.tracker, call.memo.declared
        settled = tracker.settle(call.before, call.roots, declared, witness, executed, call.moment)
        return settled.dependency_set, settled.witness.left

    # -- functions ------------------------------------------------------------------------------

    def _roots(self, observed: observe.Observed, facts: Facts) -> dict[Symbol, Via]:
        """The functions that ran, or that a recorded result inside depended on."""
        roots = dict.fromkeys(self._own_symbols(), Via(Symbol("", ""), "the call", 0))
        for started, caller in observed.started.items():
            via = self._via("ran during the call, called from", caller)
            symbols = self._symbols_of(Started(*started))
            if symbols is None:
                name = fact_name(self._project.boundary.root, started.path)
                facts.setdefault(Fact(Facet.FILE, name), (content_digest(started.path), via))
            for symbol in symbols or ():
                roots.setdefault(symbol, via)
        for inner, among, _ in self._nested.values():
            via = Via(Symbol.parse(inner), "what was recorded depends on it, of", 0)
            for name in among.functions:
                roots.setdefault(Symbol.parse(name), via)
        if observed.blind:
            self._note_blind(observed.blind, roots, facts)
        return roots

    def _own_symbols(self) -> Iterable[Symbol]:
        resolver = Resolver(self._project)
        root = self._call.memo.root
        for function in [root, *functions_in(root)]:
            target = resolver.of_object(function)
            if isinstance(target, FunctionTarget):
                for definition in target.definitions:
                    yield target.module.symbol(definition_name(target.module, definition))

    def _symbols_of(self, started: Started) -> list[Symbol] | None:
        """What goes by a code object's name; None where no source of a loaded module has it."""
        modules = self._project.at(started.path)
        if not modules:
            return None
        owner, _, last = started.name.rpartition(".")
        if last in ANONYMOUS:
            started = started._replace(name=owner.removesuffix(".<locals>"), line=0)
        found = [
            module.symbol(definition_name(module, definition))
            for module in modules
            for definition in module.definitions_at(started)
        ]
        is_in_source = any(module.is_within(started.name) for module in modules)
        return found if found or is_in_source else None

    def _note_blind(self, reasons: tuple[str, ...], roots: dict[Symbol, Via], facts: Facts) -> None:
        """Count everything that ran or may have run, where not everything could be seen."""
        emit(Widened(self._call.memo.symbol, f"{reasons[0]}; all that is reachable counts"))
        nowhere = Via(Symbol("", ""), "it may have run", 0)
        facts[Fact(Facet.IMPORT, ANY_MODULE)] = (NOTHING, nowhere)
        has_run = ran_before(self._call.session)
        for module in self._project.loaded():
            for definitions in module.record.functions.values() if module.record else ():
                for definition in definitions:
                    if has_run(module, definition):
                        symbol = module.symbol(definition_name(module, definition))
                        roots.setdefault(symbol, nowhere)

    def _has_run(self, observed: observe.Observed) -> Callable[[Module, FunctionDefinition], bool]:
        return _always if observed.blind else ran_before(self._call.session)

    def _executed(self, observed: observe.Observed) -> dict[str, observe.Caller]:
        """The modules that the evaluation loaded, and what loaded each."""
        return {
            module.source.module: caller
            for started, caller in observed.started.items()
            if started.name == "<module>"
            for module in self._project.at(started.path)
        }

    def _headers(self, observed: observe.Observed) -> frozenset[Fact]:
        """The functions whose parameters were read by reflection, as far as that is known."""
        read = observe.headers_read(self._project.boundary.is_project)
        if read is None or observed.blind:
            return frozenset({Fact(Facet.HEADER, ANY_HEADER)})
        symbols = [self._symbols_of(Started(*started)) or () for started in read]
        return frozenset(Fact(Facet.HEADER, str(symbol)) for found in symbols for symbol in found)

    # -- facts ----------------------------------------------------------------------------------

    def _facts(self, observed: observe.Observed) -> Facts:
        root = self._project.boundary.root
        found: Facts = {}

        def add(facet: Facet, name: str, digest: Digest, how: str, caller: observe.Caller) -> None:
            found[Fact(facet, name)] = digest, self._via(how, caller)

        for path, (digest, caller) in observed.files.items():
            add(Facet.FILE, fact_name(root, path), digest or NOTHING, "read by", caller)
        for path, (digest, caller) in observed.listings.items():
            add(Facet.LISTING, fact_name(root, path), digest or NOTHING, "listed by", caller)
        for path, (kind, caller) in observed.paths.items():
            digest = digest_bytes(kind.encode())
            add(Facet.PRESENCE, fact_name(root, path), digest, "asked about by", caller)
        for name, (value, caller) in observed.environment.items():
            digest = NOTHING if value is None else digest_bytes(os.fsencode(value))
            add(Facet.VARIABLE, name, digest, "read by", caller)
        for name, caller in self._executed(observed).items():
            add(Facet.LOADED, name, NOTHING, "loaded by", caller)
        for path, caller in self._imported_by_made_code(observed):
            digest = content_digest(path)
            add(Facet.FILE, fact_name(root, path), digest, "imported by code made in", caller)
        for name, caller in observed.modules.items():
            add(Facet.IMPORT, name, NOTHING, "imported by a computed name in", caller)
        for inner, among, tracked in self._nested.values():
            self._add_nested(found, inner, among, tracked)
        return found

    def _imported_by_made_code(
        self, observed: observe.Observed
    ) -> Iterator[tuple[str, observe.Caller]]:
        """The sources that code of no file imports from: what it reads of them is in no source."""
        for code, caller in observed.made.items():
            for reference in code_references(code).imports:
                module = self._project.module(reference.module) if reference.module else None
                if module is not None:
                    yield os.path.abspath(module.source.path), caller

    def _add_nested(self, found: Facts, inner: str, among: DependencySet, tracked: Tracked) -> None:
        via = Via(Symbol.parse(inner), "what was recorded depends on it, of", 0)
        for fact, _, _ in among.facts():
            digest = tracked.outside.digests.get(fact, NOTHING)
            found.setdefault(fact, (digest, via))

    def _via(self, how: str, caller: observe.Caller) -> Via:
        if not caller.path:
            return Via(Symbol.parse(self._call.memo.symbol), how, 0)
        for module in self._project.at(caller.path):
            return Via(module.symbol(caller.name), how, caller.line)
        return Via(Symbol(caller.path, ""), how, caller.line)


def ran_before(session: Session) -> Callable[[Module, FunctionDefinition], bool]:
    """Tell of a function whether it ran at any time in this process, or may have."""
    known: dict[str, Codes] = {}

    def codes(module: Module, definition: FunctionDefinition) -> Iterable[CodeType]:
        if module.source.path not in known:
            kept = session.ledger.get(module.source.module)
            known[module.source.path] = codes_of(module, kept and kept.code)
        return known[module.source.path].of(definition)

    def has_run(module: Module, definition: FunctionDefinition) -> bool:
        path, line = os.path.abspath(module.source.path), definition.first_line
        return observe.has_run(
            observe.Started(path, line, definition.name, definition.column),
            module.source.module,
            lambda: codes(module, definition),
            definition.end_column,
        )

    return has_run


_KEPT = frozenset({Facet.FILE, Facet.LISTING, Facet.PRESENCE, Facet.VARIABLE})


def _united(facts: Facts, left: Facts) -> Facts:
    """Return all facts. One that was read twice, and was another then, is as it never is again."""
    united = {**left, **facts}
    for fact in facts.keys() & left.keys():
        (now, via), (then, _) = facts[fact], left[fact]
        if now != then:
            united[fact] = digest_parts("several", sorted((now, then))), via
    return united


def _always(_module: Module, _definition: FunctionDefinition) -> bool:
    return True
