"""Wrapping: the functions inside objects that stand for them.

Owns which fields and slots lead to them: of decorated, cached, compiled and partial functions,
properties and methods. Refuses to run any code of theirs.
"""

from types import GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import Any
from weakref import ref

from hitsave.raw import fields_of, mro_of, names_of_class, slot_value


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
        inner = slot_value(slot, value)
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
