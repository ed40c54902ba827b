"""The closure: everything reachable from some roots, as dependencies.

Owns the traversal: which references lead on, which names are asked of which objects, and what the
result was computed from (the guard). How classes, globals and statements for effect count is
decided next door, in `members`, `values` and `effects`.
"""

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple

from hitsave.code.bytecode import code_digest, code_references
from hitsave.code.computed import Computed, own_names
from hitsave.code.definition import (
    Chain,
    FunctionDefinition,
    ImportReference,
    Part,
    References,
)
from hitsave.code.dependencies import Dependency, Manifest, Via
from hitsave.code.effects import Effects
from hitsave.code.external import is_standard
from hitsave.code.guard import EMPTY, Guard, cell_content
from hitsave.code.inert import is_inert
from hitsave.code.members import Members
from hitsave.code.project import Module, Project
from hitsave.code.resolve import (
    ABSENT,
    ClassTarget,
    CodeTarget,
    ExternalTarget,
    FunctionTarget,
    MissingTarget,
    ModuleTarget,
    ObjectTarget,
    Resolver,
    Target,
    ValueTarget,
    definition_name,
    functions_in,
    project_name,
    symbol_of,
)
from hitsave.code.symbol import NOWHERE, Facet, Place, Symbol
from hitsave.code.values import DigestValue, Values
from hitsave.digest import digest_bytes, digest_parts
from hitsave.events import Widened, emit

HARMLESS = frozenset(
    "__future__ abc array bisect builtins cmath collections contextlib copy dataclasses datetime "
    "decimal enum fractions functools hashlib heapq hitsave itertools keyword logging math "
    "numbers operator os pathlib platform posixpath random re secrets statistics string struct "
    "sys textwrap threading time types typing typing_extensions unicodedata uuid warnings "
    "weakref zlib concurrent importlib pkgutil".split()
)
"""Standard modules that ask nothing of the objects they are given but special methods."""

ALWAYS_ASKED = ("keys", "send", "throw", "close")
"""What Python's own syntax asks for besides special methods: `**`, `yield from`, `closing`."""


class Options(NamedTuple):
    """What a closure is computed with, besides its roots."""

    digest_value: DigestValue
    is_state: Callable[[Symbol, bytes], bool]
    sensitivity: str = "patch"
    hidden: frozenset[str] = frozenset()


