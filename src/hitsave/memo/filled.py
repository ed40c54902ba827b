"""Cached properties that a call fills: a change of an argument that changes nothing.

Owns the question whether an argument differs from what it was by such values alone. They follow
from the rest of the instance, so a call that filled one is recorded. (One that has a value *before*
a call counts like any field: it may have been set by hand.)
"""

from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any

from hitsave.code.instances import project_name
from hitsave.code.resolve import Resolver
from hitsave.codec.instances import instance_dict
from hitsave.codec.nodes import Node
from hitsave.codec.openers import open_value
from hitsave.codec.plain import PART, PLAIN, SCALARS, plain_input
from hitsave.raw import is_a, is_class
from hitsave.session import Session

Filled = dict[int, frozenset[str]]
"""The cached properties that have a value, by the id of the instance."""

MOST_OBJECTS = 10_000
DEEPEST = 100
"""Beyond these an argument counts as changed: the call is not recorded, and nothing worse."""

_OPAQUE = (type, FunctionType, ModuleType)


def has_cached_properties(kind: Any) -> bool:
    """Whether `kind` is a class with cached properties."""
    return is_class(kind) and bool(cached_properties(kind))


def cached_properties(kind: type) -> frozenset[str]:
    """The names of a class's cached properties, of `functools` or of a library's own."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        found.update(vars(base))
    return frozenset(name for name, value in found.items() if _is_cached_property(type(value)))


def _is_cached_property(kind: type) -> bool:
    return any(base.__name__ == "cached_property" for base in kind.__mro__)


def note_filled(values: Iterable[Any]) -> Filled:
    """Note which cached properties of the instances among and inside `values` have a value."""
    filled: Filled = {}
    seen: set[int] = set()
    left = list(values)
    while left and len(seen) < MOST_OBJECTS:
        value = left.pop()
        if type(value) in SCALARS or is_a(value, _OPAQUE) or id(value) in seen:
            continue
        seen.add(id(value))
        fields = instance_dict(value)
        if names := cached_properties(type(value)):
            filled[id(value)] = names.intersection(fields)
        left += _contents(value)
        left += fields.values()
    return filled


def _contents(value: Any) -> list[Any]:
    if is_a(value, (list, tuple, set, frozenset)):
        return list(value)
    return list(value.values()) if is_a(value, dict) else []


def is_as_before(session: Session, value: Any, digest: bytes, filled: Filled) -> bool:
    """Whether `value`, without the cached properties filled since, has the digest that it had."""
    restored = _Restorer(session, filled).restored(value, ())
    return session.digest_argument(restored).digest == digest


class _Restorer:
    """Gives stand-ins for values, in which what was filled meanwhile is left out."""

    reduce = True

    def __init__(self, session: Session, filled: Filled) -> None:
        self._resolver = Resolver(session.project)
        self._filled = filled

    def name(self, value: object) -> str | None:
        """See `codec.nodes.Context`."""
        return project_name(self._resolver, value)

    def method_name(self, value: object) -> str | None:
        """See `codec.nodes.Context`."""
        return self.name(value)

    def restored(self, value: Any, around: tuple[int, ...]) -> Any:
        """Return `value` itself, or the node that it would have had before."""
        kind = type(value)
        if kind in SCALARS or (kind in PLAIN and plain_input(value, PART) is not None):
            return value
        if id(value) in around or len(around) > DEEPEST:
            return None
        node = open_value(value, self)
        children = self._as_before(value, node)
        inner = (*around, id(value))
        return node._replace(children=tuple(self.restored(child, inner) for child in children))

    def _as_before(self, value: Any, node: Node) -> list[Any]:
        children = list(node.children)
        before = self._filled.get(id(value))
        if before is None or node.tag != "instance":
            return children
        names: Any
        token, names, *contents = children
        new = cached_properties(type(value)) - before
        kept = [position for position, name in enumerate(names) if name not in new]
        rest = contents[len(names) :]
        return [token, tuple(names[at] for at in kept), *(contents[at] for at in kept), *rest]
