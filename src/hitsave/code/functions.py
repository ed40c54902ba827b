"""Functions: how functions count.

Owns which functions count by their bodies: all that are reachable, or those that were reached as
well. Of any other, only that it is there counts. Refuses to observe: what was reached is given.
"""

from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.bytecode import code_digest, code_references
from hitsave.code.definition import FunctionDefinition, Part
from hitsave.code.dependencies import Via
from hitsave.code.guard import EMPTY, cell_content
from hitsave.code.origin import definition_named
from hitsave.code.project import Module
from hitsave.code.reached import ANY_HEADER, Fact, Reached
from hitsave.code.resolve import (
    ClassTarget,
    CodeTarget,
    ExternalTarget,
    FunctionTarget,
    Target,
    definition_name,
    symbol_of,
)
from hitsave.code.symbol import NOWHERE, Facet, Place, Symbol
from hitsave.code.values import ReadCell
from hitsave.code.wrapping import functions_in
from hitsave.digest import digest_bytes, digest_parts
from hitsave.lazy import lazy
from hitsave.raw import defaults_of

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

CODE_READERS = frozenset("co_code co_consts co_names".split())
"""Attributes of code objects; which need not be those of functions."""

CODE_GETTERS = frozenset("__code__ f_code gi_code cr_code ag_code get_code".split())
"""Names through which a program gets at code objects that hold what does not run."""

BODY_READERS = frozenset("getsource getsourcelines findsource getclosurevars dis".split())
"""Names through which a program reads what functions do, without running them."""

_READING = BODY_READERS | CODE_READERS | CODE_GETTERS

SIGNATURES = frozenset("signature getfullargspec getcallargs".split())
"""Names through which a program reads the parameters of functions, which can be observed."""

HEADER_READERS = frozenset("getargvalues __defaults__ __kwdefaults__ __code__".split()) | SIGNATURES
"""Names through which a program reads the parameters of functions."""

OBSERVED = digest_bytes(b"observed")
"""Where the name of a function leads to that only observation leads to."""


class Unused(NamedTuple):
    """A function that is reachable and was not reached."""

    target: FunctionTarget
    definition: FunctionDefinition
    symbol: Symbol
    via: Via


