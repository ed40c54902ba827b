"""Held: what objects hold.

Owns which of the parts of an object are looked at: items, fields, slots, cells, what wrappers and
bound methods stand for. Refuses to run any code of theirs.
"""

import functools
from collections import OrderedDict, defaultdict, deque
from collections.abc import Container, Iterable
from types import (
    BuiltinMethodType,
    CellType,
    FunctionType,
    MappingProxyType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

from hitsave.code.wrapping import functions_in
from hitsave.raw import fields_of, mro_of, names_of_class, slots_of

LARGE = 1000
"""How many items a container may have for each of them to be looked at."""

# By their ids: a metaclass may say that its classes cannot be hashed, or are equal to any other.
_SCALARS = frozenset(map(id, (int, str, float, bool, bytes, complex, bytearray, type(None))))
_MAPPINGS = frozenset(map(id, (dict, OrderedDict, defaultdict)))
_CONTAINERS = _MAPPINGS | set(map(id, (list, tuple, set, frozenset, deque)))
_BOUND = frozenset(map(id, (MethodType, BuiltinMethodType, MethodWrapperType)))


def is_scalar(value: Any) -> bool:
    """Whether nothing can be held by a value."""
    return id(type(value)) in _SCALARS


def changeable(value: Any) -> Any:
    """Return the object that is looked at to see a change of a value: of a method, its owner."""
    return value.__self__ if id(type(value)) in _BOUND else value


class Search:
    """Looks for objects, by their ids, among what values hold, directly or through others."""

    def __init__(self, objects: Container[int]) -> None:
        self._objects = objects
        self._without: dict[int, Any] = {}

    def leads_from(self, value: Any) -> bool:
        """Whether a value is one of the objects, is a method of one, or holds one."""
        met: dict[int, Any] = {}  # with the objects, so that no other gets their ids
        left = [value]
        while left:
            each = changeable(left.pop())
            if id(each) in self._objects:
                return True
            if is_scalar(each) or id(each) in met or id(each) in self._without:
                continue
            met[id(each)] = each
            # What a class or a module binds goes by names of its own.
            if not issubclass(type(each), (type, ModuleType)):
                left += held_by(each, is_ours=True) or ()
        self._without.update(met)
        return False


def held_by(value: Any, is_ours: bool) -> Iterable[Any] | None:
    """Return what an object holds; None where that is too much to look at.

    `is_ours`: its class is the project's, so that its fields are looked at.
    """
    base = _container_in(type(value))
    if base is type(value):
        return _items_of(value, base)
    if type(value) is FunctionType:
        return captured_by(value)
    found = functions_in(value)
    if id(type(value)) in _BOUND:
        found.append(value.__self__)
    elif type(value) is functools.partial:
        found += [*value.args, *value.keywords.values()]
    elif type(value) is MappingProxyType:
        found += value.values()
    elif type(value) is SimpleNamespace or is_ours:
        found += [*fields_of(value).values(), *slots_of(value)]
    items = () if base is None else _items_of(value, base)
    return None if items is None else [*found, *items]


def _container_in(kind: type) -> type | None:
    """The class of Python's own containers that a class is, or is derived from."""
    return next((base for base in mro_of(kind) if id(base) in _CONTAINERS), None)


def _items_of(value: Any, base: Any) -> Iterable[Any] | None:
    if id(base) in _MAPPINGS:
        items: tuple[Any, ...] = (*base.keys(value), *base.values(value))
    else:
        items = tuple(base.__iter__(value))
    return items if len(items) <= LARGE or all(map(is_scalar, items)) else None


def captured_by(live: FunctionType | None) -> list[Any]:
    """Return what a function holds without naming a global: cells, defaults and attributes."""
    if live is None:
        return []
    found = [*(live.__defaults__ or ()), *(live.__kwdefaults__ or {}).values()]
    found += fields_of(live).values()
    cells: tuple[CellType, ...] = live.__closure__ or ()
    for cell in cells:
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue  # not bound yet
    return found


def values_of_class(cls: type) -> list[Any]:
    """Return what a class binds, other than functions and what stands for them."""
    values = names_of_class(cls).values()
    return [v for v in values if type(v) is not FunctionType and not functions_in(v)]
