"""Openers of classes and their instances.

Owns how an instance is read without running its code: the class, what a known base holds, the
slots and the `__dict__`. Refuses to call a property, a `__getattr__` or a `__class__`.
"""

import builtins
from collections.abc import Iterator
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType

from hitsave.codec.builtin import sorted_fields
from hitsave.codec.naming import external_name, is_loaded_as, type_label
from hitsave.codec.nodes import Context, Node, field_steps
from hitsave.errors import NotDigestibleError
from hitsave.raw import class_name, mro_of, names_of_class

_POINTER = tuple.__itemsize__


def class_token(kind: type, context: Context) -> str:
    """Return the name under which instances of `kind` are digested."""
    module, name = class_name(kind)
    if module == "builtins" and vars(builtins).get(name) is kind:
        return f"builtins:{name}"
    return context.name(kind) or external_name(module, name)


def open_class(value: object, context: Context) -> Node:
    """Open a class: its name says it all, what the name stands for is the code's concern."""
    return Node("class", (class_token(value, context),))  # type: ignore[arg-type]


def mro_lookup(kind: type, name: str) -> object:
    """Return what `name` means in the classes of `kind`, below `object`; None where nothing."""
    for base in mro_of(kind)[:-1]:
        found: object = names_of_class(base).get(name)
        if found is not None:
            return found
    return None


def open_own_digest(value: object, method: object, context: Context) -> Node:
    """Open an object whose class says itself what counts."""
    token = class_token(type(value), context)
    content = method.__get__(value, type(value))()  # type: ignore[attr-defined]
    refuse_itself(value, content)
    steps = field_steps(("", "__hitsave_digest__()"))
    return Node("own", (token, content), steps, mutable=True, reduced=True)


def refuse_itself(value: object, content: object) -> None:
    """Raise where an object stands for itself: all of its type would have one digest."""
    if content is value:
        raise NotDigestibleError(
            f"What stands for an object of type {type_label(value)} is that object itself.",
            "Return what counts of it, as plain data.",
        )


def is_enum(kind: type) -> bool:
    """Whether `kind` is an enumeration; none can be where `enum` is not loaded."""
    return any(
        class_name(meta) == ("enum", "EnumType") and is_loaded_as("enum", "EnumType", meta)
        for meta in mro_of(type(kind))
    )


def open_enum(value: object, context: Context) -> Node:
    """Open an enum member: its class, its name, its value."""
    fields = instance_dict(value)
    token = class_token(type(value), context)
    children = (token, fields.get("_name_"), fields.get("_value_"))
    return Node("enum", children, field_steps(("", "name", "value")))


def open_exception(value: BaseException, context: Context) -> Node:
    """Open an exception: its class, its arguments, its fields, what it came from; not where."""
    arguments = BaseException.__dict__["args"].__get__(value)
    names, contents = instance_fields(value)
    held = [(name, content) for name, content in _held_by(value) if content is not None]
    names = (*names, *(name for name, _ in held))
    contents = [*contents, *(content for _, content in held)]
    children = (class_token(type(value), context), arguments, names, *contents)
    return Node("exception", children, field_steps(("args", "", *names), 1), mutable=True)


def _held_by(value: BaseException) -> Iterator[tuple[str, object]]:
    """Yield what Python's own exceptions hold, such as the name of a file, with its name."""
    for name in ("__cause__", "__context__"):
        yield name, BaseException.__dict__[name].__get__(value)
    for base in mro_of(type(value)):
        if class_name(base)[0] == "builtins" and base is not BaseException:
            for name, slot in vars(base).items():
                if type(slot) is MemberDescriptorType:
                    yield f"{base.__name__}.{name}", slot.__get__(value, type(value))


def open_instance(value: object, token: str, base: Node | None) -> Node:
    """Open an instance by its class: its fields, and the node of what its base holds."""
    names, contents = instance_fields(value, frozenset() if base is None else base.owns)
    children = (token, names, *contents) if base is None else (token, names, *contents, base)
    mutable = base is None or base.mutable or bool(names) or _has_dict(type(value))
    return Node("instance", children, field_steps(("", *names, ""), 1), mutable=mutable)


def instance_fields(
    value: object, told: frozenset[str] = frozenset()
) -> tuple[tuple[str, ...], list[object]]:
    """Return names and contents of the `__dict__`, but for those in `told`, and of the slots.

    A slot is named with its class, since two classes may have each a slot of one name.
    """
    fields = instance_dict(value)
    if told:
        fields = {name: content for name, content in fields.items() if name not in told}
    names, contents = sorted_fields(fields)
    slots = [
        (f"{base_name}.{name}", content)
        for base_name, name, slot in _slots(type(value))
        if (content := _slot_content(slot, value)) is not _EMPTY
    ]
    return (*names, *(name for name, _ in slots)), [*contents, *(item for _, item in slots)]


_EMPTY = object()


def _slot_content(slot: MemberDescriptorType, value: object) -> object:
    try:
        return slot.__get__(value, type(value))
    except AttributeError:  # never assigned
        return _EMPTY


def _slots(kind: type) -> list[tuple[str, str, MemberDescriptorType]]:
    return [
        (base.__name__, name, slot)
        for base in reversed(mro_of(kind))
        if class_name(base)[0] != "builtins"
        for name, slot in names_of_class(base).items()
        if type(slot) is MemberDescriptorType
    ]


def hides_state(kind: type) -> bool:
    """Whether a base of `kind` keeps state in C, where neither slots nor `__dict__` show it."""
    return any(
        base.__basicsize__ - base.__base__.__basicsize__ > _POINTER * (_member_count(base) + 2)
        for base in mro_of(kind)[:-1]
    )


def _member_count(kind: type) -> int:
    members = names_of_class(kind).values()
    return sum(type(member) is MemberDescriptorType for member in members)


def dict_descriptor(kind: type) -> GetSetDescriptorType | None:
    """Return what reads the `__dict__` of instances of `kind`; None where they have none."""
    for base in mro_of(kind):
        found = names_of_class(base).get("__dict__")
        if type(found) is GetSetDescriptorType:
            return found
    return None


def _has_dict(kind: type) -> bool:
    return dict_descriptor(kind) is not None


def instance_dict(value: object) -> dict[str, object]:
    """Return the `__dict__` of `value` itself, whatever its class says `__dict__` is."""
    descriptor = dict_descriptor(type(value))
    fields = None if descriptor is None else descriptor.__get__(value, type(value))
    return fields if isinstance(fields, dict) else {}


def wrapped_function(value: object) -> FunctionType | None:
    """Return the function that `value` says it wraps, where that is a plain function."""
    wrapped = instance_dict(value).get("__wrapped__")
    return wrapped if type(wrapped) is FunctionType else None


def open_wrapper(value: object, wrapped: FunctionType, context: Context) -> Node:
    """Open an object that stands in for a function (compiled, cached, memoised)."""
    children = (class_token(type(value), context), wrapped)
    return Node("wrapper", children, field_steps(("", "__wrapped__")))