class Functions:
    """The functions that a closure has come to."""

    def __init__(self, closure: "Closure", reached: Reached | None) -> None:
        self._closure = closure
        self._reached = reached
        self._pinned: set[int] = set()
        self._insisted: set[Symbol] = set()
        self._unused: dict[Symbol, Unused] = {}
        self._waiting: dict[Symbol, list[Any]] = {}
        self._globals: dict[str, dict[str, list[str]]] = {}
        self._bound: list[tuple[Symbol, FunctionTarget | ClassTarget | CodeTarget, Place, Via]] = []

    def pin(self, root: Any, version: str) -> None:
        """Let the user's version stand for the source of `root` itself."""
        via = Via(Symbol("", ""), "declared", 0)
        token = digest_bytes(version.encode())
        self._closure.count(Symbol("", "version"), Facet.OPTION, token, NOWHERE, via, version)
        for function in [root, *functions_in(root)]:
            target = self._closure.resolver.of_object(function)
            if isinstance(target, FunctionTarget):
                self._pinned.update(map(id, target.definitions))

    # -- reaching -------------------------------------------------------------------------------

    def reach(self, target: FunctionTarget, via: Via, *, insist: bool = False) -> None:
        """Count that a function is there, and what it does where it was reached.

        `insist`: whether it ran cannot be seen, so it counts as reached.
        """
        insist = insist or via.owner in self._insisted
        counted = False
        for definition in target.definitions:
            symbol = target.module.symbol(definition_name(target.module, definition))
            self._closure.link(symbol, via)
            met = Unused(target, definition, symbol, via)
            if self._closure.once(symbol):
                self._closure.visit_module(target.module, via)
                self._count_presence(met)
                self._unused[symbol] = met
            if insist:
                self._insisted.add(symbol)
            counted = self._counts(met, insist) or counted
        self._reach_live(target, via, counted)

    def _counts(self, met: Unused, insist: bool) -> bool:
        """Whether a function counts by its body; counted here when that is first known."""
        if met.symbol not in self._unused:
            return True
        reached, module = self._reached, met.target.module
        is_used = reached is None or insist or self._is_read()
        if not is_used and reached is not None:
            is_used = reached.counts(met.symbol, module, met.definition)
        if is_used:
            self._use(met.symbol)
        return is_used

    def _use(self, symbol: Symbol) -> None:
        met = self._unused.pop(symbol)
        self._closure.later(partial(self._count_body, met))
        for live in self._waiting.pop(symbol, ()):
            self.reach_live(live, symbol, met.via)

    def _reach_live(self, target: FunctionTarget, via: Via, counted: bool) -> None:
        symbol = symbol_of(target)
        if target.live is None or symbol is None:
            return
        if counted:
            self.reach_live(target.live, symbol, via)
            return
        wrapped = vars(target.live).get("__wrapped__")
        if wrapped is not None:
            # Its parameters are those that the wrapper shows.
            self._closure.add_inside(wrapped, Via(symbol, "wrapped by", 0))
        for definition in target.definitions:
            own = target.module.symbol(definition_name(target.module, definition))
            self._waiting.setdefault(own, []).append(target.live)

    def insist_on(self, value: Any, via: Via) -> None:
        """Count a function of which nobody can see whether it ran."""
        target = self._closure.resolver.of_object(value)
        if isinstance(target, FunctionTarget):
            self.reach(target, via, insist=True)

    def reach_named(self, symbol: Symbol, via: Via, is_made_inside: bool) -> None:
        """Count a function that was seen to run, by its name.

        That only observation leads to it counts too: should the source come to lead elsewhere, the
        function may be there as ever and no longer run. Something came by it through its module;
        or, where it `is_made_inside` another that ran, it may have been made by that.
        """
        if self._closure.has(symbol):
            return
        self._closure.count(symbol, Facet.BINDING, OBSERVED, NOWHERE, via)
        module = self._closure.resolver.named(symbol.module)
        found = definition_named(module, symbol.name) if module is not None else None
        if module is None or found is None:
            return
        live = self._closure.members.live_function(module, found.name, found)
        members = self._closure.members
        (members.escape_in_part if is_made_inside else members.escape)(module, via)
        # By these names it was found, or is no longer found.
        own = {found.name} if "." not in found.name else set()
        for name in sorted(own.union(self._names_of(module).get(found.label, ()))):
            self._closure.reach(self._closure.look_up(module, name, via), via)
        self.reach(FunctionTarget(module, (found,), live), via)

    def _names_of(self, module: Module) -> dict[str, list[str]]:
        """The globals of a module that lead to functions defined in it, by their labels."""
        known = self._globals.get(module.name)
        if known is None:
            known = self._globals[module.name] = {}
            for name in sorted(module.names()):
                target = self._closure.resolver.name(module, name)
                if isinstance(target, FunctionTarget) and target.module.name == module.name:
                    for definition in target.definitions:
                        known.setdefault(definition.label, []).append(name)
        return known

    def reflect(self, name: str) -> None:
        """Reachable code reads what functions are, by `name`, rather than running them."""
        if name in _READING and self._is_read():
            for symbol in tuple(self._unused):
                # What one holds, such as the function that it wraps, may have been among them.
                if symbol in self._unused:
                    self._use(symbol)
        if name in HEADER_READERS:
            for met in tuple(self._unused.values()):
                if self._is_header_read(met.symbol):
                    self._count_header(met)

    def _is_read(self) -> bool:
        asked = self._closure.members.asked
        return asked(*BODY_READERS) or (asked(*CODE_READERS) and asked(*CODE_GETTERS))

    def _is_header_read(self, symbol: Symbol) -> bool:
        """Whether something reads the parameters of a function, or may."""
        reached, asked = self._reached, self._closure.members.asked
        if not asked(*HEADER_READERS):
            return False
        if reached is None or asked(*HEADER_READERS - SIGNATURES):
            return True
        return any(reached.has_fact(Fact(Facet.HEADER, name)) for name in (ANY_HEADER, str(symbol)))

    # -- telling apart --------------------------------------------------------------------------

    def tell_apart(self, own: Symbol, target: Target, place: Place, via: Via) -> None:
        """Count which of the functions or classes of one definition `own` is bound to.

        A function counts so if it is used, and a class by the members that are asked for. Both are
        known at the end.
        """
        if isinstance(target, (FunctionTarget, ClassTarget, CodeTarget)):
            self._bound.append((own, target, place, via))

    def finish(self) -> None:
        """Count what was left to the end."""
        for own, target, place, via in self._bound:
            if isinstance(target, FunctionTarget) and not self._is_used(target):
                continue
            digest = self._closure.instances.digest(target.live)
            if digest is not None:
                self._closure.count(own, Facet.INSTANCE, digest, place, via, target.live)
        self._bound.clear()

    def _is_used(self, target: FunctionTarget) -> bool:
        symbols = (target.module.symbol(d.label) for d in target.definitions)
        return any(self._closure.has(each) and each not in self._unused for each in symbols)

    # -- counting -------------------------------------------------------------------------------

    def _count_presence(self, met: Unused) -> None:
        module, definition = met.target.module, met.definition
        place = module.place(definition.first_line, definition.end_line)
        self._closure.reflection.function(definition, module, met.symbol, met.via)
        if self._is_header_read(met.symbol):
            self._count_header(met)
        if self._reached is None:
            return  # it counts by its body
        names = [
            ".".join(chain.names)
            for decorator in definition.decorators
            for chain in decorator.references.chains[:1]
        ]
        token = digest_parts("function", [name.encode() for name in names])
        self._closure.count(met.symbol, Facet.SHAPE, token, place, met.via)

    def _count_header(self, met: Unused) -> None:
        module, definition = met.target.module, met.definition
        if id(definition) in self._pinned:
            return
        place = module.place(definition.first_line, definition.end_line)
        token = self._header(definition, module)
        self._closure.count(met.symbol, Facet.HEADER, token, place, met.via, (module, place))

    def _count_body(self, met: Unused) -> None:
        closure, module, definition = self._closure, met.target.module, met.definition
        place = module.place(definition.first_line, definition.end_line)
        if id(definition) not in self._pinned:
            digest = definition.body.digest
            closure.count(met.symbol, Facet.BODY, digest, place, met.via, (module, place))
        self._count_header(met)
        closure.follow(definition.header, module, met.symbol)
        foreign = [d for d in definition.decorators if not self._is_own_decorator(d, module)]
        # What is decorated is seen with its annotations.
        for part in (*foreign, *([definition.annotations] if foreign else ())):
            closure.follow(part, module, met.symbol)
        closure.follow(definition.body, module, met.symbol)
        self._reach_owner(met)

    def _header(self, definition: FunctionDefinition, module: Module) -> bytes:
        foreign = [d for d in definition.decorators if not self._is_own_decorator(d, module)]
        parts = [definition.header.digest, *(decorator.digest for decorator in foreign)]
        if foreign:
            parts.append(definition.annotations.digest)
        return digest_parts("header", parts)

    def _is_own_decorator(self, decorator: Part, module: Module) -> bool:
        """Whether a decorator is hitsave's, whose options change no result."""
        for chain in decorator.references.chains[:1]:
            target = self._closure.resolver.name(module, chain.names[0])
            if isinstance(target, ExternalTarget):
                return target.module.partition(".")[0] == "hitsave"
        return False

    def _reach_owner(self, met: Unused) -> None:
        """A method belongs to a class, which `super()` and `__class__` lead to."""
        module = met.target.module
        owner = met.definition.name.rpartition(".")[0]
        if module.record is not None and owner in module.record.classes:
            found = self._closure.resolver.static_class(module, owner)
            live = self._closure.members.live_class(module, owner)
            if isinstance(found, ClassTarget):
                via = Via(met.symbol, "the class of", 0)
                self._closure.reach(found._replace(live=live), via)

    # -- live functions -------------------------------------------------------------------------

    def reach_live(self, live: FunctionType, symbol: Symbol, via: Via) -> None:
        """Count what a live function holds besides its source."""
        closure = self._closure
        if not closure.once(("live", id(live))):
            return
        wrapped = vars(live).get("__wrapped__")
        if wrapped is not None:
            closure.add_inside(wrapped, Via(symbol, "wrapped by", 0))
        self._live_defaults(live, symbol, via)
        for name, cell in zip(live.__code__.co_freevars, live.__closure__ or (), strict=False):
            content = cell_content(cell)
            closure.guard.watch_cell(cell, content)
            if content is not EMPTY:
                closure.cells.reach(symbol, name, content, via, ReadCell(live, name, cell))

    def _live_defaults(self, live: FunctionType, symbol: Symbol, via: Via) -> None:
        """Count defaults whose source is not all: made in a loop, computed, set, or changed."""
        is_made = "<" in live.__qualname__ or self._computes_header(live) or self._may_be_set
        own = dict(defaults_of(live))
        if not is_made:
            own = _changeable(own)
        for wrapped in _wrapped_by(live):
            # What a wrapper only shows counts as that of what it wraps, whether that runs or not: a
            # wrapper that compiles itself is another function once it was called.
            inside = symbol_of(self._closure.resolver.of_object(wrapped))
            names, shown = _shown_of(live, wrapped)
            if inside is not None:
                self._count_defaults(inside, shown if is_made else _changeable(shown), via)
                own = {name: value for name, value in own.items() if name not in names}
        self._count_defaults(symbol, own, via)

    def _count_defaults(self, symbol: Symbol, defaults: dict[str, Any], via: Via) -> None:
        for name, value in defaults.items():
            self._closure.cells.reach(symbol, f"{name}=", value, via, partial(_itself, value))

    @lazy
    def _may_be_set(self) -> bool:
        """Whether something in the project has to do with `__defaults__` or `__kwdefaults__`."""
        hidden = self._closure.options.hidden  # a later process begins without them
        loaded = (each.source for each in self._closure.project.loaded())
        return any(b"defaults__" in each.content for each in loaded if each.module not in hidden)

    def _computes_header(self, live: FunctionType) -> bool:
        module = self._closure.project.module_of(live.__globals__)
        found = module.functions_of(live.__code__) if module is not None else ()
        return any(definition.header.references.chains for definition in found)

    def reach_code(self, live: FunctionType, via: Via) -> None:
        """Count a function without a source definition by its bytecode."""
        closure = self._closure
        symbol = Symbol(str(live.__module__), live.__qualname__)
        closure.link(symbol, via)
        if not closure.once(("code", id(live.__code__))):
            return
        module = self._namespace_module(live)
        if module.source.path:
            closure.visit_module(module, via)
        closure.count(symbol, Facet.BODY, code_digest(live.__code__), module.place(), via)
        for value in (*(live.__defaults__ or ()), *(live.__kwdefaults__ or {}).values()):
            closure.cells.reach(symbol, "default", value, via, partial(_itself, value))
        self.reach_live(live, symbol, via)
        references = code_references(live.__code__)
        closure.later(partial(closure.follow_references, references, module, symbol))

    def _namespace_module(self, live: FunctionType) -> Module:
        """The module of a function's globals, or a stand-in for a namespace that is no module."""
        known = self._closure.project.module_of(live.__globals__)
        return known if known is not None else Module.unnamed(live.__globals__)


