"""The call graph: what the statements of modules may lead to, over the code that they call.

Owns which objects, globals and functions code comes by, wide rather than narrow: a method of an
object that is not known may be that of any class met. Refuses to say which of them count.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from types import BuiltinMethodType, CellType, FunctionType, MethodType
from typing import Any

from hitsave.code.definition import STORED, UNKNOWN, Effect, FunctionDefinition, References
from hitsave.code.names import IMPORTERS, NAMESPACE_BUILTINS, Names, is_builtin
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
from hitsave.code.symbol import Symbol
from hitsave.code.wrapping import fields_of, functions_in, slots_of

Node = tuple[Any, ...]

ANYTHING: Node = ("anything",)
"""Leads to every object there is."""

SETTER: Node = ("setter",)
"""Setting the state of external code: a seed, an option."""

MOST_OBJECTS = 50_000
"""How many objects are looked into, before every statement is taken to lead to anything."""

_NAMESPACES = NAMESPACE_BUILTINS | {"vars", "locals"}
_SCALARS = frozenset({int, str, float, bool, bytes, complex, type(None)})
_CONTAINERS = (list, tuple, set, frozenset, dict)


def object_node(value: Any) -> Node:
    """The node of a live object."""
    return "object", id(value)


def global_node(symbol: Symbol) -> Node:
    """The node of a global, whatever it is bound to."""
    return "global", symbol


def module_node(name: str) -> Node:
    """The node of a module whose globals are come by without being named."""
    return "module", name


def statement_node(effect: Effect) -> Node:
    """The node of a statement."""
    return "statement", id(effect)


class CallGraph:
    """Which statements lead to what, seen backwards: from an object to the statements."""

    def __init__(self, resolver: Resolver, is_setter: Callable[[Target, str], bool]) -> None:
        self._resolver = resolver
        self._is_setter = is_setter
        self._statements: list[Node] = []
        self._leading: dict[Node, list[Node]] = {}
        self._met: set[Node] = set()
        self._pending: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._methods: dict[str, list[FunctionTarget]] = {}
        self._functions: dict[Node, FunctionTarget] = {}
        self._kinds: dict[type, ClassTarget | None] = {}
        self._objects: list[Any] = []  # held, so that their ids stay theirs

    def add(self, module: Module, effect: Effect) -> None:
        """Take in a statement, and what it leads to."""
        node = self._statement(effect)
        for names in effect.touches:
            self._touch(node, module, names)
        self._drain()

    def add_class(self, module: Module, effect: Effect) -> None:
        """Take in a class statement: its touches are its bases and keywords."""
        node = self._statement(effect)
        for names in effect.touches:
            target, _ = self.follow(module, names)
            if isinstance(target, ClassTarget):
                self._class(node, target, "subclass")
            else:
                self._name(node, module, names)
        self._drain()

    def _statement(self, effect: Effect) -> Node:
        node = statement_node(effect)
        self._statements.append(node)
        return node

    def _is_full(self) -> bool:
        return len(self._objects) > MOST_OBJECTS

    def _drain(self) -> None:
        while self._pending:
            step, arguments = self._pending.pop()
            step(*arguments)

    def leading_to(self, groups: Sequence[Iterable[Node]], called: Set[object]) -> dict[Node, int]:
        """Return, for each node that leads to any of `groups`, to which: a bit for each of them.

        Not through the functions of `called`, by their symbols: those that an evaluation calls.
        """
        found = dict.fromkeys(self._leading_anywhere(), (1 << len(groups)) - 1)
        for position, group in enumerate(groups):
            for node in group:
                found[node] = found.get(node, 0) | 1 << position
        pending = deque(found)
        while pending:
            node = pending.popleft()
            function = self._functions.get(node)
            symbol = None if function is None else symbol_of(function)
            if symbol in called:
                continue
            bits = found[node]
            for other in self._leading.get(node, ()):
                known = found.get(other, 0)
                if bits & ~known:
                    found[other] = known | bits
                    pending.append(other)
        return found

    def _leading_anywhere(self) -> list[Node]:
        # Which objects are left out hangs on the order of sets; that some are does not.
        return [ANYTHING, *(self._statements if self._is_full() else ())]

    def _link(self, node: Node, to: Node) -> bool:
        """Note that `node` leads to another; whether that is met for the first time."""
        self._leading.setdefault(to, []).append(node)
        is_new = to not in self._met
        self._met.add(to)
        return is_new

    # -- names ----------------------------------------------------------------------------------

    def _touch(self, node: Node, module: Module, names: Names) -> None:
        if names[0] == UNKNOWN:
            self._ask(node, names[1:])
            return
        if names[:2] == ("sys", "modules") or is_builtin(names[-1:], IMPORTERS):
            self._link(node, ANYTHING)
        self._name(node, module, names[:-1] if names[-1] == STORED else names)

    def _name(self, node: Node, module: Module, names: Names) -> Target:
        """Lead from a node to what a chain of names in it leads to."""
        target, rest = self.follow(module, names)
        is_external = isinstance(target, ExternalTarget)
        if is_external and is_builtin(names, _NAMESPACES):
            self._namespace(node, module)
        if isinstance(target, ModuleTarget):
            self._namespace(node, target.module)
        elif isinstance(target, FunctionTarget):
            self._function(node, target)
        elif isinstance(target, ClassTarget):
            self._class(node, target)
            self._ask(node, rest)
        elif isinstance(target, ValueTarget):
            self._global(node, target, rest)
        return target

    def follow(self, module: Module, names: Names) -> tuple[Target, Names]:
        """Return what a chain leads to through modules, and the names asked of that."""
        target = self._resolver.name(module, names[0])
        for position, name in enumerate(names[1:], 1):
            if not isinstance(target, ModuleTarget) or name == "__dict__":
                return target, names[position:]
            target = self._resolver.name(target.module, name)
        return target, ()

    def _ask(self, node: Node, names: Iterable[str]) -> None:
        """Lead to the methods of these names, of whatever class that is met."""
        for name in names:
            method = ("method", name)
            if self._link(node, method):
                for function in self._methods.get(name, ()):
                    self._function(method, function)

    def _namespace(self, node: Node, module: Module) -> None:
        """Lead to all that a module's globals hold: any of them may be asked for."""
        if self._link(node, module_node(module.name)):
            self._pending.append((self._globals, (module,)))

    def _globals(self, module: Module) -> None:
        for name in sorted(module.names()):
            target, _ = self.follow(module, (name,))
            if isinstance(target, ValueTarget):
                self._global(module_node(module.name), target, ())

    # -- globals and objects --------------------------------------------------------------------

    def _global(self, node: Node, target: ValueTarget, asked: Names) -> None:
        symbol = target.module.symbol(target.name)
        self._ask(node, asked)
        if self._link(node, global_node(symbol)) and target.live is ABSENT:
            self._pending.append((self._bound, (symbol, target)))
        if target.live is not ABSENT:
            self._object(node, target.live)

    def _bound(self, symbol: Symbol, target: ValueTarget) -> None:
        """Lead from a global that is not loaded to what the statements that bind it name."""
        for binding in target.module.bindings_of(target.name):
            self._references(global_node(symbol), target.module, binding.part.references)

    def _object(self, node: Node, value: Any) -> None:
        if type(value) in _SCALARS:
            return
        if self._link(node, object_node(value)):
            self._objects.append(value)
            if not self._is_full():
                self._pending.append((self._inside, (value,)))

    def _inside(self, value: Any) -> None:
        """Lead from an object to what it holds, and to the code that using it executes."""
        node, kind = object_node(value), type(value)
        if kind is FunctionType or issubclass(kind, type):
            target = self._resolver.of_object(value)
            if isinstance(target, FunctionTarget):
                self._function(node, target)
            elif isinstance(target, ClassTarget):
                self._class(node, target)
        cls = self._class_of(kind)
        if cls is not None:
            self._class(node, cls)
        for inner in _held_by(value, is_ours=cls is not None):
            self._object(node, inner)

    def _class_of(self, kind: type) -> ClassTarget | None:
        if kind not in self._kinds:
            found = self._resolver.of_class(kind)
            self._kinds[kind] = found if isinstance(found, ClassTarget) else None
        return self._kinds[kind]

    # -- functions and classes ------------------------------------------------------------------

    def _function(self, node: Node, target: FunctionTarget) -> None:
        function = "function", target.module.name, target.definitions[0].label, id(target.live)
        if self._link(node, function):
            self._functions[function] = target
            self._pending.append((self._body, (function, target)))

    def _body(self, node: Node, target: FunctionTarget) -> None:
        for definition in target.definitions:
            self._definition(node, target.module, definition)
        for value in _captured_by(target.live):
            self._object(node, value)

    def _definition(self, node: Node, module: Module, definition: FunctionDefinition) -> None:
        # A default may be the very table that the body fills.
        for references in (definition.header.references, definition.body.references):
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
                self._pending.append((self._chain, (shared, module, chain.names)))
        for level, name, attributes, _ in references.imports:
            source = self._resolver.project_module(self._resolver.imported(module, level, name))
            if source is not None and attributes:
                self._name(node, source, attributes)
        self._ask(node, (name for name, _ in references.attributes))

    def _chain(self, node: Node, module: Module, names: Names) -> None:
        if self._is_setter(self._name(node, module, names), names[-1]):
            self._link(node, SETTER)

    def _class(self, node: Node, target: ClassTarget, kind: str = "class") -> None:
        """Lead to what using a class or an instance executes, or making a `subclass` of it."""
        cls = kind, target.module.symbol(target.name), id(target.live)
        if self._link(node, cls):
            self._pending.append((self._specials, (cls, target, kind)))

    def _specials(self, node: Node, target: ClassTarget, kind: str) -> None:
        """Lead to the methods that calls, operators and statements call without naming them."""
        methods = list(self._methods_of(target))
        self._offer(target, methods)
        # Of a class that is not loaded it is not known.
        is_metaclass = target.live is None or issubclass(target.live, type)
        for name, method in methods:
            if name == "__init_subclass__" or (
                name.startswith("__") and (kind == "class" or is_metaclass)
            ):
                self._function(node, method)
        for base in self._bases(target):
            self._class(node, base, kind)

    def _offer(self, target: ClassTarget, methods: list[tuple[str, FunctionTarget]]) -> None:
        """Let the methods of a class be asked for by their names."""
        key = "offered", target.module.symbol(target.name), id(target.live)
        if key in self._met:
            return
        self._met.add(key)
        for name, method in methods:
            self._methods.setdefault(name, []).append(method)
            if ("method", name) in self._met:
                self._function(("method", name), method)

    def _bases(self, target: ClassTarget) -> Iterator[ClassTarget]:
        if target.live is not None:
            kinds = (*target.live.__mro__[1:], type(target.live))
            found = [self._resolver.of_class(kind) for kind in kinds]
        else:
            chains = [c for d in target.definitions for c in d.head.references.chains]
            found = [self.follow(target.module, chain.names)[0] for chain in chains]
        yield from (base for base in found if isinstance(base, ClassTarget))

    def _methods_of(self, target: ClassTarget) -> Iterator[tuple[str, FunctionTarget]]:
        """Yield the methods of a class with their names: those it has, or defines."""
        for name, value in tuple(vars(target.live).items()) if target.live is not None else ():
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


def _held_by(value: Any, is_ours: bool) -> Iterator[Any]:
    """Yield what a container, a wrapper, a bound method or an instance of the project's holds."""
    kind = type(value)
    if kind in _CONTAINERS:
        yield from tuple(value.values() if kind is dict else value)
    elif kind in (MethodType, BuiltinMethodType):
        yield value.__self__
    if kind not in _CONTAINERS:
        yield from functions_in(value)
    if is_ours and not issubclass(kind, type):
        yield from tuple(fields_of(value).values())
        yield from slots_of(value)


def _captured_by(live: FunctionType | None) -> Iterator[Any]:
    """Yield what a function holds without naming a global: its cells and defaults."""
    if live is None:
        return
    cells: tuple[CellType, ...] = live.__closure__ or ()
    for cell in cells:
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # not bound yet
    yield from live.__defaults__ or ()
    yield from (live.__kwdefaults__ or {}).values()
