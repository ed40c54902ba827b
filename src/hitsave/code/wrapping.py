"""Wrapping: the functions inside objects that stand for them.

Owns which fields and slots of an object are looked at: of decorated, cached, compiled and partial
functions, properties and methods. Refuses to run any code of theirs.
"""

from types import GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import Any
from weakref import ref


def functions_in(value: Any) -> list[Any]:
    """Return the functions that a descriptor, wrapper or partial stands for; never runs code."""
    kind = type(value)
    if kind is staticmethod or kind is classmethod or kind is MethodType:
        return [value.__func__]
    if kind is property:
        return [f for f in (value.fget, value.fset, value.fdel) if f is not None]
    if id(kind) in _PLAIN:
        return []
    found = []
    fields = fields_of(value)
    for name in _WRAPPING:
        inner = fields.get(name)
        if inner is not None:
            found.append(inner)
    for slot in _wrapping_slots(kind):
        inner = _slot_value(slot, value)
        if inner is not None:
            found.append(inner)
    return found


_WRAPPING = (
    "__wrapped__",
    "func",
    "fget",
    "__func__",
    "_func",
    "function",
    "fn",
    "py_func",
    "pyfunc",
)
# By their ids, as a metaclass may say that its classes cannot be hashed.
_PLAIN = frozenset(
    map(id, (int, float, str, bytes, bool, type(None), tuple, list, dict, set, frozenset))
)


mro_of: Any = type.__dict__["__mro__"].__get__
names_of_class: Any = type.__dict__["__dict__"].__get__
"""The bases and the names of a class, whatever its metaclass says they are."""


def fields_of(value: Any) -> dict[str, Any]:
    """Read an object's own attributes, without running `__getattr__` or a property."""
    for cls in mro_of(type(value)):
        own = names_of_class(cls).get("__dict__")
        if type(own) is GetSetDescriptorType:
            fields = own.__get__(value)
            return fields if type(fields) is dict else {}
    return {}


def slots_of(value: Any) -> list[Any]:
    """Return what the slots of an object hold, those of its class and of the bases of that."""
    slots = [slot for cls in mro_of(type(value)) for slot in names_of_class(cls).values()]
    members = [slot for slot in slots if type(slot) is MemberDescriptorType]
    return [held for held in (_slot_value(slot, value) for slot in members) if held is not None]


def _wrapping_slots(kind: type) -> tuple[Any, ...]:
    """The slots of a class, or members of a built-in one, that hold a wrapped function."""
    known = _slots.get(id(kind))
    if known is not None and known[0]() is kind:
        return known[1]
    slots = {}
    for cls in reversed(mro_of(kind)):
        own = names_of_class(cls)
        for name in _WRAPPING:
            if type(own.get(name)) in (MemberDescriptorType, GetSetDescriptorType):
                slots[name] = own[name]
    key, found = id(kind), tuple(slots.values())
    _slots[key] = (ref(kind, lambda _: _slots.pop(key, None)), found)
    return found


_slots: dict[int, tuple[ref[type], tuple[Any, ...]]] = {}


def _slot_value(slot: Any, value: Any) -> Any:
    try:
        return slot.__get__(value, type(value))
    except AttributeError:
        return None
