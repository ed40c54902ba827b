"""What may be shared between callers, and what must be copied.

Owns the tests for deep immutability and for trees without shared parts. Refuses to look into
anything but Python's own containers.
"""

from itertools import chain
from types import EllipsisType, NoneType, NotImplementedType
from typing import Any

_ATOMS = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, EllipsisType, NotImplementedType, range}
)
_FROZEN = frozenset({tuple, frozenset})
_ALLOWED = _ATOMS | _FROZEN


def is_immutable(value: object) -> bool:
    """Whether nothing reachable from `value` can be changed: scalars, and tuples of such."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    return kind in _FROZEN and _all_frozen(value)


def _all_frozen(value: object) -> bool:
    level = {id(value): value}
    seen: set[int] = set()
    while level:
        parts = {id(part): part for item in level.values() for part in item}  # type: ignore[attr-defined]
        if not _ALLOWED.issuperset(map(type, parts.values())):
            return False
        seen.update(level)
        level = {
            key: part for key, part in parts.items() if type(part) in _FROZEN and key not in seen
        }
    return True


identity = object.__hash__
"""As good as `id`, and not seen by audit hooks, which make `id` several times slower."""

_LEAVES = frozenset({NoneType, bool, int, float, str, bytes})
_TREE = _LEAVES | {list, dict}
_MAX_DEPTH = 24


def may_be_tree(value: list[object]) -> bool:
    """Whether a look at the first element leaves it open that `value` is a tree."""
    return not value or type(value[0]) in _TREE


def unshared_tree(value: object, large: int) -> set[int] | None:
    """Return the identities of the lists and dicts in a tree of these and of scalars.

    None where it holds anything else, the same container twice, bytes of `large` or more (those
    are stored on their own), or is nested deeper than 24 levels.
    """
    if type(value) is list:
        kinds = set(map(type, value))
        if kinds <= _LEAVES and bytes not in kinds:
            return {identity(value)}
    level: list[object] = [value]
    seen: set[int] = set()
    for _ in range(_MAX_DEPTH):
        kinds = set(map(type, level))
        if not kinds <= _TREE or (bytes in kinds and _holds_large(level, large)):
            return None
        if kinds <= _LEAVES:
            return seen
        lists: list[Any] = [item for item in level if type(item) is list]
        dicts: list[Any] = [item for item in level if type(item) is dict]
        count = len(seen) + len(lists) + len(dicts)
        seen.update(map(identity, lists), map(identity, dicts))
        if len(seen) != count:
            return None
        level = [*chain.from_iterable(lists), *chain.from_iterable(dicts)]
        level += chain.from_iterable(map(dict.values, dicts))
    return None


def _holds_large(level: list[object], large: int) -> bool:
    return any(type(item) is bytes and len(item) >= large for item in level)
