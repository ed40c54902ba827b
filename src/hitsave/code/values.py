"""Values: how globals, class-level bindings and closure cells count.

Owns the rule of value or definition: a plain value counts by what it is, anything else by the
statements that bind or extend it, and by as much of it as can be digested. Refuses to digest: the
session hands that in.
"""

from collections.abc import Callable, Container, Iterator
from functools import partial
from itertools import chain
from types import CellType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from hitsave.code.definition import Binding, Key
from hitsave.code.dependencies import Via
from hitsave.code.guard import cell_content
from hitsave.code.held import Search, changeable, is_scalar
from hitsave.code.inert import is_inert
from hitsave.code.literal import literal_value
from hitsave.code.names import ACCESSORS
from hitsave.code.project import Module
from hitsave.code.resolve import (
    ABSENT,
    ExternalTarget,
    ObjectTarget,
    ValueTarget,
)
from hitsave.code.source import file_of
from hitsave.code.symbol import Facet, Place, Symbol
from hitsave.code.volatile import Volatile
from hitsave.digest import digest_bytes, digest_parts
from hitsave.errors import NotDigestibleError
from hitsave.events import Untracked, emit
from hitsave.raw import class_name, is_class, is_of_hitsave, names_of_class

if TYPE_CHECKING:
    from hitsave.code.closure import Closure


class Digested(Protocol):
    """The digest of a value, the project symbols met in it, and whether it can change in place.

    It is `whole` unless it says of something in the value no more than of what kind it is.
    """

    @property
    def digest(self) -> bytes: ...
    @property
    def symbols(self) -> tuple[object, ...]: ...
    @property
    def mutable(self) -> bool: ...
    @property
    def whole(self) -> bool: ...


NameSymbol = Callable[[Any], str | None]


class DigestValue(Protocol):
    """Digests a value. Calls give each other what they find out in `shared`, if anything."""

    def __call__(self, value: Any, name_symbol: NameSymbol, /, shared: Any = None) -> Digested: ...


class Read:
    """How a name is read as it is now: of a Module, of a class, or an attribute of a function."""

    __slots__ = ("holder", "name")

    def __init__(self, holder: Any, name: str) -> None:
        self.holder = holder
        self.name = name

    def __call__(self) -> Any:
        """Return what is there; ABSENT where nothing is."""
        kind = type(self.holder)
        if kind is Module:
            return (self.holder.namespace or {}).get(self.name, ABSENT)
        if kind is FunctionType:
            return vars(self.holder).get(self.name, ABSENT)
        return names_of_class(self.holder).get(self.name, ABSENT)


class ReadCell(Read):
    """How a closure cell of a function is read as it is now."""

    __slots__ = ("cell",)

    def __init__(self, holder: FunctionType, name: str, cell: CellType) -> None:
        super().__init__(holder, name)
        self.cell = cell

    def __call__(self) -> Any:
        """Return what is in it, or EMPTY."""
        return cell_content(self.cell)


class Live(NamedTuple):
    """A value that counted: its digest, the object, and how to read what is there now."""

    digest: bytes
    value: Any
    read: Callable[[], Any]


