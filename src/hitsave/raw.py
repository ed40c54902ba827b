"""Raw access: what objects, classes and modules have, whatever they say of themselves.

Owns reading it without running any code of theirs: no `__getattr__`, property or metaclass. Refuses
to say what it means.
"""

import sys
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, TypeGuard

mro_of: Any = type.__dict__["__mro__"].__get__
"""The bases of a class, itself first."""

names_of_class: Any = type.__dict__["__dict__"].__get__
"""What a class itself binds."""

_qualified_name_of: Any = type.__dict__["__qualname__"].__get__
_namespace_of_module: Any = vars(ModuleType)["__dict__"].__get__


def class_name(kind: type) -> tuple[str, str]:
    """Return module and qualified name of a class, past any metaclass of the user's."""
    module = type.__getattribute__(kind, "__module__")
    return module if type(module) is str else "", _qualified_name_of(kind)


def namespace_of(value: Any) -> dict[str, Any] | None:
    """Return the namespace of a module; None for anything else."""
    return _namespace_of_module(value) if is_a(value, ModuleType) else None


def is_made_module(value: Any) -> TypeGuard[ModuleType]:
    """Whether a module was made by code that is no loader, as `ModuleType("settings")` makes one.

    Those inside of packages are not meant: extension modules make some of theirs so.
    """
    names = namespace_of(value) if type(value) is ModuleType else None
    if names is None or any(names.get(each) for each in ("__spec__", "__file__", "__path__")):
        return False
    name = str(names.get("__name__"))
    return not ("." in name or name == "__main__" or name in sys.builtin_module_names)


def named_in(names: Any, dotted: str) -> Any:
    """Return what a dotted name means in a namespace, through classes; None for nothing."""
    found = names.get(dotted)  # a generic model's name may have dots in brackets
    if found is not None:
        return found
    for step in dotted.split("."):
        found = names.get(step)
        names = names_of_class(found) if is_class(found) else {}
    return found


def defaults_of(function: FunctionType) -> list[tuple[str, Any]]:
    """Return the defaults of a function, with the names of their parameters.

    A function may have been given more of them than it has parameters, which then have none.
    """
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    surplus = range(len(given) - len(names))
    names = (*map("<{}>".format, surplus), *names)
    pairs = zip(names[len(names) - len(given) :], given, strict=True)
    return [*pairs, *(function.__kwdefaults__ or {}).items()]


def is_class(value: object) -> TypeGuard[type]:
    """Whether an object is a class, whatever it says that its `__class__` is."""
    return issubclass(type(value), type)


def is_a(value: object, kind: type | tuple[type, ...]) -> bool:
    """Whether an object is of a class by its type, whatever it says that its `__class__` is."""
    return issubclass(type(value), kind)


def fields_of(value: Any) -> dict[str, Any]:
    """Return the attributes that an object has of its own."""
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
    return [held for held in (slot_value(slot, value) for slot in members) if held is not None]


def slot_value(slot: Any, value: Any) -> Any:
    """Return what a slot of an object holds; None where it holds nothing."""
    try:
        return slot.__get__(value, type(value))
    except AttributeError:
        return None


def is_of_hitsave(value: Any) -> bool:
    """Whether an object is of a class of hitsave's own, as memoised functions are."""
    module = names_of_class(type(value)).get("__module__")
    return type(module) is str and module.partition(".")[0] == __name__.partition(".")[0]
