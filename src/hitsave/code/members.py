"""Members: how classes count, and modules and objects of which a name is asked.

Owns the table of what could answer to an attribute name: methods and class-level bindings of the
reachable classes, globals of the modules that escape. A member counts when its name is asked for,
when it is special, or when anything at all may be asked for.
"""

import abc
from collections.abc import Callable, Iterator
from operator import is_
from types import FunctionType
from typing import TYPE_CHECKING, Any

from hitsave.code.definition import (
    NOTHING,
    Binding,
    ClassDefinition,
    Dynamic,
    FunctionDefinition,
    Part,
)
from hitsave.code.dependencies import Via
from hitsave.code.held import is_scalar
from hitsave.code.names import REFLECTION
from hitsave.code.origin import same_class
from hitsave.code.project import Module, is_special
from hitsave.code.resolve import (
    ABSENT,
    ClassTarget,
    ExternalTarget,
    FunctionTarget,
    symbol_of,
)
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.wrapping import functions_in
from hitsave.digest import digest_bytes, digest_parts
from hitsave.raw import class_name, is_class, mro_of, named_in, names_of_class

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

# The registry of abstract classes has no public reader; `abc` itself re-exports this one.
_get_dump: Callable[[type], tuple[set[Callable[[], type | None]], Any, Any, int]] = vars(abc)[
    "_get_dump"
]

OWNER_MODULES = frozenset({"builtins", "abc", "typing", "typing_extensions", "enum", "collections"})
"""Modules whose classes, as bases, call no method that their subclass happens to define."""