class Values:
    """The globals, class-level bindings and cells that a closure has reached."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._volatile = Volatile(closure)
        self.live: dict[Symbol, list[Live]] = {}
        self._states: list[Live] = []
        self._hidden: list[ValueTarget] = []
        self._items: dict[Symbol, bool] = {}
        self.by_definition: dict[Symbol, Any] = {}
        """What does not count by its value, with that value, or ABSENT."""

    # -- globals --------------------------------------------------------------------------------

    def reach_global(self, target: ValueTarget, via: Via) -> None:
        """Count a global by value or by definition."""
        module, name = target.module, target.name
        symbol = module.symbol(name)
        self._closure.link(symbol, via)
        if is_inert(target.live) or not self._closure.once(("global", symbol)):
            return
        self._closure.visit_module(module, via)
        value, read = target.live, ABSENT
        if value is ABSENT:
            self._note_absent(target, symbol)
        if module.namespace is None:
            value = literal_value(module, name)
        else:
            read = Read(module, name)
        place = module.place_of(name)
        if issubclass(type(value), ModuleType):
            self.count_file(symbol, file_of(value), via)
        if value is ABSENT or not self.count_value(symbol, value, place, via, read):
            self._closure.later(lambda: self._count_definition(target, symbol, via))

    def reach_item(self, target: ValueTarget, keys: tuple[Key, ...], via: Via) -> bool:
        """Count one item of a plain container; False where the global has to count as a whole."""
        module, name = target.module, target.name
        value = item_of(target.live, keys)
        if value is ABSENT or module.namespace is None or is_inert(target.live):
            return False
        symbol = module.symbol(name + "".join(f"[{key!r}]" for key in keys))
        if symbol not in self._items:
            self._closure.visit_module(module, via)
            self._items[symbol] = self._count_item(target, keys, symbol, via)
        self._closure.link(symbol, via)
        return self._items[symbol]

    def _count_item(
        self, target: ValueTarget, keys: tuple[Key, ...], symbol: Symbol, via: Via
    ) -> bool:
        whole = target.module.symbol(target.name)
        if self._counts_by_definition(whole, target.live):
            return False
        if self._closure.options.is_state(symbol, self.definition_digest(symbol)):
            self._closure.later(lambda: self._count_definition(target, whole, via))
            return True
        value = item_of(target.live, keys)

        def read() -> Any:
            return item_of((target.module.namespace or {}).get(target.name, ABSENT), keys)

        self._closure.guard.watch(lambda: read() is value)
        place = target.module.place_of(target.name)
        if not self._count_digest(symbol, value, place, via, read):
            return False
        if not is_scalar(value):
            self._follow_held(whole)
        return True

    def _counts_by_definition(self, symbol: Symbol, value: Any) -> bool:
        is_state = self._closure.options.is_state(symbol, self.definition_digest(symbol))
        return (
            is_state or self._stands_for_more(symbol, value) or self._volatile.is_volatile(symbol)
        )

    def _note_absent(self, target: ValueTarget, symbol: Symbol) -> None:
        namespace = target.module.namespace
        if namespace is None:
            self._hidden.append(target)
        else:
            # Once an evaluation has bound it, it is state.
            read = Read(target.module, target.name)
            self.note(symbol, Live(b"", ABSENT, read))

    def count_value(self, symbol: Symbol, value: Any, place: Place, via: Via, read: Any) -> bool:
        """Count a value by what it is; False where it must count by its definition as well."""
        if self._closure.options.is_state(symbol, self.definition_digest(symbol)):
            self._states.append(Live(b"", value, read))
            self._count_initial(symbol, value, place, via, read)
            return False
        if self._stands_for_more(symbol, value):
            return False
        if self._volatile.is_volatile(symbol):
            reason = "its value differs in every process; it counts by its definition"
            if self._closure.once(("volatile", symbol)):
                emit(Untracked(str(symbol), reason))
            return False
        if not self._count_digest(symbol, value, place, via, read):
            return False
        self._follow_held(symbol)
        return True

    def _count_initial(self, symbol: Symbol, value: Any, place: Place, via: Via, read: Any) -> None:
        """Count what state of a class or function was at first: no statement may show it."""
        digest = self.initial_digest(symbol, value, _holder(read))
        if digest is not None:
            self._closure.count(symbol, Facet.INITIAL, digest, place, via)

    def initial_digest(self, symbol: Symbol, value: Any, holder: object) -> bytes | None:
        """The digest of what state was at first, if that was a scalar; None of a global."""
        if holder is None:
            return None
        initial = self._closure.project.initial
        digest = initial.of(holder, symbol)
        if digest is None and is_scalar(value) and (digest := self.digest_of(value)) is not None:
            initial.note(holder, symbol, digest)
        return digest

    def note_initial(self) -> None:
        """Note what scalars classes and functions held at first where something else is now."""
        for symbol, found in self.live.items():
            for live in found:
                holder = _holder(live.read)
                is_noted = holder is not None and live.value is not ABSENT
                if is_noted and is_scalar(live.value) and self._differs(live):
                    self._closure.project.initial.note(holder, symbol, live.digest)

    def _follow_held(self, symbol: Symbol) -> None:
        """Follow what accessors look up later that a global holds: `methodcaller("go")`."""
        module = self._closure.modules.get(symbol.module)
        for binding in self.bindings(symbol):
            names = {name for name, _ in binding.part.references.attributes}
            for name in sorted(names):
                self._closure.members.ask(name)
            if module is not None and not ACCESSORS.isdisjoint(names):
                for dynamic in binding.part.references.dynamics:
                    self._closure.computed.follow(dynamic, module, symbol)

    def _count_digest(self, symbol: Symbol, value: Any, place: Place, via: Via, read: Any) -> bool:
        """Count what a digest says of a value; whether that is all of it."""
        digest_value, name_symbol = self._closure.options.digest_value, self._closure.name_symbol
        try:
            found = digest_value(value, name_symbol)
        except NotDigestibleError:
            return False
        self._closure.count(symbol, Facet.VALUE, found.digest, place, via, value)
        if read is not ABSENT:
            self.note(symbol, Live(found.digest, value, read))
        if found.mutable and not self._closure.guard.watch_contents(value):
            redigest = partial(self.digest_of, value)
            self._closure.guard.watch_value(redigest, found.digest)
        for inner in found.symbols:
            target = self._closure.resolver.of_object(inner)
            self._closure.reach(target, Via(symbol, "held by", 0))
        return found.whole

    def note(self, symbol: Symbol, live: Live) -> None:
        # Several closures of one function go by the same symbols.
        self.live.setdefault(symbol, []).append(live)

    def has_changed(self, symbol: Symbol) -> bool:
        """Whether a global that counts by value is now bound to, or holds, something else."""
        return any(self._differs(live) for live in self.live[symbol])

    def _differs(self, live: Live) -> bool:
        now = live.read()
        if now is ABSENT or live.value is ABSENT:
            return now is not live.value
        return self.digest_of(now) != live.digest

    def changed_inside(self, symbol: Symbol) -> Iterator[Any]:
        """Yield the objects of a global that hold something else now than they did."""
        for live in self.live[symbol]:
            if live.read() is live.value and not is_scalar(live.value) and self._differs(live):
                yield changeable(live.value)

    def replaced(self) -> Iterator[tuple[Read, Any, Any]]:
        """Yield where an evaluation put something else that counts, with what was there and is."""
        for live in (*chain.from_iterable(self.live.values()), *self._states):
            if not isinstance(live.read, Read) or live.value is ABSENT:
                continue
            if type(live.read.holder) is FunctionType:
                continue
            now = live.read()
            if now is not ABSENT and now is not live.value:
                target = self._closure.resolver.of_object(now)
                # Statements lead to what a class held at first, and to it by no name of its own.
                if is_class(live.read.holder) or not isinstance(target, ObjectTarget):
                    yield live.read, live.value, now

    def leading_to(self, objects: Container[int]) -> Iterator[Symbol]:
        """Yield the globals that are or hold any of `objects`, by their ids, or their methods."""
        search = Search(objects)
        for symbol, found in self.live.items():
            if any(search.leads_from(live.value) for live in found):
                yield symbol

    def hidden_globals(self) -> list[tuple[Symbol, Any]]:
        """The globals reached in loaded modules that count as if they were not loaded."""
        found = []
        for target in self._hidden:
            name = target.module.source.module
            if name not in self._closure.options.hidden:
                continue
            known = self._closure.project.module(name)
            namespace = known.namespace if known is not None else None
            if namespace is not None and target.name in namespace:
                found.append((target.module.symbol(target.name), namespace[target.name]))
        return found

    def digest_of(self, value: Any) -> bytes | None:
        """The digest of a value as it is now; None where it has none."""
        digest_value, name_symbol = self._closure.options.digest_value, self._closure.name_symbol
        try:
            return digest_value(value, name_symbol).digest
        except NotDigestibleError:
            return None

    # -- definitions ----------------------------------------------------------------------------

    def bindings(self, symbol: Symbol) -> tuple[Binding, ...]:
        """The statements that bind a global."""
        module = self._closure.modules.get(symbol.module)
        return () if module is None else module.bindings_of(symbol.name)

    def definition_digest(self, symbol: Symbol) -> bytes:
        """The digest of the statements that bind a global."""
        return digest_parts("definition", [b.part.digest for b in self.bindings(symbol)])

    def _stands_for_more(self, symbol: Symbol, value: Any) -> bool:
        """Whether a value says too little: it is what external code made of a definition.

        A decorated function, a closure of a library's, a method of a library's hidden instance. Of
        a memoised function a digest says what its cells hold, even where that is inert.
        """
        if declared_version(value) is not None:
            return True
        if type(value) is MethodType:
            target = self._closure.resolver.of_object(value.__func__)
            return isinstance(target, ExternalTarget)
        if type(value) is FunctionType:
            return True
        return any(binding.kind in ("function", "class") for binding in self.bindings(symbol))

    def note_definition(self, symbol: Symbol, value: Any, is_fixed: bool = False) -> None:
        """Note what counts by its definition, and by the statements that extend it, if any can."""
        self.by_definition[symbol] = value
        if not (is_fixed or _is_cached_function(value)):
            self._closure.effects.extended(symbol, value)

    def _count_definition(self, target: ValueTarget, symbol: Symbol, via: Via) -> None:
        module, name = target.module, target.name
        parts = [b.part for b in self.bindings(symbol) if b.kind == "value"]
        # What a loaded module does not bind, nothing has extended.
        is_unbound = target.live is ABSENT and module.namespace is not None
        self.note_definition(symbol, target.live, is_fixed=is_unbound)
        if parts and module.namespace is not None and is_scalar(target.live):
            self._closure.guard.watch_kind(module.namespace, name)
        token = digest_parts("definition", [part.digest for part in parts])
        place = module.place_of(name)
        self._closure.count(symbol, Facet.DEFINITION, token, place, via, (module, place))
        for part in parts:
            self._closure.follow(part, module, symbol)
        others = self._follow_other_bindings(module, symbol, via)
        if not parts and not others and target.live is not ABSENT:
            self._count_whole_module(module, symbol, via)
        if target.live is not ABSENT:
            self._closure.add_inside(target.live, Via(symbol, "held by", 0))

    def _follow_other_bindings(self, module: Module, symbol: Symbol, via: Via) -> bool:
        """Follow what a global is bound to by `def`, `class` or `import`."""
        resolver, found, imported = self._closure.resolver, False, []
        for binding in self.bindings(symbol):
            if binding.kind == "import":
                name = resolver.imported(module, binding.level, binding.module)
                imported.append(f"{name}:{binding.attribute}".encode())
                target = resolver.attribute_of(name, binding.attribute)
                if not binding.attribute:
                    target = resolver.module(name) or target
                self._closure.reach(target, Via(symbol, "imported as", binding.part.line))
            elif binding.kind == "function":
                self._closure.reach(resolver.static_function(module, symbol.name), via)
            elif binding.kind == "class":
                self._closure.reach(resolver.static_class(module, symbol.name), via)
            found = found or binding.kind != "value"
        if not self.bindings(symbol):
            imported = self._follow_star(module, symbol)
            found = bool(imported)
        if imported:
            # Which of several values it is does not show in what these count by.
            token = digest_parts("imported as", imported)
            self._closure.count(symbol, Facet.BINDING, token, module.place_of(symbol.name), via)
        return found

    def _follow_star(self, module: Module, symbol: Symbol) -> list[bytes]:
        """Follow what `from x import *` binds a global to; return what that goes by, if anything.

        Only where the other module has the very same object: another may have taken its place.
        """
        resolver, value = self._closure.resolver, (module.namespace or {}).get(symbol.name, ABSENT)
        for star in reversed(module.record.stars if module.record else ()):
            target = resolver.through_star(module, star, symbol.name)
            if isinstance(target, ValueTarget) and target.live is value is not ABSENT:
                self._closure.reach(target, Via(symbol, "imported as", star.line))
                return [str(target.module.symbol(target.name)).encode()]
        return []

    def _count_whole_module(self, module: Module, symbol: Symbol, via: Via) -> None:
        # Nothing in the source says how the name came to be bound: `globals()[...] = ...`.
        self._closure.widen(symbol, "no statement binds it; its whole module counts")
        content = digest_bytes(module.source.content)
        self._closure.count(module.symbol(""), Facet.CONTENT, content, module.place(), via)

    # -- files ----------------------------------------------------------------------------------

    def count_file(self, symbol: Symbol, path: str, via: Via) -> None:
        """Count a file by its bytes."""
        try:
            with open(path, "rb") as file:
                token = digest_bytes(file.read())
        except OSError:
            token = b""
        self._closure.count(symbol, Facet.CONTENT, token, Place(path, 0, 0), via)


def item_of(value: Any, keys: tuple[Key, ...]) -> Any:
    """Return what constant keys lead to in nested plain containers; ABSENT where one does not."""
    for key in keys:
        if type(value) is dict:
            value = value.get(key, ABSENT)
        elif type(value) in (list, tuple) and type(key) is int and -len(value) <= key < len(value):
            value = value[key]
        else:
            return ABSENT
    return value


def _holder(read: Callable[[], Any]) -> object | None:
    """The class or function that something is read of; None for all else."""
    holder: object = read.holder if isinstance(read, Read) else None
    return None if type(holder) is Module else holder


def _is_cached_function(value: Any) -> bool:
    """Whether a value is a function with a cache, which calling it does not extend."""
    is_cached = is_of_hitsave(value) or class_name(type(value))[1] == "_lru_cache_wrapper"
    return is_cached and value is not ABSENT


def declared_version(value: Any) -> str | None:
    """The version that was declared of a memoised function; None of anything else."""
    declared = getattr(value, "declared", None) if is_of_hitsave(value) else None
    return None if declared is None else str(declared.version)
