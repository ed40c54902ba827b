"""Instances: which of the functions and classes that one definition made several of.

Owns what tells them apart: what their cells, defaults and members hold. Refuses to count any of
that where a function uses it; `functions` and `members` do.
"""

import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from hitsave.code.bytecode import code_digest
from hitsave.code.guard import EMPTY, cell_content
from hitsave.code.inert import is_inert
from hitsave.code.project import is_special
from hitsave.code.resolve import (
    CodeTarget,
    ExternalTarget,
    FunctionTarget,
    ObjectTarget,
    Resolver,
    kept_by_library,
    name_of_external,
    symbol_of,
)
from hitsave.code.symbol import Symbol
from hitsave.code.wrapping import functions_in
from hitsave.digest import digest_parts, short
from hitsave.raw import (
    class_name,
    defaults_of,
    is_class,
    mro_of,
    named_in,
    names_of_class,
    namespace_of,
)

DigestHeld = Callable[[Symbol, Any, Any], bytes | None]

MOST = 200
DEEPEST = 40
"""How many functions and classes are followed that hold each other, and how far down."""

_PLAIN = (int, float, complex, str, bytes, bool, type(None))


class Instances:
    """What functions and classes are, beyond what their definitions say.

    `digest_held` gives a digest of what a cell, default or member holds, under the symbol that it
    goes by, and whose cell it is, if it is one; None where it has none. `is_asked` says which
    members of classes count.
    """

    def __init__(
        self, resolver: Resolver, digest_held: DigestHeld, is_asked: Callable[[str], bool]
    ) -> None:
        self._resolver = resolver
        self._digest_held = digest_held
        self._is_asked = is_asked
        self._known: dict[int, tuple[Any, bytes | None]] = {}
        self._met: dict[int, int] = {}
        self._depth = 0

    def digest(self, value: Any) -> bytes | None:
        """Return what tells a function or class from others of its definition, if anything can."""
        if id(value) not in self._known:
            self._met = {id(value): 0}
            self._known[id(value)] = (value, self._digest(value))
        return self._known[id(value)][1]

    def _digest(self, value: Any) -> bytes | None:
        if type(value) is FunctionType:
            held = list(self._held_by(value))
        elif is_class(value) and not is_the_only_one(value):
            held = list(self._members_of(value))
        else:
            return None
        return digest_parts("instance", held) if held else None

    def _held_by(self, function: FunctionType) -> Iterator[bytes]:
        target, code = self._resolver.of_object(function), function.__code__
        symbol = symbol_of(target)
        if isinstance(target, CodeTarget):
            yield code_digest(code)
        owner = symbol or Symbol(str(function.__module__), function.__qualname__)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            if name != "__class__":
                yield self._content(owner, name, cell_content(cell), function)
        if "<" in function.__qualname__:
            for name, value in defaults_of(function):
                yield self._content(owner, f"{name}=", value)

    def _members_of(self, cls: type) -> Iterator[bytes]:
        owner = Symbol(*class_name(cls))
        for base in mro_of(cls)[1:]:
            yield self._content(owner, "base", base)
        names = names_of_class(cls)
        for name in sorted(name for name in names if type(name) is str and self._is_asked(name)):
            for part in _parts_of_member(name, names[name]):
                if not self._is_its_own(cls, part):
                    yield name.encode()
                    yield self._content(owner, name, part)

    def _is_its_own(self, cls: type, member: Any) -> bool:
        """Whether a member is a method that every class of this definition has."""
        if not isinstance(self._resolver.of_object(member), FunctionTarget):
            return False
        holds_nothing = {"__class__"}.issuperset(member.__code__.co_freevars)
        is_named_so = member.__qualname__.rpartition(".")[0] == class_name(cls)[1]
        return holds_nothing and is_named_so and not defaults_of(member)

    def _content(self, owner: Symbol, name: str, value: Any, holder: Any = None) -> bytes:
        if value is EMPTY or is_inert(value):
            return b"nothing"
        identity = self._identity(value)
        if identity is not None:
            return identity
        found = self._digest_held(Symbol(owner.module, f"{owner.name}[{name}]"), value, holder)
        if found is not None:
            return found
        inner = [self._identity(function) or b"" for function in functions_in(value)]
        return digest_parts("kind", [":".join(class_name(type(value))).encode(), *inner])

    def _identity(self, value: Any) -> bytes | None:
        """What a function, class or module goes by; None for any other value."""
        target = self._resolver.of_object(value)
        if isinstance(target, ExternalTarget):
            return name_of_external(value).encode()
        symbol = symbol_of(target)
        if symbol is None:
            return None
        return digest_parts("identity", [str(symbol).encode(), self._inner(value)])

    def _inner(self, value: Any) -> bytes:
        """What a function or class holds that others hold; where it was met already, its number."""
        is_new = id(value) not in self._met
        number = self._met.setdefault(id(value), len(self._met))
        if not is_new or number > MOST or self._depth > DEEPEST:
            return b"%d" % number
        self._depth += 1
        try:
            return self._digest(value) or b""
        finally:
            self._depth -= 1


def _parts_of_member(name: str, value: Any) -> list[Any]:
    """What a member says of its class: the functions in it, or a plain value.

    Not what else it holds, an instance that a method is bound to: that may change.
    """
    if _is_plain(value):
        return [] if is_special(name) else [value]
    functions = [value] if type(value) is FunctionType else functions_in(value)
    return [function for function in functions if type(function) is FunctionType]


def project_name(resolver: Resolver, value: Any) -> str | None:
    """Return the name by which a project definition counts inside a value; None for others.

    A class that is not the only one of its name is told apart by what its methods are.
    """
    target = resolver.of_object(value)
    if isinstance(target, (ExternalTarget, ObjectTarget)):
        return None
    name = str(symbol_of(target))
    if not is_class(value) or is_the_only_one(value):
        return name
    digest = Instances(resolver, _digest_plain, lambda _: True).digest(value)
    return name if digest is None else f"{name}@{short(digest)}"


def name_in_code(resolver: Resolver, value: Any) -> str | None:
    """As `project_name`, and the name of a method that a library's module binds.

    In a global or a closure cell it is what the code says. As an argument it stands for the
    instance as it is.
    """
    kept = kept_by_library(value)
    if kept is not None and resolver.is_external(kept[0]):
        return ":".join(kept)
    return project_name(resolver, value)


def _digest_plain(_: Symbol, value: Any, __: Any) -> bytes | None:
    return repr(value).encode("utf-8", "surrogatepass") if _is_plain(value) else None


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if type(value) is tuple else type(value) in _PLAIN


def is_the_only_one(cls: type) -> bool:
    """Whether a class is what its module calls by its name, so that no other has the name."""
    module, name = class_name(cls)
    return named_in(namespace_of(sys.modules.get(module)) or {}, name) is cls
