"""The call graph: what the statements of modules may lead to, over the code that they call.

Owns which objects, globals and functions code comes by, wide rather than narrow: a method of an
object that is not known may be that of any class met. Refuses to say which of them count.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from types import FunctionType, ModuleType
from typing import Any
from weakref import ReferenceType, ref

from hitsave.code.definition import UNKNOWN, FunctionDefinition, References
from hitsave.code.held import captured_by, held_by, is_scalar, values_of_class
from hitsave.code.members import OWNER_MODULES
from hitsave.code.names import IMPORTERS, LOADED, NAMESPACE_BUILTINS, Names, is_builtin
from hitsave.code.project import Module
from hitsave.code.resolve import (
    ABSENT,
    ClassTarget,
    ExternalTarget,
    FunctionTarget,
    ModuleTarget,
    Resolver,
    Target,
    ValueTarget,
    symbol_of,
)
from hitsave.code.setting import Found, is_setter, sets_outside
from hitsave.code.statements import Statement
from hitsave.code.symbol import Symbol
from hitsave.code.wrapping import functions_in
from hitsave.raw import is_of_hitsave, mro_of, names_of_class

Node = tuple[Any, ...]

ANYTHING: Node = ("anything",)
"""Leads to every object there is."""

SETTER: Node = ("setter",)
"""Setting the state of external code: a seed, an option."""

_LOOKED_INTO: Node = ("looked into",)

MOST_OBJECTS = 50_000
"""How many objects are looked into, before every statement is taken to lead to anything."""

_NAMESPACES = NAMESPACE_BUILTINS | {"vars", "locals"}
_METACLASSES = frozenset({"type", "ABCMeta"})


def object_node(value: Any) -> Node:
    """The node of a live object."""
    return "object", id(value)


def global_node(symbol: Symbol) -> Node:
    """The node of a global, whatever it is bound to."""
    return "global", symbol


def module_node(name: str) -> Node:
    """The node of a module whose globals are come by without being named."""
    return "module", name


def statement_node(statement: Statement) -> Node:
    """The node of a statement."""
    return "statement", statement.module.name, statement.line, statement.effect.part.digest


class CallGraph:
    """Which statements lead to what, seen backwards: from an object to the statements.

    With a `base`, what that holds is here as well, and stays as it is there.
    """

    def __init__(self, resolver: Resolver, base: "CallGraph | None" = None) -> None:
        self._resolver = resolver
        self._base = base
        self._statements: list[Node] = []
        self._leading: dict[Node, list[Node]] = {}
        self._met: set[Node] = set()
        self._pending: list[tuple[Callable[..., None], Node, tuple[Any, ...]]] = []
        self._methods: dict[str, list[FunctionTarget]] = {}
        self._symbols: dict[Node, Symbol | None] = {}
        self._objects: dict[Node, ReferenceType[Any] | None] = {}

    def add(self, statements: Iterable[Statement]) -> None:
        """Take in statements, and what they lead to."""
        for statement in statements:
            node, module = statement_node(statement), statement.module
            self._statements.append(node)
            touch = self._touch_of_class if statement.is_class else self._touch
            for names in statement.effect.touches:
                self._later(touch, node, module, names)
            self._drain()

    def look_into(self, module: Module) -> None:
        """Take in what the globals of a module hold now."""
        self._globals(_LOOKED_INTO, module)
        self._drain()

    def leading_to(
        self, groups: Mapping[int, Iterable[Node]], called: Set[object], found: dict[Node, int]
    ) -> None:
        """Add to `found`, for each node that leads to any of `groups`, their bits.

        Not through the functions of `called`, by their symbols: those that an evaluation calls.
        """
        pending: set[Node] = set()
        for bit, group in groups.items():
            for node in group:
                found[node] = found.get(node, 0) | bit
                pending.add(node)
        directly = self._backwards([*pending], called)
        while pending:
            # Most nodes are done in one round; what forms a ring takes as many as it is deep.
            for node, others in directly.items():
                if node in pending:
                    pending.remove(node)
                    bits = found[node]
                    for other in others:
                        known = found.get(other, 0)
                        if bits & ~known:
                            found[other] = known | bits
                            pending.add(other)

    def _backwards(self, nodes: list[Node], called: Set[object]) -> dict[Node, tuple[Node, ...]]:
        """Return what leads directly to each node that leads to `nodes`.

        A node stands before what leads to it, unless they form a ring.
        """
        layers = self._layers()

        def leading_to(node: Node) -> tuple[Node, ...]:
            if called and any(layer._symbols.get(node) in called for layer in layers):
                return ()
            return tuple(other for layer in layers for other in layer._leading.get(node, ()))

        done: list[tuple[Node, tuple[Node, ...]]] = []
        met = set(nodes)
        path = [
            (node, others, iter(others)) for node, others in ((n, leading_to(n)) for n in nodes)
        ]
        while path:
            node, others, rest = path[-1]
            following = next((other for other in rest if other not in met), None)
            if following is None:
                done.append((node, others))
                path.pop()
            else:
                met.add(following)
                others = leading_to(following)
                path.append((following, others, iter(others)))
        return dict(reversed(done))

    def anywhere(self) -> list[Node]:
        """The nodes that lead to every object there is."""
        # Which objects are left out hangs on the order of sets; that some are does not.
        full = (layer for layer in self._layers() if layer._is_full())
        return [ANYTHING, *(node for layer in full for node in layer._statements)]

    # -- nodes ----------------------------------------------------------------------------------

    def _link(self, node: Node, to: Node) -> bool:
        """Note that `node` leads to another; whether that is met for the first time."""
        self._leading.setdefault(to, []).append(node)
        is_new = not self._has_met(to)
        self._met.add(to)
        return is_new

    def _has_met(self, node: Node) -> bool:
        return node in self._met or (self._base is not None and self._base._has_met(node))

    def _later(self, step: Callable[..., None], node: Node, *arguments: Any) -> None:
        self._pending.append((step, node, arguments))

    def _drain(self) -> None:
        while self._pending:
            step, node, arguments = self._pending.pop()
            try:
                step(node, *arguments)
            except Exception:
                # An object of the user's that cannot be looked into may hold anything.
                self._link(node, ANYTHING)

    def _layers(self) -> list["CallGraph"]:
        """This one, and those that it is based on."""
        return [self, *(self._base._layers() if self._base is not None else ())]

    def _is_full(self) -> bool:
        is_base_full = self._base is not None and self._base._is_full()
        return is_base_full or len(self._objects) > MOST_OBJECTS

    # -- names ----------------------------------------------------------------------------------

    def _touch(self, node: Node, module: Module, names: Names) -> None:
        if names[0] == UNKNOWN:
            self._ask(node, names[1:])
            return
        if names[:2] == LOADED or is_builtin(names[-1:], IMPORTERS):
            self._link(node, ANYTHING)
        self._name(node, module, names)

    def _touch_of_class(self, node: Node, module: Module, names: Names) -> None:
        target, _ = self._resolver.chain(module, names)
        if isinstance(target, ClassTarget):
            self._class(node, target, "subclass")
        else:
            self._name(node, module, names)

    def _name(self, node: Node, module: Module, names: Names) -> Found:
        """Lead from a node to what a chain of names in it leads to; return what that is."""
        target, rest = self._resolver.chain(module, names)
        is_external = isinstance(target, ExternalTarget)
        if is_external and is_builtin(names, _NAMESPACES):
            self._namespace(node, module)
        if isinstance(target, ModuleTarget):
            self._namespace(node, target.module)
        elif isinstance(target, FunctionTarget):
            self._function(node, target)
            self._ask(node, rest[1:])
        elif isinstance(target, ClassTarget):
            self._class(node, target)
            self._ask(node, rest)
        elif isinstance(target, ValueTarget):
            self._global(node, target, rest)
        return target, rest

    def _ask(self, node: Node, names: Iterable[str]) -> None:
        """Lead to the methods of these names, of whatever class that is met."""
        for name in names:
            method = ("method", name)
            if self._link(node, method):
                for function in self._methods_called(name):
                    self._function(method, function)

    def _methods_called(self, name: str) -> Iterator[FunctionTarget]:
        yield from self._methods.get(name, ())
        if self._base is not None:
            yield from self._base._methods_called(name)

    def _namespace(self, node: Node, module: Module) -> None:
        """Lead to all that a module's globals hold: any of them may be asked for."""
        if self._link(node, module_node(module.name)):
            self._later(self._globals, module_node(module.name), module)

    def _globals(self, node: Node, module: Module) -> None:
        for name in sorted(module.names()):
            self._later(self._global_named, node, module, name)

    def _global_named(self, node: Node, module: Module, name: str) -> None:
        target = self._resolver.name(module, name)
        if isinstance(target, ValueTarget):
            self._global(node, target, ())

    # -- globals and objects --------------------------------------------------------------------

    def _global(self, node: Node, target: ValueTarget, asked: Names) -> None:
        symbol = target.module.symbol(target.name)
        is_known = target.live is not ABSENT and not self._is_of_project(target.live)
        # Of an object of a library's, a library's method is asked for.
        self._ask(node, asked[1:] if is_known else asked)
        if self._link(node, global_node(symbol)):
            self._later(self._bound, global_node(symbol), target)
        if target.live is not ABSENT:
            self._object(node, target.live)

    def _bound(self, node: Node, target: ValueTarget) -> None:
        """Lead from a global to what the statements that bind it name: it may hold that."""
        for binding in target.module.bindings_of(target.name):
            self._references(node, target.module, binding.part.references)
            if binding.kind == "import" and binding.attribute:
                name = self._resolver.imported(target.module, binding.level, binding.module)
                source = self._resolver.project_module(name)
                if source is not None:
                    self._name(node, source, (binding.attribute,))

    def _object(self, node: Node, value: Any) -> None:
        if is_scalar(value) or self._is_full():
            return
        met = object_node(value)
        if self._link(node, met) or self._is_of_another(met, value):
            self._objects[met] = _reference(value)
            self._later(self._inside, met, value)

    def _is_of_another(self, node: Node, value: Any) -> bool:
        """Whether a node is that of an object that is no more, and had the id that this one has.

        None is held on to, as long as the graph is kept; some cannot be told from later ones.
        """
        if node not in self._objects and self._base is not None:
            return self._base._is_of_another(node, value)
        reference = self._objects.get(node)
        return reference is not None and reference() is not value

    def _inside(self, node: Node, value: Any) -> None:
        """Lead from an object to what it holds, and to the code that using it executes."""
        kind = type(value)
        if is_of_hitsave(value):
            return  # a call of a memoised function may execute nothing
        if kind is FunctionType or issubclass(kind, (type, ModuleType)):
            target = self._resolver.of_object(value)
            if isinstance(target, FunctionTarget):
                self._function(node, target)
                return
            if isinstance(target, ClassTarget):
                self._class(node, target)
            elif isinstance(target, ModuleTarget):
                self._namespace(node, target.module)
        cls = self._resolver.of_class(kind)
        is_ours = isinstance(cls, ClassTarget)
        if isinstance(cls, ClassTarget):
            self._class(node, cls)
        held = held_by(value, is_ours=is_ours and not issubclass(kind, type))
        if held is None:
            self._link(node, ANYTHING)
        for inner in held or ():
            self._object(node, inner)

    def _is_of_project(self, value: Any) -> bool:
        """Whether any class that an object has its methods from is the project's."""
        kinds = (self._resolver.of_class(kind) for kind in mro_of(type(value)))
        return any(isinstance(kind, ClassTarget) for kind in kinds)

    # -- functions and classes ------------------------------------------------------------------

    def _function(self, node: Node, target: FunctionTarget) -> None:
        live = None if target.live is None else id(target.live)
        function = "function", target.module.name, target.definitions[0].label, live
        if self._link(node, function):
            self._symbols[function] = symbol_of(target)
            self._later(self._body, function, target)

    def _body(self, node: Node, target: FunctionTarget) -> None:
        for definition in target.definitions:
            self._definition(node, target.module, definition)
        for value in captured_by(target.live):
            self._object(node, value)

    def _definition(self, node: Node, module: Module, definition: FunctionDefinition) -> None:
        # A default may be the very table that the body fills; a decorator wraps what is not loaded.
        decorators = definition.decorators if node[-1] is None else ()
        for part in (definition.header, definition.body, *decorators):
            references = part.references
            self._references(node, module, references)
            for dynamic in references.dynamics:
                if dynamic.kind == "namespace":
                    self._namespace(node, module)
                elif dynamic.kind == "modules":
                    self._link(node, ANYTHING)

    def _references(self, node: Node, module: Module, references: References) -> None:
        for chain in references.chains:
            shared = "chain", module.name, chain.names
            if self._link(node, shared):
                self._later(self._chain, shared, module, chain.names)
        for level, name, attributes, _ in references.imports:
            source = self._resolver.project_module(self._resolver.imported(module, level, name))
            if source is not None and attributes:
                self._name(node, source, attributes)
            elif source is not None:
                self._namespace(node, source)
        self._ask(node, (name for name, _ in references.attributes))
        if sets_outside(self._resolver, module, references):
            self._link(node, SETTER)

    def _chain(self, node: Node, module: Module, names: Names) -> None:
        if is_setter(self._resolver, self._name(node, module, names), names[-1]):
            self._link(node, SETTER)

    def _class(self, node: Node, target: ClassTarget, kind: str = "class") -> None:
        """Lead to what using a class or an instance executes, or making a `subclass` of it."""
        cls = kind, target.module.symbol(target.name), id(target.live)
        if self._link(node, cls):
            self._later(self._specials, cls, target, kind)

    def _specials(self, node: Node, target: ClassTarget, kind: str) -> None:
        """Lead to the methods that are called without being named.

        By calls, operators and statements; by the code of a base outside the project; by what
        makes a subclass, where that is more than `type`.
        """
        methods = list(self._methods_of(target))
        self._offer(target, methods)
        is_whole = kind == "class" and self._has_foreign_base(target)
        is_special = kind == "class" or self._is_made_by_code(target)
        for name, method in methods:
            is_dunder = name.startswith("__")
            if is_whole or (is_special and is_dunder) or name == "__init_subclass__":
                self._function(node, method)
        if kind == "class":
            self._values(node, target)
        for base in self._bases(target):
            self._class(node, base, kind)

    def _values(self, node: Node, target: ClassTarget) -> None:
        for value in values_of_class(target.live) if target.live is not None else ():
            self._object(node, value)
        for definition in target.definitions:
            for binding in definition.bindings:
                if binding.kind == "value":
                    self._references(node, target.module, binding.part.references)

    def _offer(self, target: ClassTarget, methods: list[tuple[str, FunctionTarget]]) -> None:
        """Let the methods of a class be asked for by their names."""
        key = "offered", target.module.symbol(target.name), id(target.live)
        if self._has_met(key):
            return
        self._met.add(key)
        for name, method in methods:
            self._methods.setdefault(name, []).append(method)
            if self._has_met(("method", name)):
                self._function(("method", name), method)

    def _is_made_by_code(self, target: ClassTarget) -> bool:
        """Whether making a subclass may execute more than `__init_subclass__` of its bases."""
        if target.live is not None:
            return issubclass(target.live, type) or type(target.live) is not type
        return any(
            isinstance(base, ExternalTarget)
            and (base.module == "enum" or base.name in _METACLASSES)
            for base in self._static_bases(target)
        )

    def _has_foreign_base(self, target: ClassTarget) -> bool:
        bases = mro_of(target.live)[1:] if target.live is not None else ()
        found = (self._resolver.of_class(base) for base in bases)
        outside = (base for base in found if isinstance(base, ExternalTarget))
        return any(base.module not in OWNER_MODULES for base in outside)

    def _bases(self, target: ClassTarget) -> Iterator[ClassTarget]:
        if target.live is not None:
            kinds = (*mro_of(target.live)[1:], type(target.live))
            found = [self._resolver.of_class(kind) for kind in kinds]
        else:
            found = self._static_bases(target)
        yield from (base for base in found if isinstance(base, ClassTarget))

    def _static_bases(self, target: ClassTarget) -> list[Target]:
        chains = [c for d in target.definitions for c in d.head.references.chains]
        return [self._resolver.chain(target.module, chain.names)[0] for chain in chains]

    def _methods_of(self, target: ClassTarget) -> Iterator[tuple[str, FunctionTarget]]:
        """Yield the methods of a class with their names: those it has, or defines."""
        own = names_of_class(target.live) if target.live is not None else {}
        for name, value in tuple(own.items()):
            for function in functions_in(value) or [value]:
                found = self._resolver.of_object(function)
                if isinstance(found, FunctionTarget):
                    yield name, found
        if target.live is None:
            names = {b.name for d in target.definitions for b in d.bindings if b.kind == "function"}
            for name in sorted(names):
                static = self._resolver.static_function(target.module, f"{target.name}.{name}")
                if isinstance(static, FunctionTarget):
                    yield name, static


def _reference(value: Any) -> ReferenceType[Any] | None:
    try:
        return ref(value)
    except TypeError:
        return None  # of a built-in container, for one
