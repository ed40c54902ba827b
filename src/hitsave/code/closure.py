"""The closure: everything reachable from some roots, as dependencies.

Owns the traversal: which references lead on, and what the result was computed from (the guard).
How functions, classes, globals and statements for effect count is decided next door, in
`functions`, `members`, `values` and `effects`; what was observed narrows it (`reached`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hitsave.code.bound import count_conditions
from hitsave.code.cells import Cells
from hitsave.code.computed import Computed, own_names
from hitsave.code.definition import (
    Chain,
    ImportReference,
    Part,
    References,
)
from hitsave.code.dependencies import Dependency, Manifest, Via, in_order
from hitsave.code.effects import Effects
from hitsave.code.external import is_standard
from hitsave.code.facts import Facts
from hitsave.code.functions import Functions
from hitsave.code.guard import Guard
from hitsave.code.impure import Impure
from hitsave.code.inert import is_inert
from hitsave.code.instances import Instances, name_in_code
from hitsave.code.members import Members
from hitsave.code.names import NOTABLE
from hitsave.code.project import Module, Project
from hitsave.code.reached import Reached
from hitsave.code.reflection import Reflection
from hitsave.code.remains import ask_for_remains
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
    symbol_of,
)
from hitsave.code.symbol import NOWHERE, Facet, Place, Symbol
from hitsave.code.values import DigestValue, Values
from hitsave.code.wrapping import functions_in
from hitsave.digest import digest_bytes, digest_parts

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

    def __init__(self, project: Project, options: Options, reached: Reached | None = None) -> None:
        self.project = project
        self.options = options
        self.resolver = Resolver(project, options.hidden)
        self.guard = Guard(project)
        self.reached = reached
        self.functions = Functions(self, reached)
        self.instances = Instances(self.resolver, self._digest_held, self._is_asked)
        self.facts = Facts(self)
        self.members = Members(self)
        self.values = Values(self)
        self.cells = Cells(self)
        self.reflection = Reflection(self)
        self.effects = Effects(self)
        self.computed = Computed(self)
        self.impure = Impure(self)
        self.modules: dict[str, Module] = {}
        self.absent: dict[Symbol, Module] = {}
        self.subjects: dict[tuple[Symbol, Facet], Any] = {}
        self.edges: dict[Symbol, dict[Symbol, Via]] = {}
        self.found: dict[tuple[Symbol, Facet], Dependency] = {}
        self._several: dict[tuple[Symbol, Facet], set[bytes]] = {}
        self._done: set[object] = set()
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
            # Of what is outside, the version counts; nothing is handed to it here.
            self.reach(target, via, opaque=False)

    def add_declared(self, value: Any) -> None:
        """Add what the user declared: it counts whether or not it is seen to run."""
        self.functions.insist_on(value, Via(Symbol("", ""), "declared by depends_on", 0))
        self.add_root(value, "declared by depends_on")

    def add_target(self, target: Target) -> None:
        """Start from something found in the source."""
        self.reach(target, Via(Symbol("", ""), "the target", 0))

    def finish(self) -> None:
        """Follow everything that is left to follow."""
        self._drain()
        while self._grows():
            self._drain()
        self.functions.finish()
        self.effects.finish()
        ask_for_remains(self)
        self.guard.seal()

    def _grows(self) -> bool:
        """Follow what only the whole so far tells; True where that led to anything new."""
        for collect in (
            self.effects.collect,
            self.members.collect_subclasses,
            self.computed.collect,
            # Last, so that what the source leads to is explained by the source.
            self._collect_observed,
        ):
            if collect():
                return True
        return False

    def _collect_observed(self) -> bool:
        if self.reached is None or not self.once("observed"):
            return False
        self.facts.count(self.reached)
        roots = dict(self.reached.roots())
        for symbol, via in roots.items():
            outer = Symbol(symbol.module, symbol.name.rpartition(".<locals>.")[0])
            self.functions.reach_named(symbol, via, is_made_inside=outer in roots)
        return True

    def _drain(self) -> None:
        while self._pending:
            self._pending.pop()()

    def manifest(self) -> Manifest:
        """The dependencies found."""
        reached = self.reached.packed if self.reached else b""
        return Manifest(in_order(self.found.values()), reached)

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
        known = self.found.get(key)
        if known is None:
            self.found[key] = Dependency(symbol, facet, digest, place, via)
            if subject is not None:
                self.subjects[key] = subject
        else:
            several = self._several.setdefault(key, {known.digest})
            several.add(digest)
            if len(several) > 1:
                # In no order: which is met first differs from process to process.
                united = digest_parts("several", sorted(several))
                self.found[key] = known._replace(digest=united)

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

    def so_far(self) -> frozenset[object]:
        """The symbols of the functions that are reached by now, among other things."""
        return frozenset(self._done)

    def later(self, step: Callable[[], None]) -> None:
        """Do `step` after what is being done."""
        self._pending.append(step)

    def widen(self, symbol: Symbol, reason: str) -> None:
        """Say that something counts by more than it has to."""
        if self.once(("widened", symbol, reason)):
            self.project.tell_widened(str(symbol), reason)

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
        self.impure.note(module, chain.names, via)
        target = self.look_up(module, chain.names[0], via)
        if not (chain.keys and self._follow_item(target, chain, via)):
            self._follow_attributes(target, chain.names[1:], chain.opaque, via)

    def _follow_item(self, target: Target, chain: Chain, via: Via) -> bool:
        """Count the one item that is read of a container; False where the whole has to count."""
        for name in chain.container[1:]:
            if not isinstance(target, ModuleTarget):
                return False
            self.visit_module(target.module, via)
            target = self.module_attribute(target.module, name, via)
        return isinstance(target, ValueTarget) and self.values.reach_item(target, chain.keys, via)

    def _follow_attributes(
        self, target: Target, names: tuple[str, ...], opaque: bool, via: Via
    ) -> None:
        while names and isinstance(target, ModuleTarget):
            self.visit_module(target.module, via)
            target, names = self.module_attribute(target.module, names[0], via), names[1:]
        if names and isinstance(target, FunctionTarget) and target.live is not None:
            self.cells.reach_attribute(target, names[0], via)
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
        self._watch_made(module, name)
        target = self.resolver.name(module, name)
        own, value = module.symbol(name), ABSENT
        if module.namespace is not None:
            live = module.namespace.get(name, ABSENT)
            self.guard.watch_name(module.namespace, name, live)
            value = module.unmade(name, live, ABSENT)
        else:
            count_conditions(self, module, name, via)
        if value is ABSENT:
            self.absent[own] = module
        if isinstance(target, ExternalTarget):
            self._count_external_name(target, module, name, value, via)
            return target
        symbol = symbol_of(target)
        if isinstance(target, ValueTarget):
            # In a module that is not loaded, an imported value is that of the other module.
            symbol = target.module.symbol(target.name)
        # A submodule is in its package's namespace once it has been imported, by anybody.
        if symbol is not None and symbol not in (own, Symbol(f"{module.name}.{name}", "")):
            token = digest_bytes(str(symbol).encode())
            place = module.place_of(name)
            self.count(own, Facet.BINDING, token, place, via)
            self.link(symbol, Via(own, "bound by", 0))
            self.functions.tell_apart(own, target, place, via)
        return target

    def _watch_made(self, module: Module, name: str) -> None:
        """Leave out what only an evaluation has put there, for as long as nobody changes it."""
        made = module.made.get(name)
        if made is None:
            return

        def digest() -> bytes | None:
            return self.values.digest_of(made.value)

        if digest() != made.digest:
            # The program has changed it itself: it counts by its value now.
            del module.made[name]
        elif self.once(("made", module.symbol(name))):
            self.guard.watch_value(digest, made.digest)

    def _count_external_name(
        self, target: ExternalTarget, module: Module, name: str, value: Any, via: Via
    ) -> None:
        if module.has(name):  # else it is a builtin by its own name
            token = digest_bytes(self.resolver.external_name(module, name, target, value).encode())
            place, own = module.place_of(name), module.symbol(name)
            self.count(own, Facet.BINDING, token, place, via)
            if target.module != "builtins":
                self.link(Symbol(target.module, target.name), Via(own, "bound by", 0))
            # `getattr` and the like, by another name, which may be read where it is bound.
            if target.name in NOTABLE and self.once(("another name", own)):
                for binding in module.bindings_of(name):
                    self.follow(binding.part, module, own)

    def _digest_held(self, symbol: Symbol, value: Any, holder: Any) -> bytes | None:
        if self.options.is_state(symbol, self.values.definition_digest(symbol)):
            return self.values.initial_digest(symbol, value, holder) or b"state"
        return self.values.digest_of(value)

    def _is_asked(self, name: str) -> bool:
        return self.members.asks_classes_for(name)

    def name_symbol(self, value: Any) -> str | None:
        """Return the name by which a project object counts inside a value; None for others."""
        return name_in_code(self.resolver, value)

    def _follow_import(self, reference: ImportReference, module: Module, owner: Symbol) -> None:
        via = Via(owner, "imported in", reference.line)
        name = own_names(reference.module, module)
        name = self.resolver.imported(module, reference.level, name)
        self.watch_module(name)
        self.impure.note_import(name, reference.attributes, module, via)
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
            self.functions.reach(target, via)
        elif isinstance(target, ClassTarget):
            self.members.reach_class(target, via)
        elif isinstance(target, ModuleTarget):
            self.members.escape(target.module, via)
        elif isinstance(target, ExternalTarget):
            self._reach_external(target, via, opaque)
        elif isinstance(target, ValueTarget):
            self.values.reach_global(target, via)
        elif isinstance(target, CodeTarget):
            self.functions.reach_code(target.live, via)
        elif isinstance(target, ObjectTarget):
            self.add_inside(target.live, via)

    def add_inside(self, value: Any, via: Via) -> None:
        """Reach the definitions that an opaque object stands for."""
        target = self.resolver.of_object(value)
        if not isinstance(target, ObjectTarget):
            self.reach(target, via)
            return
        if not self.once(("inside", id(value))):
            return
        self.subjects[Symbol("", f"#{id(value)}"), Facet.VALUE] = value  # keeps the id from reuse
        kind = self.resolver.of_class(type(value))
        for inner in functions_in(value):
            self.add_inside(inner, via)
            if _hides_what_runs(kind):
                self.functions.insist_on(inner, via)
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


def _hides_what_runs(kind: Target) -> bool:
    """Whether objects of a class may stand for compiled functions: a library's, of the outside."""
    if not isinstance(kind, ExternalTarget):
        return False
    top = kind.module.partition(".")[0]
    return top != "hitsave" and not is_standard(top)