def _changeable(defaults: dict[str, Any]) -> dict[str, Any]:
    """Return those of some defaults, all written without names, that a statement can change."""
    return {name: value for name, value in defaults.items() if _can_change(value)}


def _can_change(default: Any) -> bool:
    if type(default) is tuple:
        return any(map(_can_change, default))
    return type(default) in (list, dict, set)


def _wrapped_by(live: FunctionType) -> list[FunctionType]:
    """Return the functions that a function says that it wraps and that wrap nothing themselves."""
    found: list[FunctionType] = []
    seen, pending = {id(live)}, [vars(live).get("__wrapped__")]
    while pending:
        wrapped = pending.pop()
        if wrapped is not None and id(wrapped) not in seen:
            seen.add(id(wrapped))
            pending += functions_in(wrapped)
            if isinstance(wrapped, FunctionType) and "__wrapped__" not in vars(wrapped):
                found.append(wrapped)
    return found


def _shown_of(live: FunctionType, wrapped: FunctionType) -> tuple[set[str], dict[str, Any]]:
    """Return the defaults that a wrapper only shows: their names in it, and in what it wraps."""
    own, inner = live.__kwdefaults__ or {}, wrapped.__kwdefaults__ or {}
    shown = {name: value for name, value in inner.items() if name in own and own[name] is value}
    names = set(shown)
    if live.__defaults__ is wrapped.__defaults__:
        names.update(name for name, _ in defaults_of(live) if name not in own)
        shown.update(pair for pair in defaults_of(wrapped) if pair[0] not in inner)
    return names, shown


def _itself(value: Any) -> Any:
    return value