class Members:
    """Which members of which classes and modules a closure has reached."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._asked: set[str] = set()
        self._patterns: list[Dynamic] = []
        self._everything = False
        self._waiting: dict[str, list[ClassTarget | Module]] = {}
        self._via: dict[int, Via] = {}
        self._classes: list[ClassTarget] = []
        self.follow_subclasses = False
        self.escaped: dict[str, tuple[Module, set[str]]] = {}
        self.class_names: list[tuple[type, dict[str, Any]]] = []
        self._decorating: dict[tuple[int, ...], list[tuple[str, set[str], FunctionDefinition]]] = {}

    # -- asking ---------------------------------------------------------------------------------

    def ask(self, name: str) -> None:
        """Some reachable code asks objects for the attribute `name`."""
        if name in self._asked:
            return
        self._asked.add(name)
        for owner in self._waiting.pop(name, ()):
            self._give(owner, name)
        if name in REFLECTION:
            self._closure.reflection.read(name)
        self._closure.functions.reflect(name)

    def ask_pattern(self, dynamic: Dynamic) -> None:
        """Some reachable code asks objects for a computed attribute."""
        self._patterns.append(dynamic)
        for name in [name for name in self._waiting if dynamic.admits(name)]:
            for owner in self._waiting.pop(name):
                self._give(owner, name)

    def ask_everything(self) -> None:
        """Objects reach external code, which may ask them for any method."""
        if self._everything:
            return
        self._everything = True
        for name in tuple(self._waiting):
            owners = self._waiting.pop(name)
            for owner in owners:
                if isinstance(owner, ClassTarget):
                    self._give(owner, name)
            modules = [owner for owner in owners if isinstance(owner, Module)]
            if modules:
                self._waiting[name] = list(modules)

    def asked(self, *names: str) -> bool:
        """Whether any of `names` is asked for by its name."""
        return any(name in self._asked for name in names)

    def asks_classes_for(self, name: str) -> bool:
        """Whether a class counts by what it binds to `name`."""
        return self._everything or is_special(name) or self._is_asked_by_name(name)

    def _is_asked_by_name(self, name: str) -> bool:
        return name in self._asked or any(pattern.admits(name) for pattern in self._patterns)

    def _is_asked(self, owner: ClassTarget | Module, name: str) -> bool:
        is_class = isinstance(owner, ClassTarget)
        return self.asks_classes_for(name) if is_class else self._is_asked_by_name(name)

    def _offer(self, owner: ClassTarget | Module, names: set[str]) -> None:
        for name in sorted(names):
            if self._is_asked(owner, name):
                self._give(owner, name)
            else:
                self._waiting.setdefault(name, []).append(owner)

    def _give(self, owner: ClassTarget | Module, name: str) -> None:
        if isinstance(owner, ClassTarget):
            self._closure.later(lambda: self._member(owner, name))
            return
        via = Via(owner.symbol(""), "asked by name of", 0)
        self._closure.later(
            lambda: self._closure.reach(self._closure.look_up(owner, name, via), via)
        )

    # -- modules --------------------------------------------------------------------------------

    def escape(self, module: Module, via: Via, every: bool = False) -> None:
        """A module is used as an object: whatever is asked of objects may be asked of it."""
        self._closure.visit_module(module, via)
        self._closure.link(module.symbol(""), via)
        if every and self._closure.once(("every", module.name)):
            names = self._names_in(module)
            token = digest_bytes("\n".join(sorted(names)).encode())
            self._closure.count(module.symbol(""), Facet.SHAPE, token, module.place(), via)
            for name in names:
                self._give(module, name)
        elif self._closure.once(("escaped", module.name)):
            self._offer(module, self._names_in(module))

    def escape_in_part(self, module: Module, via: Via) -> None:
        """What may lead to functions that others make may be asked of a module."""
        self._closure.visit_module(module, via)
        self._closure.link(module.symbol(""), via)
        if self._closure.once(("escaped in part", module.name)):
            names = self._names_in(module)
            self._offer(module, {name for name in names if not self._is_as_written(module, name)})

    def _is_as_written(self, module: Module, name: str) -> bool:
        """Whether a name leads to nothing but plain functions, constants or external code."""
        if isinstance(self._closure.resolver.name(module, name), ExternalTarget):
            return True
        live = (module.namespace or {}).get(name, ABSENT)
        is_plain = isinstance(live, FunctionType) and live.__qualname__ == name
        if live is not ABSENT and not is_plain and not is_scalar(live):
            return False  # bound anew since, whatever the source says
        bindings = module.bindings_of(name)
        return bool(bindings) and all(_binds_as_written(module, each) for each in bindings)

    def _names_in(self, module: Module) -> set[str]:
        if module.name not in self.escaped:
            self.escaped[module.name] = (module, module.names())
        return self.escaped[module.name][1]

    def count_names(self, module: Module, dynamic: Dynamic, via: Via) -> None:
        """A computed name is asked of a known module: all that it can mean counts."""
        names = sorted(name for name in module.names() if dynamic.admits(name))
        symbol = Symbol(module.name, f"{dynamic.prefix}*{dynamic.suffix}")
        token = digest_bytes("\n".join(names).encode())
        self._closure.count(symbol, Facet.SHAPE, token, module.place(), via)
        inner = Via(symbol, "matched by", 0)
        for name in names:
            self._closure.reach(self._closure.look_up(module, name, inner), inner)

    # -- classes --------------------------------------------------------------------------------

    def reach_class(self, target: ClassTarget, via: Via) -> None:
        """Count a class's shape, follow its bases, and offer its members."""
        if target.live is not None and target.others:
            # Found by its name in the source, while the class itself tells which it is.
            chosen = same_class(target.definitions, target.live)
            target = target._replace(definition=chosen, others=())
        symbol = target.module.symbol(target.name)
        self._closure.link(symbol, via)
        key = ("class", symbol, id(target.live))
        if self._closure.once(key):
            self._closure.visit_module(target.module, via)
            self._classes.append(target)
            self._closure.later(lambda: self._class(target, symbol, via))

    def _class(self, target: ClassTarget, symbol: Symbol, via: Via) -> None:
        for definition in target.definitions:
            self._count_shape(definition, target.module, symbol, via)
        if target.others:
            self._count_bindings(target, symbol, via)
        if target.live is not None:
            self._follow_live_bases(target.live, symbol)
            self._count_registered(target, target.live, symbol, via)
        names = self._names_of(target)
        if target.live is not None and _is_protocol(target.live):
            # `isinstance` looks for its members in whatever it is given.
            for name in sorted(names.union(_annotated(target.live))):
                self.ask(name)
        if self._is_watched_from_outside(target):
            for name in names:
                self._give(target, name)
            token = digest_bytes("\n".join(_in_order(target, names)).encode())
            self._closure.count(symbol, Facet.CONTENT, token, target.module.place(), via)
            for definition in target.definitions:
                self._closure.follow(definition.annotations, target.module, symbol)
        else:
            self._offer(target, names)

    def _count_shape(
        self, definition: ClassDefinition, module: Module, symbol: Symbol, via: Via
    ) -> None:
        parts = [definition.head, *definition.decorators, *(e.part for e in definition.effects)]
        digests = [part.digest for part in parts]
        self._closure.reflection.class_(definition, module, symbol, via)
        place = module.place(definition.first_line, definition.end_line)
        token = digest_parts("shape", digests)
        self._closure.count(symbol, Facet.SHAPE, token, place, via, (module, place))
        for part in parts:
            self._closure.follow(part, module, symbol)

    def _count_bindings(self, target: ClassTarget, symbol: Symbol, via: Via) -> None:
        """Count all that several definitions bind: nothing tells which of them the class is."""
        parts = [part for definition in target.definitions for part in _statements(definition)]
        definition = target.definitions[0]
        place = target.module.place(definition.first_line, definition.end_line)
        token = digest_parts("several", [part.digest for part in parts])
        own = target.module.symbol(f"{target.name}.<statements>")
        self._closure.count(own, Facet.DEFINITION, token, place, via, (target.module, place))
        for part in parts:
            self._closure.follow(part, target.module, symbol)

    def _follow_live_bases(self, live: type, symbol: Symbol) -> None:
        known = mro_of(live)
        for base in (*known[1:], type(live)):
            target = self._closure.resolver.of_class(base)
            if isinstance(target, (ClassTarget, ExternalTarget)):
                self._closure.reach(target, Via(symbol, "a base of", 0), opaque=False)
        self._closure.guard.watch(lambda: _is_same(mro_of(live), known))

    def _count_registered(self, target: ClassTarget, live: type, symbol: Symbol, via: Via) -> None:
        """Count the virtual subclasses of an abstract class."""
        if "_abc_impl" not in names_of_class(live):
            return
        registered = virtual_subclasses(live)
        named = sorted(":".join(class_name(cls)) for cls in registered)
        if named:
            token = digest_bytes("\n".join(named).encode())
            own = Symbol(symbol.module, f"{symbol.name}.register")
            self._closure.count(own, Facet.BINDING, token, target.module.place(), via)
        self._closure.guard.watch(lambda: virtual_subclasses(live) == registered)

    def _names_of(self, target: ClassTarget) -> set[str]:
        names: set[str] = set()
        for definition in target.definitions:
            names.update(binding.name for binding in definition.bindings)
        if target.live is not None:
            live = target.live
            bound = names_of_class(live)
            names.update(name for name in bound if not is_bookkeeping(name))
            self.class_names.append((live, dict(bound)))
            made = self._closure.project.made_members
            names.update(made.taken(live))
            names -= made.of(live)
            size = len(bound)
            self._closure.guard.watch(lambda: len(names_of_class(live)) == size)
        return names

    def _is_watched_from_outside(self, target: ClassTarget) -> bool:
        """Whether something other than reachable code sees all of the class's names.

        A decorator, a metaclass, `__init_subclass__` keywords or an external base does.
        """
        if any(definition.decorators for definition in target.definitions):
            return True
        if target.live is None:
            return any(d.head.references.chains for d in target.definitions)
        if type(target.live) is not type and class_name(type(target.live))[0] != "abc":
            return True
        return any(self._is_foreign_base(base) for base in mro_of(target.live)[1:])

    def _is_foreign_base(self, base: type) -> bool:
        if class_name(base)[0] in OWNER_MODULES:
            return False
        return isinstance(self._closure.resolver.of_class(base), ExternalTarget)

    def live_class(self, module: Module, name: str) -> type | None:
        """Return the live class of a qualified name, where there is one to be had."""
        found = named_in(module.namespace or {}, name)
        return found if is_class(found) else None

    def live_function(
        self, module: Module, name: str, definition: FunctionDefinition
    ) -> FunctionType | None:
        """Return the live function that a qualified name leads to, if it is of `definition`."""
        owner, _, own = name.rpartition(".")
        live = self.live_class(module, owner) if owner else None
        names = {} if owner else module.namespace
        namespace: Any = names_of_class(live) if live is not None else names or {}
        for function in functions_in(namespace.get(own)) or [namespace.get(own)]:
            if type(function) is FunctionType:
                found = module.functions_of(self._closure.project.wrappers.code_of(function))
                if definition in found:
                    return function
        return None

    def collect_subclasses(self) -> bool:
        """Reach the subclasses of reachable classes, where code asks for them."""
        if not self.follow_subclasses:
            return False
        grown = False
        for target in tuple(self._classes):
            subclasses: list[type] = type.__subclasses__(target.live) if target.live else []
            for subclass in subclasses:
                found = self._closure.resolver.of_class(subclass)
                if isinstance(found, ClassTarget):
                    before = len(self._classes)
                    symbol = target.module.symbol(target.name)
                    self.reach_class(found, Via(symbol, "a subclass of", 0))
                    grown = grown or len(self._classes) > before
        return grown

    # -- members --------------------------------------------------------------------------------

    def _member(self, target: ClassTarget, name: str) -> None:
        symbol = target.module.symbol(target.name)
        via = Via(symbol, f"asked for as .{name} of", 0)
        value = ABSENT
        if target.live is not None:
            bound, made = names_of_class(target.live), self._closure.project.made_members
            value = bound.get(name, ABSENT)
            self._closure.guard.watch_name(bound, name, value, target.live)
            if value is ABSENT:
                value = made.taken(target.live).get(name, ABSENT)
            value = made.unmade(target.live, name, value)
        static = self._static_members(target, name)
        if static:
            for function in static:
                self._closure.functions.reach(function, via)
            for extending in self._extending(target, name):
                self._closure.reflection.extension(extending, target.module, via)
        if value is not ABSENT:
            self._live_member(target, name, value, bool(static), via)
        elif not static and not self._reach_inner(target, name, via):
            self._closure.cells.reach_class_binding(target, name, ABSENT, via)

    def _reach_inner(self, target: ClassTarget, name: str, via: Via) -> bool:
        """Reach a class inside one that is not loaded; False where the name is bound otherwise."""
        kinds = {binding.kind for binding in _bindings_of(target) if binding.name == name}
        if "class" in kinds:
            inner = self._closure.resolver.static_class(target.module, f"{target.name}.{name}")
            self._closure.reach(inner, via)
        return kinds == {"class"}

    def _static_members(self, target: ClassTarget, name: str) -> list[FunctionTarget]:
        """The functions the class body defines by `name`, where that is still what it is."""
        record = target.module.record
        if record is None or target.definition is None:
            return []
        qualified = f"{target.name}.{name}"
        found = record.functions.get(qualified, ())
        spans = [(definition.first_line, definition.end_line) for definition in target.definitions]
        inside = tuple(d for d in found if any(a <= d.first_line <= b for a, b in spans))
        inside += self._extending(target, name)
        return [FunctionTarget(target.module, inside, None)] if inside else []

    def _extending(self, target: ClassTarget, name: str) -> tuple[FunctionDefinition, ...]:
        """Methods decorated by another member, which extend it: `@go.register`, `@area.setter`."""
        key = tuple(map(id, target.definitions))  # which the records keep
        if key not in self._decorating:
            self._decorating[key] = list(_decorated_in(target))
        found = self._decorating[key]
        return tuple(each for own, names, each in found if name in names and name != own)

    def _live_member(
        self, target: ClassTarget, name: str, value: Any, is_defined: bool, via: Via
    ) -> None:
        closure = self._closure
        functions = functions_in(value) or [value]
        if functions != [value] and not is_defined:
            closure.cells.reach_class_binding(target, name, value, via)
        expected = target.module.symbol(f"{target.name}.{name}")
        found = [closure.resolver.of_object(function) for function in functions]
        symbols = [symbol for symbol in map(symbol_of, found) if symbol is not None]
        if symbols and target.definition is not None and any(map(self._is_generated, functions)):
            return
        if symbols and symbols != [expected]:
            # Patched, borrowed, an accessor, or one of several definitions.
            token = digest_bytes("\n".join(map(str, symbols)).encode())
            closure.count(expected, Facet.BINDING, token, target.module.place(), via)
            for inner in found:
                closure.functions.tell_apart(expected, inner, target.module.place(), via)
        for inner in found:
            if symbol_of(inner) is not None:
                closure.reach(inner, Via(expected, "bound by", 0))
        if functions == [value] and symbol_of(closure.resolver.of_object(value)) is None:
            if is_defined:
                closure.add_inside(value, via)
            else:
                closure.cells.reach_class_binding(target, name, value, via)

    def _is_generated(self, value: Any) -> bool:
        """Whether a function was generated from the class it is in, as `dataclass` does."""
        if type(value) is not FunctionType:
            return False
        code = self._closure.project.wrappers.code_of(value)
        return code.co_filename.startswith("<")