class Closure:
    """What is reachable from the roots given to it, once `finish` has run."""

    def __init__(self, project: Project, options: Options) -> None:
        self.project = project
        self.options = options
        self.resolver = Resolver(project, options.hidden)
        self.guard = Guard(project)
        self.members = Members(self)
        self.values = Values(self)
        self.effects = Effects(self)
        self.computed = Computed(self)
        self.modules: dict[str, Module] = {}
        self.subjects: dict[tuple[Symbol, Facet], Any] = {}
        self.edges: dict[Symbol, dict[Symbol, Via]] = {}
        self._found: dict[tuple[Symbol, Facet], Dependency] = {}
        self._done: set[object] = set()
        self._pinned: set[int] = set()
        self._pending: list[Callable[[], None]] = []
        for name in ALWAYS_ASKED:
            self.members.ask(name)

    # -- roots and result -----------------------------------------------------------------------

    def add_root(self, value: Any, reason: str = "the call") -> None:
        """Start from a live object: a function, class, module, wrapper or instance of a class."""
        via = Via(Symbol("", ""), reason, 0)
        target = self.resolver.of_object(value)
        if isinstance(target, ObjectTarget):
            self.add_inside(value, via)
        else:
            self.reach(target, via)

    def add_target(self, target: Target) -> None:
        """Start from something found in the source."""
        self.reach(target, Via(Symbol("", ""), "the target", 0))

    def pin(self, root: Any, version: str) -> None:
        """Let the user's version stand for the source of `root` itself."""
        via = Via(Symbol("", ""), "declared", 0)
        token = digest_bytes(version.encode())
        self.count(Symbol("", "version"), Facet.OPTION, token, NOWHERE, via, version)
        for function in [root, *functions_in(root)]:
            target = self.resolver.of_object(function)
            if isinstance(target, FunctionTarget):
                self._pinned.update(map(id, target.definitions))

    def finish(self) -> None:
        """Follow everything that is left to follow."""
        self._drain()
        while self.effects.collect() or self.members.collect_subclasses():
            self._drain()
        self.effects.watch_pending()
        self.guard.seal()

    def _drain(self) -> None:
        while self._pending:
            self._pending.pop()()

    def manifest(self) -> Manifest:
        """The dependencies found."""
        return Manifest(tuple(sorted(self._found.values(), key=lambda d: (d.symbol, d.facet))))

    # -- counting -------------------------------------------------------------------------------

    def count(
        self,
        symbol: Symbol,
        facet: Facet,
        digest: bytes,
        place: Place,
        via: Via,
        subject: Any = None,
    ) -> None:
        """Add a dependency, and the edge that led to it."""
        self.link(symbol, via)
        key = (symbol, facet)
        known = self._found.get(key)
        if known is None:
            self._found[key] = Dependency(symbol, facet, digest, place, via)
            if subject is not None:
                self.subjects[key] = subject
        elif known.digest != digest:
            both = sorted((known.digest, digest))
            self._found[key] = known._replace(digest=digest_parts("several", both))

    def link(self, symbol: Symbol, via: Via) -> None:
        """Note that `via.owner` leads to `symbol`."""
        if symbol != via.owner:
            self.edges.setdefault(via.owner, {}).setdefault(symbol, via)

    def once(self, key: object) -> bool:
        """Whether `key` is met for the first time."""
        if key in self._done:
            return False
        self._done.add(key)
        return True

    def has(self, symbol: Symbol) -> bool:
        """Whether a function is reached."""
        return symbol in self._done

    def later(self, step: Callable[[], None]) -> None:
        """Do `step` after what is being done."""
        self._pending.append(step)

    def widen(self, symbol: Symbol, reason: str) -> None:
        """Say that something counts by more than it has to."""
        if self.once(("widened", symbol, reason)):
            emit(Widened(str(symbol), reason))

    # -- following references -------------------------------------------------------------------

    def follow(self, part: Part, module: Module, owner: Symbol) -> None:
        """Follow everything that a part of `owner` reads."""
        self.follow_references(part.references, module, owner)

    def follow_references(self, references: References, module: Module, owner: Symbol) -> None:
        """Follow references made in `module`."""
        for chain in references.chains:
            self._follow_chain(chain, module, owner)
        for reference in references.imports:
            self._follow_import(reference, module, owner)
        for name, _ in references.attributes:
            self.members.ask(name)
        for dynamic in references.dynamics:
            self.computed.follow(dynamic, module, owner)

    def _follow_chain(self, chain: Chain, module: Module, owner: Symbol) -> None:
        via = Via(owner, "named in", chain.line)
        target = self.look_up(module, chain.names[0], via)
        self._follow_attributes(target, chain.names[1:], chain.opaque, via)

    def _follow_attributes(
        self, target: Target, names: tuple[str, ...], opaque: bool, via: Via
    ) -> None:
        while names and isinstance(target, ModuleTarget):
            self.visit_module(target.module, via)
            target, names = self.module_attribute(target.module, names[0], via), names[1:]
        if names and isinstance(target, FunctionTarget) and target.live is not None:
            self.values.function_attribute(target, names[0], via)
        for name in names:
            self.members.ask(name)
        self.reach(target, via, opaque)

    def module_attribute(self, module: Module, name: str, via: Via) -> Target:
        found = self.look_up(module, name, via)
        if isinstance(found, ExternalTarget) and found.module == "builtins":
            # A module's attribute is never a builtin; it may be a submodule, or computed.
            found = MissingTarget(name)
        if isinstance(found, MissingTarget):
            submodule = self.resolver.module(f"{module.source.module}.{name}")
            if submodule is not None:
                return submodule
            self._follow_module_getattr(module, via)
        return found

    def _follow_module_getattr(self, module: Module, via: Via) -> None:
        if module.has("__getattr__"):
            self.reach(self.look_up(module, "__getattr__", via), via)
            self.members.escape(module, via)

    def look_up(self, module: Module, name: str, via: Via) -> Target:
        """Resolve a global, counting which symbol it leads to where that is not its own."""
        target = self.resolver.name(module, name)
        if module.namespace is not None:
            value = module.namespace.get(name, ABSENT)
            self.guard.watch_name(module.namespace, name, value)
        own = module.symbol(name)
        symbol = symbol_of(target)
        # A submodule is in its package's namespace once it has been imported, by anybody.
        if symbol is not None and symbol not in (own, Symbol(f"{module.name}.{name}", "")):
            token = digest_bytes(str(symbol).encode())
            self.count(own, Facet.BINDING, token, self._binding_place(module, name), via)
            self.link(symbol, Via(own, "bound by", 0))
        return target

    def _binding_place(self, module: Module, name: str) -> Place:
        bindings = module.record.bindings.get(name, ()) if module.record else ()
        if not bindings:
            return module.place()
        return module.place(bindings[-1].part.line, bindings[-1].part.end_line)

    def name_symbol(self, value: Any) -> str | None:
        """Return the name by which a project object counts inside a value; None for others."""
        return project_name(self.resolver, value)

    def _follow_import(self, reference: ImportReference, module: Module, owner: Symbol) -> None:
        via = Via(owner, "imported in", reference.line)
        name = own_names(reference.module, module)
        name = self.resolver.imported(module, reference.level, name)
        self.watch_module(name)
        target = self.resolver.module(name)
        if target is None:
            # That nothing is found is a fact to count too: a module may appear.
            self.count(Symbol(name, ""), Facet.BINDING, digest_bytes(b""), NOWHERE, via)
        elif isinstance(target, ModuleTarget) and reference.attributes == ("*",):
            self.members.escape(target.module, via)
        elif isinstance(target, ModuleTarget):
            self._follow_attributes(target, reference.attributes, True, via)
        else:
            self.reach(target, via)

    def watch_module(self, name: str) -> None:
        """Notice when a module that is not loaded becomes loaded."""
        if not self.once(("watched", name)):
            return
        known = self.project.module(name)
        if known is None or known.namespace is None:
            self.guard.watch_import(name, known)

    # -- reaching targets -----------------------------------------------------------------------

    def reach(self, target: Target, via: Via, opaque: bool = True) -> None:
        """Count a target and what it depends on in turn."""
        if is_inert(getattr(target, "live", None)):
            return
        if isinstance(target, FunctionTarget):
            self.reach_function(target, via)
        elif isinstance(target, ClassTarget):
            self.members.reach_class(target, via)
        elif isinstance(target, ModuleTarget):
            self.members.escape(target.module, via)
        elif isinstance(target, ExternalTarget):
            self._reach_external(target, via, opaque)
        elif isinstance(target, ValueTarget):
            self.values.reach_global(target, via)
        elif isinstance(target, CodeTarget):
            self._reach_code(target.live, via)
        elif isinstance(target, ObjectTarget):
            self.add_inside(target.live, via)

    def reach_function(self, target: FunctionTarget, via: Via) -> None:
        """Count a function's body and header, and follow them."""
        for definition in target.definitions:
            symbol = target.module.symbol(definition_name(target.module, definition))
            self.link(symbol, via)
            if self.once(symbol):
                self.visit_module(target.module, via)
                self.later(partial(self._function, target, definition, symbol, via))
        if target.live is not None:
            self._live_function(target.live, symbol_of(target), via)

    def _function(
        self, target: FunctionTarget, definition: FunctionDefinition, symbol: Symbol, via: Via
    ) -> None:
        module, body = target.module, definition.body
        place = module.place(definition.first_line, definition.end_line)
        subject = (module, place)
        if id(definition) not in self._pinned:
            self.count(symbol, Facet.BODY, body.digest, place, via, subject)
            self.count(symbol, Facet.HEADER, self._header(definition, module), place, via, subject)
        self.follow(definition.header, module, symbol)
        for decorator in definition.decorators:
            if not self._is_own_decorator(decorator, module):
                self.follow(decorator, module, symbol)
        self.follow(body, module, symbol)
        self._reach_owner(definition, target, symbol)
        self.members.count_reflected(definition, module, symbol, via)

    def _header(self, definition: FunctionDefinition, module: Module) -> bytes:
        foreign = [d for d in definition.decorators if not self._is_own_decorator(d, module)]
        parts = [definition.header.digest, *(decorator.digest for decorator in foreign)]
        if foreign:
            parts.append(definition.annotations.digest)
        return digest_parts("header", parts)

    def _is_own_decorator(self, decorator: Part, module: Module) -> bool:
        """Whether a decorator is hitsave's: its options change no result (see `add_option`)."""
        for chain in decorator.references.chains[:1]:
            target = self.resolver.name(module, chain.names[0])
            if isinstance(target, ExternalTarget):
                return target.module.partition(".")[0] == "hitsave"
        return False

    def _reach_owner(
        self, definition: FunctionDefinition, target: FunctionTarget, symbol: Symbol
    ) -> None:
        """A method belongs to a class, which `super()` and `__class__` lead to."""
        owner = definition.name.rpartition(".")[0]
        record = target.module.record
        if record is not None and owner in record.classes:
            found = self.resolver.static_class(target.module, owner)
            live = self.members.live_class(target.module, owner)
            if isinstance(found, ClassTarget):
                self.reach(found._replace(live=live), Via(symbol, "the class of", 0))

    def _live_function(self, live: FunctionType, symbol: Symbol | None, via: Via) -> None:
        if symbol is None or not self.once(("live", id(live))):
            return
        wrapped = vars(live).get("__wrapped__")
        if wrapped is not None:
            self.add_inside(wrapped, Via(symbol, "wrapped by", 0))
        self._live_defaults(live, symbol, via)
        for name, cell in zip(live.__code__.co_freevars, live.__closure__ or (), strict=False):
            content = cell_content(cell)
            self.guard.watch_cell(cell, content)
            if content is not EMPTY:
                self.values.reach_cell(symbol, name, content, via, partial(cell_content, cell))

    def _live_defaults(self, live: FunctionType, symbol: Symbol, via: Via) -> None:
        """Count the defaults of a function made in a loop or a call, as its source is not all."""
        if "<" not in live.__qualname__:
            return
        names = live.__code__.co_varnames[: live.__code__.co_argcount]
        given = live.__defaults__ or ()
        pairs = [*zip(names[len(names) - len(given) :], given, strict=True)]
        pairs += (live.__kwdefaults__ or {}).items()
        for name, value in pairs:
            self.values.reach_cell(symbol, f"{name}=", value, via, partial(_itself, value))

    def _reach_code(self, live: FunctionType, via: Via) -> None:
        symbol = Symbol(str(live.__module__), live.__qualname__)
        self.link(symbol, via)
        if not self.once(("code", id(live.__code__))):
            return
        module = self._namespace_module(live)
        if module.source.path:
            self.visit_module(module, via)
        self.count(symbol, Facet.BODY, code_digest(live.__code__), module.place(), via)
        for value in (*(live.__defaults__ or ()), *(live.__kwdefaults__ or {}).values()):
            self.values.reach_cell(symbol, "default", value, via, partial(_itself, value))
        self._live_function(live, symbol, via)
        references = code_references(live.__code__)
        self.later(partial(self.follow_references, references, module, symbol))

    def _namespace_module(self, live: FunctionType) -> Module:
        """The module of a function's globals, or a stand-in for a namespace that is no module."""
        known = self.project.module_of(live.__globals__)
        return known if known is not None else Module.unnamed(live.__globals__)

    def add_inside(self, value: Any, via: Via) -> None:
        """Reach the definitions that an opaque object stands for."""
        target = self.resolver.of_object(value)
        if not isinstance(target, ObjectTarget):
            self.reach(target, via)
            return
        if not self.once(("inside", id(value))):
            return
        self.subjects[Symbol("", f"#{id(value)}"), Facet.VALUE] = value  # keeps the id from reuse
        for inner in functions_in(value):
            self.add_inside(inner, via)
        kind = self.resolver.of_class(type(value))
        if isinstance(kind, (ClassTarget, ExternalTarget)):
            self.reach(kind, via)

    def _reach_external(self, target: ExternalTarget, via: Via, opaque: bool) -> None:
        top = target.module.partition(".")[0]
        if opaque and top not in HARMLESS:
            self.members.ask_everything()
        path = self.project.extension(target.module)
        if path:
            self.values.count_file(Symbol(target.module, ""), path, via)
        elif not is_standard(top):
            self._count_distribution(top, via)

    def _count_distribution(self, top: str, via: Via) -> None:
        for distribution in self.project.distributions.of(top):
            token = distribution.token(self.options.sensitivity)
            symbol = Symbol(distribution.name, "")
            self.count(symbol, Facet.VERSION, digest_bytes(token.encode()), NOWHERE, via, token)

    def visit_module(self, module: Module, via: Via) -> None:
        """Note that a module takes part, whose import had effects."""
        if module.name in self.modules:
            return
        self.modules[module.name] = module
        if module.namespace is None:
            self.watch_module(module.source.module)
        if module.record is None:
            content = digest_bytes(module.source.content)
            self.count(module.symbol(""), Facet.CONTENT, content, module.place(), via)
        parent = module.source.module.rpartition(".")[0]
        package = self.resolver.project_module(parent) if parent else None
        if package is not None:
            self.visit_module(package, via)


def _itself(value: Any) -> Any:
    return value
