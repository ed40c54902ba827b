"""Wrapping: the functions inside objects that stand for them.

Owns which fields and slots of an object are looked at: of decorated, cached, compiled and partial
functions, properties and methods. Refuses to run any code of theirs.
"""

from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary


def functions_in(value: Any) -> list[Any]:
    """Return the functions that a descriptor, wrapper or partial stands for; never runs code."""
    kind = type(value)
    if kind in (staticmethod, classmethod, MethodType):
        return [value.__func__]
    if kind is property:
        return [f for f in (value.fget, value.fset, value.fdel) if f is not None]
    if kind in _PLAIN:
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
_PLAIN = frozenset({int, float, str, bytes, bool, type(None), tuple, list, dict, set, frozenset})


def fields_of(value: Any) -> dict[str, Any]:
    """Read an object's own attributes, without running `__getattr__` or a property."""
    try:
        fields = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return fields if type(fields) is dict else {}


def slots_of(value: Any) -> list[Any]:
    """Return what the slots of an object hold, those of its class and of the bases of that."""
    slots = [slot for cls in type(value).__mro__ for slot in vars(cls).values()]
    members = [slot for slot in slots if type(slot).__name__ == "member_descriptor"]
    return [held for held in (_slot_value(slot, value) for slot in members) if held is not None]


def _wrapping_slots(kind: type) -> tuple[Any, ...]:
    """The slots of a class, or members of a built-in one, that hold a wrapped function."""
    known = _slots.get(kind)
    if known is not None:
        return known
    slots = {}
    for cls in reversed(kind.__mro__):
        own = vars(cls)
        for name in _WRAPPING:
            if type(own.get(name)).__name__ in ("member_descriptor", "getset_descriptor"):
                slots[name] = own[name]
    _slots[kind] = tuple(slots.values())
    return _slots[kind]


_slots: WeakKeyDictionary[type, tuple[Any, ...]] = WeakKeyDictionary()


def _slot_value(slot: Any, value: Any) -> Any:
    try:
        return slot.__get__(value, type(value))
    except AttributeError:
        return None