def virtual_subclasses(live: type) -> set[type]:
    """Return the classes registered with an abstract class."""
    registry, *_ = _get_dump(live)
    return {cls for cls in (reference() for reference in registry) if cls is not None}


def _is_same(bases: tuple[type, ...], others: tuple[type, ...]) -> bool:
    return len(bases) == len(others) and all(map(is_, bases, others))


def _is_protocol(live: type) -> bool:
    names = names_of_class(live)
    return names.get("_is_protocol") is True and names.get("_is_runtime_protocol") is True


def _annotated(live: type) -> set[str]:
    found = names_of_class(live).get("__annotations__")
    return {str(name) for name in found} if type(found) is dict else set()


def _statements(definition: ClassDefinition) -> list[Part]:
    """The head of a class and its statements, but what its methods do."""
    values = [binding.part for binding in definition.bindings if binding.kind == "value"]
    effects = [effect.part for effect in definition.effects]
    return [definition.head, *definition.decorators, *values, *effects]


def _binds_as_written(module: Module, binding: Binding) -> bool:
    assert module.record is not None
    if binding.kind != "function":
        return bool(binding.literal)
    found = module.record.functions.get(binding.name, ())
    return all(not each.decorators and each.header.references == NOTHING for each in found)


def _decorated_in(target: ClassTarget) -> Iterator[tuple[str, set[str], FunctionDefinition]]:
    """Yield the decorated methods of a class, with what their decorators ask of other members."""
    record = target.module.record
    assert record is not None
    for binding in _bindings_of(target):
        if binding.kind == "function":
            for function in record.functions.get(f"{target.name}.{binding.name}", ()):
                names = {name for d in function.decorators for name, _ in d.references.attributes}
                if names:
                    yield binding.name, names, function


def _bindings_of(target: ClassTarget) -> list[Binding]:
    return [binding for definition in target.definitions for binding in definition.bindings]


def _in_order(target: ClassTarget, names: set[str]) -> list[str]:
    """The names of a class: fields as they stand, since their order can matter, then the rest."""
    fields = [binding.name for binding in _bindings_of(target) if binding.kind == "value"]
    return [*fields, *sorted(names.difference(fields))]


def is_bookkeeping(name: str) -> bool:
    """Whether a class's entry says nothing about what it does."""
    return name in _BOOKKEEPING


_BOOKKEEPING = frozenset(
    "__module__ __qualname__ __dict__ __weakref__ __doc__ __firstlineno__ __static_attributes__ "
    "__annotations__ __annotate__ __annotate_func__ __annotations_cache__ __parameters__ "
    "__orig_bases__ __abstractmethods__ _abc_impl __dataclass_params__ __dataclass_fields__ "
    "__match_args__ __type_params__ __classcell__ __slotnames__ __subclasshook__ "
    "_is_protocol _is_runtime_protocol __protocol_attrs__ __non_callable_proto_members__".split()
)
